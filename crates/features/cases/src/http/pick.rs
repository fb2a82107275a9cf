//! `POST /api/cases/{id}/pick`: takes an unassigned case. Of two at once, one gets `already_assigned`.

use crate::admission;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::{AssignedBy, CaseCommand};
use domain::{CaseId, Permission};
use spine::Spine;
use web::{Caller, Json, Path, Result};

#[utoipa::path(post, path = "/api/cases/{id}/pick", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseDetail)))]
pub(crate) async fn pick_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<Json<CaseDetail>> {
    let me = caller.user()?;
    admission::command(&spine, caller, id, Permission::CaseReply, move |_, state| {
        Ok(CaseCommand::Assign { team: state.team, assignee: Some(me), by: AssignedBy::Pick, note: String::new() })
    })
    .await
}
