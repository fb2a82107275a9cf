//! What a command makes happen, or why it may not.

use super::command::{AssignedBy, CaseCommand, CaseEdit, NewConversation, NewMessage, Route, Then};
use super::event::CaseEvent;
use super::state::{CaseState, Delivery, Status, WaitingOn};
use crate::actor::{Actor, Ctx};
use crate::ids::{MessageId, TeamId, UserId};
use crate::limits;
use crate::rejection::{Code, Rejection};
use crate::time::{Span, Timestamp};

type Decision = Result<Vec<CaseEvent>, Rejection>;

/// Characters of a message that lists show.
const PREVIEW_CHARS: usize = 140;

pub(super) fn decide(state: Option<&CaseState>, command: &CaseCommand, ctx: &Ctx) -> Decision {
    let Some(state) = state else {
        return open(command);
    };
    match command {
        CaseCommand::Open { .. } => Err(Code::AlreadyExists.into()),
        CaseCommand::Join(conversation) => not_closed(state).map(|()| vec![joined(conversation)]),
        CaseCommand::Receive { message } => receive(state, message),
        CaseCommand::Reply { message, route, then, seen_at, force } => {
            let answer = Answer { message, route: *route, then: *then, seen_at: *seen_at, force: *force };
            reply(state, &answer, ctx)
        }
        CaseCommand::Note { message, mentions } => note(message, mentions),
        CaseCommand::Undo { message } => undo(state, *message, ctx),
        CaseCommand::Retry { message } => retry(state, *message),
        CaseCommand::Delivery { message, delivery } => delivery_changed(state, *message, delivery),
        CaseCommand::Release { message } => release(state, *message),
        CaseCommand::SetOpen => set_status(state, Status::Open),
        CaseCommand::SetWaiting { on, reason } => {
            limits::text_within("reason", reason, limits::SUBJECT_CHARS)?;
            set_status(state, Status::Waiting { on: *on, reason: reason.trim().to_owned() })
        }
        CaseCommand::Snooze { until } => snooze(state, *until, ctx),
        CaseCommand::Wake => Ok(match state.status {
            Status::Snoozed { until } if until <= ctx.now => vec![to(state, Status::Open)],
            _ => Vec::new(),
        }),
        CaseCommand::Solve => set_status(state, Status::Solved),
        CaseCommand::Close => set_status(state, Status::Closed),
        CaseCommand::Assign { team, assignee, by, note } => assign(state, *team, *assignee, *by, note, ctx),
        CaseCommand::Edit(edit) => edited(state, edit),
        CaseCommand::MoveOut { message, conversation, to, waiting_since } => {
            let (message, conversation, to) = (*message, *conversation, *to);
            // Nobody waits for an answer to what was never theirs.
            let changed = state.waiting_since.is_some() && state.waiting_since != *waiting_since;
            let waiting_since = changed.then_some(*waiting_since);
            Ok(vec![CaseEvent::MessageMovedOut { message, conversation, to, waiting_since }])
        }
        CaseCommand::MoveIn { message, conversation, from, preview, from_customer } => {
            not_closed(state)?;
            let mut events = vec![CaseEvent::MessageMovedIn {
                message: *message,
                conversation: *conversation,
                from: *from,
                preview: shorten(preview),
                from_customer: *from_customer,
            }];
            if *from_customer {
                events.extend(woken(state));
            }
            Ok(events)
        }
    }
}

fn open(command: &CaseCommand) -> Decision {
    let CaseCommand::Open { number, conversation, subject, priority, team, reason, language, required_skills } =
        command
    else {
        return Err(Code::NotFound.into());
    };
    Ok(vec![
        CaseEvent::Opened {
            number: *number,
            customer: conversation.customer,
            channel: conversation.channel,
            channel_kind: conversation.channel_kind,
            // A customer's subject is never refused for its length: it is cut, the message keeps it all.
            subject: subject.trim().chars().take(limits::SUBJECT_CHARS).collect(),
            priority: *priority,
            team: *team,
            reason: *reason,
            language: language.clone(),
            required_skills: required_skills.clone(),
        },
        joined(conversation),
    ])
}

