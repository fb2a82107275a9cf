//! `POST /api/messages/{id}/undo`: takes an answer back while it is held; its words go back to the draft.

use crate::admission;
use crate::store::{draft, record};
use crate::wire::{CaseDetail, DraftBody};
use axum::extract::State;
use domain::case::{Case, CaseCommand};
use domain::{CaseId, MessageId, Permission};
use spine::{Refusal, Spine, Unit};
use web::{Caller, Json, Path, Result};

#[utoipa::path(post, path = "/api/messages/{id}/undo", tag = "cases", params(("id" = MessageId, Path)),
    responses((status = 200, body = CaseDetail)))]
pub(crate) async fn undo_message(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    let case = spine
        .execute(caller.order(), move |unit| {
            let case = admission::case_of(unit, &asker, id)?;
            admission::case_for(unit, &asker, case, Permission::CaseReply)?;
            unit.decide::<Case>(case, CaseCommand::Undo { message: id })?;
            back_to_draft(unit, &asker, case, id)?;
            Ok(case)
        })
        .await?;
    admission::answer(&spine, caller, case).await
}

/// What was begun since is kept below.
fn back_to_draft(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    case: CaseId,
    message: MessageId,
) -> std::result::Result<(), Refusal> {
    let Some(user) = caller.user else {
        return Ok(());
    };
    let (ws, now) = (unit.workspace(), unit.now());
    let (mut text, mut html) = record::body(unit.tx(), ws, message)?;
    let mut attachments = record::unlink(unit.tx(), ws, message)?;
    if let Some((begun, _)) = draft::get(unit.tx(), ws, case, user)?.filter(|(body, _)| !body.note) {
        if !begun.text.trim().is_empty() {
            let kept = begun.html.unwrap_or_else(|| crate::html::from_text(&begun.text));
            html = html.map(|html| format!("{html}{kept}"));
            text = format!("{text}\n\n{}", begun.text);
        }
        attachments.extend(begun.attachments);
    }
    draft::put(unit.tx(), (ws, case, user), &DraftBody { text, html, note: false, attachments }, now)
}
