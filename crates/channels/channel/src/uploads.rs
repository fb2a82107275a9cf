//! Files that came before the message they belong to. They wait here, bound to their channel and to whoever sent
//! them, until the message takes them along; what is never taken is forgotten after a day (SECURITY row 32).

use crate::{ChannelConfig, NewAttachment};
use axum::extract::multipart::{Multipart, MultipartError};
use db::{Connection, Query, params, row, sql};
use domain::limits::ATTACHMENT_BYTES;
use domain::{AttachmentId, ChannelId, Code, Rejection, Span, Timestamp, WorkspaceId};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use serde::{Deserialize, Serialize};
use spine::{ContentHash, Order, Refusal, Spine, Unit};
use web::Problem;

/// Largest upload request: one file and the multipart frame around it.
pub const BODY_BYTES: usize = ATTACHMENT_BYTES + 64 * 1024;
/// An upload that no message took is forgotten after this.
const KEEP: Span = Span::hours(24);
/// What one sender may have waiting: files and bytes.
const SENDER_FILES: i64 = 50;
const SENDER_BYTES: i64 = 200 * 1024 * 1024;
/// The same where senders can't be told apart; rate limits by address come on top.
const CROWD_FILES: i64 = 5_000;
const CROWD_BYTES: i64 = 2 * 1024 * 1024 * 1024;
/// What all senders of one channel together may have waiting, in bytes.
const CHANNEL_BYTES: i64 = 4 * 1024 * 1024 * 1024;
const NAME_CHARS: usize = 200;

row! {
    #[derive(Debug, Clone)]
    pub struct UploadRow {
        pub id: AttachmentId,
        pub hash: [u8; 32],
        pub size: i64,
        pub name: String,
        pub mime: String,
        pub width: Option<i32>,
        pub height: Option<i32>,
    }
}

sql!(INSERT = "INSERT INTO pending_upload (workspace_id, id, channel_id, owner, hash, size, name, mime, width, height, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", params: 11);
sql!(FORGET = "DELETE FROM pending_upload WHERE workspace_id = $1 AND channel_id = $2 AND created_at < $3", params: 3);
sql!(TAKE = "DELETE FROM pending_upload WHERE workspace_id = $1 AND id = $2 AND channel_id = $3 AND owner = $4", params: 4);
sql!(GIVE = "UPDATE pending_upload SET owner = $4 WHERE workspace_id = $1 AND channel_id = $2 AND owner = $3", params: 4);
sql!(ONE = "SELECT id, hash, size, name, mime, width, height FROM pending_upload \
    WHERE workspace_id = $1 AND id = $2 AND channel_id = $3 AND owner = $4", params: 4, row: UploadRow);
sql!(OF_OWNER = "SELECT CAST(COUNT(*) AS BIGINT) AS files, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM pending_upload \
    WHERE workspace_id = $1 AND channel_id = $2 AND owner = $3 AND created_at >= $4", params: 4);
sql!(OF_CHANNEL = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM pending_upload \
    WHERE workspace_id = $1 AND channel_id = $2 AND created_at >= $3", params: 3);

/// A stored upload, as its sender is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = WaitingUpload)]
pub struct Upload {
    pub id: AttachmentId,
    pub name: String,
    pub mime: String,
    /// Bytes.
    pub size: i64,
    #[schema(required = true)]
    pub width: Option<i32>,
    #[schema(required = true)]
    pub height: Option<i32>,
    pub url: String,
}

/// Whose uploads they are, and how much of them may wait.
#[derive(Debug, Clone)]
pub struct Owner {
    name: String,
    files: i64,
    bytes: i64,
}

impl Owner {
    /// One sender, told apart from others.
    #[must_use]
    pub fn one(name: impl Into<String>) -> Self {
        Self { name: name.into(), files: SENDER_FILES, bytes: SENDER_BYTES }
    }

    /// Everybody who uses a public form, or one program that brings many people's files.
    #[must_use]
    pub fn crowd(name: impl Into<String>) -> Self {
        Self { name: name.into(), files: CROWD_FILES, bytes: CROWD_BYTES }
    }
}

/// Refuses an upload over the quotas before its body is read.
///
/// # Errors
/// `too_large` for one file, `too_many` when the sender's or the channel's quota is used up.
pub async fn admit(spine: &Spine, config: &ChannelConfig, owner: &Owner, headers: &HeaderMap) -> Result<(), Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES) {
        return Err(too_large());
    }
    let size = i64::try_from(announced.unwrap_or(0)).unwrap_or(i64::MAX);
    let (workspace, channel, since) = (config.workspace, config.id, spine.now() - KEEP);
    let (owner, max) = (owner.clone(), owner.bytes);
    let room = spine.db().read(move |r| room(r, (workspace, channel), &owner, since)).await?;
    if room < size {
        return Err(Problem::new(Code::TooMany).with("max", max).retry_after(3_600));
    }
    Ok(())
}

/// Bytes that may still come; negative when there are too many files.
fn room(
    q: &mut impl Connection,
    (workspace, channel): (WorkspaceId, ChannelId),
    owner: &Owner,
    since: Timestamp,
) -> Result<i64, Refusal> {
    let (files, bytes): (i64, i64) = q.query_one(&OF_OWNER, params![workspace, channel, &owner.name, since])?;
    let all: i64 = q.query_one(&OF_CHANNEL, params![workspace, channel, since])?;
    if files >= owner.files {
        return Ok(-1);
    }
    Ok((owner.bytes - bytes).min(CHANNEL_BYTES - all))
}

