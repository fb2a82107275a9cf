//! The one intake: whatever channel a message came by, here it finds its customer and its case.

use crate::store;
use crate::thread::{self, Candidate, Found, Match, MatchReason};
pub use channel::Received;
use channel::{ChannelConfig, Inbound, MailEvidence, Participant, ParticipantRole, Thread};
use domain::case::{Case, CaseCommand, NewConversation, NewMessage};
use domain::customer::{Customer, CustomerCommand, CustomerIdentity, IdentityKind, Level, normalise_address};
use domain::{Actor, CaseId, ChannelKind, ConversationId, CustomerId, MessageId, Span};
use serde_json::{Value, json};
use spine::{Order, Refusal, Spine, Unit};
use std::borrow::Cow;

/// How long a mail without any thread headers may still join by sender and subject.
const SAME_SUBJECT_DAYS: i64 = 14;

/// Where it goes, decided before anything is written.
struct Destination {
    /// The conversation it continues, if its case still takes messages.
    existing: Option<(CaseId, ConversationId)>,
    /// The case it joins with a conversation of its own: a chat that goes on by mail.
    joins: Option<CaseId>,
    customer: Option<CustomerId>,
    thread_key: String,
    reason: MatchReason,
    stranger: bool,
}

/// Takes a message in, in a transaction of its own.
///
/// # Errors
/// Those of the database, or a rule's rejection (a message over the limits).
pub async fn receive(spine: &Spine, config: &ChannelConfig, inbound: Inbound) -> Result<Received, Refusal> {
    let config = config.clone();
    let order = Order::new(config.workspace, Actor::System);
    spine.execute(order, move |unit| receive_in(unit, &config, &inbound)).await
}

/// Takes a message in. The same message id again changes nothing and answers the same.
///
/// # Errors
/// As [`receive`].
pub fn receive_in(unit: &mut Unit<'_, '_>, config: &ChannelConfig, inbound: &Inbound) -> Result<Received, Refusal> {
    let ws = unit.workspace();
    let inbound = &*storable(inbound);
    if let Some((case, conversation)) = store::existing_message(unit.tx(), ws, inbound.message)? {
        return again(unit, inbound.message, case, conversation);
    }
    let destination = destination(unit, config, inbound)?;
    let customer = match (destination.customer, inbound.sender.customer) {
        // A stranger in a thread does not become its customer.
        (Some(customer), _) | (None, Some(customer)) => customer,
        (None, None) => find_or_create_customer(unit, config, inbound)?,
    };
    unit.act_as(Actor::Customer(customer));
    if !destination.stranger {
        add_identities(unit, customer, inbound)?;
    }
    let message = |conversation| new_message(inbound, conversation, &destination);
    let (case, conversation, new_case) = match (destination.existing, destination.joins) {
        (Some((case, conversation)), _) => (case, conversation, false),
        (None, Some(case)) => (case, join(unit, config, case, &destination.thread_key)?, false),
        (None, None) => {
            let (case, conversation) = open_case(unit, config, inbound, customer, &destination.thread_key)?;
            (case, conversation, true)
        }
    };
    let at = unit.now();
    // Whoever attaches must own (the rule of the case's store).
    let owner = unit.ctx().actor.to_string();
    for file in &inbound.files {
        store::insert_file(unit.tx(), ws, file, &owner, at)?;
    }
    let state = unit.decide::<Case>(case, CaseCommand::Receive { message: message(conversation) })?;
    let began = destination.existing.is_none() && !destination.stranger;
    note_participants(unit, conversation, inbound, began)?;
    note_proof(unit, conversation, inbound, &destination)?;
    Ok(Received { case, number: state.number, conversation, message: inbound.message, customer, new_case })
}

/// NUL is no character of a text: PostgreSQL stores none, and a customer's message is never refused for one.
fn storable(inbound: &Inbound) -> Cow<'_, Inbound> {
    let texts = [&inbound.text, &inbound.subject, &inbound.quoted, &inbound.sender.name];
    if !texts.into_iter().chain(&inbound.html).chain(&inbound.message_ids).any(|text| text.contains('\0')) {
        return Cow::Borrowed(inbound);
    }
    let mut clean = inbound.clone();
    let texts = [&mut clean.text, &mut clean.subject, &mut clean.quoted, &mut clean.sender.name];
    for text in texts.into_iter().chain(&mut clean.html).chain(&mut clean.message_ids) {
        *text = text.replace('\0', "\u{fffd}");
    }
    Cow::Owned(clean)
}

