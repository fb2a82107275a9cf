//! `GET /api/messages/{id}/html`: a message's HTML as a page for the sandboxed frame, with a policy of its own.
//! Remote pictures load only with `remote=1`; our own are embedded, because the frame's opaque origin may not fetch them.

use crate::html;
use crate::store::attachment::{self, File};
use crate::store::predicate::Sight;
use crate::store::record;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::MessageId;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde::Deserialize;
use spine::{ContentHash, Refusal, Spine};
use std::collections::HashMap;
use utoipa::IntoParams;
use web::{Caller, Path, Query, Result};

/// Bytes of pictures embedded in one page; further ones stay attachments.
const EMBEDDED_BYTES: i64 = 10 * 1024 * 1024;

const BLOCKED: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
const REMOTE: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HtmlQuery {
    /// `1` loads pictures from other servers, by https.
    #[serde(default)]
    remote: Option<String>,
}

#[utoipa::path(get, path = "/api/messages/{id}/html", tag = "cases", params(("id" = MessageId, Path), HtmlQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn get_message_html(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(query): Query<HtmlQuery>,
) -> Result<Response> {
    let remote = query.remote.as_deref() == Some("1");
    let (kept, files) = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            record::case_of(r, &sight, id)?.ok_or(Refusal::NotFound)?;
            let (text, kept) = record::body(r, caller.workspace, id)?;
            let files = attachment::of_message(r, caller.workspace, id)?;
            Ok::<_, Refusal>((kept.unwrap_or_else(|| html::from_text(&text)), files))
        })
        .await?;
    let pictures = embedded(&spine, &kept, &files).await?;
    let page = html::frame(&kept, remote, &|source| pictures.get(source).cloned());
    let policy = if remote { REMOTE } else { BLOCKED };
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy)], page).into_response())
}

/// `data:` addresses of the message's own verified pictures that its HTML shows.
async fn embedded(spine: &Spine, kept: &str, files: &[File]) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    let mut bytes_left = EMBEDDED_BYTES;
    for source in html::own_pictures(kept) {
        let Some(file) = files.iter().find(|file| shows(file, &source)).filter(|file| file.is_safe_image()) else {
            continue;
        };
        if file.size > bytes_left || found.contains_key(&source) {
            continue;
        }
        bytes_left -= file.size;
        let content = spine.files().get_async(ContentHash(file.hash)).await?;
        found.insert(source, format!("data:{};base64,{}", file.mime, STANDARD.encode(content)));
    }
    Ok(found)
}

fn shows(file: &File, source: &str) -> bool {
    match source.strip_prefix("cid:") {
        Some(cid) => file.content_id.as_deref().is_some_and(|id| id.trim_matches(['<', '>']) == cid),
        None => source == format!("/api/attachments/{}", file.id),
    }
}
