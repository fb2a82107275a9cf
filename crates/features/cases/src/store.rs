//! All SQL of this feature. Here: how a case, its conversations and messages are kept, by the one function that
//! follows a decision. The submodules hold what reads and what belongs to no aggregate.

pub(crate) mod attachment;
pub(crate) mod canned;
pub(crate) mod draft;
pub(crate) mod list;
pub(crate) mod people;
pub(crate) mod predicate;
pub(crate) mod reason;
pub(crate) mod record;
pub(crate) mod seen;
pub(crate) mod timeline;
pub(crate) mod view;

use db::{Query, Tx, Value, params, row, sql};
use domain::case::{Case, CaseCommand, CaseEvent, CaseState, Delivery, NewMessage, Status};
use domain::{Actor, CaseId, Code, ConversationId, Id, MessageId, Rejection, WorkspaceId};
use spine::{Change, Refusal, Store};

row! {
    struct Kept {
        state: String,
        version: i64,
    }
}

sql!(LOAD = "SELECT state, version FROM case_record WHERE workspace_id = $1 AND id = $2 /*for_update*/", params: 2, row: Kept);
// Each statement takes the parameters of the one before it and some more.
sql!(MOVE = "UPDATE case_record SET version = $3, state = $4, preview = $5, updated_at = $6, last_message_at = $7, waiting_since = $8 \
    WHERE workspace_id = $1 AND id = $2", params: 8);
sql!(CHANGE = "UPDATE case_record SET version = $3, state = $4, preview = $5, updated_at = $6, last_message_at = $7, waiting_since = $8, \
    customer_id = $9, subject = $10, status = $11, status_rank = $12, waiting_on = $13, snoozed_until = $14, priority = $15, \
    team_id = $16, assignee_id = $17, reason_id = $18, language = $19, tags = $20, first_response_at = $21, solved_at = $22, \
    closed_at = $23 WHERE workspace_id = $1 AND id = $2", params: 23);
sql!(ADD = "INSERT INTO case_record (workspace_id, id, version, state, preview, updated_at, last_message_at, waiting_since, \
    customer_id, subject, status, status_rank, waiting_on, snoozed_until, priority, team_id, assignee_id, reason_id, language, tags, \
    first_response_at, solved_at, closed_at, number, channel_id, channel_kind, opened_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)", params: 27);
sql!(ADD_TAG = "INSERT INTO case_tag (workspace_id, tag, case_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", params: 3);
sql!(REMOVE_TAG = "DELETE FROM case_tag WHERE workspace_id = $1 AND tag = $2 AND case_id = $3", params: 3);
sql!(ADD_CONVERSATION = "INSERT INTO conversation (workspace_id, id, case_id, channel_id, channel_kind, customer_id, thread_key, opened_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", params: 8);
sql!(NEXT_SEQ = "SELECT CAST(COALESCE(MAX(seq), 0) + 1 AS BIGINT) FROM message WHERE workspace_id = $1 AND conversation_id = $2", params: 2);
sql!(ADD_MESSAGE = "INSERT INTO message (workspace_id, id, case_id, conversation_id, seq, at, author_kind, author_id, author_name, \
    note, automatic, body_text, body_html, quoted_text, meta, delivery, delivery_error, held_until, sent_at, inbox_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)", params: 20);
