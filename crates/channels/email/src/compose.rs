//! Outgoing mail: typed in, bytes out.
//!
//! Every name, address, subject and file name with a control character is refused, not
//! repaired (SECURITY row 10); non-ASCII is encoded by RFC 2047 and RFC 2231. The bytes
//! hold CRLF line ends only, so nothing in them can end SMTP DATA early (row 8).

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as MailAttachment, Mailbox as MailMailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use crate::address::Mailbox;
use crate::{automatic, limits, markup, plain};

/// A file of an outgoing mail.
#[derive(Clone, Debug)]
pub struct File {
    /// File name shown to the reader.
    pub name: String,
    /// Media type; anything unparsable goes out as application/octet-stream.
    pub mime: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Content-Id (without brackets) of an image the HTML shows by `cid:`.
    pub inline: Option<String>,
}

/// The mail that is answered.
#[derive(Clone, Debug)]
pub struct Quoted {
    /// Who wrote it.
    pub author: String,
    /// When, microseconds since 1970 UTC.
    pub at: i64,
    /// Its text.
    pub text: String,
}

/// How a mail is marked as sent by a machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Value of our loop header: names the instance, not a person.
    pub mark: String,
    /// `auto-replied` when it answers a mail, else `auto-generated`.
    pub answers: bool,
}

/// Everything an outgoing mail is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Our mailbox with its display name.
    pub from: Mailbox,
    /// Address that carries the reply token.
    pub reply_to: Option<String>,
    /// Recipients.
    pub to: Vec<Mailbox>,
    /// Copies.
    pub cc: Vec<Mailbox>,
    /// Complete subject, token included.
    pub subject: String,
    /// Text body without signature and quote.
    pub text: String,
    /// HTML body without signature and quote; goes through the sanitizer.
    pub html: Option<String>,
    /// Signature, plain text; empty for none.
    pub signature: String,
    /// The mail that is answered.
    pub quoted: Option<Quoted>,
    /// Files and inline images.
    pub files: Vec<File>,
    /// Our Message-ID without brackets.
    pub message_id: String,
    /// Message-ID of the mail that is answered, without brackets.
    pub in_reply_to: Option<String>,
    /// Earlier Message-IDs, oldest first, without brackets.
    pub references: Vec<String>,
    /// Date, microseconds since 1970 UTC.
    pub at: i64,
    /// Set on automatic mail.
    pub machine: Option<Machine>,
    /// `zh…` for Chinese introductions, else English.
    pub locale: String,
}

/// A mail ready for [`crate::smtp_out`].
#[derive(Clone, Debug)]
pub struct Composed {
    /// The mail, CRLF line ends.
    pub bytes: Vec<u8>,
    /// Envelope: sender (`<>` for automatic mail, so that no bounce comes back to a machine) and recipients.
    pub envelope: lettre::address::Envelope,
}

