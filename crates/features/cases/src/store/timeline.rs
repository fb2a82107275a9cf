//! A case's history: messages of all its conversations and what happened beside them, in one order.

use super::attachment;
use super::people;
use crate::wire::{Attachment, DeliveryError, Entry, MailFacts, Message, Person};
use db::{Connection, Query, params, row, sql};
use domain::case::DeliveryKey;
use domain::{Actor, ActorKind, CaseId, ChannelKind, ConversationId, MessageId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

row! {
    struct MessageLine {
        id: MessageId,
        conversation_id: ConversationId,
        channel_kind: ChannelKind,
        seq: i64,
        at: Timestamp,
        author_kind: ActorKind,
        author_id: Option<Uuid>,
        author_name: String,
        note: bool,
        automatic: bool,
        body_text: String,
        has_html: bool,
        has_remote: bool,
        quoted_text: String,
        meta: String,
        delivery: DeliveryKey,
        delivery_error: Option<String>,
        held_until: Option<Timestamp>,
    }
}

row! {
    struct EventLine {
        at: Timestamp,
        turn: i64,
        version: i64,
        id: Uuid,
        actor: String,
        kind: String,
        data: String,
    }
}

sql!(MESSAGES = "SELECT m.id, m.conversation_id, v.channel_kind, m.seq, m.at, m.author_kind, m.author_id, m.author_name, m.note, \
    m.automatic, m.body_text, m.body_html IS NOT NULL AS has_html, COALESCE(m.body_html LIKE '%data-remote-src=%', FALSE) AS has_remote, m.quoted_text, m.meta, m.delivery, m.delivery_error, m.held_until \
    FROM message m JOIN conversation v ON v.workspace_id = m.workspace_id AND v.id = m.conversation_id \
    WHERE m.workspace_id = $1 AND m.case_id = $2 AND m.at <= $3 AND (m.at < $3 OR (m.seq, m.id) < ($4, $5)) \
    ORDER BY m.at DESC, m.seq DESC, m.id DESC LIMIT $6", params: 6, row: MessageLine);
sql!(EVENTS = "SELECT at, turn, version, id, actor, kind, data FROM view_case_event \
    WHERE workspace_id = $1 AND case_id = $2 AND at <= $3 AND (at < $3 OR (turn, version, id) < ($4, $5, $6)) \
    ORDER BY at DESC, turn DESC, version DESC LIMIT $7", params: 7, row: EventLine);
/// Messages come between what opens a case (0) and what follows (2) when the time is the same.
const MESSAGE_TURN: i64 = 1;

/// The oldest entry of a page; the next page holds what is older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    at: Timestamp,
    turn: i64,
    /// Sequence of a message, version of an event.
    order: i64,
    id: Uuid,
}

impl Position {
    /// After everything.
    fn end() -> Self {
        Self { at: Timestamp::from_micros(i64::MAX), turn: i64::from(i32::MAX), order: i64::MAX, id: Uuid::max() }
    }

    /// The same position seen by messages: what of the same instant still lies before it.
    fn among_messages(&self) -> (i64, Uuid) {
        match self.turn.cmp(&MESSAGE_TURN) {
            core::cmp::Ordering::Less => (i64::MIN, Uuid::nil()),
            core::cmp::Ordering::Equal => (self.order, self.id),
            core::cmp::Ordering::Greater => (i64::MAX, Uuid::max()),
        }
    }
}

/// A page of entries older than `before`, oldest first, and where the page before it ends.
pub(crate) fn page(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    (before, limit): (Option<Position>, usize),
) -> Result<(Vec<Entry>, Option<Position>), Refusal> {
    let before = before.unwrap_or_else(Position::end);
    let take = i64::try_from(limit).unwrap_or(0) + 1;
    let (seq, id) = before.among_messages();
    let messages: Vec<MessageLine> = q.query(&MESSAGES, params![ws, case, before.at, seq, id, take])?;
    let order = (before.turn, before.order, before.id);
    let events: Vec<EventLine> = q.query(&EVENTS, params![ws, case, before.at, order.0, order.1, order.2, take])?;
    let mut lines: Vec<(Position, Line)> = messages.into_iter().map(Line::message).collect();
    lines.extend(events.into_iter().map(Line::event));
    lines.sort_by(|(a, _), (b, _)| b.cmp(a));
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = if more { lines.last().map(|(position, _)| position.clone()) } else { None };
    lines.reverse();
    Ok((entries(q, ws, lines.into_iter().map(|(_, line)| line).collect())?, next))
}

