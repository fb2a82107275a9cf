//! `POST /api/cases/{id}/note`: a message only agents see.

use crate::admission;
use crate::http::reply;
use crate::store::{people, record};
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::{Case, CaseCommand};
use domain::{AttachmentId, CaseId, Code, MessageId, Permission, Rejection, UserId};
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

/// People named in one note.
const MENTIONS_MAX: usize = 50;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct NoteBody {
    /// Made by the client.
    message_id: MessageId,
    text: String,
    #[serde(default)]
    attachments: Vec<AttachmentId>,
    #[serde(default)]
    mentions: Vec<UserId>,
}

#[utoipa::path(post, path = "/api/cases/{id}/note", tag = "cases", params(("id" = CaseId, Path)),
    request_body = NoteBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn add_note(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<NoteBody>,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    spine
        .execute(caller.order(), move |unit| {
            admission::case_for(unit, &asker, id, Permission::CaseNote)?;
            note(unit, &asker, id, &body)
        })
        .await?;
    admission::answer(&spine, caller, id).await
}

fn note(unit: &mut Unit<'_, '_>, caller: &Caller, case: CaseId, body: &NoteBody) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    if body.mentions.len() > MENTIONS_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", MENTIONS_MAX).on("mentions").into());
    }
    for user in &body.mentions {
        if people::agent(unit.tx(), ws, *user)?.is_none() {
            return Err(Rejection::new(Code::UnknownReference).on("mentions").into());
        }
    }
    let way = record::way(unit.tx(), ws, case, None)?.ok_or(Refusal::NotFound)?;
    let message = reply::message(unit, caller, (body.message_id, way.id), (&body.text, None, &body.attachments))?;
    unit.decide::<Case>(case, CaseCommand::Note { message, mentions: body.mentions.clone() })?;
    reply::written(unit, caller, case)
}
