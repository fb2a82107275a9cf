//! Placeholder of the routing rules.