fn joined(conversation: &NewConversation) -> CaseEvent {
    CaseEvent::ConversationJoined {
        conversation: conversation.id,
        channel: conversation.channel,
        channel_kind: conversation.channel_kind,
        customer: conversation.customer,
        thread_key: conversation.thread_key.clone(),
    }
}

fn receive(state: &CaseState, message: &NewMessage) -> Decision {
    not_closed(state)?;
    let mut events = vec![CaseEvent::MessageReceived {
        message: message.id,
        conversation: message.conversation,
        automatic: message.automatic,
        preview: shorten(&message.text),
    }];
    // An out-of-office mail is no sign of life: it neither wakes nor reopens.
    if !message.automatic {
        events.extend(woken(state));
    }
    Ok(events)
}

/// What the customer's word does to the status.
fn woken(state: &CaseState) -> Option<CaseEvent> {
    match state.status {
        Status::Waiting { .. } | Status::Snoozed { .. } | Status::Solved => Some(to(state, Status::Open)),
        Status::New | Status::Open | Status::Closed => None,
    }
}

struct Answer<'a> {
    message: &'a NewMessage,
    route: Route,
    then: Then,
    seen_at: Option<Timestamp>,
    force: bool,
}

fn reply(state: &CaseState, answer: &Answer<'_>, ctx: &Ctx) -> Decision {
    not_closed(state)?;
    let message = answer.message;
    if message.text.trim().is_empty() && message.attachments.is_empty() {
        return Err(Rejection::new(Code::EmptyMessage).on("text"));
    }
    message_limits(message)?;
    let delivery = match answer.route {
        Route::None => return Err(Code::NoWayToReply.into()),
        Route::Hold if ctx.policies.undo_seconds > 0 && matches!(ctx.actor, Actor::Agent(_)) => {
            Delivery::Held { until: ctx.now + ctx.policies.undo() }
        }
        Route::Hold | Route::Queue => Delivery::Queued,
        Route::Direct => Delivery::Sent,
    };
    if !answer.force {
        answered_meanwhile(state, answer.seen_at, ctx)?;
    }
    let mut events = vec![CaseEvent::MessageSent {
        message: message.id,
        conversation: message.conversation,
        automatic: message.automatic,
        preview: shorten(&message.text),
        delivery,
    }];
    if let (Actor::Agent(agent), None) = (ctx.actor, state.assignee) {
        events.push(CaseEvent::Assigned {
            team: state.team,
            assignee: Some(agent),
            by: AssignedBy::Answer,
            note: String::new(),
            previous: None,
        });
    }
    let status = match answer.then {
        Then::Solved => Some(Status::Solved),
        Then::Waiting => Some(Status::Waiting { on: WaitingOn::Customer, reason: String::new() }),
        Then::Stay if state.status == Status::New && ctx.actor.agent().is_some() => Some(Status::Open),
        Then::Stay => None,
    };
    events.extend(status.filter(|s| *s != state.status).map(|s| to(state, s)));
    Ok(events)
}

/// The question at send: "Li answered 3 s ago. Send anyway?" Asked when somebody else's answer
/// is younger than the policy's span and the author had not seen it.
fn answered_meanwhile(state: &CaseState, seen_at: Option<Timestamp>, ctx: &Ctx) -> Result<(), Rejection> {
    let Some(last) = state.last_answer else {
        return Ok(());
    };
    let ago = ctx.now.since(last.at);
    let unseen = seen_at.is_none_or(|seen| seen < last.at);
    let young = ago <= Span::seconds(i64::from(ctx.policies.collision_seconds));
    if ctx.actor.agent().is_some_and(|me| me != last.by) && unseen && young {
        return Err(Rejection::new(Code::AnsweredMeanwhile)
            .with("agent", last.by.to_string())
            .with("seconds_ago", ago.as_seconds()));
    }
    Ok(())
}

