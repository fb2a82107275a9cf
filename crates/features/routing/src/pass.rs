//! One round of giving out: who is free, which waiting cases they can take, and the commands that give them.

use crate::jobs;
use crate::queue::{self, Queued, Standing};
use crate::store::{self, NewAssignment};
use domain::case::{AssignedBy, Case, CaseCommand};
use domain::routing::{AgentState, Explanation, RoutingPolicies, WaitingCase, free_slots, route};
use domain::{CaseId, ChannelKind, Timestamp, UserId};
use spine::{Refusal, Unit};

/// Cases of one lane that one round looks at.
const FRONT_MAX: u32 = 200;
/// Lanes of one kind that a round looks at. A lane is a combination of team, channel, language and skills.
const LANES_MAX: usize = 2_000;
/// Rounds of one pass; each ends by having given everything out or having found nobody.
const ROUNDS_MAX: usize = 100;
/// How often a lane's front is read anew because it held cases that no longer wait.
const STALE_MAX: usize = 50;

/// What a pass looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Focus {
    /// One lane: something new waits there.
    Lane(ChannelKind, String),
    /// All lanes of a kind: somebody has room again.
    Kind(ChannelKind),
    /// Somebody came, or may do more than before.
    Everything,
}

/// The people and rules a pass works with; loads are counted on as cases are given out.
pub(crate) struct Floor {
    pub(crate) staff: Vec<AgentState>,
    pub(crate) policies: RoutingPolicies,
}

impl Floor {
    pub(crate) fn load(q: &mut impl db::Connection, ws: domain::WorkspaceId) -> Result<Self, Refusal> {
        Ok(Self { staff: store::staff(q, ws)?, policies: store::policies(q, ws)? })
    }
    /// Why nobody takes the case, or who would.
    pub(crate) fn explain(&self, case: &WaitingCase, now: Timestamp) -> Option<Explanation> {
        route(std::slice::from_ref(case), &self.staff, &self.policies, now).pop().map(|d| d.explanation)
    }
    /// At most how many cases like this one could be given out now, or later in the same lane.
    fn slots(&self, case: &WaitingCase, now: Timestamp) -> u32 {
        let policy = self.policies.of(case.team);
        if case.language.is_some() && policy.language_relax_seconds.is_some() {
            // Further back one may have waited long enough to do without its language.
            let patient = WaitingCase { waiting_since: Timestamp::from_micros(i64::MIN / 2), ..case.clone() };
            return if free_slots(&patient, &self.staff, &self.policies, now) == 0 { 0 } else { FRONT_MAX };
        }
        free_slots(case, &self.staff, &self.policies, now)
    }
}

/// Gives out what can be given out within the focus. Answers the floor as it is afterwards.
pub(crate) fn run(unit: &mut Unit<'_, '_>, focus: &Focus) -> Result<Floor, Refusal> {
    let ws = unit.workspace();
    store::take_turn(unit.tx(), ws)?;
    let mut floor = Floor::load(unit.tx(), ws)?;
    for _ in 0..ROUNDS_MAX {
        let (batch, cut) = collect(unit, focus, &floor)?;
        if batch.is_empty() {
            break;
        }
        let mut given = 0_usize;
        for decision in route(&batch, &floor.staff, &floor.policies, unit.now()) {
            let (Some(agent), Some(case)) = (decision.agent, batch.iter().find(|c| c.id == decision.case)) else {
                continue;
            };
            if assign(unit, case, agent, &decision.explanation)? {
                given += 1;
                take(&mut floor, agent, case.channel_kind, unit.now());
            }
        }
        if given == 0 || !cut {
            break;
        }
    }
    Ok(floor)
}

fn take(floor: &mut Floor, user: UserId, kind: ChannelKind, now: Timestamp) {
    if let Some(agent) = floor.staff.iter_mut().find(|a| a.user == user) {
        *agent.load.entry(kind).or_default() += 1;
        agent.idle_since = now;
    }
}

/// The fronts of all lanes in focus that somebody could take from, and whether more lies behind them.
fn collect(unit: &mut Unit<'_, '_>, focus: &Focus, floor: &Floor) -> Result<(Vec<WaitingCase>, bool), Refusal> {
    let mut batch = Vec::new();
    let mut cut = false;
    match focus {
        Focus::Lane(kind, lane) => cut |= front(unit, (*kind, lane), floor, &mut batch)?,
        Focus::Kind(kind) => cut |= fronts(unit, *kind, floor, &mut batch)?,
        Focus::Everything => {
            for kind in ChannelKind::ALL {
                cut |= fronts(unit, *kind, floor, &mut batch)?;
            }
        }
    }
    Ok((batch, cut))
}

