//! Jobs: what must happen outside our transaction, at least once, and timers. A job is written in the
//! transaction that wants it, claimed with a lease, and removed when done.

use crate::refusal::Refusal;
use crate::spine::Spine;
use db::{Query, Tx, params, row, sql};
use domain::{JobId, Span, Timestamp, WorkspaceId};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;

/// After this many failed attempts a job is dead and an operator's matter.
pub const MAX_ATTEMPTS: i32 = 12;
/// How long a claimed job may run before another process may claim it.
const LEASE: Span = Span::minutes(5);

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub queue: &'static str,
    /// Unique within the queue; also the idempotency key of the effect.
    pub key: String,
    pub payload: Value,
    pub run_at: Timestamp,
}

row! {
    /// A claimed job.
    #[derive(Debug, Clone)]
    pub struct JobRow {
        pub workspace_id: WorkspaceId,
        pub id: JobId,
        pub queue: String,
        pub job_key: String,
        pub payload: String,
        pub run_at: Timestamp,
        /// Attempts so far, this one included.
        pub attempts: i32,
        pub lease_until: Timestamp,
    }
}

impl JobRow {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when it is not a `T`.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_str(&self.payload).map_err(Refusal::internal)
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Try again later; the text goes to the log and the operator's page.
    Retry {
        after: Span,
        error: String,
    },
    /// Trying again is useless.
    Fail {
        error: String,
    },
}

impl Outcome {
    /// Retry with exponential back-off: 2, 4, 8 ... seconds, at most an hour.
    #[must_use]
    pub fn back_off(attempts: i32, error: impl core::fmt::Display) -> Self {
        let seconds = 1_i64 << attempts.clamp(1, 12);
        Self::Retry { after: Span::seconds(seconds.min(3_600)), error: error.to_string() }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // What a job is about may have gone meanwhile.
            Refusal::NotFound => Self::Done,
            Refusal::Rejected(_) => Self::Fail { error: refusal.to_string() },
            Refusal::Storage(_) | Refusal::Internal(_) => {
                Self::Retry { after: Span::seconds(5), error: refusal.to_string() }
            }
        }
    }
}

pub type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Does the jobs of one queue. Must be idempotent: a job may run twice.
pub trait Job: Send + Sync {
    fn queue(&self) -> &'static str;
    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a>;
}

sql!(UPSERT_JOB = "INSERT INTO job (workspace_id, id, queue, job_key, payload, run_at, attempts, state, lease_until) \
    VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0) ON CONFLICT (workspace_id, queue, job_key) \
    DO UPDATE SET payload = $5, run_at = $6, attempts = 0, state = 0, lease_until = 0", params: 6);
sql!(CANCEL_JOB = "DELETE FROM job WHERE workspace_id = $1 AND queue = $2 AND job_key = $3 AND state = 0", params: 3);
sql!(CLAIM = "UPDATE job SET state = 1, attempts = attempts + 1, lease_until = $2 WHERE (workspace_id, id) IN \
    (SELECT workspace_id, id FROM job WHERE state IN (0, 1) AND run_at <= $1 AND lease_until <= $1 ORDER BY run_at LIMIT $3 /*skip_locked*/) \
    RETURNING workspace_id, id, queue, job_key, payload, run_at, attempts, lease_until", params: 3, row: JobRow, global);
sql!(REMOVE = "DELETE FROM job WHERE workspace_id = $1 AND id = $2 AND state = 1 AND lease_until = $3", params: 3);
sql!(POSTPONE = "UPDATE job SET state = 0, run_at = $4, lease_until = 0, last_error = $5 \
    WHERE workspace_id = $1 AND id = $2 AND state = 1 AND lease_until = $3", params: 5);
sql!(BURY = "UPDATE job SET state = 3, last_error = $4 \
    WHERE workspace_id = $1 AND id = $2 AND state = 1 AND lease_until = $3", params: 4);
sql!(NEXT_DUE = "SELECT MIN(CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END) FROM job WHERE state IN (0, 1)", params: 0, global);
sql!(COUNT_UNFINISHED = "SELECT queue, job_key FROM job WHERE state IN (0, 1) AND run_at <= $1", params: 1, global);

pub(crate) fn insert(tx: &mut Tx<'_>, workspace: WorkspaceId, id: Uuid, new: &NewJob) -> Result<(), Refusal> {
    let payload = new.payload.to_string();
    tx.execute(&UPSERT_JOB, params![workspace, id, new.queue, new.key.as_str(), payload, new.run_at])?;
    Ok(())
}

pub(crate) fn cancel(tx: &mut Tx<'_>, workspace: WorkspaceId, queue: &str, key: &str) -> Result<(), Refusal> {
    tx.execute(&CANCEL_JOB, params![workspace, queue, key])?;
    Ok(())
}

impl Spine {
    /// Claims due jobs, oldest first.
    pub(crate) async fn claim(&self, limit: i64) -> Result<Vec<JobRow>, Refusal> {
        let now = self.now();
        self.db().write(move |tx| Ok(tx.query(&CLAIM, params![now, now + LEASE, limit])?)).await
    }

    /// When the next job is due, if any waits.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, Refusal> {
        self.db().read(|r| Ok(r.query_one(&NEXT_DUE, &[])?)).await
    }

    /// Queue and key of every job that is due and not finished; a quiet system has none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn unfinished_jobs(&self) -> Result<Vec<(String, String)>, Refusal> {
        let now = self.now();
        self.db().read(move |r| Ok(r.query(&COUNT_UNFINISHED, params![now])?)).await
    }

    /// Runs a claimed job and writes down how it ended.
    pub(crate) async fn run_job(&self, job: JobRow) -> Result<(), Refusal> {
        let outcome = match self.core().jobs.get(job.queue.as_str()) {
            Some(handler) => handler.run(self, &job).await,
            None => Outcome::Retry { after: Span::minutes(10), error: "nobody works this queue".to_owned() },
        };
        let outcome = match outcome {
            Outcome::Retry { error, .. } if job.attempts >= MAX_ATTEMPTS => Outcome::Fail { error },
            other => other,
        };
        let now = self.now();
        match &outcome {
            Outcome::Done => {}
            Outcome::Retry { error, .. } => {
                tracing::warn!(queue = job.queue, job = %job.id, error, "job will be tried again")
            }
            Outcome::Fail { error } => tracing::error!(queue = job.queue, job = %job.id, error, "job is dead"),
        }
        self.db().write(move |tx| finish(tx, &job, &outcome, now)).await
    }
}

fn finish(tx: &mut Tx<'_>, job: &JobRow, outcome: &Outcome, now: Timestamp) -> Result<(), Refusal> {
    let (workspace, id, lease) = (job.workspace_id, job.id, job.lease_until);
    match outcome {
        Outcome::Done => tx.execute(&REMOVE, params![workspace, id, lease])?,
        Outcome::Retry { after, error } => {
            tx.execute(&POSTPONE, params![workspace, id, lease, now + *after, error.as_str()])?
        }
        Outcome::Fail { error } => tx.execute(&BURY, params![workspace, id, lease, error.as_str()])?,
    };
    Ok(())
}
