//! Raw bytes to [`ParsedMail`]: everything a case needs to know of a mail.
//!
//! Never fails and never loses: what cannot be taken apart comes back with
//! [`ParsedMail::unreadable`] set, an excerpt as text, and whatever headers could be read.

use std::borrow::Cow;

use crate::address::{self, Mailbox};
use crate::automatic::{self, Automatic};
use crate::bounce::{self, Bounce};
use crate::headers::Headers;
use crate::structure::{self, Excess, Leaf};
use crate::transfer::{self, Transfer};
use crate::{limits, plain, quote};

/// A file or inline image of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name without path and control characters; never empty.
    pub name: String,
    /// Declared media type, lower case. The browser must not be given it unchecked.
    pub mime: String,
    /// Decoded content.
    pub bytes: Vec<u8>,
    /// Content-Id without brackets, to which `cid:` sources refer.
    pub content_id: Option<String>,
    /// Meant to be shown inside the text.
    pub inline: bool,
}

/// Something about a mail that is not as it should be; shown to the agent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Problem {
    /// No usable From address.
    NoSender,
    /// No usable Message-ID; duplicates are found by hash only.
    NoMessageId,
    /// A multipart without its boundary, shown as text.
    BrokenMultipart,
    /// Text cut at `limit` bytes.
    TextCut { limit: usize },
    /// HTML of `bytes` is over the cap: text shown.
    HtmlTooLarge { bytes: usize },
    /// Only the first `kept` of `total` attachments are listed; the raw mail has all.
    Attachments { kept: usize, total: usize },
    /// Only the first `kept` of `total` addresses of a header are used.
    Addresses { header: String, kept: usize, total: usize },
    /// The mail was larger than the cap and only its start was fetched.
    Oversize { bytes: u64 },
}

/// Why a mail is shown as raw text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// A cap is exceeded.
    Excess(Excess),
    /// Not a mail: no header field at all.
    NoHeader,
}

/// A mail, read.
#[derive(Clone, Debug, Default)]
pub struct ParsedMail {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Without angle brackets, as given.
    pub in_reply_to: Vec<String>,
    /// Without angle brackets, oldest first, at most [`limits::REFERENCES`].
    pub references: Vec<String>,
    /// First From mailbox.
    pub from: Option<Mailbox>,
    /// Reply-To mailboxes.
    pub reply_to: Vec<Mailbox>,
    /// To mailboxes.
    pub to: Vec<Mailbox>,
    /// Cc mailboxes.
    pub cc: Vec<Mailbox>,
    /// Addresses the transport delivered to (Delivered-To, X-Original-To, Envelope-To).
    pub delivered_to: Vec<String>,
    /// One line, decoded.
    pub subject: String,
    /// Date header, microseconds since 1970 UTC; the sender's claim.
    pub date: Option<i64>,
    /// Text body; made from the HTML when there is no other.
    pub text: String,
    /// HTML body as sent: hostile until [`crate::sanitize::sanitize`] has seen it.
    pub html: Option<String>,
    /// Files and inline images.
    pub attachments: Vec<Attachment>,
    /// A machine sent it.
    pub automatic: Option<Automatic>,
    /// It reports on one of our mails.
    pub bounce: Option<Bounce>,
    /// List-Id, when it came through a list.
    pub list: Option<String>,
    /// Values of our own loop header.
    pub loop_marks: Vec<String>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Set when the mail is shown as raw text.
    pub unreadable: Option<Unreadable>,
    /// Header fields, for [`crate::authentication::verdict`].
    pub headers: Headers,
}

impl ParsedMail {
    /// The new part of the text, without quoted mail and signature.
    pub fn fresh_text(&self) -> &str {
        quote::split(&self.text).fresh
    }

    /// Every address the mail was sent to, for finding the mailbox and the plus token.
    pub fn recipients(&self) -> Vec<&str> {
        let headers = self.to.iter().chain(&self.cc).map(|mailbox| mailbox.address.as_str());
        self.delivered_to.iter().map(String::as_str).chain(headers).collect()
    }
}

/// Header that the IMAP fetcher puts above the start of a mail over the cap: its true size in bytes.
pub const OVERSIZE_HEADER: &str = "x-steward-oversize";

/// Reads a mail. `envelope_from` is the SMTP sender when the transport knew it
/// (`Some("")` is the null return path).
pub fn parse(raw: &[u8], envelope_from: Option<&str>) -> ParsedMail {
    match structure::scan(raw) {
        Ok(found) if Headers::read(found.header).is_empty() => unreadable(raw, Unreadable::NoHeader, envelope_from),
        Ok(found) => readable(&found, envelope_from),
        Err(excess) => unreadable(raw, Unreadable::Excess(excess), envelope_from),
    }
}

