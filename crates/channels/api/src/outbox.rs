//! Answers fetched: everything that waits, until it is marked as delivered.

use crate::Api;
use crate::store::{self, FileRow, Position, QueuedRow};
use axum::extract::State;
use channel::{ChannelConfig, Outbound};
use domain::case::{Case, CaseCommand, Delivery};
use domain::{AttachmentId, CaseId, ChannelId, ConversationId, MessageId, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use spine::Refusal;
use web::{Caller, Page, PageQuery, Path, Problem, Query};

/// One file of an answer; fetch it by its address with the same token.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OutboxFile {
    pub id: AttachmentId,
    pub name: String,
    pub mime: String,
    /// Bytes.
    pub size: i64,
    pub url: String,
}

/// One answer on its way out; the same whether it is fetched or pushed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = OutboxItem)]
pub struct Item {
    pub message_id: MessageId,
    /// The program's own name of the conversation.
    pub thread: String,
    pub conversation_id: ConversationId,
    pub case_id: CaseId,
    pub case_number: i64,
    pub at: Timestamp,
    pub author: String,
    pub automatic: bool,
    pub text: String,
    #[schema(required = true)]
    pub html: Option<String>,
    pub attachments: Vec<OutboxFile>,
}

impl Item {
    pub(crate) fn of(config: &ChannelConfig, message: &Outbound) -> Self {
        let attachments = message.attachments.iter().map(|file| OutboxFile {
            id: file.id,
            name: file.name.clone(),
            mime: file.mime.clone(),
            size: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
            url: url(config.id, file.id),
        });
        Self {
            message_id: message.message,
            thread: message.thread_key.clone(),
            conversation_id: message.conversation,
            case_id: message.case,
            case_number: message.case_number,
            at: message.at,
            author: message.author_name.clone(),
            automatic: message.automatic,
            text: message.text.clone(),
            html: message.html.clone(),
            attachments: attachments.collect(),
        }
    }

    fn queued(channel: ChannelId, row: QueuedRow, files: &[FileRow]) -> Self {
        let own = files.iter().filter(|file| file.message_id == Some(row.id)).map(|file| OutboxFile {
            id: file.id,
            name: file.name.clone(),
            mime: file.mime.clone(),
            size: file.size,
            url: url(channel, file.id),
        });
        Self {
            message_id: row.id,
            thread: row.thread_key,
            conversation_id: row.conversation_id,
            case_id: row.case_id,
            case_number: row.number,
            at: row.at,
            author: row.author_name,
            automatic: row.automatic,
            text: row.body_text,
            html: row.body_html,
            attachments: own.collect(),
        }
    }
}

fn url(channel: ChannelId, file: AttachmentId) -> String {
    format!("/api/ext/{channel}/attachments/{file}")
}

/// `?after=`: the id of the last answer taken. Without it everything that waits comes, which is always right.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    #[serde(default)]
    after: Option<String>,
}

/// Fetch answers that wait
#[utoipa::path(get, path = "/api/ext/{channel_id}/outbox", tag = "ext",
    params(("channel_id" = ChannelId, Path), After, PageQuery), responses((status = 200, body = Page<Item>)))]
pub(crate) async fn list(
    caller: Caller,
    State(api): State<Api>,
    Path(id): Path<ChannelId>,
    Query(after): Query<After>,
    Query(page): Query<PageQuery>,
) -> web::Result<web::Json<Page<Item>>> {
    let config = api.channel(&caller, id).await?;
    let limit = page.limit()?;
    let cursor = PageQuery { cursor: after.after.or(page.cursor), limit: None };
    let start = (Timestamp::from_micros(i64::MIN), MessageId(Default::default()));
    let from: Position = cursor.position()?.unwrap_or(start);
    let workspace = config.workspace;
    let more = i64::try_from(limit).unwrap_or(100) + 1;
    let items = api.0.spine.db().read(move |r| {
        let rows = store::outbox(r, (workspace, id), from, more)?;
        let files = store::files(r, workspace, &rows)?;
        Ok::<_, Refusal>(rows.into_iter().map(|row| Item::queued(id, row, &files)).collect::<Vec<_>>())
    });
    Ok(web::Json(Page::cut(items.await?, limit, |item| (item.at, item.message_id))))
}

/// Tell that an answer has arrived
#[utoipa::path(post, path = "/api/ext/{channel_id}/outbox/{message_id}/delivered", tag = "ext",
    params(("channel_id" = ChannelId, Path), ("message_id" = MessageId, Path)), responses((status = 204)))]
pub(crate) async fn delivered(
    caller: Caller,
    State(api): State<Api>,
    Path(place): Path<(ChannelId, MessageId)>,
) -> web::Result<StatusCode> {
    let (channel, message) = place;
    let config = api.channel(&caller, channel).await?;
    let workspace = config.workspace;
    let found = api.0.spine.db().read(move |r| Ok::<_, Refusal>(store::case_of(r, workspace, message, channel)?));
    let case = found.await?.ok_or_else(Problem::not_found)?;
    let mark = move |unit: &mut spine::Unit<'_, '_>| {
        unit.decide::<Case>(case, CaseCommand::Delivery { message, delivery: Delivery::Sent })?;
        Ok(())
    };
    api.0.spine.execute(caller.order(), mark).await?;
    Ok(StatusCode::NO_CONTENT)
}
