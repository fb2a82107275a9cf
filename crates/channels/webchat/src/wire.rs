//! What the widget is told. These types are the only ones that leave by the widget's routes, and nothing inner has a
//! field in them (SECURITY row 13).

use channel::QueuePlace;
use domain::{AttachmentId, MessageId, Timestamp};
use serde::Serialize;

/// Conversations of a thread are read one after the other: a message's place is its conversation's ordinal and its
/// sequence number there, as one number that JavaScript can hold (2^53).
const PER_CONVERSATION: i64 = 1 << 32;

#[must_use]
pub(crate) const fn place_in_thread(ordinal: i64, seq: i64) -> i64 {
    ordinal * PER_CONVERSATION + seq
}

/// The reverse of [`place_in_thread`].
#[must_use]
pub(crate) const fn ordinal_and_seq(place: i64) -> (i64, i64) {
    (place.div_euclid(PER_CONVERSATION), place.rem_euclid(PER_CONVERSATION))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WidgetAttachment {
    pub id: AttachmentId,
    pub name: String,
    pub mime: String,
    /// Bytes.
    pub size: i64,
    /// Relative to the server; carries its own permission and ends after some days.
    pub url: String,
    #[schema(required = true)]
    pub width: Option<i32>,
    #[schema(required = true)]
    pub height: Option<i32>,
}

/// One message as the visitor reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WidgetMessage {
    pub id: MessageId,
    /// Grows along the thread; the cursor of `after`.
    pub seq: i64,
    pub at: Timestamp,
    pub mine: bool,
    /// Whoever wrote, empty for the visitor.
    pub author: String,
    pub text: String,
    pub attachments: Vec<WidgetAttachment>,
    pub system: bool,
    /// Always `sent`: what the visitor can read has arrived.
    pub state: &'static str,
}

/// Where the visitor stands while nobody has taken the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = QueuePlace)]
pub struct Place {
    /// From 1.
    pub position: u32,
    #[schema(required = true)]
    pub expected_wait_seconds: Option<i64>,
}

impl From<QueuePlace> for Place {
    fn from(place: QueuePlace) -> Self {
        let expected_wait_seconds = place.expected_wait.map(domain::Span::as_seconds);
        Self { position: place.position, expected_wait_seconds }
    }
}

/// The answer to an opened session.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WidgetSession)]
pub struct Session {
    /// Keep it in the browser: it is this visitor.
    pub visitor_token: String,
    /// The latest messages.
    pub thread: Vec<WidgetMessage>,
    #[schema(required = true)]
    pub queue: Option<Place>,
    pub brand: String,
    pub greeting: String,
    pub color: String,
    /// Somebody is at work.
    pub online: bool,
    /// Whether to ask for an address.
    pub ask_email: bool,
    #[schema(required = true)]
    pub claimed_email: Option<String>,
    /// The site has signed who this is.
    pub identified: bool,
}

/// Messages after a cursor.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WidgetPage)]
pub struct Page {
    pub items: Vec<WidgetMessage>,
    #[schema(required = true)]
    pub queue: Option<Place>,
    /// Agents who write right now.
    pub typing: Vec<Writer>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WidgetWriter)]
pub struct Writer {
    pub name: String,
}

/// Frames to the widget: a closed set.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum Frame {
    Ready,
    Messages { items: Vec<WidgetMessage>, queue: Option<Place> },
    Typing { name: String },
    Queue { queue: Option<Place> },
    Beat,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        for (ordinal, seq) in [(0, 0), (0, 7), (1, 1), (1_000_000, 4_000_000_000)] {
            assert_eq!(ordinal_and_seq(place_in_thread(ordinal, seq)), (ordinal, seq));
        }
        assert!(place_in_thread(1_000_000, 4_000_000_000) < 1 << 53);
        assert_eq!(place_in_thread(0, 7), 7);
    }
}
