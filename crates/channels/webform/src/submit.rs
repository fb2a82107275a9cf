//! The form's API: what to fill in, the files, the form itself.

use crate::Webform;
use crate::proof::{self, Challenge, Proof};
use crate::settings::Settings;
use axum::extract::{Multipart, State};
use channel::{ChannelConfig, Inbound, Intake, Sender, Thread, once, text, uploads};
use domain::case::Priority;
use domain::customer::{CustomerIdentity, IdentityKind, Level, looks_like_mail};
use domain::limits::{ADDRESS_CHARS, NAME_CHARS, SUBJECT_CHARS, text_required, text_within};
use domain::{Actor, AttachmentId, Code, CommandId, MessageId, Rejection, Span, Timestamp};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use spine::{Order, Refusal, Unit};
use std::sync::Arc;
use web::{Edge, Idempotent, Json, Limit, Locale, Path, Problem};

/// Forms with proof, from one address.
const FORMS: Limit = Limit::new("forms", 20, Span::hours(1));
/// Forms that claim one address to answer to: somebody else's mailbox is not to be filled.
const FORMS_FOR: Limit = Limit::new("forms_for", 10, Span::hours(24));
const CHALLENGES: Limit = Limit::new("form_challenges", 120, Span::hours(1));
const UPLOADS: Limit = Limit::new("form_uploads", 30, Span::hours(1));
pub(crate) const TEXT_CHARS: usize = 20_000;
const FILES: usize = 5;
/// Uploads of forms belong to nobody yet: knowing the random id is what proves them.
const OWNER: &str = "form";

/// One thing to fill in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FormField {
    pub name: &'static str,
    pub kind: &'static str,
    pub required: bool,
    pub max: usize,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FormDescription {
    pub title: String,
    pub brand: String,
    pub fields: Vec<FormField>,
    pub attachments: bool,
    pub challenge: Challenge,
}

fn fields() -> Vec<FormField> {
    let field = |name, kind, required, max| FormField { name, kind, required, max };
    vec![
        field("name", "text", true, NAME_CHARS),
        field("email", "email", true, ADDRESS_CHARS),
        field("subject", "text", true, SUBJECT_CHARS),
        field("text", "long_text", true, TEXT_CHARS),
    ]
}

/// What to fill in, and a challenge to solve
#[utoipa::path(get, path = "/api/form/{key}", tag = "form", params(("key" = String, Path)),
    responses((status = 200, body = FormDescription)))]
pub(crate) async fn describe(
    State(form): State<Webform>,
    Path(key): Path<String>,
    edge: Edge,
    headers: HeaderMap,
) -> web::Result<Json<FormDescription>> {
    form.0.kit.limit(&CHALLENGES, edge.address)?;
    let config = form.channel(&key).await?;
    let settings: Settings = config.read()?;
    let spine = &form.0.spine;
    Ok(Json(FormDescription {
        title: settings.title(Locale::of_request(&headers)).to_owned(),
        brand: config.brand.clone(),
        fields: fields(),
        attachments: settings.attachments,
        challenge: proof::challenge(spine.vault(), config.id.0.as_bytes(), spine.random(), spine.now()),
    }))
}

/// A filled-in form.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct SubmitForm {
    /// Made by the page before it sends: the same id is the same form.
    pub id: MessageId,
    pub name: String,
    pub email: String,
    pub subject: String,
    pub text: String,
    #[serde(default)]
    pub attachments: Vec<AttachmentId>,
    #[serde(default)]
    #[schema(required = false)]
    pub proof: Option<Proof>,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FormSubmitted {
    /// Number of the case, for the customer to refer to.
    pub number: String,
}

/// Send the form
#[utoipa::path(post, path = "/api/form/{key}", tag = "form", params(("key" = String, Path)),
    request_body = SubmitForm, responses((status = 200, body = FormSubmitted)))]
pub(crate) async fn submit(
    State(form): State<Webform>,
    Path(key): Path<String>,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<SubmitForm>,
) -> web::Result<Json<FormSubmitted>> {
    form.0.kit.limit(&FORMS, edge.address)?;
    let config = form.channel(&key).await?;
    let body = checked(body)?;
    let proof = body.proof.as_ref().ok_or_else(|| Problem::new(Code::ProofRequired))?;
    let (vault, now) = (form.0.spine.vault(), form.0.spine.now());
    let spent =
        proof::check(vault, config.id.0.as_bytes(), proof, now).ok_or_else(|| Problem::new(Code::ProofRequired))?;
    let language = Locale::of_request(&headers);
    let number = take(&form, config, body, Some(spent), language).await?;
    Ok(Json(FormSubmitted { number }))
}