fn note(message: &NewMessage, mentions: &[UserId]) -> Decision {
    if message.text.trim().is_empty() && message.attachments.is_empty() {
        return Err(Rejection::new(Code::EmptyMessage).on("text"));
    }
    message_limits(message)?;
    Ok(vec![CaseEvent::NoteAdded {
        message: message.id,
        conversation: message.conversation,
        mentions: mentions.to_vec(),
    }])
}

fn message_limits(message: &NewMessage) -> Result<(), Rejection> {
    let too_large = |field: &str, max: usize| Err(Rejection::new(Code::TooLarge).with("max", max).on(field));
    if message.text.len() > limits::MESSAGE_BYTES {
        return too_large("text", limits::MESSAGE_BYTES);
    }
    if message.html.as_ref().is_some_and(|h| h.len() > limits::MESSAGE_HTML_BYTES) {
        return too_large("html", limits::MESSAGE_HTML_BYTES);
    }
    if message.attachments.len() > limits::ATTACHMENTS_PER_MESSAGE {
        return Err(Rejection::new(Code::TooMany).with("max", limits::ATTACHMENTS_PER_MESSAGE).on("attachments"));
    }
    Ok(())
}

fn undo(state: &CaseState, message: MessageId, ctx: &Ctx) -> Decision {
    let Some(outgoing) = state.outgoing.get(&message) else {
        return Err(Code::NothingToUndo.into());
    };
    if outgoing.author != ctx.actor.agent() {
        return Err(Code::NotYours.into());
    }
    let Delivery::Held { until } = outgoing.delivery else {
        return Err(Code::UndoTooLate.into());
    };
    if ctx.now >= until {
        return Err(Code::UndoTooLate.into());
    }
    let mut events = vec![CaseEvent::MessageCancelled { message }];
    let before = &outgoing.before.status;
    let is_latest = state.last_answer.is_some_and(|a| a.message == message);
    // What the answer did to the status goes back with it, unless the customer has spoken or it was closed since.
    let moved_on = state.waiting_since.is_some() || state.status == Status::Closed;
    if is_latest && *before != state.status && !moved_on {
        events.push(to(state, before.clone()));
    }
    Ok(events)
}

fn retry(state: &CaseState, message: MessageId) -> Decision {
    match state.outgoing.get(&message).map(|o| &o.delivery) {
        Some(Delivery::Failed { .. }) => Ok(vec![CaseEvent::DeliveryChanged { message, delivery: Delivery::Queued }]),
        _ => Err(Code::NotFailed.into()),
    }
}

fn release(state: &CaseState, message: MessageId) -> Decision {
    Ok(match state.outgoing.get(&message).map(|o| &o.delivery) {
        Some(Delivery::Held { .. }) => vec![CaseEvent::DeliveryChanged { message, delivery: Delivery::Queued }],
        _ => Vec::new(),
    })
}

fn delivery_changed(state: &CaseState, message: MessageId, delivery: &Delivery) -> Decision {
    Ok(match state.outgoing.get(&message) {
        Some(outgoing) if outgoing.delivery != *delivery => {
            vec![CaseEvent::DeliveryChanged { message, delivery: delivery.clone() }]
        }
        // What we took for delivered has come back.
        None if matches!(delivery, Delivery::Failed { .. }) => {
            vec![CaseEvent::DeliveryChanged { message, delivery: delivery.clone() }]
        }
        _ => Vec::new(),
    })
}

fn set_status(state: &CaseState, status: Status) -> Decision {
    if state.status == status {
        return Ok(Vec::new());
    }
    may_become(state, status.key())?;
    Ok(vec![to(state, status)])
}

/// The table of moves: closed is final, and nothing goes back to new.
///
/// # Errors
/// `case_closed`, or `status_not_allowed` with `from` and `to`.
pub fn may_become(state: &CaseState, key: &str) -> Result<(), Rejection> {
    not_closed(state)?;
    let allowed = match key {
        "open" | "waiting" | "snoozed" | "solved" => true,
        "closed" => matches!(state.status, Status::Solved),
        _ => false,
    };
    if allowed {
        return Ok(());
    }
    Err(Rejection::new(Code::StatusNotAllowed).with("from", state.status.key()).with("to", key))
}

