//! `POST /api/cases/{id}/assign`: gives a case to an agent or a team, which is also how it is transferred.

use crate::admission;
use crate::store::people;
use crate::store::predicate::Sight;
use crate::store::record;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::access::{Place, Scope};
use domain::case::{AssignedBy, Case, CaseCommand, CaseState};
use domain::{CaseId, Code, Permission, Rejection, TeamId, UserId};
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use utoipa::ToSchema;
use web::{Caller, Json, Path, Problem, Result};

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct AssignBody {
    /// Null: nobody, back to the queue.
    #[schema(required = true)]
    assignee: Option<UserId>,
    #[schema(required = true)]
    team: Option<TeamId>,
    #[serde(default)]
    note: Option<String>,
}

#[utoipa::path(post, path = "/api/cases/{id}/assign", tag = "cases", params(("id" = CaseId, Path)),
    request_body = AssignBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn assign_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<AssignBody>,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    spine
        .execute(caller.order(), move |unit| {
            let state = admission::case_for(unit, &asker, id, Permission::CaseAssign)?;
            check(unit, &state, &body)?;
            let note = body.note.clone().unwrap_or_default();
            let (team, assignee) = (body.team, body.assignee);
            unit.decide::<Case>(id, CaseCommand::Assign { team, assignee, by: AssignedBy::Person, note })?;
            Ok(())
        })
        .await?;
    let detail = spine
        .db()
        .read(move |r| {
            let mut sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            // It may just have left the caller's sight; they had it within this very request.
            sight.scope = Scope::Everywhere;
            record::detail(r, &sight, &caller.access, id)
        })
        .await?;
    detail.map(Json).ok_or_else(Problem::not_found)
}

/// Nobody gets a case they could not see, and nobody who has left gets one.
fn check(unit: &mut Unit<'_, '_>, state: &CaseState, body: &AssignBody) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    if let Some(team) = body.team
        && people::team_name(unit.tx(), ws, team)?.is_none()
    {
        return Err(Rejection::new(Code::UnknownReference).on("team").into());
    }
    let Some(user) = body.assignee else {
        return Ok(());
    };
    let refused = |code| Err(Rejection::new(code).on("assignee").into());
    match people::agent(unit.tx(), ws, user)? {
        None => return refused(Code::UnknownReference),
        Some(agent) if !agent.active => return refused(Code::AgentInactive),
        Some(_) => {}
    }
    let place = Place { team: body.team, channel: state.channel };
    let access = people::access_of(unit.tx(), ws, user)?;
    if access.allows_in(Permission::CaseRead, &place) { Ok(()) } else { refused(Code::NotAMember) }
}
