//! Placeholder of the view filters.
