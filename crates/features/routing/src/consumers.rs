//! What wakes routing: cases that begin to wait, agents who get room, come, or may do more than before.

use crate::pass::{self, Focus};
use crate::queue::{self, Standing};
use crate::{jobs, store};
use domain::case::CaseEvent;
use domain::event::{AgentEvent, ConfigChanged};
use domain::{CaseId, ChannelKind, Event, UserId};
use spine::{Consumer, LoggedEvent, Refusal, Unit};

/// Routes inside the consumer's transaction: an assignment and the cursor are one commit.
pub(crate) struct Router;

/// Configuration that decides who may take what.
const CONFIG: [&str; 6] = ["user", "team", "role", "skill", "capacity", "routing_policy"];

impl Consumer for Router {
    fn name(&self) -> &'static str {
        "routing"
    }

    fn wants(&self, kind: &str) -> bool {
        match kind {
            "case.opened" | "case.status_changed" | "case.assigned" | "case.edited" => true,
            "agent.presence_changed" | "agent.capacity_changed" => true,
            _ => kind.strip_prefix("config.").and_then(|k| k.split('.').next()).is_some_and(|o| CONFIG.contains(&o)),
        }
    }

    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        match &event.event {
            Event::Case(change) => case_changed(unit, CaseId(event.subject), change, event),
            Event::Agent(AgentEvent::PresenceChanged { presence, connected }) => {
                let here = *connected && presence == domain::routing::Presence::Online.as_str();
                if here { pass::run(unit, &Focus::Everything).map(drop) } else { Ok(()) }
            }
            Event::Agent(AgentEvent::CapacityChanged { .. }) => pass::run(unit, &Focus::Everything).map(drop),
            Event::Config(change) => config_changed(unit, change),
            _ => Ok(()),
        }
    }
}

fn case_changed(unit: &mut Unit<'_, '_>, id: CaseId, change: &CaseEvent, event: &LoggedEvent) -> Result<(), Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    if let CaseEvent::Assigned { assignee: Some(user), .. } = change {
        store::touch(unit.tx(), ws, *user, event.at)?;
    }
    let standing = queue::refresh(unit.tx(), ws, id, now)?;
    let freed = freed(change, &standing);
    match (&standing, freed) {
        (Standing::Waiting(queued), Some(kind)) => pass::place(unit, queued, &Focus::Kind(kind)),
        (Standing::Waiting(queued), None) if queued.changed => {
            let lane = Focus::Lane(queued.case.channel_kind, queued.lane.clone());
            pass::place(unit, queued, &lane)
        }
        (Standing::Waiting(_), None) => Ok(()),
        (_, freed) => {
            unit.cancel_job(jobs::RELAX, &id.to_string())?;
            freed.map_or(Ok(()), |kind| pass::run(unit, &Focus::Kind(kind)).map(drop))
        }
    }
}

/// The kind in which somebody may have got room by this change.
fn freed(change: &CaseEvent, standing: &Standing) -> Option<ChannelKind> {
    match (change, standing) {
        (CaseEvent::StatusChanged { .. }, Standing::Resting { kind, holder: Some(_) }) => Some(*kind),
        (CaseEvent::Assigned { previous: Some(_), .. }, Standing::Held { kind } | Standing::Resting { kind, .. }) => {
            Some(*kind)
        }
        (CaseEvent::Assigned { previous: Some(_), .. }, Standing::Waiting(queued)) => Some(queued.case.channel_kind),
        _ => None,
    }
}

fn config_changed(unit: &mut Unit<'_, '_>, change: &ConfigChanged) -> Result<(), Refusal> {
    let ws = unit.workspace();
    let user = UserId(change.id);
    if change.object == "user" && store::is_active(unit.tx(), ws, user)? == Some(false) {
        let now = unit.now();
        jobs::release_at(unit, user, now)?;
    }
    pass::run(unit, &Focus::Everything).map(drop)
}
