//! The case (工单): the issue being solved. This is the example aggregate: `state.rs` says what a case
//! is, `command.rs` what can be asked of it, `decide.rs` what that makes happen or why not,
//! `event.rs` what happened and changes. `tests.rs` reads as the table of rules.

mod command;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{AssignedBy, CaseCommand, CaseEdit, NewConversation, NewMessage, Route, Then};
pub use decide::may_become;
pub use event::CaseEvent;
pub use state::{Answer, BeforeAnswer, CaseState, Delivery, DeliveryKey, Outgoing, Priority, Status, WaitingOn};

use crate::actor::Ctx;
use crate::aggregate::{Aggregate, Happened};
use crate::event::Event;
use crate::ids::CaseId;
use crate::rejection::Rejection;

/// The aggregate.
pub struct Case;

impl Aggregate for Case {
    type Id = CaseId;
    type State = CaseState;
    type Command = CaseCommand;
    type Event = CaseEvent;
    const KIND: &'static str = "case";

    fn decide(state: Option<&CaseState>, command: &CaseCommand, ctx: &Ctx) -> Result<Vec<CaseEvent>, Rejection> {
        decide::decide(state, command, ctx)
    }

    fn apply(state: Option<CaseState>, event: &CaseEvent, happened: Happened) -> Option<CaseState> {
        event::apply(state, event, happened)
    }

    fn wrap(event: CaseEvent) -> Event {
        Event::Case(event)
    }

    fn unwrap(event: Event) -> Option<CaseEvent> {
        match event {
            Event::Case(event) => Some(event),
            _ => None,
        }
    }
}
