//! Conversations that come into being otherwise than by a visitor's message (a message moved into a case of its own)
//! join their thread too.

use crate::store;
use domain::case::CaseEvent;
use domain::{ChannelKind, Event};
use spine::{Consumer, LoggedEvent, Refusal, Unit};
use uuid::Uuid;

pub(crate) struct FollowConversations;

impl Consumer for FollowConversations {
    fn name(&self) -> &'static str {
        "webchat.conversations"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "case.conversation_joined"
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        if let Event::Case(CaseEvent::ConversationJoined {
            conversation,
            channel_kind: ChannelKind::Webchat,
            thread_key,
            ..
        }) = &event.event
            && let Ok(thread) = thread_key.parse::<Uuid>()
        {
            let workspace = unit.workspace();
            store::join(unit.tx(), workspace, *conversation, thread)?;
        }
        Ok(())
    }
}