/// Why a mail is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A line break or another control character where none may be.
    #[error("control character in {0}")]
    Control(&'static str),
    /// Not an address that can be mailed to.
    #[error("invalid address in {0}")]
    Address(&'static str),
    /// Nobody to send to.
    #[error("no recipient")]
    NoRecipient,
    /// More than [`limits::OUT_RECIPIENTS`].
    #[error("{0} recipients are too many")]
    TooManyRecipients(usize),
    /// More than [`limits::OUT_BYTES`] encoded.
    #[error("{0} bytes are too many")]
    TooLarge(usize),
    /// Message-ID or reference of a shape that would break the header.
    #[error("invalid message id")]
    MessageId,
    /// The builder refused.
    #[error("cannot build: {0}")]
    Build(String),
}

/// Writes the mail.
///
/// # Errors
/// [`ComposeError`]; all of them are permanent, the same draft fails again.
pub fn compose(draft: &Draft) -> Result<Composed, ComposeError> {
    check(draft)?;
    let from = mailbox(&draft.from, "from")?;
    let mut builder = Message::builder().from(from.clone());
    for (list, field) in [(&draft.to, "to"), (&draft.cc, "cc")] {
        for entry in list {
            let entry = mailbox(entry, field)?;
            builder = if field == "to" { builder.to(entry) } else { builder.cc(entry) };
        }
    }
    if let Some(reply_to) = &draft.reply_to {
        let name = draft.from.name.clone();
        builder = builder.reply_to(mailbox(&Mailbox { name, address: reply_to.clone() }, "reply_to")?);
    }
    builder =
        builder.subject(draft.subject.clone()).date(date(draft.at)).message_id(Some(format!("<{}>", draft.message_id)));
    if let Some(id) = draft.in_reply_to.as_deref().filter(|id| is_id(id)) {
        builder = builder.in_reply_to(format!("<{id}>"));
    }
    let references = references(draft);
    if !references.is_empty() {
        builder = builder.references(references);
    }
    if let Some(machine) = &draft.machine {
        let kind = if machine.answers { "auto-replied" } else { "auto-generated" };
        for (name, value) in [
            ("Auto-Submitted", kind),
            ("X-Auto-Response-Suppress", "All"),
            (automatic::LOOP_HEADER, machine.mark.as_str()),
        ] {
            builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
        }
    }
    let envelope = envelope(draft, from.email)?;
    let message = builder
        .envelope(envelope.clone())
        .multipart(body(draft))
        .map_err(|error| ComposeError::Build(error.to_string()))?;
    let bytes = message.formatted();
    if bytes.len() > limits::OUT_BYTES {
        return Err(ComposeError::TooLarge(bytes.len()));
    }
    Ok(Composed { bytes, envelope })
}

fn check(draft: &Draft) -> Result<(), ComposeError> {
    let recipients = draft.to.len() + draft.cc.len();
    if draft.to.is_empty() {
        return Err(ComposeError::NoRecipient);
    }
    if recipients > limits::OUT_RECIPIENTS {
        return Err(ComposeError::TooManyRecipients(recipients));
    }
    let has_control = |text: &str| text.chars().any(char::is_control);
    let names = std::iter::once(&draft.from).chain(&draft.to).chain(&draft.cc);
    if names
        .into_iter()
        .any(|mailbox| mailbox.name.as_deref().is_some_and(has_control) || has_control(&mailbox.address))
    {
        return Err(ComposeError::Control("name"));
    }
    if has_control(&draft.subject) {
        return Err(ComposeError::Control("subject"));
    }
    if draft.files.iter().any(|file| {
        has_control(&file.name) || has_control(&file.mime) || file.inline.as_deref().is_some_and(|id| !is_id(id))
    }) {
        return Err(ComposeError::Control("file"));
    }
    if draft.machine.as_ref().is_some_and(|machine| has_control(&machine.mark) || !machine.mark.is_ascii()) {
        return Err(ComposeError::Control("mark"));
    }
    if !is_id(&draft.message_id) {
        return Err(ComposeError::MessageId);
    }
    let raw: usize = draft.files.iter().map(|file| file.bytes.len()).sum();
    if raw > limits::OUT_BYTES {
        return Err(ComposeError::TooLarge(raw));
    }
    Ok(())
}

/// Printable ASCII without what delimits ids.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 900 && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')
}

fn mailbox(mailbox: &Mailbox, field: &'static str) -> Result<MailMailbox, ComposeError> {
    let address: Address = mailbox.address.parse().map_err(|_| ComposeError::Address(field))?;
    Ok(MailMailbox::new(mailbox.name.clone().filter(|name| !name.trim().is_empty()), address))
}

fn envelope(draft: &Draft, from: Address) -> Result<lettre::address::Envelope, ComposeError> {
    let parse = |mailbox: &Mailbox| mailbox.address.parse::<Address>().map_err(|_| ComposeError::Address("to"));
    let mut recipients = Vec::new();
    for entry in draft.to.iter().chain(&draft.cc) {
        let address = parse(entry)?;
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    let sender = draft.machine.is_none().then_some(from);
    lettre::address::Envelope::new(sender, recipients).map_err(|_| ComposeError::NoRecipient)
}

/// The first reference (the root of the thread) and the last ones, as RFC 5322 advises.
fn references(draft: &Draft) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for id in draft.references.iter().map(String::as_str).chain(draft.in_reply_to.as_deref()).filter(|id| is_id(id)) {
        ids.retain(|other| *other != id);
        ids.push(id);
    }
    let surplus = ids.len().saturating_sub(limits::OUT_REFERENCES);
    if surplus > 0 {
        ids.drain(1..=surplus);
    }
    ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ")
}

