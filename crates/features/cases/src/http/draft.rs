//! `GET|PUT|DELETE /api/cases/{id}/draft`: what an agent has begun to write, kept by the server.

use crate::admission;
use crate::store::{attachment, draft};
use crate::wire::{Draft, DraftBody};
use axum::extract::State;
use domain::{CaseId, Code, Rejection, limits};
use http::StatusCode;
use spine::{Refusal, Spine};
use web::{Caller, Json, Path, Result};

#[utoipa::path(get, path = "/api/cases/{id}/draft", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = Draft, description = "Empty, with `updated_at` null, when there is none")))]
pub(crate) async fn get_draft(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<Json<Draft>> {
    let user = caller.user()?;
    let draft = spine
        .db()
        .read(move |r| {
            admission::seen(r, &caller, id)?;
            let Some((body, at)) = draft::get(r, caller.workspace, id, user)? else {
                return Ok(Draft::default());
            };
            let owner = caller.actor.to_string();
            let attachments = attachment::unsent(r, caller.workspace, &owner, &body.attachments)?;
            Ok::<_, Refusal>(Draft {
                text: body.text,
                html: body.html,
                note: body.note,
                attachments,
                updated_at: Some(at),
            })
        })
        .await?;
    Ok(Json(draft))
}

#[utoipa::path(put, path = "/api/cases/{id}/draft", tag = "cases", params(("id" = CaseId, Path)),
    request_body = DraftBody, responses((status = 204)))]
pub(crate) async fn put_draft(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<DraftBody>,
) -> Result<StatusCode> {
    let user = caller.user()?;
    check(&body)?;
    // The last one wins, so a repeated request needs no memory.
    spine
        .execute(caller.order_once(), move |unit| {
            admission::seen(unit.tx(), &caller, id)?;
            let now = unit.now();
            draft::put(unit.tx(), (caller.workspace, id, user), &body, now)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/cases/{id}/draft", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_draft(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<StatusCode> {
    let user = caller.user()?;
    spine
        .execute(caller.order_once(), move |unit| {
            admission::seen(unit.tx(), &caller, id)?;
            draft::delete(unit.tx(), caller.workspace, id, user)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(body: &DraftBody) -> std::result::Result<(), Rejection> {
    let large = |field: &str, max: usize| Err(Rejection::new(Code::TooLarge).with("max", max).on(field));
    if body.text.len() > limits::MESSAGE_BYTES {
        return large("text", limits::MESSAGE_BYTES);
    }
    if body.html.as_ref().is_some_and(|html| html.len() > limits::MESSAGE_HTML_BYTES) {
        return large("html", limits::MESSAGE_HTML_BYTES);
    }
    if body.attachments.len() > limits::ATTACHMENTS_PER_MESSAGE {
        return Err(Rejection::new(Code::TooMany).with("max", limits::ATTACHMENTS_PER_MESSAGE).on("attachments"));
    }
    Ok(())
}
