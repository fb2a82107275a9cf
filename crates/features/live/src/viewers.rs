//! Who is connected and who looks at which case, in this process's memory only.

use domain::{CaseId, UserId, WorkspaceId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

/// Connections one person may hold at once.
pub const CONNECTIONS_PER_USER: usize = 20;

#[derive(Default)]
struct State {
    connections: HashMap<(WorkspaceId, UserId), usize>,
    /// Per case: who looks, under which name, in how many windows.
    looking: HashMap<(WorkspaceId, CaseId), BTreeMap<UserId, (String, usize)>>,
}

#[derive(Default)]
pub struct Viewers(Mutex<State>);

impl Viewers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Counts a new connection; `None` when there are too many, else whether it is the first.
    pub fn connect(&self, ws: WorkspaceId, user: UserId) -> Option<bool> {
        let mut state = self.state();
        let count = state.connections.entry((ws, user)).or_insert(0);
        if *count >= CONNECTIONS_PER_USER {
            return None;
        }
        *count += 1;
        Some(*count == 1)
    }

    /// Tells whether it was the last.
    pub fn disconnect(&self, ws: WorkspaceId, user: UserId) -> bool {
        let mut state = self.state();
        let Some(count) = state.connections.get_mut(&(ws, user)) else { return false };
        *count = count.saturating_sub(1);
        let last = *count == 0;
        if last {
            state.connections.remove(&(ws, user));
        }
        last
    }

    /// Somebody opens a case; answers who else looks at it.
    pub fn look(&self, ws: WorkspaceId, case: CaseId, user: UserId, name: &str) -> Vec<(UserId, String)> {
        let mut state = self.state();
        let looking = state.looking.entry((ws, case)).or_default();
        let others = looking.iter().filter(|(id, _)| **id != user).map(|(id, (name, _))| (*id, name.clone())).collect();
        looking.entry(user).or_insert_with(|| (name.to_owned(), 0)).1 += 1;
        others
    }

    /// Somebody closes a case; tells whether it was their last window on it.
    pub fn leave(&self, ws: WorkspaceId, case: CaseId, user: UserId) -> bool {
        let mut state = self.state();
        let Some(looking) = state.looking.get_mut(&(ws, case)) else { return false };
        let Some((_, count)) = looking.get_mut(&user) else { return false };
        *count -= 1;
        if *count > 0 {
            return false;
        }
        looking.remove(&user);
        if looking.is_empty() {
            state.looking.remove(&(ws, case));
        }
        true
    }
}
