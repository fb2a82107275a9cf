//! `POST /api/attachments` takes in a file of an agent; `GET /api/attachments/{id}` serves one, so that nothing in it
//! can ever run in our origin (SECURITY row 2).

use crate::store::attachment::{self, File, Upload};
use crate::store::predicate::Sight;
use crate::store::record;
use crate::wire::Attachment;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use domain::limits::ATTACHMENT_BYTES;
use domain::{AttachmentId, Code, Rejection, WorkspaceId};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use spine::{ContentHash, Refusal, Spine};
use std::fmt::Write as _;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Problem, Result, media};

/// Files somebody may have uploaded without having sent them, and their bytes together (SECURITY row 32).
const WAITING_FILES: i64 = 200;
const WAITING_BYTES: i64 = 500 * 1024 * 1024;

/// One file, as a form sends it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only describes the form")]
pub(crate) struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

#[utoipa::path(post, path = "/api/attachments", tag = "cases",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Attachment)))]
pub(crate) async fn upload_attachment(
    State(spine): State<Spine>,
    caller: Caller,
    mut form: Multipart,
) -> Result<(StatusCode, Json<Attachment>)> {
    let field = loop {
        match form.next_field().await.map_err(|error| broken(&error))? {
            Some(field) if field.name() == Some("file") => break field,
            Some(_) => {}
            None => return Err(Problem::field("file", Code::Required)),
        }
    };
    let name = media::file_name(field.file_name().unwrap_or_default());
    let declared = field.content_type().unwrap_or_default().to_owned();
    let bytes = content(field).await?;
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let inspecting = tokio::task::spawn_blocking(move || (media::verify(&bytes, &declared), bytes));
    let (inspected, bytes) = inspecting.await.map_err(|_| Problem::internal())?;
    let hash = spine.files().put_async(bytes).await?;
    let (id, owner) = (spine.next_id(), caller.actor.to_string());
    let upload = Upload { id, hash: hash.0, size, name, mime: inspected.mime, pixels: inspected.pixels, owner };
    let ws = caller.workspace;
    let kept: AttachmentId = spine
        .execute(caller.order(), move |unit| {
            let now = unit.now();
            room(unit.tx(), ws, &upload)?;
            attachment::add(unit.tx(), ws, &upload, now)?;
            Ok(upload.id)
        })
        .await?;
    // A repeated request is answered with what the first one stored.
    let file = spine.db().read(move |r| attachment::by_id(r, ws, kept)?.ok_or(Refusal::NotFound)).await?;
    Ok((StatusCode::CREATED, Json(file.wire())))
}

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { Problem::field("file", Code::Invalid) }
}

fn too_large() -> Problem {
    Rejection::new(Code::TooLarge).with("max", ATTACHMENT_BYTES).on("file").into()
}

/// Reads piece by piece and stops at the limit, whatever length was announced.
async fn content(mut field: Field<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > ATTACHMENT_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() {
        return Err(Problem::field("file", Code::Required));
    }
    Ok(bytes)
}

fn room(q: &mut impl db::Connection, ws: WorkspaceId, upload: &Upload) -> std::result::Result<(), Refusal> {
    let (files, bytes) = attachment::waiting(q, ws, &upload.owner)?;
    if files >= WAITING_FILES {
        return Err(Rejection::new(Code::TooMany).with("max", WAITING_FILES).on("file").into());
    }
    if bytes + upload.size > WAITING_BYTES {
        return Err(Rejection::new(Code::TooLarge).with("max", WAITING_BYTES).on("file").into());
    }
    Ok(())
}

#[utoipa::path(get, path = "/api/attachments/{id}", tag = "cases", params(("id" = AttachmentId, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream")))]
pub(crate) async fn get_attachment(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<AttachmentId>,
) -> Result<Response> {
    let file = spine
        .db()
        .read(move |r| {
            let file = attachment::by_id(r, caller.workspace, id)?.ok_or(Refusal::NotFound)?;
            let visible = match file.message_id {
                Some(message) => {
                    let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
                    record::case_of(r, &sight, message)?.is_some()
                }
                // Not sent yet: only for who uploaded it.
                None => file.owner == caller.actor.to_string(),
            };
            if visible { Ok(file) } else { Err(Refusal::NotFound) }
        })
        .await?;
    let content = spine.files().get_async(ContentHash(file.hash)).await?;
    Ok(serve(&file, content))
}

/// Shown in place only when it is a picture that was decoded; everything else is a download of no particular type.
fn serve(file: &File, content: Vec<u8>) -> Response {
    let (mime, disposition) =
        if file.is_safe_image() { (file.mime.as_str(), "inline") } else { ("application/octet-stream", "attachment") };
    let mut response = content.into_response();
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_TYPE, HeaderValue::from_str(mime).ok()),
        (CONTENT_DISPOSITION, HeaderValue::from_str(&named(disposition, &file.name)).ok()),
        (CONTENT_SECURITY_POLICY, Some(HeaderValue::from_static("default-src 'none'; sandbox"))),
        (X_CONTENT_TYPE_OPTIONS, Some(HeaderValue::from_static("nosniff"))),
        // Content never changes under its id; only this person's browser may keep it.
        (CACHE_CONTROL, Some(HeaderValue::from_static("private, max-age=3600"))),
    ];
    for (name, value) in fixed {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

/// `attachment; filename*=UTF-8''..` (RFC 6266, RFC 8187): no character of the name is left unencoded but the safe ones.
fn named(disposition: &str, name: &str) -> String {
    let mut out = format!("{disposition}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mime: &str, width: Option<i32>, name: &str) -> File {
        File {
            id: AttachmentId(uuid::Uuid::nil()),
            message_id: None,
            hash: [0; 32],
            size: 1,
            name: name.to_owned(),
            mime: mime.to_owned(),
            inline: false,
            content_id: None,
            width,
            height: width,
            owner: String::new(),
        }
    }

    #[test]
    fn only_decoded_pictures_are_shown_in_place() {
        let check = |mime: &str, width, kind: &str, disposition: &str| {
            let response = serve(&file(mime, width, "报告 \"\r\n.html"), vec![1]);
            let header = |name| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
            assert_eq!(header(CONTENT_TYPE), kind, "{mime}");
            assert!(header(CONTENT_DISPOSITION).starts_with(disposition), "{mime}");
            assert!(header(CONTENT_DISPOSITION).ends_with("%E6%8A%A5%E5%91%8A%20%22%0D%0A.html"));
            assert_eq!(header(CONTENT_SECURITY_POLICY), "default-src 'none'; sandbox");
            assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
        };
        for mime in ["image/png", "image/jpeg", "image/gif", "image/webp"] {
            check(mime, Some(3), mime, "inline;");
            check(mime, None, "application/octet-stream", "attachment;");
        }
        for mime in
            ["image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", "application/javascript", "", "x\r\ny"]
        {
            check(mime, Some(3), "application/octet-stream", "attachment;");
        }
    }
}