sql!(SET_DELIVERY = "UPDATE message SET delivery = $3, delivery_error = $4, held_until = $5 WHERE workspace_id = $1 AND id = $2", params: 5);
sql!(CONVERSATION_OF = "SELECT conversation_id FROM message WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(MOVE_MESSAGE = "UPDATE message SET case_id = $3, conversation_id = $4, seq = $5 WHERE workspace_id = $1 AND id = $2", params: 5);
sql!(MOVE_WITHIN = "UPDATE message SET case_id = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(MOVE_REFERENCES = "UPDATE mail_reference SET case_id = $3 WHERE workspace_id = $1 AND message_id = $2", params: 3);
sql!(ADD_REFERENCE = "INSERT INTO mail_reference (workspace_id, mail_id, message_id, case_id) VALUES ($1, $2, $3, $4) \
    ON CONFLICT DO NOTHING", params: 4);
sql!(LINK_ATTACHMENT = "UPDATE attachment SET message_id = $3 WHERE workspace_id = $1 AND id = $2 AND message_id IS NULL \
    AND (owner = $4 OR owner = 'system' OR $4 = 'system')", params: 4);

/// Keeps cases: the state as JSON, its searchable part as columns, and the rows of what it consists of.
pub struct CaseStore;

impl Store<Case> for CaseStore {
    fn load(&self, tx: &mut Tx<'_>, workspace: WorkspaceId, id: CaseId) -> Result<Option<(CaseState, i64)>, Refusal> {
        let Some(kept) = tx.query_opt::<Kept>(&LOAD, params![workspace, id])? else {
            return Ok(None);
        };
        let state = serde_json::from_str(&kept.state).map_err(Refusal::internal)?;
        Ok(Some((state, kept.version)))
    }

    fn save(&self, tx: &mut Tx<'_>, change: &Change<'_, Case>) -> Result<(), Refusal> {
        save_record(tx, change)?;
        save_tags(tx, change)?;
        change.events.iter().try_for_each(|event| save_event(tx, change, event))
    }
}

/// Most messages change nothing that lists are filtered by; then most indexes are left alone.
fn save_record(tx: &mut Tx<'_>, change: &Change<'_, Case>) -> Result<(), Refusal> {
    let mut row = movement(change)?;
    let standing_after = standing(change.after)?;
    let statement = match change.before {
        Some(before) if standing(before)? == standing_after => &MOVE,
        Some(_) => {
            row.extend(standing_after);
            &CHANGE
        }
        None => {
            row.extend(standing_after);
            row.extend(origin(change.after));
            &ADD
        }
    };
    tx.execute(statement, &row)?;
    Ok(())
}

/// The key, and what every message changes.
fn movement(change: &Change<'_, Case>) -> Result<Vec<Value>, Refusal> {
    let state = change.after;
    let json = serde_json::to_string(state).map_err(Refusal::internal)?;
    let (last, waiting) = (state.last_message_at, state.waiting_since);
    let key_and_row =
        params![change.workspace, change.id, change.version, json, &state.preview, state.updated_at, last, waiting];
    Ok(key_and_row.to_vec())
}

/// What decisions change: the columns that lists are filtered by.
fn standing(state: &CaseState) -> Result<Vec<Value>, Refusal> {
    let (waiting_on, snoozed_until) = match state.status {
        Status::Waiting { on, .. } => (Some(on.key()), None),
        Status::Snoozed { until } => (None, Some(until)),
        _ => (None, None),
    };
    let tags = serde_json::to_string(&state.tags).map_err(Refusal::internal)?;
    let columns = params![
        state.customer,
        &state.subject,
        state.status.key(),
        state.status.rank(),
        waiting_on,
        snoozed_until,
        state.priority.rank(),
        state.team,
        state.assignee,
        state.reason,
        state.language.as_ref(),
        tags,
        state.first_response_at,
        state.solved_at,
        state.closed_at
    ];
    Ok(columns.to_vec())
}

/// What never changes.
fn origin(state: &CaseState) -> Vec<Value> {
    params![state.number, state.channel, state.channel_kind.as_str(), state.opened_at].to_vec()
}

fn save_tags(tx: &mut Tx<'_>, change: &Change<'_, Case>) -> Result<(), Refusal> {
    let none = std::collections::BTreeSet::new();
    let before = change.before.map_or(&none, |state| &state.tags);
    for tag in before.difference(&change.after.tags) {
        tx.execute(&REMOVE_TAG, params![change.workspace, tag, change.id])?;
    }
    for tag in change.after.tags.difference(before) {
        tx.execute(&ADD_TAG, params![change.workspace, tag, change.id])?;
    }
    Ok(())
}

fn save_event(tx: &mut Tx<'_>, change: &Change<'_, Case>, event: &CaseEvent) -> Result<(), Refusal> {
    match event {
        CaseEvent::ConversationJoined { conversation, channel, channel_kind, customer, thread_key } => {
            let kind = channel_kind.as_str();
            let row =
                params![change.workspace, *conversation, change.id, *channel, kind, *customer, thread_key, change.at];
            tx.execute(&ADD_CONVERSATION, row)?;
            Ok(())
        }
        CaseEvent::MessageReceived { .. } => {
            let customer = change.actor.id().filter(|_| matches!(change.actor, Actor::Customer(_)));
            let author = ("customer", customer.or_else(|| Some(change.after.customer.uuid())));
            add_message(tx, change, author, &Delivery::None)
        }
        CaseEvent::MessageSent { delivery, .. } => add_message(tx, change, ours(change.actor), delivery),
        CaseEvent::NoteAdded { .. } => add_message(tx, change, ours(change.actor), &Delivery::None),
        CaseEvent::MessageCancelled { message } => set_delivery(tx, change.workspace, *message, &Delivery::Cancelled),
        CaseEvent::DeliveryChanged { message, delivery } => set_delivery(tx, change.workspace, *message, delivery),
        CaseEvent::MessageMovedIn { message, conversation, .. } => move_in(tx, change, *message, *conversation),
        // The other case's `MessageMovedIn` of the same command moves the rows.
        CaseEvent::MessageMovedOut { .. }
        | CaseEvent::Opened { .. }
        | CaseEvent::StatusChanged { .. }
        | CaseEvent::Assigned { .. }
        | CaseEvent::Edited { .. } => Ok(()),
    }
}

fn ours(actor: Actor) -> (&'static str, Option<uuid::Uuid>) {
    match actor {
        Actor::Agent(user) => ("agent", Some(user.uuid())),
        _ => ("system", None),
    }
}

/// The content travels in the command; the event carries only its id and preview.
fn content(command: &CaseCommand) -> Option<(&NewMessage, bool)> {
    match command {
        CaseCommand::Receive { message } | CaseCommand::Reply { message, .. } => Some((message, false)),
        CaseCommand::Note { message, .. } => Some((message, true)),
        _ => None,
    }
}

fn add_message(
    tx: &mut Tx<'_>,
    change: &Change<'_, Case>,
    (author_kind, author): (&'static str, Option<uuid::Uuid>),
    delivery: &Delivery,
) -> Result<(), Refusal> {
    let Some((message, note)) = content(change.command) else {
        return Err(Refusal::Internal("a message event without a message".to_owned()));
    };
    let (workspace, id) = (change.workspace, message.id);
    let seq: i64 = tx.query_one(&NEXT_SEQ, params![workspace, message.conversation])?;
    let (error, held) = delivery_columns(delivery);
    tx.execute(
        &ADD_MESSAGE,
        params![
            workspace,
            id,
            change.id,
            message.conversation,
            seq,
            change.at,
            author_kind,
            author,
            &message.author_name,
            note,
            message.automatic,
            &message.text,
            message.html.as_ref(),
            &message.quoted,
            message.meta.to_string(),
            delivery.key(),
            error,
            held,
            message.sent_at,
            message.inbox
        ],
    )?;
    for mail in &message.references {
        tx.execute(&ADD_REFERENCE, params![workspace, mail, id, change.id])?;
    }
    link_attachments(tx, change, message)
}

/// Nobody can attach what another uploaded: it must be theirs (or taken in by the system) and in no message yet.
fn link_attachments(tx: &mut Tx<'_>, change: &Change<'_, Case>, message: &NewMessage) -> Result<(), Refusal> {
    let owner = change.actor.to_string();
    for attachment in &message.attachments {
        let linked = tx.execute(&LINK_ATTACHMENT, params![change.workspace, *attachment, message.id, &owner])?;
        if linked == 0 {
            return Err(Rejection::new(Code::UnknownReference).on("attachments").into());
        }
    }
    Ok(())
}

fn delivery_columns(delivery: &Delivery) -> (Option<&str>, Option<domain::Timestamp>) {
    match delivery {
        Delivery::Failed { code } => (Some(code), None),
        Delivery::Held { until } => (None, Some(*until)),
        _ => (None, None),
    }
}

fn set_delivery(
    tx: &mut Tx<'_>,
    workspace: WorkspaceId,
    message: MessageId,
    delivery: &Delivery,
) -> Result<(), Refusal> {
    let (error, held) = delivery_columns(delivery);
    tx.execute(&SET_DELIVERY, params![workspace, message, delivery.key(), error, held])?;
    Ok(())
}

/// The message keeps its time; in its new conversation it comes last in sequence, so that a reader who has seen
/// everything up to a number still gets it.
fn move_in(
    tx: &mut Tx<'_>,
    change: &Change<'_, Case>,
    message: MessageId,
    conversation: ConversationId,
) -> Result<(), Refusal> {
    let workspace = change.workspace;
    let current: ConversationId =
        tx.query_opt(&CONVERSATION_OF, params![workspace, message])?.ok_or(Refusal::NotFound)?;
    if current == conversation {
        tx.execute(&MOVE_WITHIN, params![workspace, message, change.id])?;
    } else {
        let seq: i64 = tx.query_one(&NEXT_SEQ, params![workspace, conversation])?;
        tx.execute(&MOVE_MESSAGE, params![workspace, message, change.id, conversation, seq])?;
    }
    tx.execute(&MOVE_REFERENCES, params![workspace, message, change.id])?;
    Ok(())
}