fn fronts(
    unit: &mut Unit<'_, '_>,
    kind: ChannelKind,
    floor: &Floor,
    batch: &mut Vec<WaitingCase>,
) -> Result<bool, Refusal> {
    let ws = unit.workspace();
    let mut after = String::new();
    let mut cut = false;
    for _ in 0..LANES_MAX {
        let Some((_, lane)) = store::next_lane(unit.tx(), ws, kind, &after)? else {
            return Ok(cut);
        };
        cut |= front(unit, (kind, &lane), floor, batch)?;
        after = lane;
    }
    tracing::warn!(kind = kind.as_str(), "more lanes wait than one pass looks at");
    Ok(cut)
}

/// The first cases of a lane as they are now, as many as could be given out; whether there may be more.
fn front(
    unit: &mut Unit<'_, '_>,
    (kind, lane): (ChannelKind, &str),
    floor: &Floor,
    batch: &mut Vec<WaitingCase>,
) -> Result<bool, Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    let mut limit = 1;
    for _ in 0..STALE_MAX {
        let ids = store::lane_front(unit.tx(), ws, (kind, lane), limit)?;
        let mut fresh = Vec::new();
        for id in &ids {
            if let Standing::Waiting(queued) = queue::refresh(unit.tx(), ws, *id, now)?
                && queued.lane == lane
            {
                fresh.push(queued.case);
            }
        }
        // What no longer waits here is out of the lane now: look again.
        if fresh.len() < ids.len() {
            continue;
        }
        let Some(first) = fresh.first() else { return Ok(false) };
        // The first case tells how many are worth reading.
        let slots = floor.slots(first, now).min(FRONT_MAX);
        if slots <= limit {
            let cut = slots == FRONT_MAX && ids.len() >= usize::try_from(FRONT_MAX).unwrap_or(usize::MAX);
            fresh.truncate(usize::try_from(slots).unwrap_or(0));
            batch.extend(fresh);
            return Ok(cut);
        }
        limit = slots;
    }
    Ok(true)
}

/// Gives one case to one agent. False when the case's own rules refuse: then its next event mends the queue.
fn assign(
    unit: &mut Unit<'_, '_>,
    case: &WaitingCase,
    agent: UserId,
    explanation: &Explanation,
) -> Result<bool, Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    let command =
        CaseCommand::Assign { team: case.team, assignee: Some(agent), by: AssignedBy::Routing, note: String::new() };
    match unit.decide::<Case>(case.id, command) {
        Ok(state) if state.assignee == Some(agent) => {}
        Ok(_) => return Ok(false),
        Err(Refusal::Rejected(_) | Refusal::NotFound) => {
            store::dequeue(unit.tx(), ws, case.id)?;
            return Ok(false);
        }
        Err(other) => return Err(other),
    }
    keep(unit, case, explanation)?;
    store::touch(unit.tx(), ws, agent, now)?;
    store::dequeue(unit.tx(), ws, case.id)?;
    unit.cancel_job(jobs::RELAX, &case.id.to_string())?;
    Ok(true)
}

fn keep(unit: &mut Unit<'_, '_>, case: &WaitingCase, explanation: &Explanation) -> Result<(), Refusal> {
    let ws = unit.workspace();
    let new = NewAssignment {
        id: unit.next_id::<domain::EventId>().0,
        case: case.id,
        team: case.team,
        kind: case.channel_kind,
        waited: explanation.at.since(case.waiting_since),
        explanation,
    };
    store::add_assignment(unit.tx(), ws, &new)
}

/// A case that waits: gives it (and what is before it) out, or keeps why nobody takes it.
pub(crate) fn place(unit: &mut Unit<'_, '_>, queued: &Queued, focus: &Focus) -> Result<(), Refusal> {
    let now = unit.now();
    let floor = run(unit, focus)?;
    if is_waiting(unit, queued.case.id)?
        && let Some(explanation) = floor.explain(&queued.case, now).filter(|e| e.chosen.is_none())
    {
        keep(unit, &queued.case, &explanation)?;
        jobs::relax_later(unit, &queued.case, floor.policies.of(queued.case.team))?;
    }
    Ok(())
}

fn is_waiting(unit: &mut Unit<'_, '_>, case: CaseId) -> Result<bool, Refusal> {
    let ws = unit.workspace();
    Ok(store::queued(unit.tx(), ws, case)?.is_some())
}
