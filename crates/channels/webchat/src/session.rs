//! `POST session`: who the visitor is. A token of ours continues its thread; a statement signed by the site leads to
//! the thread of that person, on whatever device; anything else is somebody new.

use crate::door::Door;
use crate::identity::{self, Claims};
use crate::store::{self, VisitorRow, Written};
use crate::wire::Session;
use crate::{Webchat, messages};
use axum::extract::State;
use channel::{ChannelConfig, once, text, uploads};
use db::Retryable;
use domain::case::{Case, CaseCommand, CaseEdit};
use domain::customer::{Customer, CustomerCommand, CustomerIdentity, IdentityKind, Level};
use domain::{Actor, ChannelId, Code, CustomerId, Rejection, Span, Timestamp, VisitorId};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use spine::{Order, Refusal, Unit};
use uuid::Uuid;
use web::{Edge, Json, Limit, Problem, SecretHash};

/// New sessions from one address. Offices share one, so it is wide.
const SESSIONS: Limit = Limit::new("widget_sessions", 120, Span::minutes(10));
/// Cases that are not closed; a closed one stays as it was.
const CLOSED: i64 = 5;
const PAGE_CHARS: usize = 500;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = OpenWidgetSession)]
pub struct OpenSession {
    /// From an earlier session in this browser.
    #[serde(default)]
    visitor_token: Option<String>,
    /// JWT (HS256) signed by the site: `sub`, `aud` = the channel's key, `exp` within 24 hours; `name`, `email`, `nonce`.
    #[serde(default)]
    identity: Option<String>,
    #[serde(default)]
    locale: String,
    /// Where the visitor is; kept without query and fragment.
    #[serde(default)]
    page: String,
}

/// Open a session
#[utoipa::path(post, path = "/api/widget/{key}/session", tag = "widget", params(("key" = String, Path)),
    request_body = OpenSession, responses((status = 200, body = Session)))]
pub(crate) async fn open(
    State(chat): State<Webchat>,
    door: Door,
    edge: Edge,
    Json(body): Json<OpenSession>,
) -> web::Result<Json<Session>> {
    chat.0.kit.limit(&SESSIONS, edge.address)?;
    let spine = &chat.0.spine;
    let claims = match body.identity.as_deref() {
        Some(token) => {
            let secret = door.config.secret("identity_secret");
            Some(identity::verify(token, secret, &door.config.public_key, spine.now()).map_err(Problem::from)?)
        }
        None => None,
    };
    let fresh = web::secret::text(spine.random());
    let fresh_hash = SecretHash::of(&fresh).ok_or_else(Problem::internal)?.bytes();
    let given = body.visitor_token.filter(|token| SecretHash::of(token).is_some());
    let opening = Opening {
        given: given.as_deref().and_then(SecretHash::of).map(SecretHash::bytes),
        fresh: fresh_hash,
        claims,
        locale: text::line(&body.locale, 35),
        page: page(&body.page),
        config: (*door.config).clone(),
    };
    // The answer holds a secret, so it is never remembered: a repeated request opens anew.
    let order = Order::new(door.config.workspace, Actor::System);
    let keeps: bool = spine.execute(order, move |unit| opening.begin(unit)).await?;
    let token = if keeps { given.unwrap_or(fresh) } else { fresh };
    answer(&chat, &door, token).await.map(Json)
}

async fn answer(chat: &Webchat, door: &Door, token: String) -> web::Result<Session> {
    let visitor = crate::door::by_token(chat, door, &token).await?.ok_or_else(Problem::internal)?;
    let thread = messages::latest(chat, door, visitor.thread_id).await?;
    let online = {
        let (queue, config) = (chat.0.queue.clone(), door.config.clone());
        chat.0.spine.db().read(move |r| queue.online(r, &config)).await?
    };
    Ok(Session {
        visitor_token: token,
        thread: thread.items,
        queue: thread.queue,
        brand: if door.config.brand.is_empty() { door.config.name.clone() } else { door.config.brand.clone() },
        greeting: door.settings.greeting(&visitor.locale).to_owned(),
        color: door.settings.color.clone(),
        online,
        ask_email: door.settings.ask_email,
        claimed_email: visitor.claimed_email,
        identified: visitor.subject.is_some(),
    })
}

/// Only an address of the web, without what may hold secrets.
fn page(text: &str) -> String {
    let plain = text.split(['?', '#']).next().unwrap_or_default();
    let is_web = plain.starts_with("https://") || plain.starts_with("http://");
    if is_web { text::line(plain, PAGE_CHARS) } else { String::new() }
}

struct Opening {
    given: Option<[u8; 32]>,
    fresh: [u8; 32],
    claims: Option<Claims>,
    locale: String,
    page: String,
    config: ChannelConfig,
}