fn snooze(state: &CaseState, until: Timestamp, ctx: &Ctx) -> Decision {
    if until <= ctx.now {
        return Err(Rejection::new(Code::SnoozeInPast).on("until"));
    }
    if until > ctx.now + Span::days(limits::SNOOZE_MAX_DAYS) {
        return Err(Rejection::new(Code::TooLarge).with("max", limits::SNOOZE_MAX_DAYS).on("until"));
    }
    set_status(state, Status::Snoozed { until })
}

fn assign(
    state: &CaseState,
    team: Option<TeamId>,
    assignee: Option<UserId>,
    by: AssignedBy,
    note: &str,
    ctx: &Ctx,
) -> Decision {
    not_closed(state)?;
    limits::text_within("note", note, limits::NOTE_CHARS)?;
    // Picking and routing only ever take what is free; two at once must not both win.
    if matches!(by, AssignedBy::Pick | AssignedBy::Routing)
        && let Some(holder) = state.assignee
    {
        if assignee == Some(holder) {
            return Ok(Vec::new());
        }
        return Err(Rejection::new(Code::AlreadyAssigned).with("agent", holder.to_string()));
    }
    if state.team == team && state.assignee == assignee {
        return Ok(Vec::new());
    }
    let mut events =
        vec![CaseEvent::Assigned { team, assignee, by, note: note.trim().to_owned(), previous: state.assignee }];
    if assignee.is_some() && state.status == Status::New {
        events.push(to(state, Status::Open));
    }
    let _ = ctx;
    Ok(events)
}

fn edited(state: &CaseState, edit: &CaseEdit) -> Decision {
    not_closed(state)?;
    let mut edit = edit.clone();
    if let Some(subject) = &mut edit.subject {
        *subject = subject.trim().to_owned();
        limits::text_required("subject", subject, limits::SUBJECT_CHARS)?;
    }
    if let Some(tags) = &mut edit.tags {
        *tags = tags.iter().map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty()).collect();
        if tags.len() > limits::TAGS_PER_CASE {
            return Err(Rejection::new(Code::TooMany).with("max", limits::TAGS_PER_CASE).on("tags"));
        }
        for tag in tags.iter() {
            limits::text_within("tags", tag, limits::TAG_CHARS)?;
        }
    }
    if edit.required_skills.as_ref().is_some_and(|s| s.len() > limits::SKILLS_PER_CASE) {
        return Err(Rejection::new(Code::TooMany).with("max", limits::SKILLS_PER_CASE).on("required_skills"));
    }
    let changed = CaseEdit {
        subject: edit.subject.filter(|s| *s != state.subject),
        priority: edit.priority.filter(|p| *p != state.priority),
        reason: edit.reason.filter(|r| *r != state.reason),
        tags: edit.tags.filter(|t| *t != state.tags),
        language: edit.language.filter(|l| *l != state.language),
        required_skills: edit.required_skills.filter(|s| *s != state.required_skills),
        customer: edit.customer.filter(|c| *c != state.customer),
    };
    Ok(if changed == CaseEdit::default() { Vec::new() } else { vec![CaseEvent::Edited { edit: changed }] })
}

fn to(state: &CaseState, status: Status) -> CaseEvent {
    CaseEvent::StatusChanged { from: state.status.key().to_owned(), status }
}

fn not_closed(state: &CaseState) -> Result<(), Rejection> {
    if state.status == Status::Closed {
        return Err(Code::CaseClosed.into());
    }
    Ok(())
}

/// The first words on one line.
fn shorten(text: &str) -> String {
    let mut preview = String::new();
    for word in text.split_whitespace() {
        if !preview.is_empty() {
            preview.push(' ');
        }
        preview.push_str(word);
        if preview.chars().count() > PREVIEW_CHARS {
            return preview.chars().take(PREVIEW_CHARS).chain(['…']).collect();
        }
    }
    preview
}
