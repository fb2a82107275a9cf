//! The program as a whole, on real storage, through its routes.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod app;
mod chat;
mod conformance;
mod description;
mod matrix;
mod sign_in;
mod statements;