impl Opening {
    /// Answers whether the given token goes on to be valid.
    fn begin(&self, unit: &mut Unit<'_, '_>) -> Result<bool, Refusal> {
        let (workspace, channel) = (unit.workspace(), self.config.id);
        let known = match self.given {
            Some(hash) => store::by_token(unit.tx(), workspace, channel, hash)?,
            None => None,
        };
        match (&self.claims, known) {
            (None, Some(visitor)) => self.again(unit, visitor).map(|()| true),
            (None, None) => {
                let new = self.somebody(unit);
                self.write(unit, &new, self.fresh, true)?;
                Ok(false)
            }
            (Some(claims), Some(visitor)) if visitor.subject.as_deref() == Some(claims.subject.as_str()) => {
                self.use_nonce(unit, claims, visitor.id)?;
                let visitor = described(visitor, claims);
                self.again(unit, visitor).map(|()| true)
            }
            (Some(claims), known) => {
                // A token of another signed person proves nothing about this one.
                let anonymous = known.filter(|visitor| visitor.subject.is_none());
                self.identify(unit, claims, anonymous)?;
                Ok(false)
            }
        }
    }

    fn somebody(&self, unit: &Unit<'_, '_>) -> VisitorRow {
        VisitorRow {
            id: unit.next_id(),
            customer_id: unit.next_id(),
            thread_id: unit.next_id::<VisitorId>().0,
            name: String::new(),
            locale: self.locale.clone(),
            subject: None,
            claimed_email: None,
            last_seen_at: unit.now(),
        }
    }

    fn again(&self, unit: &mut Unit<'_, '_>, mut visitor: VisitorRow) -> Result<(), Refusal> {
        visitor.last_seen_at = unit.now();
        if !self.locale.is_empty() {
            visitor.locale.clone_from(&self.locale);
        }
        self.write(unit, &visitor, self.given.unwrap_or(self.fresh), false)
    }

    fn write(&self, unit: &mut Unit<'_, '_>, row: &VisitorRow, token: [u8; 32], new: bool) -> Result<(), Refusal> {
        let workspace = unit.workspace();
        let written = Written { row, channel: self.config.id, token_hash: token, page: &self.page };
        if new {
            store::insert_visitor(unit.tx(), workspace, &written)?;
        } else {
            store::update_visitor(unit.tx(), workspace, &written)?;
        }
        Ok(())
    }

    /// A nonce counts once; the browser that used it may show it again, because its answer may have got lost.
    fn use_nonce(&self, unit: &mut Unit<'_, '_>, claims: &Claims, visitor: VisitorId) -> Result<(), Refusal> {
        let Some(nonce) = &claims.nonce else { return Ok(()) };
        let hash = Sha256::new().chain_update(b"widget nonce\0").chain_update(nonce.as_bytes()).finalize();
        if once::use_up(unit, self.config.id, hash.into(), Some(visitor.0), claims.expires_at)? {
            return Ok(());
        }
        Err(Rejection::new(Code::InvalidIdentity).with("reason", "replayed").on("identity").into())
    }

    /// The browser becomes that of a signed person. Its token changes with what it may see.
    fn identify(&self, unit: &mut Unit<'_, '_>, claims: &Claims, anonymous: Option<VisitorRow>) -> Result<(), Refusal> {
        let is_new = anonymous.is_none();
        let mut visitor = anonymous.unwrap_or_else(|| self.somebody(unit));
        self.use_nonce(unit, claims, visitor.id)?;
        let person = self.person(unit, claims, &visitor)?;
        if person.thread != visitor.thread_id {
            adopt(unit, self.config.id, &visitor, &person)?;
        }
        visitor.thread_id = person.thread;
        visitor.customer_id = person.customer;
        visitor.subject = Some(claims.subject.clone());
        visitor.last_seen_at = unit.now();
        let visitor = described(visitor, claims);
        if unit.load::<Customer>(visitor.customer_id)?.is_some() {
            describe_customer(unit, &self.config, &visitor, claims)?;
        }
        self.write(unit, &visitor, self.fresh, is_new)
    }

    fn person(&self, unit: &mut Unit<'_, '_>, claims: &Claims, visitor: &VisitorRow) -> Result<Person, Refusal> {
        let (workspace, channel) = (unit.workspace(), self.config.id);
        if let Some((thread, customer)) = store::subject(unit.tx(), workspace, channel, &claims.subject)? {
            return Ok(Person { thread, customer });
        }
        let address = external_address(channel, &claims.subject);
        let new = match store::verified_customer(unit.tx(), workspace, &address)? {
            Some(customer) => (unit.next_id::<VisitorId>().0, customer),
            None => (visitor.thread_id, visitor.customer_id),
        };
        store::add_subject(unit.tx(), (workspace, channel), &claims.subject, new)?;
        // Another device may have been first: the stored row decides.
        let (thread, customer) = store::subject(unit.tx(), workspace, channel, &claims.subject)?
            .ok_or_else(|| Refusal::Internal("a chat subject vanished in its own transaction".to_owned()))?;
        Ok(Person { thread, customer })
    }
}

struct Person {
    thread: Uuid,
    customer: CustomerId,
}

