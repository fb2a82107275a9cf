//! The queue of waiting cases, kept in step with what the cases are now.

use crate::store::{self, CaseNow, NO_TEAM, QueuedRow};
use db::Tx;
use domain::case::Priority;
use domain::routing::{WaitingCase, primary_language, rank_at};
use domain::{CaseId, ChannelKind, SkillId, Timestamp, UserId, WorkspaceId};
use serde::Deserialize;
use spine::Refusal;
use std::collections::BTreeSet;

/// Where a case stands for routing.
#[derive(Debug)]
pub(crate) enum Standing {
    /// There is no such case, or its kind is unknown to this version.
    Unknown,
    /// It takes nobody's capacity: waiting for somebody, asleep, or done.
    Resting {
        kind: ChannelKind,
        holder: Option<UserId>,
    },
    /// Somebody works on it.
    Held {
        kind: ChannelKind,
    },
    Waiting(Box<Queued>),
}

/// A case in the queue.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) case: WaitingCase,
    /// The demands that decide who can take it; cases of one lane are alike to every agent.
    pub(crate) lane: String,
    /// The queue did not know it in this form before.
    pub(crate) changed: bool,
}

/// What only the whole state tells.
#[derive(Deserialize)]
struct Demands {
    required_skills: BTreeSet<SkillId>,
}

/// Looks at the case as it is now and mends the queue accordingly.
pub(crate) fn refresh(tx: &mut Tx<'_>, ws: WorkspaceId, id: CaseId, now: Timestamp) -> Result<Standing, Refusal> {
    let found = store::case_now(tx, ws, id)?;
    let Some((case, kind)) = found.and_then(|c| ChannelKind::parse(&c.channel_kind).map(|kind| (c, kind))) else {
        store::dequeue(tx, ws, id)?;
        return Ok(Standing::Unknown);
    };
    let resting = case.status_rank > 1;
    if resting || case.assignee_id.is_some() {
        store::dequeue(tx, ws, id)?;
        return Ok(if resting {
            Standing::Resting { kind, holder: case.assignee_id }
        } else {
            Standing::Held { kind }
        });
    }
    let known = store::queued(tx, ws, id)?;
    let queued_at = known.as_ref().map_or(now, |k| k.queued_at);
    let previous = match &known {
        Some(known) => known.previous_agent_id,
        None => store::previous_agent(tx, ws, &case)?,
    };
    let case = waiting_case(&case, kind, queued_at, previous)?;
    let lane = lane(&case);
    let row = QueuedRow {
        channel_kind: kind.as_str().to_owned(),
        team_id: case.team.unwrap_or(NO_TEAM),
        lane: lane.clone(),
        rank_at: rank_at(&case),
        waiting_since: case.waiting_since,
        queued_at,
        previous_agent_id: previous,
    };
    let changed = known.as_ref() != Some(&row);
    if changed {
        store::enqueue(tx, ws, id, &row)?;
    }
    Ok(Standing::Waiting(Box::new(Queued { case, lane, changed })))
}

/// A case that waits now, read without touching the queue; `None` when it does not wait.
pub(crate) fn peek(
    q: &mut impl db::Connection,
    ws: WorkspaceId,
    id: CaseId,
    now: Timestamp,
) -> Result<Option<WaitingCase>, Refusal> {
    let Some(case) = store::case_now(q, ws, id)?.filter(|c| c.status_rank <= 1 && c.assignee_id.is_none()) else {
        return Ok(None);
    };
    let Some(kind) = ChannelKind::parse(&case.channel_kind) else { return Ok(None) };
    let known = store::queued(q, ws, id)?;
    let queued_at = known.as_ref().map_or(now, |k| k.queued_at);
    waiting_case(&case, kind, queued_at, known.and_then(|k| k.previous_agent_id)).map(Some)
}

/// A customer whose case came back after an answer waits since it came back.
fn waiting_case(
    case: &CaseNow,
    kind: ChannelKind,
    queued_at: Timestamp,
    previous: Option<UserId>,
) -> Result<WaitingCase, Refusal> {
    let demands: Demands = serde_json::from_str(&case.state).map_err(Refusal::internal)?;
    Ok(WaitingCase {
        id: case.id,
        channel: case.channel_id,
        channel_kind: kind,
        team: case.team_id,
        language: case.language.clone(),
        required_skills: demands.required_skills,
        priority: Priority::from_rank(case.priority),
        waiting_since: case.waiting_since.unwrap_or(queued_at),
        promise: None,
        previous_agent: previous,
    })
}

/// Everything that walls are made of, as one text.
fn lane(case: &WaitingCase) -> String {
    let team = case.team.unwrap_or(NO_TEAM).0.simple();
    let language = case.language.as_deref().map(primary_language).unwrap_or_default();
    let skills: Vec<String> = case.required_skills.iter().map(|s| s.0.simple().to_string()).collect();
    format!("{team}|{}|{language}|{}", case.channel.0.simple(), skills.join(","))
}
