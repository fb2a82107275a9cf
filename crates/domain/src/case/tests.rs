//! Table of the case's rules.
