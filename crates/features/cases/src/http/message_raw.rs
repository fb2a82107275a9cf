//! `GET /api/messages/{id}/raw`: the source of a message as it came in, as plain text to look at or keep.

use crate::store::predicate::Sight;
use crate::store::record;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::MessageId;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use spine::{ContentHash, Refusal, Spine};
use web::{Caller, Path, Result};

#[utoipa::path(get, path = "/api/messages/{id}/raw", tag = "cases", params(("id" = MessageId, Path)),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn get_message_raw(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Response> {
    let hash = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            record::case_of(r, &sight, id)?.ok_or(Refusal::NotFound)?;
            record::raw_hash(r, caller.workspace, id)?.ok_or(Refusal::NotFound)
        })
        .await?;
    let raw = spine.files().get_async(ContentHash(hash)).await?;
    // Mail is of no single character set; what is not UTF-8 shows as replacement characters, the file is untouched.
    let text = String::from_utf8_lossy(&raw).into_owned();
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CONTENT_DISPOSITION, "inline; filename=\"message.txt\""),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, text).into_response())
}
