//! Tests that span modules, by subject.

mod composing;
mod hostile;
mod mails;
mod quotes;
mod sanitizing;
