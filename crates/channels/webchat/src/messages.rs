//! What a visitor says and reads.

use crate::door::{self, Door};
use crate::session::{self, ensure_customer, leave_out_rejected};
use crate::store::{self, MessageRow, VisitorRow};
use crate::wire::{Page, Place, WidgetMessage, Writer, ordinal_and_seq, place_in_thread};
use crate::{Webchat, files};
use axum::extract::State;
use channel::{ChannelConfig, Inbound, Intake, Sender, Thread, text, uploads};
use db::Read;
use domain::case::Priority;
use domain::customer::{Customer, CustomerCommand, CustomerIdentity, IdentityKind, Level, looks_like_mail};
use domain::limits::{ADDRESS_CHARS, CHAT_MESSAGE_CHARS};
use domain::{Actor, AttachmentId, Code, MessageId, Rejection, Span, Timestamp};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use spine::{Refusal, Signal, Unit};
use std::sync::Arc;
use uuid::Uuid;
use web::{Edge, Idempotent, Json, Limit, Problem, Query};

/// Messages of one visitor: a quick writer, no machine.
const SAID: Limit = Limit::new("widget_messages", 30, Span::seconds(60));
/// Messages from one address; offices share one.
const SAID_FROM: Limit = Limit::new("widget_messages_from", 300, Span::seconds(60));
const READ: Limit = Limit::new("widget_reads", 120, Span::seconds(60));
const TYPING: Limit = Limit::new("widget_typing", 40, Span::seconds(60));
const EMAILS: Limit = Limit::new("widget_emails", 5, Span::minutes(10));
const FILES_PER_MESSAGE: usize = 5;
/// Messages of a session's start, and of one page after a cursor.
const PAGE: i64 = 200;
const OPEN_RANKS: i64 = 5;

/// Whose uploads they are: the thread's, so that a message can take what was sent before it.
pub(crate) fn owner(thread: Uuid) -> String {
    format!("visitor:{thread}")
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[schema(as = SendWidgetMessage)]
pub struct SendMessage {
    /// Made by the widget before it sends: the same id is the same message.
    id: MessageId,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Vec<AttachmentId>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WidgetMessageSent)]
pub struct MessageSent {
    message: WidgetMessage,
}

/// Say something
#[utoipa::path(post, path = "/api/widget/{key}/messages", tag = "widget", params(("key" = String, Path)),
    request_body = SendMessage, responses((status = 200, body = MessageSent)))]
pub(crate) async fn send(
    State(chat): State<Webchat>,
    door: Door,
    edge: Edge,
    headers: HeaderMap,
    idempotent: Idempotent,
    Json(body): Json<SendMessage>,
) -> web::Result<Json<MessageSent>> {
    chat.0.kit.limit(&SAID_FROM, edge.address)?;
    let visitor = door::visitor(&chat, &door, &headers).await?;
    chat.0.kit.limit(&SAID, visitor.id.0)?;
    let said = checked(body)?;
    let order = order(&door, &visitor, &idempotent);
    let saying = Saying {
        id: said.id,
        intake: chat.0.intake.clone(),
        config: door.config.clone(),
        visitor: visitor.clone(),
        said: said.clone(),
    };
    chat.0.spine.execute(order, move |unit| saying.say(unit)).await?;
    let message = one(&chat, &door, visitor.thread_id, said.id).await?;
    // The id may have been used before, with something else.
    let message = message.filter(|m| m.mine && m.text == said.text).ok_or(Code::IdempotencyKeyReused)?;
    Ok(Json(MessageSent { message }))
}

/// The visitor is part of what makes a request the same.
fn order(door: &Door, visitor: &VisitorRow, idempotent: &Idempotent) -> spine::Order {
    let mut idempotent = idempotent.clone();
    let hash = Sha256::new().chain_update(idempotent.fingerprint).chain_update(visitor.id.0.as_bytes());
    idempotent.fingerprint = hash.finalize().into();
    idempotent.order(door.config.workspace, Actor::Customer(visitor.customer_id))
}

fn checked(mut body: SendMessage) -> web::Result<SendMessage> {
    body.text = text::clean(&body.text).trim_end().to_owned();
    domain::limits::text_within("text", &body.text, CHAT_MESSAGE_CHARS).map_err(Problem::from)?;
    body.attachments.dedup();
    if body.attachments.len() > FILES_PER_MESSAGE {
        return Err(Rejection::new(Code::TooMany).with("max", FILES_PER_MESSAGE).on("attachments").into());
    }
    if body.text.trim().is_empty() && body.attachments.is_empty() {
        return Err(Problem::field("text", Code::EmptyMessage));
    }
    Ok(body)
}