enum Line {
    Message(Box<MessageLine>),
    Event(EventLine),
}

impl Line {
    fn message(row: MessageLine) -> (Position, Self) {
        let position = Position { at: row.at, turn: MESSAGE_TURN, order: row.seq, id: domain::Id::uuid(row.id) };
        (position, Self::Message(Box::new(row)))
    }

    fn event(row: EventLine) -> (Position, Self) {
        (Position { at: row.at, turn: row.turn, order: row.version, id: row.id }, Self::Event(row))
    }
}

fn entries(q: &mut impl Connection, ws: WorkspaceId, lines: Vec<Line>) -> Result<Vec<Entry>, Refusal> {
    let mut ids = BTreeSet::new();
    let mut messages = Vec::new();
    for line in &lines {
        match line {
            Line::Message(row) => messages.push(row.id),
            Line::Event(row) => collect_ids(row, &mut ids)?,
        }
    }
    let names = people::names(q, ws, &ids)?;
    let mut attachments = attachment::of_messages(q, ws, &messages)?;
    let wire = lines.into_iter().map(|line| match line {
        Line::Message(row) => {
            let at = row.at;
            let files = attachments.remove(&row.id).unwrap_or_default();
            Ok(Entry::Message { at, message: Box::new(message(*row, files)) })
        }
        Line::Event(row) => event(row, &names),
    });
    wire.collect()
}

fn parsed(row: &EventLine) -> Result<Value, Refusal> {
    serde_json::from_str(&row.data).map_err(Refusal::internal)
}

fn collect_ids(row: &EventLine, ids: &mut BTreeSet<Uuid>) -> Result<(), Refusal> {
    ids.extend(row.actor.parse::<Actor>().ok().and_then(Actor::id));
    collect_from(&parsed(row)?, ids);
    Ok(())
}

fn collect_from(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) => ids.extend(Uuid::parse_str(text).ok()),
        Value::Array(items) => items.iter().for_each(|item| collect_from(item, ids)),
        Value::Object(fields) => fields.values().for_each(|field| collect_from(field, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn event(row: EventLine, names: &BTreeMap<Uuid, String>) -> Result<Entry, Refusal> {
    let mut data = parsed(&row)?;
    let mut used = BTreeSet::new();
    collect_from(&data, &mut used);
    if let Value::Object(fields) = &mut data {
        fields.remove("type");
    }
    let actor = row.actor.parse::<Actor>().unwrap_or(Actor::System);
    let name = actor.id().and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    let named = used.into_iter().filter_map(|id| names.get(&id).map(|name| (id.to_string(), name.clone())));
    Ok(Entry::Event {
        at: row.at,
        actor: Person { kind: actor.kind(), id: actor.id(), name },
        kind: row.kind,
        data,
        names: named.collect(),
    })
}

fn message(row: MessageLine, attachments: Vec<Attachment>) -> Message {
    Message {
        id: row.id,
        conversation_id: row.conversation_id,
        mail: mail_facts(&row.meta),
        channel_kind: row.channel_kind,
        at: row.at,
        author: Person { kind: row.author_kind, id: row.author_id, name: row.author_name },
        note: row.note,
        automatic: row.automatic,
        text: row.body_text,
        has_html: row.has_html,
        has_remote: row.has_remote,
        quoted_text: row.quoted_text,
        attachments,
        delivery: row.delivery,
        delivery_error: row.delivery_error.map(|code| DeliveryError { code, params: BTreeMap::new() }),
        held_until: row.held_until,
    }
}

/// Only what came or goes by mail has a sender in its facts.
fn mail_facts(meta: &str) -> Option<MailFacts> {
    let meta: Value = serde_json::from_str(meta).ok()?;
    meta.get("from")?;
    serde_json::from_value(meta).ok()
}
