use super::Named;
use crate::pass::Floor;
use crate::store::{self, AssignmentRow};
use axum::extract::State;
use db::Read;
use domain::access::Place;
use domain::routing::{Explanation, Reason, Why};
use domain::{CaseId, Permission, Span, TeamId, Timestamp, UserId, WorkspaceId};
use serde::Serialize;
use serde_json::Value;
use spine::{Refusal, Spine};
use std::collections::{BTreeMap, HashMap};
use web::{Caller, Items, Json, Path, Problem, Result};

/// Decisions shown, newest first.
const SHOWN: u32 = 50;

/// One decision: who got the case (or nobody), why, and why not the others.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Assignment {
    at: Timestamp,
    #[schema(required = true)]
    user: Option<Named>,
    #[schema(required = true)]
    team: Option<Named>,
    waited_seconds: i64,
    #[schema(required = true)]
    chosen: Option<AssignmentChosen>,
    others: Vec<AssignmentOther>,
    /// How many more were looked at and are not named.
    omitted: u32,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssignmentChosen {
    user: Named,
    because: Vec<Reason>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssignmentOther {
    user: Named,
    code: Why,
    params: BTreeMap<String, Value>,
}

/// Why this agent and why not the others. For a case that waits, the first item says why it waits now.
#[utoipa::path(get, path = "/api/cases/{id}/assignments", tag = "routing", params(("id" = CaseId, Path)),
    responses((status = 200, body = Items<Assignment>)))]
pub(super) async fn list(
    caller: Caller,
    State(spine): State<Spine>,
    Path(id): Path<CaseId>,
) -> Result<Json<Items<Assignment>>> {
    let (ws, now) = (caller.workspace, spine.now());
    let found = spine.db().read(move |r| told(r, ws, id, now)).await?;
    let Some((place, items)) = found else { return Err(Problem::not_found()) };
    caller.needs_at(Permission::CaseRead, Permission::CaseRead, &place)?;
    Ok(Json(Items { items }))
}

type Told = Option<(Place, Vec<Assignment>)>;

fn told(r: &mut Read<'_>, ws: WorkspaceId, id: CaseId, now: Timestamp) -> std::result::Result<Told, Refusal> {
    let Some(case) = store::case_now(r, ws, id)? else { return Ok(None) };
    let names = Names::read(r, ws)?;
    let mut rows = store::assignments(r, ws, id, SHOWN)?;
    let mut items = Vec::new();
    if let Some(waiting) = waiting_now(r, ws, id, now)? {
        // The stored explanation of why nobody took it is older than this one.
        rows.retain(|row| row.user_id.is_some());
        items.push(names.tell(waiting.explanation, waiting.team, waiting.waited));
    }
    for AssignmentRow { team_id, waited, explanation, .. } in rows {
        let explanation: Explanation = serde_json::from_str(&explanation).map_err(Refusal::internal)?;
        items.push(names.tell(explanation, team_id, Span::from_micros(waited)));
    }
    Ok(Some((Place { team: case.team_id, channel: case.channel_id }, items)))
}

struct WaitingNow {
    explanation: Explanation,
    team: Option<TeamId>,
    waited: Span,
}

/// Why a waiting case waits, as things stand at this moment.
fn waiting_now(
    r: &mut Read<'_>,
    ws: WorkspaceId,
    id: CaseId,
    now: Timestamp,
) -> std::result::Result<Option<WaitingNow>, Refusal> {
    let Some(case) = crate::queue::peek(r, ws, id, now)? else { return Ok(None) };
    let explanation = Floor::load(r, ws)?.explain(&case, now).filter(|e| e.chosen.is_none());
    let waited = now.since(case.waiting_since);
    Ok(explanation.map(|explanation| WaitingNow { explanation, team: case.team, waited }))
}

/// Names for the ids of an explanation; who is gone keeps the id.
struct Names {
    people: HashMap<UserId, String>,
    teams: HashMap<TeamId, String>,
    skills: HashMap<String, String>,
}

impl Names {
    fn read(r: &mut Read<'_>, ws: WorkspaceId) -> std::result::Result<Self, Refusal> {
        let teams = store::teams(r, ws)?.into_iter().collect();
        Ok(Self { people: store::names(r, ws)?, teams, skills: store::skill_names(r, ws)? })
    }

    fn person(&self, id: UserId) -> Named {
        Named { id: id.to_string(), name: self.people.get(&id).cloned().unwrap_or_default() }
    }

    /// Skills are told by name: the interface has no list of them at hand.
    fn params(&self, mut params: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let name = |id: &str| Value::from(self.skills.get(id).cloned().unwrap_or_else(|| id.to_owned()));
        for (key, value) in &mut params {
            match (key.as_str(), &mut *value) {
                ("skill", Value::String(id)) => *value = name(id),
                ("skills", Value::Array(ids)) => {
                    for id in ids {
                        *id = name(id.as_str().unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        params
    }

    fn tell(&self, explanation: Explanation, team: Option<TeamId>, waited: Span) -> Assignment {
        let name = |id| self.teams.get(&id).cloned().unwrap_or_default();
        let reason = |r: Reason| Reason { code: r.code, params: self.params(r.params) };
        let chosen = explanation.chosen.map(|c| AssignmentChosen {
            user: self.person(c.user),
            because: c.because.into_iter().map(reason).collect(),
        });
        let other = |o: domain::routing::Other| AssignmentOther {
            user: self.person(o.user),
            code: o.code,
            params: self.params(o.params),
        };
        Assignment {
            at: explanation.at,
            user: chosen.as_ref().map(|c| c.user.clone()),
            team: team.map(|id| Named { id: id.to_string(), name: name(id) }),
            waited_seconds: waited.as_seconds(),
            chosen,
            others: explanation.others.into_iter().map(other).collect(),
            omitted: explanation.omitted,
        }
    }
}
