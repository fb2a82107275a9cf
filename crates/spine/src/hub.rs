//! The live hub: tells open connections what was committed, and passes on what is only for the moment
//! (typing, viewing). It stores nothing: a connection resumes from the event log by its token.

use crate::log::{self, LoggedEvent};
use crate::refusal::Refusal;
use crate::spine::Spine;
use domain::{CaseId, WorkspaceId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Notices a slow connection may lag behind before it is told to refetch.
const BACKLOG: usize = 4_096;
/// Events replayed at resumption; beyond that a refetch is cheaper.
pub const REPLAY_MAX: i64 = 500;

/// Something for the moment only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    pub workspace: WorkspaceId,
    /// `typing`, `composing`, `viewing`, `left`, `presence`
    pub kind: &'static str,
    pub case: Option<CaseId>,
    /// `agent` or `customer`
    pub who_kind: &'static str,
    pub who: uuid::Uuid,
    pub name: String,
}

/// What a connection hears.
#[derive(Debug, Clone)]
pub enum Notice {
    Event(Arc<LoggedEvent>),
    Signal(Signal),
}

impl Notice {
    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        match self {
            Self::Event(event) => event.workspace,
            Self::Signal(signal) => signal.workspace,
        }
    }
}

pub struct Hub {
    sender: broadcast::Sender<Notice>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }

    /// Hears everything from now on. A receiver that lags is told so and must refetch.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.sender.subscribe()
    }

    /// Passes on a signal to whoever listens in this process.
    pub fn signal(&self, signal: Signal) {
        self.tell(Notice::Signal(signal));
    }

    pub(crate) fn tell(&self, notice: Notice) {
        // Nobody listening is no error.
        let _ = self.sender.send(notice);
    }
}

/// Where a connection stands: the last position it has seen per partition. Text form `part:position,...`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResumeToken(BTreeMap<i16, i64>);

impl ResumeToken {
    #[must_use]
    pub fn position(&self, part: i16) -> i64 {
        self.0.get(&part).copied().unwrap_or(0)
    }
    pub fn advance(&mut self, part: i16, position: i64) {
        let slot = self.0.entry(part).or_insert(0);
        *slot = (*slot).max(position);
    }
    /// Reads a token; nonsense is `None` and means "refetch".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = BTreeMap::new();
        for piece in text.split(',').filter(|p| !p.is_empty()).take(64) {
            let (part, position) = piece.split_once(':')?;
            parts.insert(part.parse().ok()?, position.parse().ok()?);
        }
        Some(Self(parts))
    }
}

impl core::fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, (part, position)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{part}:{position}")?;
        }
        Ok(())
    }
}

/// What a resuming connection has missed.
#[derive(Debug, Clone)]
pub enum Missed {
    Events(Vec<LoggedEvent>),
    /// Too much: ask for everything anew.
    TooMany,
}

impl Spine {
    /// The present end of the log, for a connection that starts anew.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn resume_token(&self, workspace: WorkspaceId) -> Result<ResumeToken, Refusal> {
        let heads = self.db().read(move |r| log::heads_of(r, workspace)).await?;
        Ok(ResumeToken(heads.into_iter().collect()))
    }

    /// What a connection with this token has missed. Subscribe first, then ask: what comes twice is
    /// recognised by its position.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn missed(&self, workspace: WorkspaceId, token: ResumeToken) -> Result<Missed, Refusal> {
        self.db()
            .read(move |r| {
                let mut events = Vec::new();
                for (part, head) in log::heads_of(r, workspace)? {
                    let seen = token.position(part);
                    if head - seen > REPLAY_MAX || seen > head {
                        return Ok(Missed::TooMany);
                    }
                    if head > seen {
                        events.extend(log::events_after(r, workspace, (part, seen), REPLAY_MAX)?);
                    }
                }
                Ok::<_, Refusal>(Missed::Events(events))
            })
            .await
    }
}
