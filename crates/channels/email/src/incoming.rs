//! A raw mail in the words of crate `channel`.

use ::channel::{
    Bounce, Inbound, MailEvidence, Participant, ParticipantRole, Raw, RawFile, Sender, Thread, Understood,
};
use domain::case::Priority;
use domain::customer::{CustomerIdentity, IdentityKind, Level};
use domain::{AttachmentId, CaseId, Id, Timestamp};
use serde_json::{Value, json};

use crate::address::{self, Mailbox};
use crate::authentication::{self, Verdict};
use crate::automatic::Automatic;
use crate::bounce::{self, Outcome};
use crate::parse::{self, ParsedMail};
use crate::sanitize::{self, Remote};
use crate::settings::Settings;
use crate::token::Signer;
use crate::{limits, quote, thread};

/// Where the intake serves an attachment, for inline images.
pub const ATTACHMENT_PATH: &str = "/api/attachments/";
/// A Date header further back than this (microseconds: two days) is not believed.
const OLDEST_DATE: i64 = 2 * 86_400 * 1_000_000;

/// Reads a mail for the intake. Never fails.
pub fn understand(
    settings: Option<&Settings>,
    signer: &Signer,
    raw: &Raw<'_>,
    next_id: &mut dyn FnMut() -> AttachmentId,
) -> Understood {
    let envelope = |name: &str| raw.envelope.get(name);
    let mut mail = parse::parse(raw.bytes, envelope("from").and_then(Value::as_str));
    let recipients = envelope("recipients").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    mail.delivered_to.extend(recipients.take(100).filter_map(address::normalise));
    let mailbox = settings.map(|settings| settings.address.as_str()).unwrap_or_default();
    let from_domain = mail.from.as_ref().map(Mailbox::domain).unwrap_or_default();
    let trusted = settings.and_then(|settings| settings.trusted_authserv_id.as_deref());
    let verdict = authentication::verdict(&mail.headers, trusted, from_domain);
    let evidence = thread::find(&mail, mailbox, signer);
    let (raw_files, links) = files(&mut mail, next_id);
    let html = mail.html.as_deref().map(|html| html_body(html, &links));
    let (text, quoted) = text_body(&mail);
    let bounce = mail.bounce.as_ref().filter(|bounce| bounce.outcome != Outcome::Delivered).map(report);
    let automatic = mail.automatic.is_some_and(Automatic::certain) || mail.bounce.is_some();
    let inbound = Inbound {
        message: raw.message,
        inbox: Some(raw.inbox),
        sender: sender(&mail, verdict),
        participants: participants(&evidence, verdict, automatic),
        thread: Thread::Mail(mail_evidence(evidence)),
        subject: mail.subject.clone(),
        language: language(&text),
        meta: meta(&mail, verdict, html.as_ref()),
        text,
        html: html.map(|safe| safe.html),
        quoted,
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: sent_at(mail.date, raw.received_at),
        automatic,
        priority: Priority::Normal,
        reason: None,
        message_ids: message_ids(&mail),
    };
    Understood { inbound, raw_files, bounce }
}

fn sender(mail: &ParsedMail, verdict: Verdict) -> Sender {
    let Some(from) = &mail.from else { return Sender::default() };
    // A forged sender finds nobody's history.
    let level = if verdict == Verdict::Failed { Level::Claimed } else { Level::Channel };
    let local = from.address.split('@').next().unwrap_or_default();
    let name = from.name.clone().unwrap_or_else(|| local.to_owned());
    Sender {
        name,
        identities: vec![CustomerIdentity { kind: IdentityKind::Email, address: from.address.clone(), level }],
        customer: None,
    }
}

/// People in copy; nobody is taken over from a forged or automatic mail.
fn participants(evidence: &thread::Evidence, verdict: Verdict, automatic: bool) -> Vec<Participant> {
    if verdict == Verdict::Failed || automatic {
        return Vec::new();
    }
    let others = evidence.others.iter().filter(|(address, _)| *address != evidence.from);
    others
        .map(|(address, _)| Participant { address: address.clone(), role: ParticipantRole::Copied })
        .take(limits::OUT_RECIPIENTS)
        .collect()
}

fn mail_evidence(evidence: thread::Evidence) -> MailEvidence {
    MailEvidence {
        reply_token: evidence.reply_token.map(|case| CaseId::from_uuid(uuid::Uuid::from_bytes(case))),
        subject_token: None,
        subject_number: evidence.subject_number,
        in_reply_to: evidence.in_reply_to,
        references: evidence.references,
        from: evidence.from,
        subject: evidence.subject,
    }
}