/// The external identity of a signed subject: unique to the channel whose secret signed it.
pub(crate) fn external_address(channel: ChannelId, subject: &str) -> String {
    format!("{channel}:{subject}")
}

/// What was said anonymously in this browser goes with the person; closed cases stay whose they were.
fn adopt(unit: &mut Unit<'_, '_>, channel: ChannelId, visitor: &VisitorRow, person: &Person) -> Result<(), Refusal> {
    let workspace = unit.workspace();
    let cases = store::cases(unit.tx(), workspace, visitor.thread_id)?;
    if !cases.is_empty() && unit.load::<Customer>(person.customer)?.is_none() {
        create_customer(unit, person.customer, String::new(), None, Vec::new())?;
    }
    for case in cases.iter().filter(|case| case.status_rank < CLOSED) {
        let edit = CaseEdit { customer: Some(person.customer), ..CaseEdit::default() };
        unit.decide::<Case>(case.case_id, CaseCommand::Edit(edit))?;
    }
    store::append_thread(unit.tx(), workspace, visitor.thread_id, person.thread)?;
    let (from, to) = (messages::owner(visitor.thread_id), messages::owner(person.thread));
    uploads::give(unit, channel, &from, &to)
}

fn described(mut visitor: VisitorRow, claims: &Claims) -> VisitorRow {
    if let Some(name) = &claims.name {
        visitor.name.clone_from(name);
    }
    if let Some(email) = &claims.email {
        visitor.claimed_email = Some(email.clone());
    }
    visitor
}

fn describe_customer(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    visitor: &VisitorRow,
    claims: &Claims,
) -> Result<(), Refusal> {
    unit.act_as(Actor::Customer(visitor.customer_id));
    for identity in identities(config.id, visitor, claims.email_verified) {
        leave_out_rejected(unit.decide::<Customer>(visitor.customer_id, CustomerCommand::AddIdentity(identity)))?;
    }
    let nameless = unit.load::<Customer>(visitor.customer_id)?.is_some_and(|c| c.name.is_empty());
    if nameless && !visitor.name.is_empty() {
        let name = Some(visitor.name.clone());
        let edit = CustomerCommand::Edit { name, language: None, time_zone: None, company: None, note: None };
        leave_out_rejected(unit.decide::<Customer>(visitor.customer_id, edit))?;
    }
    Ok(())
}

/// How a visitor is known. A typed address is a claim and nothing else.
pub(crate) fn identities(channel: ChannelId, visitor: &VisitorRow, email_verified: bool) -> Vec<CustomerIdentity> {
    let level = if email_verified { Level::Verified } else { Level::Claimed };
    let thread = visitor.thread_id.to_string();
    let mut known = vec![CustomerIdentity { kind: IdentityKind::Visitor, address: thread, level: Level::Channel }];
    if let Some(subject) = &visitor.subject {
        let address = external_address(channel, subject);
        known.push(CustomerIdentity { kind: IdentityKind::External, address, level: Level::Verified });
    }
    if let Some(email) = &visitor.claimed_email {
        known.push(CustomerIdentity { kind: IdentityKind::Email, address: email.clone(), level });
    }
    known
}

/// A visitor becomes a customer with the first thing they say, not before: who only looks leaves no trace.
pub(crate) fn ensure_customer(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    visitor: &VisitorRow,
) -> Result<(), Refusal> {
    if unit.load::<Customer>(visitor.customer_id)?.is_some() {
        return Ok(());
    }
    let language = text::language(&visitor.locale).or_else(|| config.language.clone());
    let known = identities(config.id, visitor, false);
    create_customer(unit, visitor.customer_id, visitor.name.clone(), language, known)
}

fn create_customer(
    unit: &mut Unit<'_, '_>,
    customer: CustomerId,
    name: String,
    language: Option<String>,
    identities: Vec<CustomerIdentity>,
) -> Result<(), Refusal> {
    unit.act_as(Actor::Customer(customer));
    unit.decide::<Customer>(customer, CustomerCommand::Create { name, language, identities })?;
    Ok(())
}

/// An identity too many, or one that is none, never stops a visitor.
pub(crate) fn leave_out_rejected<T>(result: Result<T, Refusal>) -> Result<(), Refusal> {
    match result {
        Err(refusal) if refusal.is_retryable() || !matches!(refusal, Refusal::Rejected(_)) => Err(refusal),
        _ => Ok(()),
    }
}

/// Writes down that the visitor is there, at most once in [`store::SEEN_EVERY`].
pub(crate) async fn touch(chat: &Webchat, door: &Door, visitor: &VisitorRow) -> Result<(), Refusal> {
    let now: Timestamp = chat.0.spine.now();
    if now.since(visitor.last_seen_at) < store::SEEN_EVERY {
        return Ok(());
    }
    let (workspace, id) = (door.config.workspace, visitor.id);
    chat.0.spine.db().write(move |tx| Ok(store::seen(tx, workspace, id, now)?)).await
}
