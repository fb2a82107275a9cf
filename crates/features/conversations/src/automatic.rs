//! The one gate of automatic mail (SECURITY P14, rows 6 and 7). A [`Permit`] can be had here only, and delivery
//! refuses an automatic mail for which none was written down: no other path can send one.

use crate::store::automatic as book;
use domain::automatic::{Counts, DAY, Denied, HOUR, decide};
use domain::case::{Case, CaseCommand, NewMessage, Route, Then};
use domain::customer::{IdentityKind, normalise_address};
use domain::{Actor, CaseId, ConversationId, CustomerId, MessageId, Span};
use serde_json::{Value, json};
use spine::{Refusal, Unit, Vault};

/// How long the book is kept; a mail that waits longer than this for its delivery is not sent any more.
const KEEP: Span = Span::days(7);

/// Leave for one mail, written down.
#[derive(Debug)]
pub(crate) struct Permit {
    mail: MessageId,
}

/// To whom, and what about.
pub(crate) struct Recipient<'a> {
    pub address: &'a str,
    pub customer: CustomerId,
    pub case: CaseId,
    /// What would be answered was written by a machine, or its sender asks for no automatic answers.
    pub answers_machine: bool,
}

/// Asks for leave to send the mail `mail`. The counting and the writing down are one transaction, so that no two
/// mails share the last place of a budget.
pub(crate) fn permit(
    unit: &mut Unit<'_, '_>,
    vault: &Vault,
    mail: MessageId,
    to: &Recipient<'_>,
) -> Result<Result<Permit, Denied>, Refusal> {
    let address = normalise_address(IdentityKind::Email, to.address);
    // The address itself is not needed here, and would outlive the erasure of its owner.
    let hash = vault.mac("automatic mail", &[address.as_bytes()]);
    let (ws, now) = (unit.workspace(), unit.now());
    let verified = book::address_level(unit.tx(), ws, to.customer, &address)?
        >= domain::customer::Level::Verified.rank()
        || book::proven(unit.tx(), ws, to.case, &address)?;
    let counts = Counts {
        conversation_day: book::about_case(unit.tx(), (ws, to.case), &hash, now - DAY)?,
        address_hour: book::to_address(unit.tx(), &hash, now - HOUR)?,
        instance_day: book::to_address(unit.tx(), &hash, now - DAY)?,
    };
    let machine = to.answers_machine || book::is_our_mailbox(unit.tx(), &address)?;
    if let Err(denied) = decide(counts, machine, verified) {
        tracing::info!(case = %to.case, ?denied, "no automatic mail");
        return Ok(Err(denied));
    }
    book::note(unit.tx(), (ws, to.case, mail), (&hash, verified), (now, now - KEEP))?;
    Ok(Ok(Permit { mail }))
}

/// Puts a permitted answer into the case; the delivery takes it from there.
pub(crate) fn reply(
    unit: &mut Unit<'_, '_>,
    permit: &Permit,
    (case, conversation): (CaseId, ConversationId),
    letter: crate::template::Letter,
    author_name: String,
) -> Result<(), Refusal> {
    unit.act_as(Actor::System);
    let message = NewMessage {
        id: permit.mail,
        conversation,
        sent_at: unit.now(),
        author_name,
        automatic: true,
        text: letter.text,
        html: None,
        quoted: String::new(),
        // The subject of the case is the customer's words: an automatic mail has its own.
        meta: json!({ "own_subject": letter.subject }),
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    };
    let reply = CaseCommand::Reply { message, route: Route::Queue, then: Then::Stay, seen_at: None, force: true };
    unit.decide::<Case>(case, reply)?;
    Ok(())
}

/// Whether the facts of a mail say that a machine wrote it (RFC 3834 and what vendors do beside it).
pub(crate) fn written_by_machine(automatic: bool, meta: &str) -> bool {
    let meta: Value = serde_json::from_str(meta).unwrap_or_default();
    let said = meta.get("automatic").is_some_and(|v| !matches!(v, Value::Null | Value::Bool(false)));
    let bounce = meta.get("bounce").and_then(Value::as_bool).unwrap_or(false);
    let unparsable = meta.get("unparsable").and_then(Value::as_bool).unwrap_or(false);
    automatic || said || bounce || unparsable || meta.get("authentication").is_some_and(|v| v == "failed")
}
