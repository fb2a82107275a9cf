//! The source of what came in.

use super::answers::{ChannelName, FailedMessage};
use super::{State, manages, needs_at};
use crate::store::{self, mailbox, moving};
use axum::extract::State as Of;
use axum::response::{IntoResponse, Response};
use domain::access::Place;
use domain::{Code, InboxId, MessageId, Permission, Timestamp};
use spine::{ContentHash, Refusal};
use uuid::Uuid;
use web::{Caller, Page, PageQuery, Path, Problem, Query, Result};

/// What came in and could not be understood, latest first.
#[utoipa::path(get, path = "/api/inbox/failed", tag = "channels", params(PageQuery),
    responses((status = 200, body = Page<FailedMessage>)))]
pub(super) async fn failed(
    Of(state): Of<State>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<FailedMessage>>> {
    let limit = page.limit()?;
    let from = page.position()?.unwrap_or((Timestamp::from_micros(i64::MAX), InboxId(Uuid::max())));
    let ws = caller.workspace;
    let wanted = i64::try_from(limit).unwrap_or(50) + 1;
    let rows = state.spine.db().read(move |r| Ok::<_, Refusal>(mailbox::failed(r, ws, from, wanted)?)).await?;
    let page = Page::cut(rows, limit, |row| (row.received_at, row.id));
    let scope = caller.scope(Permission::ChannelsManage);
    let next = page.next;
    let seen = page.items.into_iter().filter(|row| {
        scope == domain::access::Scope::Everywhere || scope.covers(&Place { team: None, channel: row.channel_id })
    });
    let items = seen
        .map(|row| FailedMessage {
            id: row.id,
            channel: ChannelName { id: row.channel_id, name: row.channel_name },
            received_at: row.received_at,
            size: row.raw_size,
            outcome: row.outcome,
            case_id: row.case_id,
        })
        .collect();
    Ok(axum::Json(Page { items, next }))
}

/// The source of something that came in.
#[utoipa::path(get, path = "/api/inbox/{id}/raw", tag = "channels", params(("id" = InboxId, Path)),
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn failed_raw(Of(state): Of<State>, caller: Caller, Path(id): Path<InboxId>) -> Result<Response> {
    let ws = caller.workspace;
    let found = state
        .spine
        .db()
        .read(move |r| {
            let (channel, hash) = mailbox::raw_of(r, ws, id)?.ok_or(Refusal::NotFound)?;
            let row = store::configured::one(r, ws, channel)?.ok_or(Refusal::NotFound)?;
            Ok::<_, Refusal>((row, hash))
        })
        .await?;
    manages(&caller.access, &found.0)?;
    source(&state, found.1, &id.to_string()).await
}

/// The source of a message that came by mail.
#[utoipa::path(get, path = "/api/messages/{id}/raw", tag = "conversations", params(("id" = MessageId, Path)),
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn message_raw(Of(state): Of<State>, caller: Caller, Path(id): Path<MessageId>) -> Result<Response> {
    let (ws, access) = (caller.workspace, caller.access.clone());
    let hash = state
        .spine
        .db()
        .read(move |r| {
            let message = moving::message(r, ws, id)?.ok_or(Refusal::NotFound)?;
            needs_at(r, (ws, message.case_id), &access, Permission::CaseRead)?;
            let inbox = message.inbox_id.ok_or(Refusal::NotFound)?;
            let (_, hash) = mailbox::raw_of(r, ws, inbox)?.ok_or(Refusal::NotFound)?;
            Ok::<_, Refusal>(hash)
        })
        .await?;
    source(&state, hash, &id.to_string()).await
}

/// As a download that no browser runs, whatever is in it (SECURITY row 2).
async fn source(state: &State, hash: [u8; 32], name: &str) -> Result<Response> {
    let bytes = match state.spine.files().get_async(ContentHash(hash)).await {
        Ok(bytes) => bytes,
        Err(Refusal::NotFound) => return Err(Problem::new(Code::Internal)),
        Err(other) => return Err(other.into()),
    };
    let disposition = format!("attachment; filename=\"{name}.eml.txt\"");
    let headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", disposition.as_str()),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, no-store"),
    ];
    Ok((headers, bytes).into_response())
}
