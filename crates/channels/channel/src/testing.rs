//! The same enquiry for every channel: the conformance suite sends it through each and compares what became of it.

use domain::{MessageId, Timestamp};

/// What a customer wants, said without any channel.
#[derive(Debug, Clone)]
pub struct Enquiry {
    pub name: String,
    /// A mail address; channels that have none of their own take it as claimed.
    pub address: String,
    pub subject: String,
    pub text: String,
    pub message: MessageId,
    pub at: Timestamp,
}
