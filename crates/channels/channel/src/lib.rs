//! Placeholder paragraph; the owner of this crate replaces it.
