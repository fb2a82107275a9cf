//! How a feature keeps an aggregate. Features register a store per aggregate, so that any feature
//! can give a command to any aggregate without knowing who keeps it (I7).

use crate::refusal::Refusal;
use db::Tx;
use domain::{Actor, Aggregate, Timestamp, WorkspaceId};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// What one command did to one aggregate.
pub struct Change<'a, A: Aggregate> {
    pub workspace: WorkspaceId,
    pub id: A::Id,
    pub before: Option<&'a A::State>,
    pub after: &'a A::State,
    /// Version before the first of `events`; 0 for a new aggregate.
    pub version_before: i64,
    pub version: i64,
    pub command: &'a A::Command,
    pub events: &'a [A::Event],
    pub at: Timestamp,
    pub actor: Actor,
}

/// Loads and saves one kind of aggregate inside the command's transaction.
pub trait Store<A: Aggregate>: Send + Sync {
    /// The state and its version, if it exists.
    ///
    /// # Errors
    /// Those of the database.
    fn load(&self, tx: &mut Tx<'_>, workspace: WorkspaceId, id: A::Id) -> Result<Option<(A::State, i64)>, Refusal>;

    /// Writes the rows that show the new state.
    ///
    /// # Errors
    /// Those of the database.
    fn save(&self, tx: &mut Tx<'_>, change: &Change<'_, A>) -> Result<(), Refusal>;
}

/// All registered stores, by aggregate.
#[derive(Default)]
pub(crate) struct Stores(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Stores {
    pub(crate) fn insert<A: Aggregate>(&mut self, store: Arc<dyn Store<A>>) {
        self.0.insert(TypeId::of::<A>(), Box::new(store));
    }

    pub(crate) fn get<A: Aggregate>(&self) -> Result<Arc<dyn Store<A>>, Refusal> {
        self.0
            .get(&TypeId::of::<A>())
            .and_then(|store| store.downcast_ref::<Arc<dyn Store<A>>>())
            .cloned()
            .ok_or_else(|| Refusal::Internal(format!("no store keeps {}", A::KIND)))
    }
}