fn again(
    unit: &mut Unit<'_, '_>,
    message: MessageId,
    case: CaseId,
    conversation: ConversationId,
) -> Result<Received, Refusal> {
    let state = unit.load::<Case>(case)?.ok_or(Refusal::NotFound)?;
    Ok(Received { case, number: state.number, conversation, message, customer: state.customer, new_case: false })
}

fn destination(unit: &mut Unit<'_, '_>, config: &ChannelConfig, inbound: &Inbound) -> Result<Destination, Refusal> {
    let ws = unit.workspace();
    match &inbound.thread {
        Thread::New => Ok(Destination {
            existing: None,
            joins: None,
            customer: None,
            thread_key: inbound.message.to_string(),
            reason: MatchReason::NewCase,
            stranger: false,
        }),
        Thread::Known { case, conversation, customer } => Ok(Destination {
            existing: Some((*case, *conversation)),
            joins: None,
            customer: Some(*customer),
            thread_key: String::new(),
            reason: MatchReason::NewCase,
            stranger: false,
        }),
        Thread::Key(key) => {
            let known = store::conversation_by_key(unit.tx(), ws, config.id, key)?;
            let existing = match known {
                Some(c) if takes_messages(unit, c.case_id)? => Some((c.case_id, c.id)),
                _ => None,
            };
            let reason = match (&known, &existing) {
                (Some(_), None) => MatchReason::FollowUp,
                _ => MatchReason::NewCase,
            };
            let customer = known.map(|c| c.customer_id);
            Ok(Destination { existing, joins: None, customer, thread_key: key.clone(), reason, stranger: false })
        }
        Thread::Mail(evidence) => mail_destination(unit, config, inbound, evidence),
    }
}

fn mail_destination(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    inbound: &Inbound,
    evidence: &MailEvidence,
) -> Result<Destination, Refusal> {
    let found = look_up(unit, config, evidence)?;
    let thread_key = inbound.message_ids.first().cloned().unwrap_or_else(|| inbound.message.to_string());
    let Some(Match { candidate, reason }) = thread::decide(&found) else {
        return Ok(Destination {
            existing: None,
            joins: None,
            customer: None,
            thread_key,
            reason: MatchReason::NewCase,
            stranger: false,
        });
    };
    // Whoever fails the check of their own domain is not who they say (SECURITY row 5).
    let stranger = !candidate.takes_part || authentication(inbound) == Some("failed");
    if takes_messages(unit, candidate.case)? {
        let customer = unit.load::<Case>(candidate.case)?.filter(|_| !stranger).map(|c| c.customer);
        let existing = by_mail(unit, config, candidate)?;
        let joins = existing.is_none().then_some(candidate.case);
        return Ok(Destination { existing, joins, customer, thread_key, reason, stranger });
    }
    // The case is closed: a follow-up of its own. A stranger's is just a new case of the stranger's.
    let reason = if stranger { MatchReason::NewCase } else { MatchReason::FollowUp };
    Ok(Destination { existing: None, joins: None, customer: None, thread_key, reason, stranger: false })
}

/// The conversation that a mail continues. A chat or an API thread can't be continued by mail: its own channel would
/// show a mail's text there, and the answer would not go by mail.
fn by_mail(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    candidate: Candidate,
) -> Result<Option<(CaseId, ConversationId)>, Refusal> {
    let ws = unit.workspace();
    let own = [ChannelKind::Webchat.as_str(), ChannelKind::Api.as_str()];
    let elsewhere =
        store::channel_of(unit.tx(), ws, candidate.conversation)?.is_some_and(|(_, kind)| own.contains(&kind.as_str()));
    if !elsewhere {
        return Ok(Some((candidate.case, candidate.conversation)));
    }
    let mail = store::conversation_of_case(unit.tx(), ws, candidate.case, config.id)?;
    Ok(mail.map(|c| (candidate.case, c.id)))
}

/// What the receiving server found out about the sender's domain: `verified`, `failed` or `claimed`.
fn authentication(inbound: &Inbound) -> Option<&str> {
    inbound.meta.get("authentication").and_then(Value::as_str)
}