struct Saying {
    id: MessageId,
    intake: Arc<dyn Intake>,
    config: Arc<ChannelConfig>,
    visitor: VisitorRow,
    said: SendMessage,
}

impl Saying {
    fn say(&self, unit: &mut Unit<'_, '_>) -> Result<(), Refusal> {
        let workspace = unit.workspace();
        if store::exists(unit.tx(), workspace, self.id)? {
            return Ok(());
        }
        ensure_customer(unit, &self.config, &self.visitor)?;
        let thread = self.visitor.thread_id;
        let owner = owner(thread);
        let files = uploads::take(unit, self.config.id, &owner, &self.said.attachments)?;
        // The latest conversation goes on while its case is open; after that the thread's own key opens a new one.
        let latest = store::latest_case(unit.tx(), workspace, thread)?.filter(|case| case.status_rank < OPEN_RANKS);
        let key = latest.map_or_else(|| thread.to_string(), |case| case.thread_key);
        let mut inbound = inbound(self.id, self.said.text.clone(), unit.now());
        inbound.thread = Thread::Key(key);
        inbound.files = files;
        inbound.language = text::language(&self.visitor.locale);
        inbound.sender = Sender {
            name: self.visitor.name.clone(),
            identities: Vec::new(),
            customer: Some(self.visitor.customer_id),
        };
        let received = self.intake.receive_in(unit, &self.config, &inbound)?;
        store::join(unit.tx(), workspace, received.conversation, thread)?;
        let now = unit.now();
        store::seen(unit.tx(), workspace, self.visitor.id, now)?;
        Ok(())
    }
}

pub(crate) fn inbound(message: MessageId, text: String, at: Timestamp) -> Inbound {
    Inbound {
        message,
        inbox: None,
        sender: Sender::default(),
        thread: Thread::New,
        participants: Vec::new(),
        subject: String::new(),
        text,
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: at,
        automatic: false,
        language: None,
        priority: Priority::Normal,
        reason: None,
        meta: json!({}),
        message_ids: Vec::new(),
    }
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// `seq` of the last message that was read; 0 for all.
    #[serde(default)]
    after: i64,
}

/// Read what is new
#[utoipa::path(get, path = "/api/widget/{key}/messages", tag = "widget", params(("key" = String, Path), After),
    responses((status = 200, body = Page)))]
pub(crate) async fn list(
    State(chat): State<Webchat>,
    door: Door,
    headers: HeaderMap,
    Query(query): Query<After>,
) -> web::Result<Json<Page>> {
    let visitor = door::visitor(&chat, &door, &headers).await?;
    chat.0.kit.limit(&READ, visitor.id.0)?;
    session::touch(&chat, &door, &visitor).await?;
    chat.0.board.start(&chat.0.spine);
    Ok(Json(after(&chat, &door, visitor.thread_id, query.after.max(0)).await?))
}

/// Tell that the visitor is writing
#[utoipa::path(post, path = "/api/widget/{key}/typing", tag = "widget", params(("key" = String, Path)),
    responses((status = 204)))]
