//! `POST /api/messages/{id}/retry`: sends a message again whose delivery failed.

use crate::admission;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::{Case, CaseCommand};
use domain::{MessageId, Permission};
use spine::Spine;
use web::{Caller, Json, Path, Result};

#[utoipa::path(post, path = "/api/messages/{id}/retry", tag = "cases", params(("id" = MessageId, Path)),
    responses((status = 200, body = CaseDetail)))]
pub(crate) async fn retry_message(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    let case = spine
        .execute(caller.order(), move |unit| {
            let case = admission::case_of(unit, &asker, id)?;
            admission::case_for(unit, &asker, case, Permission::CaseReply)?;
            unit.decide::<Case>(case, CaseCommand::Retry { message: id })?;
            Ok(case)
        })
        .await?;
    admission::answer(&spine, caller, case).await
}
