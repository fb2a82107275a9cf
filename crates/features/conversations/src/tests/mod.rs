//! The intake, the delivery and what the program sends by itself, on both engines.
//! `office.rs` stands for the world outside: a mail server, and people who write.

mod administered;
mod chatted;
mod delivered;
mod fetched;
mod looped;
mod moved;
mod office;
mod received;
