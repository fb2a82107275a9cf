//! The end of the event log, read once for all who follow it: the live hub and every consumer.

use crate::hub::Notice;
use crate::log::{self, LoggedEvent};
use crate::refusal::Refusal;
use crate::spine::Spine;
use domain::{Event, WorkspaceId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Events kept for consumers that are close behind; who is further back reads the log.
const RECENT: usize = 1_024;
/// Events read at once of one partition.
const PAGE: i64 = 500;

type Partition = (WorkspaceId, i16);

/// What has been read of the log so far.
pub(crate) struct Tail {
    state: Mutex<State>,
    grown: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Last position read, by partition.
    heads: HashMap<Partition, i64>,
    /// In the order read, so in order within each partition.
    recent: VecDeque<Arc<LoggedEvent>>,
    started: bool,
}

impl Tail {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), grown: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever something was read.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// The last position read of every partition, always in the same order.
    pub(crate) fn heads(&self) -> Vec<(WorkspaceId, i16, i64)> {
        let mut heads: Vec<_> = self.state().heads.iter().map(|((ws, part), head)| (*ws, *part, *head)).collect();
        heads.sort_unstable();
        heads
    }

    /// The events of a partition behind `position`, at most `limit`; `None` when not all of them are kept.
    pub(crate) fn after(&self, partition: Partition, position: i64, limit: usize) -> Option<Vec<Arc<LoggedEvent>>> {
        let state = self.state();
        let of_partition = state.recent.iter().rev().filter(|e| (e.workspace, e.part) == partition);
        let mut found: Vec<_> = of_partition.take_while(|e| e.position > position).cloned().collect();
        found.reverse();
        found.truncate(limit);
        found.first().is_some_and(|first| first.position == position + 1).then_some(found)
    }

    /// Where to read on, and where the log ended when this process began: what was there before is nobody's news.
    fn begin(&self, heads: &[(WorkspaceId, i16, i64)]) {
        let mut state = self.state();
        if !state.started {
            state.started = true;
            state.heads.extend(heads.iter().map(|(ws, part, head)| ((*ws, *part), *head)));
            drop(state);
            self.grown.send_modify(|count| *count += 1);
        }
    }

    fn extend(&self, events: &[Arc<LoggedEvent>]) {
        let mut state = self.state();
        for event in events {
            state.heads.insert((event.workspace, event.part), event.position);
            state.recent.push_back(Arc::clone(event));
        }
        let surplus = state.recent.len().saturating_sub(RECENT);
        state.recent.drain(..surplus);
    }
}

impl Spine {
    /// Reads what has been committed since the last call, tells the hub, and lets the consumers look. Answers whether
    /// there was anything.
    pub(crate) async fn follow_log(&self) -> Result<bool, Refusal> {
        let mut any = false;
        loop {
            let known: HashMap<Partition, i64> = self.core().tail.state().heads.clone();
            let started = self.core().tail.state().started;
            let read = self.db().read(move |r| {
                let heads = log::heads(r)?;
                let mut news = Vec::new();
                for (workspace, part, head) in heads.iter().filter(|_| started) {
                    let done = known.get(&(*workspace, *part)).copied().unwrap_or(0);
                    if done < *head {
                        news.extend(log::events_after(r, *workspace, (*part, done), PAGE)?);
                    }
                }
                Ok::<_, Refusal>((heads, news))
            });
            let (heads, news) = read.await?;
            self.core().tail.begin(&heads);
            if news.is_empty() {
                return Ok(any);
            }
            any = true;
            self.spread(news.into_iter().map(Arc::new).collect());
        }
    }

    fn spread(&self, news: Vec<Arc<LoggedEvent>>) {
        self.core().tail.extend(&news);
        if news.iter().any(|event| matches!(event.event, Event::Config(_))) {
            // Another process may have made the change.
            self.core().configuration_changed();
        }
        for event in news {
            self.hub().tell(Notice::Event(event));
        }
        self.core().tail.grown.send_modify(|count| *count += 1);
    }
}
