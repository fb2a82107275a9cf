//! The shape of every aggregate: decide, then apply (I1). `spine` loads and stores around it.

use crate::actor::{Actor, Ctx};
use crate::event::Event;
use crate::ids::Id;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What `apply` knows beside the event itself.
#[derive(Clone, Copy, Debug)]
pub struct Happened {
    pub at: Timestamp,
    pub actor: Actor,
}

/// Something with a history. `Case` and `Customer` are the two so far.
pub trait Aggregate: Sized + 'static {
    type Id: Id + Send + Sync;
    type State: Clone + PartialEq + core::fmt::Debug + Serialize + DeserializeOwned + Send;
    type Command: Send;
    type Event: Clone + Send;
    /// The name in the event log.
    const KIND: &'static str;

    /// What happens, or why not. Changes nothing.
    ///
    /// # Errors
    /// A [`Rejection`] that the interface translates.
    fn decide(state: Option<&Self::State>, command: &Self::Command, ctx: &Ctx) -> Result<Vec<Self::Event>, Rejection>;

    /// The state after an event; `None` only while nothing has created it yet.
    /// Never fails: what has happened has happened.
    fn apply(state: Option<Self::State>, event: &Self::Event, happened: Happened) -> Option<Self::State>;

    fn wrap(event: Self::Event) -> Event;
    fn unwrap(event: Event) -> Option<Self::Event>;
}
