//! `GET /api/cases/{id}`: one case with what this caller may do to it.

use crate::admission;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::CaseId;
use spine::Spine;
use web::{Caller, Json, Path, Result};

#[utoipa::path(get, path = "/api/cases/{id}", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseDetail)))]
pub(crate) async fn get_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<Json<CaseDetail>> {
    admission::answer(&spine, caller, id).await
}