/// Content-Id of an inline image and where it will be served.
type Links = Vec<(String, String)>;

fn files(mail: &mut ParsedMail, next_id: &mut dyn FnMut() -> AttachmentId) -> (Vec<RawFile>, Links) {
    let mut links = Links::new();
    let files = std::mem::take(&mut mail.attachments).into_iter().map(|attachment| {
        let id = next_id();
        if let Some(content_id) = &attachment.content_id {
            links.push((content_id.clone(), format!("{ATTACHMENT_PATH}{id}")));
        }
        RawFile {
            id,
            bytes: attachment.bytes,
            name: attachment.name,
            mime: attachment.mime,
            inline: attachment.inline,
            content_id: attachment.content_id,
        }
    });
    (files.collect(), links)
}

fn html_body(html: &str, links: &Links) -> sanitize::Safe {
    let (fresh, _) = quote::split_html(html);
    let cid = |id: &str| links.iter().find(|(content_id, _)| content_id == id).map(|(_, url)| url.clone());
    sanitize::sanitize(fresh, Remote::Blocked, &cid)
}

/// What is new, and what follows it (signature and old mail).
fn text_body(mail: &ParsedMail) -> (String, String) {
    if mail.unreadable.is_some() {
        return (mail.text.clone(), String::new());
    }
    let parts = quote::split(&mail.text);
    let rest: Vec<&str> = [parts.signature, parts.quoted].into_iter().filter(|part| !part.is_empty()).collect();
    (parts.fresh.to_owned(), rest.join("\n\n"))
}

fn report(bounce: &bounce::Bounce) -> Bounce {
    let temporary =
        bounce.outcome == Outcome::Delayed || bounce.status.as_deref().is_some_and(|status| status.starts_with('4'));
    let detail =
        [bounce.status.as_deref(), bounce.diagnostic.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Bounce {
        message_ids: bounce.original_message_id.iter().map(|id| id.to_lowercase()).collect(),
        permanent: !temporary,
        detail: if detail.is_empty() { bounce.recipients.join(", ") } else { detail },
    }
}

/// The id in lower case, by which replies are found, and as sent, by which other mail programs thread.
fn message_ids(mail: &ParsedMail) -> Vec<String> {
    let Some(id) = &mail.message_id else { return Vec::new() };
    let lower = id.to_lowercase();
    if lower == *id { vec![lower] } else { vec![lower, id.clone()] }
}

/// The sender's date when it is plausible, else the time of receipt.
fn sent_at(date: Option<i64>, received_at: Timestamp) -> Timestamp {
    let received = received_at.as_micros();
    let plausible = |date: &i64| *date <= received && *date >= received.saturating_sub(OLDEST_DATE);
    date.filter(plausible).map_or(received_at, Timestamp::from_micros)
}

/// `zh` or `en` by the script of the text; `None` when neither is clear.
fn language(text: &str) -> Option<String> {
    let (mut han, mut kana, mut latin) = (0_usize, 0_usize, 0_usize);
    for c in limits::prefix(text, 4_000).chars() {
        match c {
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => han += 1,
            '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}' => kana += 1,
            c if c.is_ascii_alphabetic() => latin += 1,
            _ => {}
        }
    }
    match (han, kana, latin) {
        (han, 0, latin) if han > 0 && han * 4 >= latin => Some("zh".to_owned()),
        (0, 0, latin) if latin >= 4 => Some("en".to_owned()),
        _ => None,
    }
}

fn meta(mail: &ParsedMail, verdict: Verdict, html: Option<&sanitize::Safe>) -> Value {
    let show = |mailbox: &Mailbox| match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    };
    let list = |mailboxes: &[Mailbox]| mailboxes.iter().map(show).collect::<Vec<_>>();
    json!({
        "from": mail.from.as_ref().map(show).unwrap_or_default(),
        "to": list(&mail.to),
        "cc": list(&mail.cc),
        "reply_to": list(&mail.reply_to),
        "subject": mail.subject,
        "message_id": mail.message_id,
        "date": mail.date,
        "unparsable": mail.unreadable.is_some(),
        "unreadable": mail.unreadable,
        "problems": mail.problems,
        "automatic": mail.automatic,
        "authentication": verdict,
        "list": mail.list,
        "remote_images": html.map_or(0, |safe| safe.remote),
        "html_fallback": html.and_then(|safe| safe.fallback),
    })
}
