//! Messages handed in.

use crate::{Api, store};
use axum::extract::State;
use channel::{ChannelConfig, Inbound, Intake, Sender, Thread, text, uploads};
use domain::case::Priority;
use domain::customer::{CustomerIdentity, IdentityKind, Level, looks_like_mail};
use domain::limits::{
    ADDRESS_CHARS, ATTACHMENTS_PER_MESSAGE, MESSAGE_BYTES, MESSAGE_HTML_BYTES, NAME_CHARS, SUBJECT_CHARS,
};
use domain::{AttachmentId, CaseId, ChannelId, Code, MessageId, Rejection, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use spine::{Refusal, Unit};
use std::sync::Arc;
use web::{Caller, Json, Path, Problem};

/// Ids of the program's own: threads and people.
const ID_CHARS: usize = 200;

/// Who wrote, in the program's own terms.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct ExternalSender {
    /// Unique and lasting inside this channel.
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    /// The program vouches that this is the address's owner. Otherwise the address is only a claim.
    #[serde(default)]
    pub verified: bool,
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct ExternalMessage {
    /// Made by the program before it sends: the same id is the same message.
    pub id: MessageId,
    /// The program's own name of the conversation.
    pub thread: String,
    pub from: ExternalSender,
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub html: Option<String>,
    /// Uploaded before.
    #[serde(default)]
    pub attachments: Vec<AttachmentId>,
    /// When it was written.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub at: Option<Timestamp>,
    #[serde(default)]
    pub language: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExternalReceived {
    pub case_id: CaseId,
    pub case_number: i64,
    pub message_id: MessageId,
}

/// Hand a message in
#[utoipa::path(post, path = "/api/ext/{channel_id}/messages", tag = "ext", params(("channel_id" = ChannelId, Path)),
    request_body = ExternalMessage, responses((status = 200, body = ExternalReceived)))]
pub(crate) async fn receive(
    caller: Caller,
    State(api): State<Api>,
    Path(id): Path<ChannelId>,
    Json(body): Json<ExternalMessage>,
) -> web::Result<Json<ExternalReceived>> {
    let config = api.channel(&caller, id).await?;
    let body = checked(body)?;
    let mut inbound = inbound(&config, &body, api.0.spine.now());
    inbound.html = body.html.as_deref().map(api.0.sanitise);
    let taking = Taking { intake: api.0.intake.clone(), config, inbound, uploads: body.attachments };
    let received = api.0.spine.execute(caller.order(), move |unit| taking.take(unit)).await?;
    Ok(Json(received))
}

struct Taking {
    intake: Arc<dyn Intake>,
    config: ChannelConfig,
    inbound: Inbound,
    uploads: Vec<AttachmentId>,
}

impl Taking {
    fn take(&self, unit: &mut Unit<'_, '_>) -> Result<ExternalReceived, Refusal> {
        let mut inbound = self.inbound.clone();
        let workspace = unit.workspace();
        match store::channel_of(unit.tx(), workspace, inbound.message)? {
            None => inbound.files = uploads::take(unit, self.config.id, crate::files::OWNER, &self.uploads)?,
            Some(channel) if channel == self.config.id => {}
            Some(_) => return Err(Code::IdempotencyKeyReused.into()),
        }
        let received = self.intake.receive_in(unit, &self.config, &inbound)?;
        Ok(ExternalReceived { case_id: received.case, case_number: received.number, message_id: received.message })
    }
}

fn checked(mut body: ExternalMessage) -> web::Result<ExternalMessage> {
    let too_large = |field: &str, max: usize| Problem::from(Rejection::new(Code::TooLarge).with("max", max).on(field));
    for (field, id) in [("thread", &mut body.thread), ("from.id", &mut body.from.id)] {
        domain::limits::text_required(field, id, ID_CHARS)?;
        *id = text::line(id, ID_CHARS);
    }
    if body.text.len() > MESSAGE_BYTES {
        return Err(too_large("text", MESSAGE_BYTES));
    }
    if body.html.as_ref().is_some_and(|html| html.len() > MESSAGE_HTML_BYTES) {
        return Err(too_large("html", MESSAGE_HTML_BYTES));
    }
    body.text = text::clean(&body.text);
    body.attachments.dedup();
    if body.attachments.len() > ATTACHMENTS_PER_MESSAGE {
        return Err(Rejection::new(Code::TooMany).with("max", ATTACHMENTS_PER_MESSAGE).on("attachments").into());
    }
    if body.text.trim().is_empty() && body.attachments.is_empty() {
        return Err(Problem::field("text", Code::EmptyMessage));
    }
    if let Some(email) = &mut body.from.email {
        *email = email.trim().to_lowercase();
        if !looks_like_mail(email) || email.chars().count() > ADDRESS_CHARS {
            return Err(Problem::field("from.email", Code::InvalidAddress));
        }
    }
    Ok(body)
}

/// The program's people are known by their ids inside this channel. An address finds a customer only when the program
/// vouches for it; else it is a claim.
pub(crate) fn inbound(config: &ChannelConfig, body: &ExternalMessage, now: Timestamp) -> Inbound {
    let external = format!("{}:{}", config.id, body.from.id);
    let mut identities =
        vec![CustomerIdentity { kind: IdentityKind::External, address: external, level: Level::Channel }];
    if let Some(email) = &body.from.email {
        let level = if body.from.verified { Level::Verified } else { Level::Claimed };
        identities.push(CustomerIdentity { kind: IdentityKind::Email, address: email.clone(), level });
    }
    Inbound {
        message: body.id,
        inbox: None,
        sender: Sender { name: text::line(&body.from.name, NAME_CHARS), identities, customer: None },
        thread: Thread::Key(body.thread.clone()),
        participants: Vec::new(),
        subject: text::line(&body.subject, SUBJECT_CHARS),
        text: body.text.clone(),
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        // A program's clock may be wrong, but nothing was written after it came.
        sent_at: body.at.unwrap_or(now).min(now),
        automatic: false,
        language: body.language.as_deref().and_then(text::language),
        priority: Priority::Normal,
        reason: None,
        meta: json!({ "external_sender": body.from.id }),
        message_ids: Vec::new(),
    }
}
