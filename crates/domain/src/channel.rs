//! Kinds of channel.

use crate::closed::closed;

closed! {
    /// The protocol of a channel.
    pub enum ChannelKind {
        Webchat = "webchat",
        Email = "email",
        Webform = "webform",
        Api = "api",
        Phone = "phone",
        Counter = "counter",
    }
}

impl ChannelKind {
    /// How many open cases of this kind one agent takes at once, until somebody sets it.
    #[must_use]
    pub const fn default_capacity(self) -> u32 {
        match self {
            Self::Webchat => 3,
            Self::Phone | Self::Counter => 1,
            Self::Email | Self::Webform | Self::Api => 10,
        }
    }
    /// Whether a reply is held for the undo delay (somebody waiting in a chat is not).
    #[must_use]
    pub const fn holds_replies(self) -> bool {
        matches!(self, Self::Email | Self::Webform)
    }
}