fn look_up(unit: &mut Unit<'_, '_>, config: &ChannelConfig, evidence: &MailEvidence) -> Result<Found, Refusal> {
    let in_reply_to = first_referenced(unit, evidence.in_reply_to.iter(), &evidence.from)?;
    let references = first_referenced(unit, evidence.references.iter().rev(), &evidence.from)?;
    let since = unit.now() - Span::days(SAME_SUBJECT_DAYS);
    let ws = unit.workspace();
    let subject_token = match (evidence.subject_token, evidence.subject_number) {
        (Some(case), _) => Some(case),
        (None, Some(number)) => store::moving::case_by_number(unit.tx(), ws, number)?,
        (None, None) => None,
    };
    let participants = if evidence.subject.is_empty() {
        None
    } else {
        store::same_subject(unit.tx(), (ws, config.id), &evidence.from, &evidence.subject, since)?
    };
    Ok(Found {
        reply_token: case_candidate(unit, config, evidence.reply_token, &evidence.from)?,
        in_reply_to,
        references,
        subject_token: case_candidate(unit, config, subject_token, &evidence.from)?,
        participants: participants.map(|(case, conversation)| Candidate { case, conversation, takes_part: true }),
    })
}

fn case_candidate(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    case: Option<CaseId>,
    from: &str,
) -> Result<Option<Candidate>, Refusal> {
    let Some(case) = case else { return Ok(None) };
    let ws = unit.workspace();
    let Some(conversation) = store::conversation_of_case(unit.tx(), ws, case, config.id)? else {
        return chat_candidate(unit, case, from);
    };
    let takes_part = store::takes_part(unit.tx(), ws, conversation.id, from)?;
    Ok(Some(Candidate { case, conversation: conversation.id, takes_part }))
}

/// A reply by mail to a case that began elsewhere (a chat continued by mail).
fn chat_candidate(unit: &mut Unit<'_, '_>, case: CaseId, from: &str) -> Result<Option<Candidate>, Refusal> {
    let ws = unit.workspace();
    let Some(state) = unit.load::<Case>(case)? else { return Ok(None) };
    let Some(conversation) = state.conversations.last().copied() else { return Ok(None) };
    let takes_part = store::takes_part_in_case(unit.tx(), ws, case, from)?;
    Ok(Some(Candidate { case, conversation, takes_part }))
}

fn first_referenced<'a>(
    unit: &mut Unit<'_, '_>,
    ids: impl Iterator<Item = &'a String>,
    from: &str,
) -> Result<Option<Candidate>, Refusal> {
    let ws = unit.workspace();
    for id in ids.take(100) {
        if let Some((case, conversation)) = store::referenced(unit.tx(), ws, id)? {
            let takes_part = store::takes_part(unit.tx(), ws, conversation, from)?;
            return Ok(Some(Candidate { case, conversation, takes_part }));
        }
    }
    Ok(None)
}

fn takes_messages(unit: &mut Unit<'_, '_>, case: CaseId) -> Result<bool, Refusal> {
    const CLOSED: i64 = 5;
    let ws = unit.workspace();
    let standing = store::case_standing(unit.tx(), ws, case)?;
    Ok(standing.is_some_and(|(rank, _)| rank < CLOSED))
}

fn find_or_create_customer(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    inbound: &Inbound,
) -> Result<CustomerId, Refusal> {
    let ws = unit.workspace();
    let believed = authentication(inbound) != Some("failed");
    for identity in inbound.sender.identities.iter().filter(|i| believed && i.level > Level::Claimed) {
        let address = normalise_address(identity.kind, &identity.address);
        if let Some(customer) = store::customer_by_identity(unit.tx(), ws, identity.kind.as_str(), &address)? {
            return Ok(customer);
        }
    }
    let customer: CustomerId = unit.next_id();
    unit.act_as(Actor::Customer(customer));
    let language = inbound.language.clone().or_else(|| config.language.clone());
    let name: String = inbound.sender.name.trim().chars().take(domain::limits::NAME_CHARS).collect();
    unit.decide::<Customer>(customer, CustomerCommand::Create { name, language, identities: Vec::new() })?;
    Ok(customer)
}

