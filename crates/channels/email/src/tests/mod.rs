//! Tests that span modules, by subject.

mod adapter;
mod composing;
mod fetching;
mod hostile;
mod mails;
mod quotes;
mod receiving;
mod sanitizing;
mod sending;
