//! Kinds of channel.

macro_rules! kinds {
    ($($variant:ident = $wire:literal),+ $(,)?) => {
        /// The protocol of a channel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ChannelKind { $($variant),+ }
        impl ChannelKind {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($wire => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    Webchat = "webchat",
    Email = "email",
    Webform = "webform",
    Api = "api",
    Phone = "phone",
    Counter = "counter",
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
