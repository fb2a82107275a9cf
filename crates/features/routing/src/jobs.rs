//! Timers: cases go back to the queue when their agent has gone, and look again when a language is no longer a wall.

use crate::pass::{self, Focus};
use crate::queue::{self, Standing};
use crate::store;
use domain::case::{AssignedBy, Case, CaseCommand, CaseState};
use domain::routing::{Presence, TeamPolicy, WaitingCase};
use domain::{Actor, CaseId, ChannelKind, Span, Timestamp, UserId, WorkspaceId};
use serde_json::json;
use spine::{Job, JobRow, NewJob, Order, Outcome, Refusal, Running, Spine, Unit};

/// Queue of the timers that give back what an agent left behind; key = user.
pub(crate) const RELEASE: &str = "routing.release";
/// Queue of the timers that relax a language; key = case.
pub(crate) const RELAX: &str = "routing.relax";
/// Cases one transaction gives back.
const RELEASE_BATCH: usize = 100;

/// Looks at this time whether the person is still away, and gives back what waits.
pub(crate) fn release_at(unit: &mut Unit<'_, '_>, user: UserId, run_at: Timestamp) -> Result<(), Refusal> {
    unit.job(NewJob { queue: RELEASE, key: user.to_string(), payload: json!({ "user": user }), run_at })
}

/// Sets the timer for a waiting case whose language will be relaxed, if its policy does so.
pub(crate) fn relax_later(unit: &mut Unit<'_, '_>, case: &WaitingCase, policy: &TeamPolicy) -> Result<(), Refusal> {
    let (Some(after), Some(_)) = (policy.language_relax_seconds, &case.language) else { return Ok(()) };
    let run_at = case.waiting_since + Span::seconds(i64::from(after));
    if run_at <= unit.now() {
        return Ok(());
    }
    unit.job(NewJob { queue: RELAX, key: case.id.to_string(), payload: json!({ "case": case.id }), run_at })
}

#[derive(serde::Deserialize)]
struct ReleasePayload {
    user: UserId,
}

#[derive(serde::Deserialize)]
struct RelaxPayload {
    case: CaseId,
}

/// Gives cases back whose agent has gone.
pub(crate) struct Release;

impl Job for Release {
    fn queue(&self) -> &'static str {
        RELEASE
    }
    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            let user = match job.read::<ReleasePayload>() {
                Ok(payload) => payload.user,
                Err(refusal) => return refusal.into(),
            };
            let order = Order::new(job.workspace_id, Actor::System);
            loop {
                match spine.execute(order.clone(), move |unit| release(unit, user)).await {
                    Ok(more) if more => {}
                    Ok(_) => return Outcome::Done,
                    Err(refusal) => return refusal.into(),
                }
            }
        })
    }
}

/// Looks again at a case whose language is no longer a wall.
pub(crate) struct Relax;

impl Job for Relax {
    fn queue(&self) -> &'static str {
        RELAX
    }
    fn run<'a>(&'a self, spine: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            let case = match job.read::<RelaxPayload>() {
                Ok(payload) => payload.case,
                Err(refusal) => return refusal.into(),
            };
            let order = Order::new(job.workspace_id, Actor::System);
            match spine.execute(order, move |unit| relax(unit, case)).await {
                Ok(()) => Outcome::Done,
                Err(refusal) => refusal.into(),
            }
        })
    }
}

fn relax(unit: &mut Unit<'_, '_>, case: CaseId) -> Result<(), Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    match queue::refresh(unit.tx(), ws, case, now)? {
        Standing::Waiting(queued) => {
            let lane = Focus::Lane(queued.case.channel_kind, queued.lane.clone());
            pass::place(unit, &queued, &lane)
        }
        _ => Ok(()),
    }
}

/// What somebody who is gone leaves behind goes back to the queue: of an agent who left the company everything
/// active, of one who is away only chats nobody has answered yet (a mail waits until tomorrow, a chat does not).
/// True when there is more to give back.
fn release(unit: &mut Unit<'_, '_>, user: UserId) -> Result<bool, Refusal> {
    let ws = unit.workspace();
    let Some(gone) = gone(unit, ws, user)? else { return Ok(false) };
    let mut given = 0;
    for (case, kind, state) in store::held_cases(unit.tx(), ws, user)? {
        if given == RELEASE_BATCH {
            return Ok(true);
        }
        let state: CaseState = serde_json::from_str(&state).map_err(Refusal::internal)?;
        let untouched = state.last_answer.is_none_or(|answer| answer.by != user);
        let waits = gone == Gone::ForGood || (kind == ChannelKind::Webchat.as_str() && untouched);
        if !waits {
            continue;
        }
        let by = AssignedBy::Released;
        let command = CaseCommand::Assign { team: state.team, assignee: None, by, note: String::new() };
        unit.decide::<Case>(case, command)?;
        given += 1;
    }
    Ok(false)
}

#[derive(PartialEq, Eq)]
enum Gone {
    Away,
    ForGood,
}

fn gone(unit: &mut Unit<'_, '_>, ws: WorkspaceId, user: UserId) -> Result<Option<Gone>, Refusal> {
    if store::is_active(unit.tx(), ws, user)? != Some(true) {
        return Ok(Some(Gone::ForGood));
    }
    let presence = store::presence(unit.tx(), ws, user)?;
    let away = presence.is_none_or(|p| !p.connected || p.presence == Presence::Offline.as_str());
    Ok(away.then_some(Gone::Away))
}