/// Reads the part `file`, stores it and writes it down under `owner`. `order` decides about repetition.
///
/// # Errors
/// `required` without a file, `too_large`, `too_many`, and those of disk and database.
pub async fn store(
    spine: &Spine,
    config: &ChannelConfig,
    owner: &Owner,
    order: Order,
    parts: Multipart,
) -> Result<UploadRow, Problem> {
    let file = read(parts).await?;
    let size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
    let claimed = file.mime.clone();
    let (verified, bytes) =
        tokio::task::spawn_blocking(move || (web::media::verify(&file.bytes, &claimed), file.bytes))
            .await
            .map_err(|_| Problem::internal())?;
    let hash = spine.files().put_async(bytes).await?;
    let (channel, owner, name) = (config.id, owner.clone(), file.name);
    let (id, owner) = spine
        .execute(order, move |unit| {
            let (workspace, at, id) = (unit.workspace(), unit.now(), unit.next_id::<AttachmentId>());
            unit.tx().execute(&FORGET, params![workspace, channel, at - KEEP])?;
            if room(unit.tx(), (workspace, channel), &owner, at - KEEP)? < size {
                return Err(Rejection::new(Code::TooMany).with("max", owner.bytes).into());
            }
            let (width, height) = verified.pixels.map_or((None, None), |(w, h)| (Some(w), Some(h)));
            let (hash, mime) = (hash.0.as_slice(), verified.mime.as_str());
            let row = params![workspace, id, channel, &owner.name, hash, size, &name, mime, width, height, at];
            unit.tx().execute(&INSERT, row)?;
            Ok((id, owner.name.clone()))
        })
        .await?;
    Ok(find(spine, config, &owner, id).await?)
}

struct File {
    name: String,
    mime: String,
    bytes: Vec<u8>,
}

async fn read(mut parts: Multipart) -> Result<File, Problem> {
    while let Some(field) = parts.next_field().await.map_err(|error| unreadable(&error))? {
        if field.name() != Some("file") {
            continue;
        }
        let name = crate::text::line(field.file_name().unwrap_or_default(), NAME_CHARS);
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned();
        let name = if name.is_empty() { "file".to_owned() } else { name };
        let mime = field.content_type().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|error| unreadable(&error))?;
        if bytes.len() > ATTACHMENT_BYTES {
            return Err(too_large());
        }
        if bytes.is_empty() {
            break;
        }
        return Ok(File { name, mime, bytes: bytes.to_vec() });
    }
    Err(Problem::field("file", Code::Required))
}

fn too_large() -> Problem {
    Problem::from(Rejection::new(Code::TooLarge).with("max", ATTACHMENT_BYTES).on("file"))
}

fn unreadable(error: &MultipartError) -> Problem {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        Problem::field("file", Code::Invalid)
    }
}

/// One waiting upload of this sender.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn find(spine: &Spine, config: &ChannelConfig, owner: &str, id: AttachmentId) -> Result<UploadRow, Refusal> {
    let (workspace, channel, owner) = (config.workspace, config.id, owner.to_owned());
    let row = spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&ONE, params![workspace, id, channel, &owner])?));
    row.await?.ok_or(Refusal::NotFound)
}

/// Takes uploads out of waiting, as files of a message. Call it only for a message that is new.
///
/// # Errors
/// `unknown_reference` on `attachments` for an upload that is not waiting here for this sender.
pub fn take(
    unit: &mut Unit<'_, '_>,
    channel: ChannelId,
    owner: &str,
    ids: &[AttachmentId],
) -> Result<Vec<NewAttachment>, Refusal> {
    let workspace = unit.workspace();
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let found: Option<UploadRow> = unit.tx().query_opt(&ONE, params![workspace, *id, channel, owner])?;
        let row = found.ok_or_else(|| Refusal::from(Rejection::new(Code::UnknownReference).on("attachments")))?;
        unit.tx().execute(&TAKE, params![workspace, *id, channel, owner])?;
        files.push(NewAttachment {
            id: row.id,
            hash: ContentHash(row.hash),
            size: row.size,
            name: row.name,
            mime: row.mime,
            inline: false,
            content_id: None,
            pixels: row.width.zip(row.height),
        });
    }
    Ok(files)
}

/// Hands what one sender has waiting to another name of the same sender.
///
/// # Errors
/// Those of the database.
pub fn give(unit: &mut Unit<'_, '_>, channel: ChannelId, from: &str, to: &str) -> Result<(), Refusal> {
    let workspace = unit.workspace();
    unit.tx().execute(&GIVE, params![workspace, channel, from, to])?;
    Ok(())
}

/// An answer that carries a stored file: shown in a page only when it was decoded as an image, else a download; never
/// a document that could run anything (SECURITY row 2).
#[must_use]
pub fn serve(name: &str, mime: &str, is_picture: bool, bytes: Vec<u8>) -> axum::response::Response {
    use axum::response::IntoResponse;
    use http::HeaderValue;
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"._-".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    let kind = if is_picture { "inline" } else { "attachment" };
    let disposition = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let mime = HeaderValue::from_str(mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(http::header::CONTENT_TYPE, mime);
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(http::header::CONTENT_DISPOSITION, value);
    }
    let policy = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
    headers.insert(http::header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400, immutable"));
    response
}
