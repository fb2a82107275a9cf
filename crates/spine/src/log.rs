//! The event log: gap-free per workspace and partition. Heads are incremented just before commit (DESIGN 3).

use crate::refusal::Refusal;
use db::{Connection, Query, Tx, params, row, sql};
use domain::{Actor, Event, EventId, Timestamp, WorkspaceId};
use std::collections::BTreeMap;
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct EventRow {
        pub part: i16,
        pub position: i64,
        pub id: EventId,
        pub at: Timestamp,
        pub actor: String,
        pub subject_kind: String,
        pub subject_id: Uuid,
        pub version: i64,
        pub kind: String,
        pub data: String,
    }
}

sql!(ADVANCE_HEAD = "INSERT INTO event_head (workspace_id, part, position) VALUES ($1, $2, $3) \
    ON CONFLICT (workspace_id, part) DO UPDATE SET position = event_head.position + $3 RETURNING position", params: 3);
sql!(INSERT_EVENT = "INSERT INTO event (workspace_id, part, position, id, at, actor, subject_kind, subject_id, version, kind, data) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", params: 11);
sql!(LAST_VERSION = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM event \
    WHERE workspace_id = $1 AND subject_kind = $2 AND subject_id = $3", params: 3);
sql!(EVENTS_AFTER = "SELECT part, position, id, at, actor, subject_kind, subject_id, version, kind, data FROM event \
    WHERE workspace_id = $1 AND part = $2 AND position > $3 ORDER BY position LIMIT $4", params: 4, row: EventRow);
sql!(EVENTS_OF = "SELECT part, position, id, at, actor, subject_kind, subject_id, version, kind, data FROM event \
    WHERE workspace_id = $1 AND subject_kind = $2 AND subject_id = $3 ORDER BY version", params: 3, row: EventRow);
sql!(HEADS = "SELECT workspace_id, part, position FROM event_head", params: 0, global);
sql!(HEADS_OF = "SELECT part, position FROM event_head WHERE workspace_id = $1 ORDER BY part", params: 1);

/// An event as it stands in the log.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    pub workspace: WorkspaceId,
    pub part: i16,
    /// Gap-free within (workspace, part), from 1.
    pub position: i64,
    pub id: EventId,
    pub at: Timestamp,
    pub actor: Actor,
    pub subject_kind: String,
    pub subject: Uuid,
    /// Counts the events of the subject, from 1.
    pub version: i64,
    pub kind: String,
    pub event: Event,
}

impl LoggedEvent {
    fn from_row(workspace: WorkspaceId, row: EventRow) -> Result<Self, Refusal> {
        let event = Event::from_parts(&row.kind, &row.data).map_err(Refusal::internal)?;
        let actor = row.actor.parse().map_err(|_| Refusal::Internal(format!("actor {}", row.actor)))?;
        Ok(Self {
            workspace,
            part: row.part,
            position: row.position,
            id: row.id,
            at: row.at,
            actor,
            subject_kind: row.subject_kind,
            subject: row.subject_id,
            version: row.version,
            kind: row.kind,
            event,
        })
    }
}

/// An event waiting for its position.
pub(crate) struct Pending {
    pub(crate) id: Uuid,
    pub(crate) subject_kind: &'static str,
    pub(crate) subject: Uuid,
    pub(crate) version: i64,
    pub(crate) actor: Actor,
    pub(crate) event: Event,
}

/// Which partition a subject's events go to: all of one subject to one, so that they stay in order.
fn partition(subject: Uuid, partitions: i16) -> i16 {
    let sum = subject.as_bytes().iter().fold(0_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(*b)));
    i16::try_from(sum % u32::from(partitions.max(1).unsigned_abs())).unwrap_or(0)
}

/// Writes all events of one transaction. The last thing done before commit.
pub(crate) fn append(
    tx: &mut Tx<'_>,
    (workspace, at): (WorkspaceId, Timestamp),
    partitions: i16,
    events: Vec<Pending>,
) -> Result<(), Refusal> {
    let mut parts: BTreeMap<i16, Vec<Pending>> = BTreeMap::new();
    for event in events {
        parts.entry(partition(event.subject, partitions)).or_default().push(event);
    }
    for (part, events) in parts {
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let head: i64 = tx.query_one(&ADVANCE_HEAD, params![workspace, part, count])?;
        for (position, event) in (head - count + 1..).zip(events) {
            let data = event.event.to_json().to_string();
            tx.execute(
                &INSERT_EVENT,
                params![
                    workspace,
                    part,
                    position,
                    event.id,
                    at,
                    event.actor.to_string(),
                    event.subject_kind,
                    event.subject,
                    event.version,
                    event.event.kind(),
                    data
                ],
            )?;
        }
    }
    Ok(())
}

pub(crate) fn last_version(tx: &mut Tx<'_>, workspace: WorkspaceId, kind: &str, subject: Uuid) -> Result<i64, Refusal> {
    Ok(tx.query_one(&LAST_VERSION, params![workspace, kind, subject])?)
}

/// Events of one partition after a position, at most `limit`.
///
/// # Errors
/// Those of the database; [`Refusal::Internal`] for an event this version does not know.
pub fn events_after(
    q: &mut impl Connection,
    workspace: WorkspaceId,
    (part, position): (i16, i64),
    limit: i64,
) -> Result<Vec<LoggedEvent>, Refusal> {
    let rows: Vec<EventRow> = q.query(&EVENTS_AFTER, params![workspace, part, position, limit])?;
    rows.into_iter().map(|row| LoggedEvent::from_row(workspace, row)).collect()
}

/// The whole history of one subject, oldest first.
///
/// # Errors
/// As [`events_after`].
pub fn events_of(
    q: &mut impl Connection,
    workspace: WorkspaceId,
    subject_kind: &str,
    subject: Uuid,
) -> Result<Vec<LoggedEvent>, Refusal> {
    let rows: Vec<EventRow> = q.query(&EVENTS_OF, params![workspace, subject_kind, subject])?;
    rows.into_iter().map(|row| LoggedEvent::from_row(workspace, row)).collect()
}

/// The last position of every partition of every workspace.
pub(crate) fn heads(q: &mut impl Connection) -> Result<Vec<(WorkspaceId, i16, i64)>, Refusal> {
    Ok(q.query(&HEADS, &[])?)
}

/// The last position of every partition of one workspace, by partition.
///
/// # Errors
/// Those of the database.
pub fn heads_of(q: &mut impl Connection, workspace: WorkspaceId) -> Result<Vec<(i16, i64)>, Refusal> {
    Ok(q.query(&HEADS_OF, params![workspace])?)
}
