//! The mail protocol, without business state.
//!
//! Owns: reading raw mail ([`parse`]), making its HTML safe ([`sanitize`]), telling which
//! case it answers ([`thread`], [`token`]), when a machine sent it ([`automatic`],
//! [`bounce`]), writing mail ([`compose`]), and the three wires: SMTP out, a
//! built-in SMTP receiver, and IMAP.
//!
//! Must never: touch a database, decide about a case, answer a mail by itself, connect to
//! an address its [`net::Resolve`] did not allow, or drop a mail it could not read.
//!
//! Start reading at [`channel::EmailChannel`], then [`parse::parse`] and [`thread::find`].
#![forbid(unsafe_code)]

pub mod address;
pub mod authentication;
pub mod automatic;
pub mod bounce;
pub mod channel;
pub mod compose;
#[cfg(feature = "testing")]
pub mod enquiry;
pub mod flatten;
pub mod headers;
pub mod imap_in;
pub mod incoming;
pub mod limits;
pub mod markup;
pub mod net;
pub mod outgoing;
pub mod parse;
pub mod plain;
pub mod quote;
pub mod receiver;
pub mod sanitize;
pub mod settings;
pub mod smtp_data;
pub mod smtp_in;
pub mod smtp_out;
mod smtp_session;
pub mod structure;
pub mod subject;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod thread;
pub mod token;
pub mod transfer;