pub(crate) async fn typing(State(chat): State<Webchat>, door: Door, headers: HeaderMap) -> web::Result<StatusCode> {
    let visitor = door::visitor(&chat, &door, &headers).await?;
    chat.0.kit.limit(&TYPING, visitor.id.0)?;
    let (workspace, thread) = (door.config.workspace, visitor.thread_id);
    let case = chat.0.spine.db().read(move |r| Ok::<_, Refusal>(store::latest_case(r, workspace, thread)?)).await?;
    if let Some(case) = case {
        signal(&chat, &door, &visitor, "typing", case.case_id);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the desk what the visitor does at this moment.
pub(crate) fn signal(chat: &Webchat, door: &Door, visitor: &VisitorRow, kind: &'static str, case: domain::CaseId) {
    chat.0.spine.hub().signal(Signal {
        workspace: door.config.workspace,
        kind,
        case: Some(case),
        who_kind: "customer",
        who: visitor.customer_id.0,
        name: visitor.name.clone(),
    });
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[schema(as = ClaimWidgetEmail)]
pub struct ClaimEmail {
    email: String,
}

/// Leave an address for the answer. It proves nothing and finds nobody.
#[utoipa::path(post, path = "/api/widget/{key}/email", tag = "widget", params(("key" = String, Path)),
    request_body = ClaimEmail, responses((status = 204)))]
pub(crate) async fn email(
    State(chat): State<Webchat>,
    door: Door,
    headers: HeaderMap,
    Json(body): Json<ClaimEmail>,
) -> web::Result<StatusCode> {
    let visitor = door::visitor(&chat, &door, &headers).await?;
    chat.0.kit.limit(&EMAILS, visitor.id.0)?;
    let address = body.email.trim().to_lowercase();
    if !looks_like_mail(&address) || address.chars().count() > ADDRESS_CHARS {
        return Err(Problem::field("email", Code::InvalidAddress));
    }
    let order = spine::Order::new(door.config.workspace, Actor::Customer(visitor.customer_id));
    let saved = move |unit: &mut Unit<'_, '_>| {
        let workspace = unit.workspace();
        store::set_email(unit.tx(), workspace, visitor.id, &address)?;
        if unit.load::<Customer>(visitor.customer_id)?.is_some() {
            let identity =
                CustomerIdentity { kind: IdentityKind::Email, address: address.clone(), level: Level::Claimed };
            leave_out_rejected(unit.decide::<Customer>(visitor.customer_id, CustomerCommand::AddIdentity(identity)))?;
        }
        Ok(())
    };
    chat.0.spine.execute(order, saved).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last messages and the place in the queue.
pub(crate) async fn latest(chat: &Webchat, door: &Door, thread: Uuid) -> web::Result<Page> {
    read(chat, door, thread, |r, ws, thread| store::latest(r, ws, thread, PAGE)).await
}

/// Messages after a cursor and the place in the queue.
pub(crate) async fn after(chat: &Webchat, door: &Door, thread: Uuid, after: i64) -> web::Result<Page> {
    read(chat, door, thread, move |r, ws, thread| store::after(r, ws, thread, ordinal_and_seq(after), PAGE)).await
}

async fn one(chat: &Webchat, door: &Door, thread: Uuid, id: MessageId) -> web::Result<Option<WidgetMessage>> {
    let config = door.config.clone();
    let vault = chat.0.spine.vault().clone();
    let now = chat.0.spine.now();
    let found = chat.0.spine.db().read(move |r| {
        let rows: Vec<MessageRow> = store::one(r, config.workspace, thread, id)?.into_iter().collect();
        Ok::<_, Refusal>(shown(r, &files::Link { config: &config, vault: &vault, thread, now }, rows)?.pop())
    });
    Ok(found.await?)
}

async fn read(
    chat: &Webchat,
    door: &Door,
    thread: Uuid,
    select: impl Fn(&mut Read<'_>, domain::WorkspaceId, Uuid) -> Result<Vec<MessageRow>, db::Error> + Send + 'static,
) -> web::Result<Page> {
    let (config, queue, vault) = (door.config.clone(), chat.0.queue.clone(), chat.0.spine.vault().clone());
    let now = chat.0.spine.now();
    let workspace = config.workspace;
    let (items, place, case) = chat
        .0
        .spine
        .db()
        .read(move |r| {
            let rows = select(r, workspace, thread)?;
            let items = shown(r, &files::Link { config: &config, vault: &vault, thread, now }, rows)?;
            let case = store::latest_case(r, workspace, thread)?;
            let place = match &case {
                Some(case) => queue.place(r, workspace, case.case_id, now)?,
                None => None,
            };
            Ok::<_, Refusal>((items, place, case))
        })
        .await?;
    let typing = case.and_then(|case| chat.0.board.writer(case.case_id, now));
    let typing = typing.map(|name| Writer { name }).into_iter().collect();
    Ok(Page { items, queue: place.map(Place::from), typing })
}

/// Rows as the visitor sees them, with their files.
pub(crate) fn shown(
    r: &mut Read<'_>,
    link: &files::Link<'_>,
    rows: Vec<MessageRow>,
) -> Result<Vec<WidgetMessage>, Refusal> {
    let mut attached = store::files(r, link.config.workspace, &rows)?;
    let brand = if link.config.brand.is_empty() { &link.config.name } else { &link.config.brand };
    let messages = rows.into_iter().map(|row| {
        let (own, others): (Vec<_>, Vec<_>) = attached.drain(..).partition(|file| file.message_id == Some(row.id));
        attached = others;
        let mine = row.author_kind == "customer";
        let author = match row.author_kind.as_str() {
            "customer" => String::new(),
            _ if row.author_name.is_empty() => brand.clone(),
            _ => row.author_name,
        };
        WidgetMessage {
            id: row.id,
            seq: place_in_thread(row.ordinal, row.seq),
            at: row.at,
            mine,
            author,
            text: row.body_text,
            attachments: own.into_iter().map(|file| link.attachment(file)).collect(),
            system: row.author_kind == "system",
            state: "sent",
        }
    });
    Ok(messages.collect())
}
