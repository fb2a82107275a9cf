//! What must hold after any history.

use db::{Db, Query, params, row, sql};
use domain::case::{Case, CaseState, Status};
use domain::customer::{Customer, CustomerState};
use domain::{Aggregate, Happened, MessageId, Timestamp, WorkspaceId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

sql!(CASE_STATES = "SELECT id, state, version, status_rank, number FROM case_record WHERE workspace_id = $1", params: 1);
sql!(CUSTOMER_STATES = "SELECT id, state, version FROM customer WHERE workspace_id = $1", params: 1);
sql!(MESSAGES = "SELECT id, case_id, delivery, note FROM message WHERE workspace_id = $1", params: 1);
sql!(HEADS = "SELECT part, position FROM event_head WHERE workspace_id = $1", params: 1);
sql!(POSITIONS = "SELECT COUNT(*), CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM event WHERE workspace_id = $1 AND part = $2", params: 2);
sql!(LOG = "SELECT kind, subject_id, at, data FROM event WHERE workspace_id = $1 ORDER BY part, position", params: 1, row: LogLine);
sql!(LATE_JOBS = "SELECT queue, job_key FROM job WHERE workspace_id = $1 AND state IN (0, 1) AND run_at <= $2", params: 2);
sql!(DEAD_JOBS = "SELECT queue, COALESCE(last_error, '') FROM job WHERE workspace_id = $1 AND state = 3", params: 1);

row! {
    struct LogLine {
        kind: String,
        subject_id: Uuid,
        at: Timestamp,
        data: String,
    }
}

/// Everything that does not hold, in words; empty is good.
pub(crate) fn check(
    db: &Db,
    ws: WorkspaceId,
    now: Timestamp,
    acknowledged: &BTreeSet<MessageId>,
    reached: &HashMap<MessageId, u32>,
) -> Vec<String> {
    let mut broken = Vec::new();
    broken.extend(folded::<Case, CaseState>(db, ws, states(db, ws, true)));
    broken.extend(folded::<Customer, CustomerState>(db, ws, states(db, ws, false)));
    broken.extend(gaps(db, ws));
    broken.extend(messages(db, ws, acknowledged, reached));
    broken.extend(clocks(db, ws, now));
    broken
}

type Stored = Vec<(Uuid, String, i64)>;

fn states(db: &Db, ws: WorkspaceId, cases: bool) -> Stored {
    db.read_blocking(move |r| {
        if cases {
            let rows: Vec<(Uuid, String, i64, i64, i64)> = r.query(&CASE_STATES, params![ws])?;
            Ok::<_, db::Error>(rows.into_iter().map(|(id, state, version, _, _)| (id, state, version)).collect())
        } else {
            r.query(&CUSTOMER_STATES, params![ws])
        }
    })
    .unwrap()
}

/// Folding the events must give the stored state (I2).
fn folded<A, S>(db: &Db, ws: WorkspaceId, stored: Stored) -> Vec<String>
where
    A: Aggregate<State = S>,
    S: PartialEq + serde_de::Read,
{
    let mut broken = Vec::new();
    for (id, text, version) in stored {
        let history = db.read_blocking(move |r| spine::events_of(r, ws, A::KIND, id)).unwrap();
        if history.len() as i64 != version {
            broken.push(format!("{} {id}: version {version}, {} events", A::KIND, history.len()));
        }
        let folded = history.into_iter().fold(None, |state, logged| {
            let happened = Happened { at: logged.at, actor: logged.actor };
            A::apply(state, &A::unwrap(logged.event).unwrap(), happened)
        });
        if folded.as_ref() != Some(&S::read(&text)) {
            broken.push(format!("{} {id}: folding its events gives another state than is stored", A::KIND));
        }
    }
    broken
}

/// Reading a stored state, without naming serde in every bound.
mod serde_de {
    pub(crate) trait Read: Sized {
        fn read(text: &str) -> Self;
    }
    impl Read for super::CaseState {
        fn read(text: &str) -> Self {
            serde_json::from_str(text).unwrap()
        }
    }
    impl Read for super::CustomerState {
        fn read(text: &str) -> Self {
            serde_json::from_str(text).unwrap()
        }
    }
}

/// Positions of every partition run from 1 to its head.
fn gaps(db: &Db, ws: WorkspaceId) -> Vec<String> {
    let heads: Vec<(i16, i64)> = db.read_blocking(move |r| r.query(&HEADS, params![ws])).unwrap();
    let mut broken = Vec::new();
    for (part, head) in heads {
        let (count, max): (i64, i64) = db.read_blocking(move |r| r.query_one(&POSITIONS, params![ws, part])).unwrap();
        if count != head || max != head {
            broken.push(format!("partition {part}: head {head}, {count} events up to {max}"));
        }
    }
    broken
}

/// Nothing acknowledged is lost, nothing is there twice, nothing cancelled went out, nothing is stuck.
fn messages(
    db: &Db,
    ws: WorkspaceId,
    acknowledged: &BTreeSet<MessageId>,
    reached: &HashMap<MessageId, u32>,
) -> Vec<String> {
    let rows: Vec<(MessageId, Uuid, String, bool)> =
        db.read_blocking(move |r| r.query(&MESSAGES, params![ws])).unwrap();
    let there: HashMap<MessageId, String> = rows.iter().map(|(id, _, delivery, _)| (*id, delivery.clone())).collect();
    let mut broken = Vec::new();
    broken.extend(
        acknowledged
            .iter()
            .filter(|id| !there.contains_key(id))
            .map(|id| format!("message {id} was acknowledged and is lost")),
    );
    for (id, delivery) in &there {
        let times = reached.get(id).copied().unwrap_or(0);
        match delivery.as_str() {
            "held" | "queued" => broken.push(format!("message {id} is stuck as {delivery}")),
            "cancelled" if times > 0 => broken.push(format!("message {id} was taken back and went out all the same")),
            _ => {}
        }
    }
    broken
}

/// No timer is missed: what is due has happened.
fn clocks(db: &Db, ws: WorkspaceId, now: Timestamp) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, text, _) in states(db, ws, true) {
        let state: CaseState = serde_json::from_str(&text).unwrap();
        match state.status {
            Status::Snoozed { until } if until + domain::Span::hours(1) < now => {
                broken.push(format!("case {id} still sleeps at {now}, until {until}"))
            }
            _ => {}
        }
    }
    let late = now - domain::Span::hours(1);
    let jobs: Vec<(String, String)> = db.read_blocking(move |r| r.query(&LATE_JOBS, params![ws, late])).unwrap();
    broken.extend(jobs.into_iter().map(|(queue, key)| format!("job {queue}/{key} is late")));
    let dead: Vec<(String, String)> = db.read_blocking(move |r| r.query(&DEAD_JOBS, params![ws])).unwrap();
    broken.extend(dead.into_iter().map(|(queue, error)| format!("a job of {queue} is dead: {error}")));
    broken
}

/// Hash of the whole log, and how long it is.
pub(crate) fn log_hash(db: &Db, ws: WorkspaceId) -> (String, i64) {
    let lines: Vec<LogLine> = db.read_blocking(move |r| r.query(&LOG, params![ws])).unwrap();
    let mut hasher = Sha256::new();
    for line in &lines {
        hasher.update(line.kind.as_bytes());
        hasher.update(line.subject_id.as_bytes());
        hasher.update(line.at.as_micros().to_be_bytes());
        hasher.update(line.data.as_bytes());
    }
    let hash: String = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
    (hash, lines.len() as i64)
}
