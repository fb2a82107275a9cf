//! Files of this channel, in and out.

use crate::{Api, store};
use axum::extract::{Multipart, State};
use axum::response::Response;
use channel::uploads::{self, Owner, Upload};
use domain::{AttachmentId, ChannelId};
use http::HeaderMap;
use spine::{ContentHash, Refusal};
use web::{Caller, Json, Path, Problem};

/// Whoever holds a token of the channel.
pub(crate) const OWNER: &str = "program";

/// Send a file, for a message to come
#[utoipa::path(post, path = "/api/ext/{channel_id}/attachments", tag = "ext", params(("channel_id" = ChannelId, Path)),
    responses((status = 200, body = Upload)))]
pub(crate) async fn upload(
    caller: Caller,
    State(api): State<Api>,
    Path(id): Path<ChannelId>,
    headers: HeaderMap,
    parts: Multipart,
) -> web::Result<Json<Upload>> {
    let config = api.channel(&caller, id).await?;
    let owner = Owner::crowd(OWNER);
    uploads::admit(&api.0.spine, &config, &owner, &headers).await?;
    let row = uploads::store(&api.0.spine, &config, &owner, caller.order(), parts).await?;
    Ok(Json(Upload {
        url: format!("/api/ext/{id}/attachments/{}", row.id),
        id: row.id,
        name: row.name,
        mime: row.mime,
        size: row.size,
        width: row.width,
        height: row.height,
    }))
}

/// Fetch a file of an answer
#[utoipa::path(get, path = "/api/ext/{channel_id}/attachments/{id}", tag = "ext",
    params(("channel_id" = ChannelId, Path), ("id" = AttachmentId, Path)), responses((status = 200)))]
pub(crate) async fn download(
    caller: Caller,
    State(api): State<Api>,
    Path(place): Path<(ChannelId, AttachmentId)>,
) -> web::Result<Response> {
    let (channel, id) = place;
    let config = api.channel(&caller, channel).await?;
    let workspace = config.workspace;
    let found = api.0.spine.db().read(move |r| Ok::<_, Refusal>(store::file(r, workspace, id, channel)?));
    let file = found.await?.ok_or_else(Problem::not_found)?;
    let bytes = api.0.spine.files().get_async(ContentHash(file.hash)).await?;
    Ok(uploads::serve(&file.name, &file.mime, false, bytes))
}