fn date(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(micros / 1_000_000).unwrap_or(0))
}

fn body(draft: &Draft) -> MultiPart {
    let boundary = |part: &str| {
        let hash = Sha256::digest(format!("{part} {}", draft.message_id));
        let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("=_steward_{part}_{hex}")
    };
    let text = SinglePart::plain(normal(&text_body(draft)));
    let html = SinglePart::html(normal(&html_body(draft)));
    let (inline, attached): (Vec<&File>, Vec<&File>) = draft.files.iter().partition(|file| file.inline.is_some());
    let alternative = MultiPart::alternative().boundary(boundary("alt")).singlepart(text);
    let alternative = if inline.is_empty() {
        alternative.singlepart(html)
    } else {
        let related =
            inline.iter().fold(MultiPart::related().boundary(boundary("rel")).singlepart(html), |part, file| {
                part.singlepart(part_of(file))
            });
        alternative.multipart(related)
    };
    if attached.is_empty() {
        return alternative;
    }
    attached.iter().fold(MultiPart::mixed().boundary(boundary("mix")).multipart(alternative), |part, file| {
        part.singlepart(part_of(file))
    })
}

fn part_of(file: &File) -> SinglePart {
    // A message/* or multipart/* part may not be base64 (RFC 2046), so such files travel as plain bytes.
    let composite = ["message/", "multipart/"].iter().any(|kind| file.mime.to_ascii_lowercase().starts_with(kind));
    let mime = if composite { "application/octet-stream" } else { file.mime.as_str() };
    let kind = ContentType::parse(mime)
        .or_else(|_| ContentType::parse("application/octet-stream"))
        .unwrap_or(ContentType::TEXT_PLAIN);
    let attachment = match &file.inline {
        Some(id) => MailAttachment::new_inline_with_name(id.clone(), file.name.clone()),
        None => MailAttachment::new(file.name.clone()),
    };
    attachment.body(file.bytes.clone(), kind)
}

/// LF line ends and no other control characters; the encoder makes CRLF of them.
fn normal(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn introduction(quoted: &Quoted, locale: &str) -> String {
    let at = mail_parser::DateTime::from_timestamp(quoted.at / 1_000_000);
    let at = format!("{:04}-{:02}-{:02} {:02}:{:02} UTC", at.year, at.month, at.day, at.hour, at.minute);
    let author = crate::address::clean_name(&quoted.author);
    if locale.starts_with("zh") {
        format!("在 {at}，{author} 写道：")
    } else {
        format!("On {at}, {author} wrote:")
    }
}

fn text_body(draft: &Draft) -> String {
    let mut out = draft.text.trim_end().to_owned();
    if !draft.signature.trim().is_empty() {
        out.push_str("\n\n-- \n");
        out.push_str(draft.signature.trim());
    }
    if let Some(quoted) = &draft.quoted {
        out.push_str("\n\n");
        out.push_str(&introduction(quoted, &draft.locale));
        for line in limits::prefix(quoted.text.trim(), limits::OUT_QUOTE_BYTES).lines() {
            out.push_str(if line.starts_with('>') { "\n>" } else { "\n> " });
            out.push_str(line);
        }
    }
    out.push('\n');
    out
}

fn html_body(draft: &Draft) -> String {
    let mut out = match &draft.html {
        Some(html) => crate::sanitize::outgoing(html),
        None => plain::to_html(&draft.text),
    };
    if !draft.signature.trim().is_empty() {
        let lines: Vec<String> = draft.signature.trim().lines().map(markup::escape).collect();
        out.push_str(&format!("<p>-- <br>{}</p>", lines.join("<br>")));
    }
    if let Some(quoted) = &draft.quoted {
        let text = plain::to_html(limits::prefix(quoted.text.trim(), limits::OUT_QUOTE_BYTES));
        let intro = markup::escape(&introduction(quoted, &draft.locale));
        out.push_str(&format!(
            "<div class=\"gmail_quote\"><div>{intro}</div><blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">{text}</blockquote></div>"
        ));
    }
    out
}
