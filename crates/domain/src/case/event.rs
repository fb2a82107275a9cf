//! What can happen to a case, and what it changes.

use super::command::{AssignedBy, CaseEdit};
use super::state::{Answer, BeforeAnswer, CaseState, Delivery, Outgoing, Priority, Status};
use crate::actor::Actor;
use crate::aggregate::Happened;
use crate::channel::ChannelKind;
use crate::ids::{CaseId, ChannelId, ConversationId, CustomerId, MessageId, ReasonId, SkillId, TeamId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CaseEvent {
    Opened {
        number: i64,
        customer: CustomerId,
        channel: ChannelId,
        channel_kind: ChannelKind,
        subject: String,
        priority: Priority,
        team: Option<TeamId>,
        reason: Option<ReasonId>,
        language: Option<String>,
        required_skills: BTreeSet<SkillId>,
    },
    ConversationJoined {
        conversation: ConversationId,
        channel: ChannelId,
        channel_kind: ChannelKind,
        customer: CustomerId,
        thread_key: String,
    },
    MessageReceived {
        message: MessageId,
        conversation: ConversationId,
        automatic: bool,
        preview: String,
    },
    MessageSent {
        message: MessageId,
        conversation: ConversationId,
        automatic: bool,
        preview: String,
        #[serde(flatten)]
        delivery: Delivery,
    },
    NoteAdded {
        message: MessageId,
        conversation: ConversationId,
        mentions: Vec<UserId>,
    },
    /// Taken back within the undo delay: as if it had never been said.
    MessageCancelled {
        message: MessageId,
    },
    DeliveryChanged {
        message: MessageId,
        #[serde(flatten)]
        delivery: Delivery,
    },
    StatusChanged {
        from: String,
        #[serde(flatten)]
        status: Status,
    },
    Assigned {
        team: Option<TeamId>,
        assignee: Option<UserId>,
        by: AssignedBy,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        previous: Option<UserId>,
    },
    Edited {
        #[serde(flatten)]
        edit: CaseEdit,
    },
    MessageMovedOut {
        message: MessageId,
        conversation: ConversationId,
        to: CaseId,
        /// Since when the customer waits without it, if that is another time.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::customer::double_option")]
        waiting_since: Option<Option<Timestamp>>,
    },
    MessageMovedIn {
        message: MessageId,
        conversation: ConversationId,
        from: CaseId,
        preview: String,
        from_customer: bool,
    },
}

/// The state after an event.
pub(super) fn apply(state: Option<CaseState>, event: &CaseEvent, happened: Happened) -> Option<CaseState> {
    let Some(mut state) = state else {
        return opened(event, happened);
    };
    state.updated_at = happened.at;
    match event {
        CaseEvent::Opened { .. } => {}
        CaseEvent::ConversationJoined { conversation, .. } => state.conversations.push(*conversation),
        CaseEvent::MessageReceived { automatic, preview, .. } => {
            customer_spoke(&mut state, *automatic, preview, happened);
        }
        CaseEvent::MessageSent { .. } => sent(&mut state, event, happened),
        CaseEvent::NoteAdded { .. } => {}
        CaseEvent::MessageCancelled { message } => cancelled(&mut state, *message),
        CaseEvent::DeliveryChanged { message, delivery } => state.set_delivery(*message, delivery.clone()),
        CaseEvent::StatusChanged { status, .. } => status_changed(&mut state, status, happened),
        CaseEvent::Assigned { team, assignee, .. } => {
            state.team = *team;
            state.assignee = *assignee;
        }
        CaseEvent::Edited { edit } => edited(&mut state, edit.clone()),
        CaseEvent::MessageMovedOut { message, waiting_since, .. } => {
            state.outgoing.remove(message);
            state.waiting_since = waiting_since.unwrap_or(state.waiting_since);
        }
        CaseEvent::MessageMovedIn { preview, from_customer, conversation, .. } => {
            if !state.conversations.contains(conversation) {
                state.conversations.push(*conversation);
            }
            if *from_customer {
                customer_spoke(&mut state, false, preview, happened);
            }
        }
    }
    Some(state)
}

fn opened(event: &CaseEvent, happened: Happened) -> Option<CaseState> {
    let CaseEvent::Opened {
        number,
        customer,
        channel,
        channel_kind,
        subject,
        priority,
        team,
        reason,
        language,
        required_skills,
    } = event.clone()
    else {
        return None;
    };
    Some(CaseState {
        number,
        customer,
        channel,
        channel_kind,
        subject,
        preview: String::new(),
        status: Status::New,
        priority,
        team,
        assignee: None,
        reason,
        language,
        tags: BTreeSet::new(),
        required_skills,
        conversations: Vec::new(),
        outgoing: BTreeMap::new(),
        opened_at: happened.at,
        updated_at: happened.at,
        last_message_at: happened.at,
        waiting_since: None,
        first_response_at: None,
        last_answer: None,
        solved_at: None,
        closed_at: None,
        reopened: 0,
    })
}

fn customer_spoke(state: &mut CaseState, automatic: bool, preview: &str, happened: Happened) {
    state.last_message_at = happened.at;
    state.preview = preview.to_owned();
    if !automatic {
        state.waiting_since = state.waiting_since.or(Some(happened.at));
    }
}

fn sent(state: &mut CaseState, event: &CaseEvent, happened: Happened) {
    let CaseEvent::MessageSent { message, automatic, preview, delivery, .. } = event else {
        return;
    };
    let before = state.before_answer();
    state.last_message_at = happened.at;
    state.preview.clone_from(preview);
    let author = happened.actor.agent();
    if let (Actor::Agent(by), false) = (happened.actor, *automatic) {
        state.first_response_at = state.first_response_at.or(Some(happened.at));
        state.waiting_since = None;
        state.last_answer = Some(Answer { by, at: happened.at, message: *message });
    }
    if matches!(delivery, Delivery::Held { .. } | Delivery::Queued) {
        let outgoing = Outgoing { author, delivery: delivery.clone(), before: Box::new(before) };
        state.outgoing.insert(*message, outgoing);
    }
}

fn cancelled(state: &mut CaseState, message: MessageId) {
    let Some(outgoing) = state.outgoing.remove(&message) else {
        return;
    };
    // Only the latest answer's traces can be taken back without touching what came after it.
    if state.last_answer.is_some_and(|a| a.message == message) {
        let spoke_since = state.waiting_since;
        state.waiting_since = outgoing.before.waiting_since.or(spoke_since);
        state.first_response_at = outgoing.before.first_response_at;
        state.last_answer = outgoing.before.last_answer;
        // The status goes back here, without counting as solved or reopened a second time;
        // the event that follows only tells it.
        if state.status != Status::Closed && spoke_since.is_none() {
            undo_status(state, *outgoing.before);
        }
    }
}

fn undo_status(state: &mut CaseState, before: BeforeAnswer) {
    let was_done = before.status == Status::Solved;
    if was_done && !matches!(state.status, Status::Solved) {
        // The answer had reopened it.
        state.reopened = state.reopened.saturating_sub(1);
    }
    state.status = before.status;
    state.solved_at = before.solved_at;
}

fn status_changed(state: &mut CaseState, status: &Status, happened: Happened) {
    if state.status == *status {
        return;
    }
    let was_done = matches!(state.status, Status::Solved | Status::Closed);
    let is_done = matches!(status, Status::Solved | Status::Closed);
    if was_done && !is_done {
        state.reopened += 1;
        state.solved_at = None;
        state.closed_at = None;
    }
    if *status == Status::Solved {
        state.solved_at = Some(happened.at);
        state.waiting_since = None;
    }
    if *status == Status::Closed {
        state.solved_at = state.solved_at.or(Some(happened.at));
        state.closed_at = Some(happened.at);
        state.waiting_since = None;
    }
    state.status = status.clone();
}

fn edited(state: &mut CaseState, edit: CaseEdit) {
    if let Some(subject) = edit.subject {
        state.subject = subject;
    }
    if let Some(priority) = edit.priority {
        state.priority = priority;
    }
    if let Some(reason) = edit.reason {
        state.reason = reason;
    }
    if let Some(tags) = edit.tags {
        state.tags = tags;
    }
    if let Some(language) = edit.language {
        state.language = language;
    }
    if let Some(skills) = edit.required_skills {
        state.required_skills = skills;
    }
    if let Some(customer) = edit.customer {
        state.customer = customer;
    }
}