/// Takes a checked form in; answers the case's number. The proof is not part of what makes a form the same: a page
/// that lost our answer may have had to solve another one.
pub(crate) async fn take(
    form: &Webform,
    config: ChannelConfig,
    body: SubmitForm,
    spent: Option<([u8; 32], Timestamp)>,
    locale: Locale,
) -> web::Result<String> {
    form.0.kit.limit(&FORMS_FOR, body.email.clone())?;
    let print = fingerprint(&config, &body);
    let order = Order::new(config.workspace, Actor::System).idempotent(CommandId(body.id.0), print);
    let submission = Submission { intake: form.0.intake.clone(), config, body, spent, locale };
    Ok(form.0.spine.execute(order, move |unit| submission.take(unit)).await?)
}

fn fingerprint(config: &ChannelConfig, body: &SubmitForm) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"webform\0");
    hasher.update(config.id.0.as_bytes());
    for part in [&body.name, &body.email, &body.subject, &body.text] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    for file in &body.attachments {
        hasher.update(file.0.as_bytes());
    }
    hasher.finalize().into()
}

/// # Errors
/// `required`, `too_long`, `too_many` or `invalid_address` on the field.
pub(crate) fn checked(mut body: SubmitForm) -> web::Result<SubmitForm> {
    // Too long is refused, not cut: the sender is still there to shorten it.
    text_within("name", &body.name, NAME_CHARS)?;
    text_within("subject", &body.subject, SUBJECT_CHARS)?;
    text_within("text", &body.text, TEXT_CHARS)?;
    body.name = text::line(&body.name, NAME_CHARS);
    body.subject = text::line(&body.subject, SUBJECT_CHARS);
    body.text = text::clean(&body.text).trim().to_owned();
    body.email = body.email.trim().to_lowercase();
    text_required("name", &body.name, NAME_CHARS)?;
    text_required("email", &body.email, ADDRESS_CHARS)?;
    text_required("subject", &body.subject, SUBJECT_CHARS)?;
    text_required("text", &body.text, TEXT_CHARS)?;
    if !looks_like_mail(&body.email) {
        return Err(Problem::field("email", Code::InvalidAddress));
    }
    body.attachments.dedup();
    if body.attachments.len() > FILES {
        return Err(Rejection::new(Code::TooMany).with("max", FILES).on("attachments").into());
    }
    Ok(body)
}

struct Submission {
    intake: Arc<dyn Intake>,
    config: ChannelConfig,
    body: SubmitForm,
    spent: Option<([u8; 32], Timestamp)>,
    locale: Locale,
}

impl Submission {
    fn take(&self, unit: &mut Unit<'_, '_>) -> Result<String, Refusal> {
        if let Some((hash, expires_at)) = self.spent
            && !once::use_up(unit, self.config.id, hash, None, expires_at)?
        {
            return Err(Code::ProofRequired.into());
        }
        let files = uploads::take(unit, self.config.id, OWNER, &self.body.attachments)?;
        let mut inbound = inbound(&self.body, unit.now());
        inbound.files = files;
        inbound.language = text::language(self.locale.as_str());
        let received = self.intake.receive_in(unit, &self.config, &inbound)?;
        // An id that was somebody else's message before is not this form.
        if !received.new_case {
            return Err(Code::IdempotencyKeyReused.into());
        }
        Ok(received.number.to_string())
    }
}

/// The form as a message: a new case, from a customer known by nothing but a claimed address.
pub(crate) fn inbound(body: &SubmitForm, at: Timestamp) -> Inbound {
    let identity = CustomerIdentity { kind: IdentityKind::Email, address: body.email.clone(), level: Level::Claimed };
    Inbound {
        message: body.id,
        inbox: None,
        sender: Sender { name: body.name.clone(), identities: vec![identity], customer: None },
        thread: Thread::New,
        participants: Vec::new(),
        subject: body.subject.clone(),
        text: body.text.clone(),
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

/// Send a file, for a form to come
#[utoipa::path(post, path = "/api/form/{key}/attachments", tag = "form", params(("key" = String, Path)),
    responses((status = 200, body = uploads::Upload)))]
pub(crate) async fn upload(
    State(form): State<Webform>,
    Path(key): Path<String>,
    edge: Edge,
    headers: HeaderMap,
    idempotent: Idempotent,
    parts: Multipart,
) -> web::Result<Json<uploads::Upload>> {
    form.0.kit.limit(&UPLOADS, edge.address)?;
    let config = form.channel(&key).await?;
    let settings: Settings = config.read()?;
    if !settings.attachments {
        return Err(Problem::not_found());
    }
    let owner = uploads::Owner::crowd(OWNER);
    uploads::admit(&form.0.spine, &config, &owner, &headers).await?;
    let order = idempotent.order(config.workspace, Actor::System);
    let row = uploads::store(&form.0.spine, &config, &owner, order, parts).await?;
    // Nobody gets it back from here: there is no way to know who asks.
    let (id, size) = (row.id, row.size);
    let upload = uploads::Upload {
        id,
        name: row.name,
        mime: row.mime,
        size,
        width: row.width,
        height: row.height,
        url: String::new(),
    };
    Ok(Json(upload))
}
