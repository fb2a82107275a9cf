//! A phone call or a visit to the counter, entered by hand. It goes through the same intake as everything else: the
//! agent commands, the customer is who said it.

use super::State;
use super::answers::{ContactChannel, Contacted, CreatedCase, NewContact};
use crate::intake;
use crate::store::{configured, moving};
use axum::extract::State as Of;
use axum::http::StatusCode;
use channel::{ChannelConfig, Inbound, Sender, Thread};
use domain::access::Place;
use domain::customer::{Customer, CustomerIdentity, IdentityKind, Level};
use domain::{ChannelKind, Code, MessageId, Permission, Rejection, Timestamp, limits};
use serde_json::json;
use spine::{Refusal, Unit};
use web::{Caller, Items, Json, Problem, Result};

/// The phones and counters at which the caller may take down a contact; for the choice, not for setting them up.
#[utoipa::path(get, path = "/api/contact-channels", tag = "conversations",
    responses((status = 200, body = Items<ContactChannel>)))]
pub(super) async fn channels(Of(state): Of<State>, caller: Caller) -> Result<Json<Items<ContactChannel>>> {
    let ws = caller.workspace;
    let rows = state.spine.db().read(move |r| Ok::<_, Refusal>(configured::all(r, ws)?)).await?;
    let mut items = Vec::new();
    for row in rows.into_iter().filter(|row| row.active) {
        let config = crate::channels::config(row, state.spine.vault())?;
        let place = Place { team: config.team, channel: config.id };
        let by_hand = matches!(config.kind, ChannelKind::Phone | ChannelKind::Counter);
        if by_hand && caller.access.allows_in(Permission::CaseCreate, &place) {
            items.push(ContactChannel { id: config.id, kind: config.kind, name: config.name });
        }
    }
    Ok(Json(items.into()))
}

/// Opens a case for a phone call or a visit.
#[utoipa::path(post, path = "/api/cases", tag = "conversations", request_body = NewContact,
    responses((status = 201, body = CreatedCase)))]
pub(super) async fn create(
    Of(state): Of<State>,
    caller: Caller,
    Json(contact): Json<NewContact>,
) -> Result<(StatusCode, Json<CreatedCase>)> {
    check(&contact)?;
    if contact.customer.id.is_some() {
        caller.needs(Permission::CustomerRead)?;
    }
    let (ws, id) = (caller.workspace, contact.channel_id);
    let row = state.spine.db().read(move |r| Ok::<_, Refusal>(configured::one(r, ws, id)?)).await?;
    let config = crate::channels::config(row.ok_or_else(Problem::not_found)?, state.spine.vault())?;
    let team = contact.team_id.or(config.team);
    if !caller.access.allows_in(Permission::CaseCreate, &Place { team, channel: config.id }) {
        return Err(Problem::not_found());
    }
    if !matches!(config.kind, ChannelKind::Phone | ChannelKind::Counter) {
        return Err(Problem::field("channel_id", Code::Invalid));
    }
    if !config.active {
        return Err(Problem::new(Code::ChannelInactive));
    }
    let config = ChannelConfig { team, ..config };
    let by = caller.actor;
    let created = state.spine.execute(caller.order(), move |unit| {
        references(unit, &contact)?;
        let message = contact.message_id.unwrap_or_else(|| unit.next_id());
        let inbound = inbound(&contact, &config, message, unit.now(), &by.to_string());
        let received = intake::receive_in(unit, &config, &inbound)?;
        Ok(CreatedCase { id: received.case, number: received.number, message_id: received.message })
    });
    Ok((StatusCode::CREATED, Json(created.await?)))
}

fn check(contact: &NewContact) -> std::result::Result<(), Rejection> {
    limits::text_required("text", &contact.text, limits::NOTE_CHARS)?;
    limits::text_within("subject", &contact.subject, limits::SUBJECT_CHARS)?;
    limits::text_within("customer.name", &contact.customer.name, limits::NAME_CHARS)?;
    let said = &contact.customer;
    if said.id.is_none() && said.name.trim().is_empty() && given(&said.phone).or(given(&said.email)).is_none() {
        return Err(Rejection::new(Code::Required).on("customer"));
    }
    if given(&said.email).is_some_and(|email| !domain::customer::looks_like_mail(email)) {
        return Err(Rejection::new(Code::InvalidAddress).on("customer.email"));
    }
    Ok(())
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|t| !t.is_empty())
}

/// Names of other things are checked too (SECURITY row 11).
fn references(unit: &mut Unit<'_, '_>, contact: &NewContact) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    let unknown = |field: &str| Refusal::from(Rejection::new(Code::UnknownReference).on(field));
    if let Some(customer) = contact.customer.id
        && unit.load::<Customer>(customer)?.is_none()
    {
        return Err(unknown("customer.id"));
    }
    if let Some(team) = contact.team_id
        && !moving::team_exists(unit.tx(), ws, team)?
    {
        return Err(unknown("team_id"));
    }
    if let Some(reason) = contact.reason_id
        && !moving::reason_exists(unit.tx(), ws, reason)?
    {
        return Err(unknown("reason_id"));
    }
    Ok(())
}

fn inbound(contact: &NewContact, config: &ChannelConfig, message: MessageId, at: Timestamp, by: &str) -> Inbound {
    Inbound {
        message,
        inbox: None,
        sender: Sender {
            name: contact.customer.name.clone(),
            identities: identities(&contact.customer, config.kind),
            customer: contact.customer.id,
        },
        thread: Thread::New,
        participants: Vec::new(),
        subject: contact.subject.clone(),
        text: contact.text.clone(),
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: at,
        automatic: false,
        language: None,
        priority: contact.priority,
        reason: contact.reason_id,
        meta: json!({ "entered_by": by }),
        message_ids: Vec::new(),
    }
}

/// A number on the phone finds its customer again; what is only told over the counter is a claim.
fn identities(said: &Contacted, kind: ChannelKind) -> Vec<CustomerIdentity> {
    let phone = if kind == ChannelKind::Phone { Level::Channel } else { Level::Claimed };
    let of = |kind, address: &Option<String>, level| {
        given(address).map(|address| CustomerIdentity { kind, address: address.to_owned(), level })
    };
    [of(IdentityKind::Phone, &said.phone, phone), of(IdentityKind::Email, &said.email, Level::Claimed)]
        .into_iter()
        .flatten()
        .collect()
}