/// Adds what the sender told of themselves. An address that is none is left out: a customer's message is never
/// refused for it.
fn add_identities(unit: &mut Unit<'_, '_>, customer: CustomerId, inbound: &Inbound) -> Result<(), Refusal> {
    let believed = authentication(inbound) != Some("failed");
    for identity in &inbound.sender.identities {
        let level = if believed { identity.level } else { Level::Claimed };
        let identity = CustomerIdentity { level, ..identity.clone() };
        match unit.decide::<Customer>(customer, CustomerCommand::AddIdentity(identity)) {
            Ok(_) | Err(Refusal::Rejected(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn open_case(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    inbound: &Inbound,
    customer: CustomerId,
    thread_key: &str,
) -> Result<(CaseId, ConversationId), Refusal> {
    let ws = unit.workspace();
    let (case, conversation): (CaseId, ConversationId) = (unit.next_id(), unit.next_id());
    let number = store::next_number(unit.tx(), ws)?;
    let subject = match inbound.subject.trim() {
        "" => first_words(&inbound.text),
        subject => subject.to_owned(),
    };
    let command = CaseCommand::Open {
        number,
        conversation: NewConversation {
            id: conversation,
            channel: config.id,
            channel_kind: config.kind,
            customer,
            thread_key: thread_key.to_owned(),
        },
        subject,
        priority: inbound.priority,
        team: config.team,
        reason: inbound.reason,
        language: inbound.language.clone().or_else(|| config.language.clone()),
        required_skills: config.required_skills.clone(),
    };
    unit.decide::<Case>(case, command)?;
    Ok((case, conversation))
}

/// A further conversation of the same case, with the case's customer.
fn join(
    unit: &mut Unit<'_, '_>,
    config: &ChannelConfig,
    case: CaseId,
    thread_key: &str,
) -> Result<ConversationId, Refusal> {
    let customer = unit.load::<Case>(case)?.ok_or(Refusal::NotFound)?.customer;
    let id: ConversationId = unit.next_id();
    let conversation = NewConversation {
        id,
        channel: config.id,
        channel_kind: config.kind,
        customer,
        thread_key: thread_key.to_owned(),
    };
    unit.decide::<Case>(case, CaseCommand::Join(conversation))?;
    Ok(id)
}

pub(crate) fn first_words(text: &str) -> String {
    const SUBJECT_CHARS: usize = 80;
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    line.chars().take(SUBJECT_CHARS).collect()
}

fn new_message(inbound: &Inbound, conversation: ConversationId, destination: &Destination) -> NewMessage {
    let mut meta = inbound.meta.clone();
    if let (Thread::Mail(evidence), Value::Object(fields)) = (&inbound.thread, &mut meta) {
        fields.insert("match_reason".to_owned(), json!(destination.reason));
        let sender = if destination.stranger { "stranger" } else { "participant" };
        fields.insert("sender".to_owned(), json!(sender));
        fields.insert("sender_address".to_owned(), json!(evidence.from));
    }
    let uploads = inbound.uploads.iter().copied();
    NewMessage {
        id: inbound.message,
        conversation,
        sent_at: inbound.sent_at,
        author_name: inbound.sender.name.trim().chars().take(domain::limits::NAME_CHARS).collect(),
        automatic: inbound.automatic,
        text: inbound.text.clone(),
        html: inbound.html.clone(),
        quoted: inbound.quoted.clone(),
        meta,
        attachments: inbound.files.iter().map(|f| f.id).chain(uploads).collect(),
        inbox: inbound.inbox,
        references: inbound.message_ids.clone(),
    }
}

/// Whoever opened the thread takes part. People in copy of an unproven mail wait for an agent's approval (SECURITY row 5).
fn note_participants(
    unit: &mut Unit<'_, '_>,
    conversation: ConversationId,
    inbound: &Inbound,
    began: bool,
) -> Result<(), Refusal> {
    let (ws, at) = (unit.workspace(), unit.now());
    if began {
        for address in inbound.sender.identities.iter().filter(|i| i.kind == IdentityKind::Email).map(address) {
            store::add_participant(unit.tx(), (ws, conversation), (&address, "requester", true), at)?;
        }
    }
    for Participant { address, role } in &inbound.participants {
        let role = match role {
            ParticipantRole::Requester => "requester",
            ParticipantRole::Copied => "copied",
        };
        let address = normalise_address(IdentityKind::Email, address);
        store::add_participant(unit.tx(), (ws, conversation), (&address, role, false), at)?;
    }
    Ok(())
}

/// Whoever answers by the secret of our own mail reads that address; so does whom the receiving server vouches for.
/// Automatic mail to proven addresses has the wider budget.
fn note_proof(
    unit: &mut Unit<'_, '_>,
    conversation: ConversationId,
    inbound: &Inbound,
    destination: &Destination,
) -> Result<(), Refusal> {
    let Thread::Mail(evidence) = &inbound.thread else { return Ok(()) };
    let proof = destination.reason == MatchReason::ReplyToken || authentication(inbound) == Some("verified");
    if destination.stranger || !proof {
        return Ok(());
    }
    let ws = unit.workspace();
    store::prove(unit.tx(), ws, conversation, &evidence.from)?;
    Ok(())
}

fn address(identity: &CustomerIdentity) -> String {
    normalise_address(identity.kind, &identity.address)
}
