//! What a visitor says and reads.

use crate::door::{self, Door};
use crate::session::{self, ensure_customer, leave_out_rejected};
use crate::store::{self, CaseRow, MessageRow, VisitorRow};
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
use spine::{Refusal, Signal, Unit};
use std::sync::Arc;
use uuid::Uuid;
use web::{Edge, Json, Limit, Problem, Query};

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
    Json(body): Json<SendMessage>,
) -> web::Result<Json<MessageSent>> {
    chat.0.kit.limit(&SAID_FROM, edge.address)?;
    let token = door::token_hash(&headers)?;
    chat.0.kit.limit(&SAID, sender(&token))?;
    let said = checked(body)?;
    let saying = Saying { intake: chat.0.intake.clone(), config: door.config.clone(), token, said: said.clone() };
    // The message's own id makes a repeated request the same, so no answer needs to be kept under a key.
    let order = spine::Order::new(door.config.workspace, Actor::System);
    let placed = chat.0.spine.execute(order, move |unit| saying.run(unit)).await?;
    let message = if said.attachments.is_empty() {
        own(said, &placed)
    } else {
        let message = one(&chat, &door, placed.thread, said.id).await?;
        message.ok_or(Code::IdempotencyKeyReused)?
    };
    Ok(Json(MessageSent { message }))
}

/// Who counts for the limit: the token, shortened to an id.
fn sender(token: &[u8; 32]) -> Uuid {
    let (half, _) = token.split_at(16);
    Uuid::from_slice(half).unwrap_or_default()
}

/// Where a message came to stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Placed {
    thread: Uuid,
    ordinal: i64,
    seq: i64,
    at: Timestamp,
}

/// A message of the visitor's without files: all of it is known once it has its place.
fn own(said: SendMessage, place: &Placed) -> WidgetMessage {
    WidgetMessage {
        id: said.id,
        seq: place_in_thread(place.ordinal, place.seq),
        at: place.at,
        mine: true,
        author: String::new(),
        text: said.text,
        attachments: Vec::new(),
        system: false,
        state: "sent",
    }
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
    intake: Arc<dyn Intake>,
    config: Arc<ChannelConfig>,
    token: [u8; 32],
    said: SendMessage,
}

impl Saying {
    /// The visitor is found in the same transaction: no message goes to the thread of somebody they no longer are.
    fn run(&self, unit: &mut Unit<'_, '_>) -> Result<Placed, Refusal> {
        let workspace = unit.workspace();
        let visitor = store::by_token(unit.tx(), workspace, self.config.id, self.token)?;
        let visitor = visitor.ok_or(Code::Unauthenticated)?;
        unit.act_as(Actor::Customer(visitor.customer_id));
        self.say(unit, &visitor)
    }

    fn say(&self, unit: &mut Unit<'_, '_>, visitor: &VisitorRow) -> Result<Placed, Refusal> {
        let (workspace, thread) = (unit.workspace(), visitor.thread_id);
        // Its files were taken the first time; what comes without any finds itself in the intake.
        if !self.said.attachments.is_empty()
            && let Some(placed) = self.placed(unit, thread)?
        {
            return Ok(placed);
        }
        let latest = store::latest_case(unit.tx(), workspace, thread)?;
        if latest.as_ref().is_none_or(|case| case.customer_id != visitor.customer_id) {
            ensure_customer(unit, &self.config, visitor)?;
        }
        let mut inbound = inbound(self.said.id, self.said.text.clone(), unit.now());
        inbound.files = uploads::take(unit, self.config.id, &owner(thread), &self.said.attachments)?;
        // The latest conversation goes on while its case is open; after that the thread's own key opens a new one.
        inbound.thread = match &latest {
            Some(CaseRow { case_id, conversation_id, customer_id, status_rank }) if *status_rank < OPEN_RANKS => {
                Thread::Known { case: *case_id, conversation: *conversation_id, customer: *customer_id }
            }
            _ => Thread::Key(thread.to_string()),
        };
        inbound.language = text::language(&visitor.locale);
        inbound.sender =
            Sender { name: visitor.name.clone(), identities: Vec::new(), customer: Some(visitor.customer_id) };
        let received = self.intake.receive_in(unit, &self.config, &inbound)?;
        if matches!(inbound.thread, Thread::Key(_)) {
            store::join(unit.tx(), workspace, received.conversation, thread)?;
        }
        let now = unit.now();
        store::seen(unit.tx(), workspace, visitor.id, now)?;
        // An id that names a message elsewhere is in this thread neither before nor after.
        self.placed(unit, thread)?.ok_or_else(|| Code::IdempotencyKeyReused.into())
    }

    /// Where this message stands. The id may have been used before, with something else.
    fn placed(&self, unit: &mut Unit<'_, '_>, thread: Uuid) -> Result<Option<Placed>, Refusal> {
        let workspace = unit.workspace();
        match store::one(unit.tx(), workspace, thread, self.said.id)? {
            Some(row) if row.author_kind != "customer" || row.body_text != self.said.text => {
                Err(Code::IdempotencyKeyReused.into())
            }
            row => Ok(row.map(|row| Placed { thread, ordinal: row.ordinal, seq: row.seq, at: row.at })),
        }
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
