//! The program: puts features and channels together, opens the data folder, serves, and makes the demo company.
//!
//! It must never hold a business rule. Start reading in `assemble.rs` (everything that exists, in one list), then
//! `serve.rs` and `folder.rs`.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod demo;
pub mod folder;
mod mail;
pub mod serve;