fn readable(found: &structure::Structure<'_>, envelope_from: Option<&str>) -> ParsedMail {
    let mut mail = envelope(Headers::read(found.header));
    let mut body = Body::default();
    for leaf in &found.leaves {
        body.add(leaf, found.leaves.len() == 1, &mut mail);
    }
    body.finish(&mut mail);
    let evidence =
        bounce::Evidence { delivery_status: body.delivery_status, returned: body.returned, text: &mail.text };
    mail.bounce = bounce::recognise(&mail.headers, envelope_from, &mail.subject, &evidence);
    mail.automatic = automatic::recognise(&mail.headers, envelope_from, &mail.subject);
    mail
}

/// What can be said of a mail that exceeds a cap: the first headers and the start as text.
fn unreadable(raw: &[u8], why: Unreadable, envelope_from: Option<&str>) -> ParsedMail {
    let excerpt = transfer::guess(raw.get(..raw.len().min(limits::EXCERPT_BYTES)).unwrap_or_default());
    let head = match why {
        Unreadable::NoHeader => "",
        Unreadable::Excess(_) => head_of(&excerpt),
    };
    let mut mail = envelope(Headers::read(head.as_bytes()));
    mail.automatic = automatic::recognise(&mail.headers, envelope_from, &mail.subject);
    mail.text = excerpt.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    mail.unreadable = Some(why);
    mail
}

/// The header block of the excerpt, at most 100 fields.
fn head_of(excerpt: &str) -> &str {
    let mut end = 0;
    let mut fields = 0;
    for line in excerpt.split_inclusive('\n') {
        fields += usize::from(!line.starts_with([' ', '\t']));
        if line.trim().is_empty() || fields > 100 {
            break;
        }
        end += line.len();
    }
    excerpt.get(..end).unwrap_or_default()
}

fn envelope(headers: Headers) -> ParsedMail {
    let mut mail = ParsedMail {
        message_id: headers.ids("Message-ID").into_iter().next(),
        in_reply_to: headers.ids("In-Reply-To"),
        references: headers.ids("References"),
        from: headers.mailboxes("From").into_iter().next().or_else(|| headers.mailboxes("Sender").into_iter().next()),
        reply_to: headers.mailboxes("Reply-To"),
        to: headers.mailboxes("To"),
        cc: headers.mailboxes("Cc"),
        subject: headers.subject(),
        date: headers.date(),
        list: headers.get("list-id").map(|id| limits::prefix(id, 300).to_owned()),
        loop_marks: headers.all("x-steward-loop").take(20).map(|mark| limits::prefix(mark, 200).to_owned()).collect(),
        ..ParsedMail::default()
    };
    for name in ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"] {
        let found =
            headers.all(name).take(20).filter_map(|value| address::normalise(value.trim_matches(['<', '>', ' '])));
        mail.delivered_to.extend(found);
    }
    if mail.from.is_none() {
        mail.problems.push(Problem::NoSender);
    }
    if let Some(bytes) = headers.get(OVERSIZE_HEADER).and_then(|size| size.parse().ok()) {
        mail.problems.push(Problem::Oversize { bytes });
    }
    if mail.message_id.is_none() {
        mail.problems.push(Problem::NoMessageId);
    }
    for header in ["To", "Cc", "Reply-To"] {
        let total = headers.mailbox_count(header);
        if total > limits::ADDRESSES {
            mail.problems.push(Problem::Addresses { header: header.to_owned(), kept: limits::ADDRESSES, total });
        }
    }
    mail.headers = headers;
    mail
}

/// One stretch of body: a text leaf, or the variants of one multipart/alternative.
#[derive(Default)]
struct Segment {
    alternative: Option<usize>,
    plain: Option<String>,
    html: Option<String>,
}

#[derive(Default)]
struct Body {
    segments: Vec<Segment>,
    attachments: usize,
    delivery_status: Option<String>,
    returned: Option<Headers>,
}

impl Body {
    fn add(&mut self, leaf: &Leaf<'_>, only: bool, mail: &mut ParsedMail) {
        let headers = Headers::read(leaf.header);
        let default = if leaf.in_digest { ("message", "rfc822") } else { ("text", "plain") };
        let (kind, subtype) = headers.content_type().unwrap_or((default.0.into(), default.1.into()));
        let transfer = headers.get("content-transfer-encoding").map_or(Transfer::Identity, Transfer::of);
        if leaf.broken_multipart {
            mail.problems.push(Problem::BrokenMultipart);
            self.push_text(None, transfer::guess(leaf.body), false);
            return;
        }
        self.note_report(&kind, &subtype, leaf, transfer);
        let is_html = subtype == "html" || subtype == "xhtml+xml";
        let textual = kind == "text" && (subtype == "plain" || is_html);
        let named = headers.file_name().is_some() && !only;
        if textual && !headers.is_attachment() && (!named || self.segments.is_empty()) {
            let text = transfer::text(&transfer.decode(leaf.body), headers.charset());
            self.push_text(leaf.alternative, text, is_html);
            return;
        }
        if leaf.body.is_empty() && kind == "text" {
            return;
        }
        self.attachments += 1;
        if mail.attachments.len() >= limits::ATTACHMENTS {
            return;
        }
        let content_id = headers.content_id().map(|id| limits::prefix(id, limits::MESSAGE_ID_BYTES).to_owned());
        mail.attachments.push(Attachment {
            name: file_name(headers.file_name(), &kind, &subtype, self.attachments),
            mime: limits::prefix(&format!("{kind}/{subtype}"), 127).to_owned(),
            bytes: transfer.decode(leaf.body),
            inline: !headers.is_attachment() && (content_id.is_some() && kind == "image"),
            content_id,
        });
    }

