//! What follows from events (I3). A consumer's effects inside our database commit together with its
//! cursor: exactly once. Effects outside become jobs in that transaction.

use crate::log::{self, LoggedEvent};
use crate::refusal::Refusal;
use crate::spine::{Order, Spine};
use crate::unit::Unit;
use db::{Query, params, sql};
use domain::{Actor, WorkspaceId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Events taken in one transaction.
const BATCH: u16 = 200;
/// How far a consumer may run ahead of its stored cursor over events it does not want.
const SKIP_UNSTORED: i64 = 1_000;

/// Follows the event log.
pub trait Consumer: Send + Sync {
    /// Never changes: the cursor is stored under it.
    fn name(&self) -> &'static str;
    fn wants(&self, kind: &str) -> bool;

    /// Takes one event, in order within its partition.
    ///
    /// # Errors
    /// A storage error is tried again. A rejection means a defect: it is logged, and the event is passed
    /// over, so that one bad event does not stop everything behind it.
    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal>;
}

sql!(CURSORS = "SELECT workspace_id, consumer, part, position FROM consumer_cursor", params: 0, global);
sql!(CURSOR = "SELECT position FROM consumer_cursor WHERE workspace_id = $1 AND consumer = $2 AND part = $3 /*for_update*/", params: 3);
sql!(MOVE_CURSOR = "INSERT INTO consumer_cursor (workspace_id, consumer, part, position) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (workspace_id, consumer, part) DO UPDATE SET position = $4", params: 4);

type Place = (&'static str, WorkspaceId, i16);

/// How far every consumer is, here in memory; the stored cursors are the truth after a restart.
#[derive(Default)]
pub(crate) struct Progress(Mutex<HashMap<Place, i64>>);

impl Progress {
    fn get(&self, place: &Place) -> Option<i64> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(place).copied()
    }
    fn set(&self, place: Place, position: i64) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(place, position);
    }
    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_empty()
    }
}

impl Spine {
    /// Lets every consumer catch up by at most one batch per partition; tells whether anything was taken.
    pub(crate) async fn consume_step(&self) -> Result<bool, Refusal> {
        let heads = self.core().tail.heads();
        if self.core().progress.is_empty() {
            self.load_cursors().await?;
        }
        let mut moved = false;
        for index in 0..self.core().consumers.len() {
            let Some(name) = self.core().consumers.get(index).map(|c| c.name()) else { continue };
            for (workspace, part, head) in &heads {
                let place = (name, *workspace, *part);
                let done = self.core().progress.get(&place).unwrap_or(0);
                if done < *head {
                    moved = true;
                    self.consume_batch(index, place, done).await?;
                }
            }
        }
        Ok(moved)
    }

    async fn load_cursors(&self) -> Result<(), Refusal> {
        let cursors: Vec<(WorkspaceId, String, i16, i64)> =
            self.db().read(|r| Ok::<_, Refusal>(r.query(&CURSORS, &[])?)).await?;
        for (workspace, name, part, position) in cursors {
            if let Some(consumer) = self.core().consumers.iter().find(|c| c.name() == name) {
                self.core().progress.set((consumer.name(), workspace, part), position);
            }
        }
        Ok(())
    }

    async fn consume_batch(&self, index: usize, place: Place, done: i64) -> Result<(), Refusal> {
        let events = self.events_behind(place, done).await?;
        let Some(last) = events.last().map(|e| e.position) else { return Ok(()) };
        let wanted: Vec<Arc<LoggedEvent>> = match self.core().consumers.get(index) {
            Some(consumer) => events.into_iter().filter(|e| consumer.wants(&e.kind)).collect(),
            None => return Ok(()),
        };
        // Nothing to do: run ahead in memory, store the cursor only now and then.
        if wanted.is_empty() && last % SKIP_UNSTORED != 0 {
            self.core().progress.set(place, last);
            return Ok(());
        }
        match self.consume_events(index, place, wanted.clone(), last).await {
            Err(Refusal::Rejected(_) | Refusal::NotFound | Refusal::Internal(_)) => {
                for event in wanted {
                    self.consume_alone(index, place, event).await?;
                }
                self.consume_events(index, place, Vec::new(), last).await
            }
            other => other,
        }
    }

    async fn events_behind(&self, (_, workspace, part): Place, done: i64) -> Result<Vec<Arc<LoggedEvent>>, Refusal> {
        if let Some(events) = self.core().tail.after((workspace, part), done, usize::from(BATCH)) {
            return Ok(events);
        }
        let read = self.db().read(move |r| log::events_after(r, workspace, (part, done), i64::from(BATCH)));
        Ok(read.await?.into_iter().map(Arc::new).collect())
    }

    /// One event in its own transaction; a defect is logged and passed over.
    async fn consume_alone(&self, index: usize, place: Place, event: Arc<LoggedEvent>) -> Result<(), Refusal> {
        let (position, kind) = (event.position, event.kind.clone());
        match self.consume_events(index, place, vec![event], position).await {
            Err(error @ (Refusal::Rejected(_) | Refusal::NotFound | Refusal::Internal(_))) => {
                tracing::error!(consumer = place.0, part = place.2, position, kind, %error, "event passed over");
                self.consume_events(index, place, Vec::new(), position).await
            }
            other => other,
        }
    }

    async fn consume_events(
        &self,
        index: usize,
        place: Place,
        events: Vec<Arc<LoggedEvent>>,
        last: i64,
    ) -> Result<(), Refusal> {
        let spine = self.clone();
        let (name, workspace, part) = place;
        let stored = self
            .execute(Order::new(workspace, Actor::System), move |unit| {
                // Another process may have taken these events already: the stored cursor decides.
                let stored: i64 = unit.tx().query_opt(&CURSOR, params![workspace, name, part])?.unwrap_or(0);
                if let Some(consumer) = spine.core().consumers.get(index) {
                    for event in events.iter().filter(|e| e.position > stored) {
                        consumer.consume(unit, event)?;
                    }
                }
                let position = stored.max(last);
                unit.tx().execute(&MOVE_CURSOR, params![workspace, name, part, position])?;
                Ok(position)
            })
            .await?;
        self.core().progress.set(place, stored);
        Ok(())
    }
}
