//! "Wrong thread": a message goes to the case where it belongs, or opens one of its own. Replies that refer to it
//! follow, because the mail references move with it.

use super::answers::{CaseTarget, Move, Moved, Target};
use super::{State, needs_at};
use crate::intake::first_words;
use crate::store;
use crate::store::moving::{self, MovedRow};
use axum::extract::State as Of;
use domain::access::Access;
use domain::case::{Case, CaseCommand, CaseState, NewConversation, Priority};
use domain::customer::{Customer, IdentityKind};
use domain::{CaseId, ChannelKind, Code, ConversationId, CustomerId, MessageId, Permission, Rejection, TeamId};
use serde_json::Value;
use spine::{Refusal, Unit};
use web::{Caller, Json, Path, Result};

type Done<T> = std::result::Result<T, Refusal>;

/// Moves a message to another case, or to a new one.
#[utoipa::path(post, path = "/api/messages/{id}/move", tag = "conversations", params(("id" = MessageId, Path)),
    request_body = Move, responses((status = 200, body = Moved)))]
pub(super) async fn move_message(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(order): Json<Move>,
) -> Result<Json<Moved>> {
    let access = caller.access.clone();
    Ok(Json(state.spine.execute(caller.order(), move |unit| carry(unit, &access, id, order)).await?))
}

fn carry(unit: &mut Unit<'_, '_>, access: &Access, id: MessageId, order: Move) -> Done<Moved> {
    let ws = unit.workspace();
    let message = moving::message(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
    let from = message.case_id;
    needs_at(unit.tx(), (ws, from), access, Permission::CaseMove)?;
    if message.author_kind != "customer" {
        return Err(Rejection::new(Code::Invalid).on("message").into());
    }
    let source = unit.load::<Case>(from)?.ok_or(Refusal::NotFound)?;
    // A stranger's words in somebody's case are the stranger's.
    let customer = message.author_id.map_or(source.customer, CustomerId);
    let (to, number, conversation) = match order.to {
        Target::New => open(unit, &message, customer, source.team)?,
        Target::Case(name) => {
            let to = resolve(unit, name)?;
            needs_at(unit.tx(), (ws, to), access, Permission::CaseMove)?;
            if to == from {
                return Err(Code::SameCase.into());
            }
            let target = unit.load::<Case>(to)?.ok_or(Refusal::NotFound)?;
            if target.customer != customer && !order.force {
                return Err(Code::OtherCustomer.into());
            }
            (to, target.number, conversation_in(unit, to, &target, &message)?)
        }
    };
    let waiting_since = match source.waiting_since {
        Some(since) => moving::asked_since(unit.tx(), ws, (from, id), since)?,
        None => None,
    };
    let leaves = CaseCommand::MoveOut { message: id, conversation: message.conversation_id, to, waiting_since };
    unit.decide::<Case>(from, leaves)?;
    let preview = message.body_text.clone();
    unit.decide::<Case>(to, CaseCommand::MoveIn { message: id, conversation, from, preview, from_customer: true })?;
    note_sender(unit, &message, customer, conversation)?;
    Ok(Moved { from, to, number })
}

fn resolve(unit: &mut Unit<'_, '_>, name: CaseTarget) -> Done<CaseId> {
    let ws = unit.workspace();
    match name {
        CaseTarget::Id(id) => Ok(id),
        CaseTarget::Number(number) => Ok(moving::case_by_number(unit.tx(), ws, number)?.ok_or(Refusal::NotFound)?),
    }
}

fn open(
    unit: &mut Unit<'_, '_>,
    message: &MovedRow,
    customer: CustomerId,
    team: Option<TeamId>,
) -> Done<(CaseId, i64, ConversationId)> {
    let ws = unit.workspace();
    let (case, id): (CaseId, ConversationId) = (unit.next_id(), unit.next_id());
    let number = store::next_number(unit.tx(), ws)?;
    let subject = match fact(message, "subject") {
        Some(subject) if !subject.trim().is_empty() => subject,
        _ => first_words(&message.body_text),
    };
    let language = unit.load::<Customer>(customer)?.and_then(|c| c.language);
    let conversation = new_conversation(id, message, customer)?;
    let command = CaseCommand::Open {
        number,
        conversation,
        subject,
        priority: Priority::Normal,
        team,
        reason: None,
        language,
        required_skills: std::collections::BTreeSet::new(),
    };
    unit.decide::<Case>(case, command)?;
    Ok((case, number, id))
}

/// The target's conversation on the same channel, or a further one.
fn conversation_in(
    unit: &mut Unit<'_, '_>,
    to: CaseId,
    target: &CaseState,
    message: &MovedRow,
) -> Done<ConversationId> {
    let ws = unit.workspace();
    if let Some(known) = store::conversation_of_case(unit.tx(), ws, to, message.channel_id)? {
        return Ok(known.id);
    }
    let id: ConversationId = unit.next_id();
    let conversation = new_conversation(id, message, target.customer)?;
    unit.decide::<Case>(to, CaseCommand::Join(conversation))?;
    Ok(id)
}

/// It keeps the channel's key, so that what comes next in that thread follows.
fn new_conversation(id: ConversationId, message: &MovedRow, customer: CustomerId) -> Done<NewConversation> {
    let channel_kind = ChannelKind::parse(&message.channel_kind)
        .ok_or_else(|| Refusal::Internal(format!("channel kind {}", message.channel_kind)))?;
    let thread_key = message.thread_key.clone();
    Ok(NewConversation { id, channel: message.channel_id, channel_kind, customer, thread_key })
}

/// Where the message went, its sender takes part: later mails are no stranger's there.
fn note_sender(
    unit: &mut Unit<'_, '_>,
    message: &MovedRow,
    customer: CustomerId,
    conversation: ConversationId,
) -> Done<()> {
    let (ws, at) = (unit.workspace(), unit.now());
    let address = match fact(message, "sender_address") {
        Some(address) => Some(address),
        None => store::address_of(unit.tx(), ws, customer, "email")?,
    };
    if let Some(address) = address {
        let address = domain::customer::normalise_address(IdentityKind::Email, &address);
        store::add_participant(unit.tx(), (ws, conversation), (&address, "requester", true), at)?;
    }
    Ok(())
}

fn fact(message: &MovedRow, name: &str) -> Option<String> {
    let meta: Value = serde_json::from_str(&message.meta).ok()?;
    meta.get(name).and_then(Value::as_str).map(str::to_owned)
}
