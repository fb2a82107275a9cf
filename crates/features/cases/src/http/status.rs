//! `POST /api/cases/{id}/status`: open, waiting, solved, closed.

use crate::admission;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::{CaseCommand, WaitingOn};
use domain::{CaseId, Code, Permission, Rejection};
use serde::Deserialize;
use spine::Spine;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NewStatus {
    Open,
    Waiting,
    Solved,
    Closed,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct StatusBody {
    status: NewStatus,
    /// Needed for `waiting`.
    #[serde(default)]
    waiting_on: Option<WaitingOn>,
    /// Why it waits.
    #[serde(default)]
    reason: Option<String>,
}

#[utoipa::path(post, path = "/api/cases/{id}/status", tag = "cases", params(("id" = CaseId, Path)),
    request_body = StatusBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn set_status(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<StatusBody>,
) -> Result<Json<CaseDetail>> {
    admission::command(&spine, caller, id, Permission::CaseEdit, move |_, _| {
        Ok(match body.status {
            NewStatus::Open => CaseCommand::SetOpen,
            NewStatus::Solved => CaseCommand::Solve,
            NewStatus::Closed => CaseCommand::Close,
            NewStatus::Waiting => {
                let on = body.waiting_on.ok_or_else(|| Rejection::new(Code::Required).on("waiting_on"))?;
                CaseCommand::SetWaiting { on, reason: body.reason.clone().unwrap_or_default() }
            }
        })
    })
    .await
}