    fn note_report(&mut self, kind: &str, subtype: &str, leaf: &Leaf<'_>, transfer: Transfer) {
        let decoded =
            || transfer.decode(leaf.body.get(..leaf.body.len().min(limits::EXCERPT_BYTES)).unwrap_or_default());
        match (kind, subtype) {
            ("message", "delivery-status" | "global-delivery-status") if self.delivery_status.is_none() => {
                self.delivery_status = Some(transfer::guess(&decoded()));
            }
            ("message", "rfc822" | "global") | ("text", "rfc822-headers") if self.returned.is_none() => {
                let text = transfer::guess(&decoded());
                self.returned = Some(Headers::read(head_of(text.trim_start()).as_bytes()));
            }
            _ => {}
        }
    }

    fn push_text(&mut self, alternative: Option<usize>, text: String, is_html: bool) {
        let known = alternative.and_then(|id| self.segments.iter().position(|segment| segment.alternative == Some(id)));
        if known.is_none() {
            self.segments.push(Segment { alternative, ..Segment::default() });
        }
        let at = known.unwrap_or(self.segments.len() - 1);
        let Some(segment) = self.segments.get_mut(at) else { return };
        let slot = if is_html { &mut segment.html } else { &mut segment.plain };
        match slot {
            Some(present) => {
                present.push('\n');
                present.push_str(&text);
            }
            None => *slot = Some(text),
        }
    }

    fn finish(&mut self, mail: &mut ParsedMail) {
        let mut text = String::new();
        let mut html = String::new();
        let any_html = self.segments.iter().any(|segment| segment.html.is_some());
        for segment in &self.segments {
            let plain = match (&segment.plain, &segment.html) {
                (Some(plain), _) if !plain.trim().is_empty() || segment.html.is_none() => Cow::Borrowed(plain.as_str()),
                (_, Some(html)) => Cow::Owned(plain::to_text(html)),
                _ => Cow::Borrowed(""),
            };
            if !text.is_empty() && !plain.is_empty() {
                text.push('\n');
            }
            text.push_str(&plain);
            match &segment.html {
                Some(part) => html.push_str(part),
                None if any_html => html.push_str(&plain::to_html(&plain)),
                None => {}
            }
        }
        let text: String =
            text.replace("\r\n", "\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        if text.len() > limits::TEXT_BYTES {
            mail.problems.push(Problem::TextCut { limit: limits::TEXT_BYTES });
        }
        mail.text = limits::prefix(&text, limits::TEXT_BYTES).to_owned();
        if html.len() > limits::HTML_BYTES {
            mail.problems.push(Problem::HtmlTooLarge { bytes: html.len() });
        } else if any_html {
            mail.html = Some(html);
        }
        if self.attachments > mail.attachments.len() {
            mail.problems.push(Problem::Attachments { kept: mail.attachments.len(), total: self.attachments });
        }
    }
}

/// A name that is safe to show and to save under: no path, no control or bidi characters.
pub fn file_name(name: Option<&str>, kind: &str, subtype: &str, number: usize) -> String {
    let name = name.unwrap_or_default();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !address::is_format_control(*c) && !"<>:\"|?*".contains(*c))
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    if !clean.is_empty() {
        return shorten(clean);
    }
    let extension = match (kind, subtype) {
        ("message", "rfc822" | "global") => "eml",
        ("text", "plain") | ("message", _) | ("text", "rfc822-headers") => "txt",
        ("text", "html") => "html",
        ("text", "calendar") => "ics",
        ("image", "jpeg") => "jpg",
        ("image", "png") => "png",
        ("image", "gif") => "gif",
        ("image", "webp") => "webp",
        ("application", "pdf") => "pdf",
        _ => "bin",
    };
    format!("attachment-{number}.{extension}")
}

/// Cuts a long name but keeps its extension.
fn shorten(name: &str) -> String {
    if name.chars().count() <= limits::FILE_NAME_CHARS {
        return name.to_owned();
    }
    let extension =
        name.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| extension.chars().count() <= 10);
    let room = limits::FILE_NAME_CHARS - extension.map_or(0, |extension| extension.chars().count() + 1);
    let stem = limits::first_chars(name, room);
    extension.map_or_else(|| stem.to_owned(), |extension| format!("{stem}.{extension}"))
}
