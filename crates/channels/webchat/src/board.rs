//! Who is connected. One task per process listens to the hub and tells exactly the connections concerned, so that
//! ten thousand open widgets cost nothing while somebody else's case moves.

use crate::store;
use domain::case::CaseEvent;
use domain::{CaseId, ChannelKind, Event, Span, Timestamp, VisitorId, WorkspaceId};
use spine::{Notice, Spine};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

/// An agent counts as writing this long after the last sign of it.
const WRITES: Span = Span::seconds(6);
/// Cases whose writers are remembered at once.
const WRITERS: usize = 10_000;
/// How often everybody connected is written down as seen, and how many in one transaction.
const SEEN_EVERY: Duration = Duration::from_secs(15);
const SEEN_AT_ONCE: usize = 500;
const NAMES_WAITING: usize = 4;

/// Shared by all connections.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    next: AtomicU64,
    started: AtomicBool,
}

#[derive(Default)]
struct State {
    seats: HashMap<Uuid, Vec<Seat>>,
    threads: HashMap<CaseId, Uuid>,
    writers: HashMap<CaseId, (String, Timestamp)>,
}

struct Seat {
    id: u64,
    workspace: WorkspaceId,
    visitor: VisitorId,
    changed: Arc<Notify>,
    names: mpsc::Sender<String>,
}

/// One connection's place; leaves the board when dropped.
pub(crate) struct Seated {
    board: Board,
    thread: Uuid,
    id: u64,
    /// Something in the thread has changed since the last look. Holds at most one wake-up.
    pub changed: Arc<Notify>,
    /// Agents who write. What does not fit is dropped: it is only for the moment.
    pub names: mpsc::Receiver<String>,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the listening task, once.
    pub fn start(&self, spine: &Spine) {
        if self.0.started.swap(true, Ordering::AcqRel) {
            return;
        }
        let (listening, seeing) = (self.clone(), self.clone());
        let (hub, spine) = (spine.clone(), spine.clone());
        tokio::spawn(async move { listening.listen(&hub).await });
        tokio::spawn(async move { seeing.write_down(&spine).await });
    }

    /// Takes a place. Connections per thread are limited by the caller asking [`Board::connections`].
    pub fn sit(&self, workspace: WorkspaceId, thread: Uuid, visitor: VisitorId) -> Seated {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let changed = Arc::new(Notify::new());
        let (sender, names) = mpsc::channel(NAMES_WAITING);
        let seat = Seat { id, workspace, visitor, changed: changed.clone(), names: sender };
        self.state().seats.entry(thread).or_default().push(seat);
        Seated { board: self.clone(), thread, id, changed, names }
    }

    pub fn connections(&self, thread: Uuid) -> usize {
        self.state().seats.get(&thread).map_or(0, Vec::len)
    }

    /// From now on what happens to this case concerns this thread.
    pub fn watch(&self, thread: Uuid, cases: impl IntoIterator<Item = CaseId>) {
        let mut state = self.state();
        for case in cases {
            state.threads.insert(case, thread);
        }
    }

    /// The agent who writes in this case now.
    pub fn writer(&self, case: CaseId, now: Timestamp) -> Option<String> {
        let state = self.state();
        let (name, at) = state.writers.get(&case)?;
        (now.since(*at) <= WRITES).then(|| name.clone())
    }

    async fn listen(&self, spine: &Spine) {
        let mut notices = spine.hub().subscribe();
        loop {
            match notices.recv().await {
                Ok(notice) => self.tell(&notice, spine.now()),
                // Whatever was missed, everybody looks for themselves.
                Err(RecvError::Lagged(_)) => self.wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    pub fn tell(&self, notice: &Notice, now: Timestamp) {
        let mut state = self.state();
        match notice {
            Notice::Event(event) => {
                let Event::Case(what) = &event.event else { return };
                let case = CaseId(event.subject);
                if let CaseEvent::ConversationJoined { channel_kind: ChannelKind::Webchat, thread_key, .. } = what
                    && let Ok(thread) = thread_key.parse::<Uuid>()
                    && state.seats.contains_key(&thread)
                {
                    state.threads.insert(case, thread);
                }
                if matches!(what, CaseEvent::MessageSent { .. }) {
                    state.writers.remove(&case);
                }
                state.wake(case);
            }
            Notice::Signal(signal) => {
                let (Some(case), "agent", "typing") = (signal.case, signal.who_kind, signal.kind) else { return };
                if state.writers.len() >= WRITERS {
                    state.writers.retain(|_, (_, at)| now.since(*at) <= WRITES);
                }
                state.writers.insert(case, (signal.name.clone(), now));
                let Some(seats) = state.threads.get(&case).and_then(|thread| state.seats.get(thread)) else { return };
                for seat in seats {
                    let _ = seat.names.try_send(signal.name.clone());
                }
            }
        }
    }

    fn wake_all(&self) {
        for seat in self.state().seats.values().flatten() {
            seat.changed.notify_one();
        }
    }

    /// Keeps `last_seen_at` of everybody connected, many in one transaction.
    async fn write_down(&self, spine: &Spine) {
        let mut tick = tokio::time::interval(SEEN_EVERY);
        loop {
            tick.tick().await;
            let here: Vec<(WorkspaceId, VisitorId)> = {
                let state = self.state();
                state.seats.values().flatten().map(|seat| (seat.workspace, seat.visitor)).collect()
            };
            for some in here.chunks(SEEN_AT_ONCE) {
                let (some, now) = (some.to_vec(), spine.now());
                let written = spine.db().write(move |tx| {
                    some.iter().try_for_each(|(workspace, visitor)| store::seen(tx, *workspace, *visitor, now))
                });
                if let Err(error) = written.await {
                    tracing::warn!(%error, "connected visitors were not written down");
                }
            }
        }
    }
}

impl State {
    fn wake(&self, case: CaseId) {
        let Some(seats) = self.threads.get(&case).and_then(|thread| self.seats.get(thread)) else { return };
        for seat in seats {
            seat.changed.notify_one();
        }
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut state = self.board.state();
        if let Some(seats) = state.seats.get_mut(&self.thread) {
            seats.retain(|seat| seat.id != self.id);
            if seats.is_empty() {
                let thread = self.thread;
                state.seats.remove(&thread);
                state.threads.retain(|_, of| *of != thread);
            }
        }
    }
}
