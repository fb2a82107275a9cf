//! Files of a chat. A visitor sends one before the message that takes it along; what they get back are addresses that
//! carry their own, short-lived permission, because a browser shows pictures without our header.

use crate::door::{self, Door};
use crate::store::{self, FileRow, ServedRow};
use crate::wire::WidgetAttachment;
use crate::{Webchat, messages};
use axum::extract::{Multipart, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel::{ChannelConfig, uploads};
use db::{Query as _, params, row, sql};
use domain::{Actor, AttachmentId, Span, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use spine::{ContentHash, Refusal, Vault};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use web::{Edge, Idempotent, Json, Limit, Path, Problem, Query};

const UPLOADS: Limit = Limit::new("widget_uploads", 20, Span::minutes(10));
const UPLOADS_FROM: Limit = Limit::new("widget_uploads_from", 100, Span::minutes(10));
/// An address of a file is good on the day it was given and on this many after it.
const LINK_DAYS: i64 = 7;
const DAY_MICROS: i64 = 86_400_000_000;
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

row! {
    struct Waiting {
        owner: String,
        hash: [u8; 32],
        name: String,
        mime: String,
        width: Option<i32>,
    }
}
sql!(WAITING = "SELECT owner, hash, name, mime, width FROM pending_upload WHERE workspace_id = $1 AND id = $2 AND channel_id = $3",
    params: 3, row: Waiting);

/// Makes addresses of files.
pub(crate) struct Link<'a> {
    pub config: &'a ChannelConfig,
    pub vault: &'a Vault,
    pub thread: Uuid,
    pub now: Timestamp,
}

impl Link<'_> {
    pub fn attachment(&self, file: FileRow) -> WidgetAttachment {
        WidgetAttachment {
            url: self.url(file.id),
            id: file.id,
            name: file.name,
            mime: file.mime,
            size: file.size,
            width: file.width,
            height: file.height,
        }
    }

    fn url(&self, id: AttachmentId) -> String {
        let day = self.now.as_micros().div_euclid(DAY_MICROS);
        let permission = self.permission(id, day);
        format!("/api/widget/{}/attachments/{id}?t={day}.{permission}", self.config.public_key)
    }

    fn permission(&self, id: AttachmentId, day: i64) -> String {
        let (workspace, channel) = (self.config.workspace.0, self.config.id.0);
        let day = day.to_be_bytes();
        let parts: [&[u8]; 5] =
            [workspace.as_bytes(), channel.as_bytes(), self.thread.as_bytes(), id.0.as_bytes(), &day];
        URL_SAFE_NO_PAD.encode(self.vault.mac("widget.file", &parts))
    }

    fn permits(&self, id: AttachmentId, given: &str) -> bool {
        let Some((day, permission)) = given.split_once('.') else { return false };
        let Ok(day) = day.parse::<i64>() else { return false };
        let age = self.now.as_micros().div_euclid(DAY_MICROS) - day;
        let right = self.permission(id, day);
        (-1..=LINK_DAYS).contains(&age) && bool::from(right.as_bytes().ct_eq(permission.as_bytes()))
    }
}

/// Send a file, for a message to come
#[utoipa::path(post, path = "/api/widget/{key}/attachments", tag = "widget", params(("key" = String, Path)),
    responses((status = 200, body = WidgetAttachment)))]
pub(crate) async fn upload(
    State(chat): State<Webchat>,
    door: Door,
    edge: Edge,
    headers: HeaderMap,
    idempotent: Idempotent,
    parts: Multipart,
) -> web::Result<Json<WidgetAttachment>> {
    chat.0.kit.limit(&UPLOADS_FROM, edge.address)?;
    let visitor = door::visitor(&chat, &door, &headers).await?;
    chat.0.kit.limit(&UPLOADS, visitor.id.0)?;
    let (spine, owner) = (&chat.0.spine, uploads::Owner::one(messages::owner(visitor.thread_id)));
    uploads::admit(spine, &door.config, &owner, &headers).await?;
    let order = idempotent.order(door.config.workspace, Actor::Customer(visitor.customer_id));
    let row = uploads::store(spine, &door.config, &owner, order, parts).await?;
    let link = Link { config: &door.config, vault: spine.vault(), thread: visitor.thread_id, now: spine.now() };
    Ok(Json(link.attachment(FileRow {
        id: row.id,
        message_id: None,
        size: row.size,
        name: row.name,
        mime: row.mime,
        width: row.width,
        height: row.height,
    })))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Permission {
    /// As the address was given.
    #[serde(default)]
    t: String,
}

/// Get a file
#[utoipa::path(get, path = "/api/widget/{key}/attachments/{id}", tag = "widget",
    params(("key" = String, Path), ("id" = AttachmentId, Path), Permission), responses((status = 200)))]
pub(crate) async fn download(
    State(chat): State<Webchat>,
    door: Door,
    Path(place): Path<(String, AttachmentId)>,
    Query(permission): Query<Permission>,
) -> web::Result<Response> {
    let (spine, id) = (&chat.0.spine, place.1);
    let (workspace, channel) = (door.config.workspace, door.config.id);
    let found = spine.db().read(move |r| {
        if let Some(served) = store::served(r, workspace, id)? {
            return Ok::<_, Refusal>(Some(served));
        }
        let waiting: Option<Waiting> = r.query_opt(&WAITING, params![workspace, id, channel])?;
        Ok(waiting.and_then(of_thread))
    });
    let served = found.await?.ok_or_else(Problem::not_found)?;
    let link = Link { config: &door.config, vault: spine.vault(), thread: served.thread_id, now: spine.now() };
    if !link.permits(id, &permission.t) {
        return Err(Problem::not_found());
    }
    let bytes = spine.files().get_async(ContentHash(served.hash)).await?;
    let mut response = uploads::serve(&served.name, &served.mime, served.width.is_some(), bytes);
    // The site's page shows it.
    response.headers_mut().insert(CORP, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

fn of_thread(waiting: Waiting) -> Option<ServedRow> {
    let thread_id = waiting.owner.strip_prefix("visitor:")?.parse().ok()?;
    Some(ServedRow { thread_id, hash: waiting.hash, name: waiting.name, mime: waiting.mime, width: waiting.width })
}
