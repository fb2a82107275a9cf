//! Web chat: the widget that other sites embed, its visitors, their messages and their live connection.
//!
//! Owns the tables `visitor`, `chat_conversation` and `chat_subject`. It must never show a visitor anything but the
//! public messages of their own thread (every answer is made of [`wire`]'s own types, SECURITY row 13), and never let
//! a typed address find anybody (row 19). Start reading in `door.rs` (what every request passes), then `session.rs`
//! (who a visitor is), `messages.rs` and `live.rs`.
#![forbid(unsafe_code)]

mod board;
mod door;
mod files;
mod follow;
mod identity;
mod live;
mod messages;
mod page;
mod protocol;
mod session;
mod settings;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod wire;

pub use protocol::WebchatChannel;
pub use settings::Settings;
pub use wire::{Place, Session, WidgetAttachment, WidgetMessage};

use board::Board;
use channel::{Intake, QueueInfo};
use door::Door;
use spine::{Kept, Spine};
use std::sync::Arc;
use web::{Kit, Routes};

/// What the routes hold.
#[derive(Clone)]
pub struct Webchat(Arc<Inner>);

struct Inner {
    spine: Spine,
    kit: Kit,
    intake: Arc<dyn Intake>,
    queue: Arc<dyn QueueInfo>,
    board: Board,
    doors: Kept<String, Door>,
}

impl Webchat {
    #[must_use]
    pub fn new(spine: Spine, kit: &Kit, intake: Arc<dyn Intake>, queue: Arc<dyn QueueInfo>) -> Self {
        let (board, doors) = (Board::default(), Kept::default());
        Self(Arc::new(Inner { spine, kit: kit.clone(), intake, queue, board, doors }))
    }

    /// All public routes of the widget.
    pub fn routes(&self) -> Routes {
        door::routes(self)
    }
}

/// What this channel brings to the spine.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new().consumer(follow::FollowConversations)
}
