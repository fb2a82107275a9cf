//! Delivery reports: RFC 3464, and the free-text bounces of servers that ignore it.

use crate::address;
use crate::headers::Headers;

/// What became of one of our mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not delivered, and will not be.
    Failed,
    /// Not yet delivered; the server goes on trying.
    Delayed,
    /// Delivered, relayed or expanded.
    Delivered,
}

/// A delivery report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bounce {
    /// What became of the mail (the worst of several recipients).
    pub outcome: Outcome,
    /// Recipients concerned, in lower case.
    pub recipients: Vec<String>,
    /// Enhanced status code (RFC 3463), like `5.1.1`.
    pub status: Option<String>,
    /// Message-ID of our mail, without brackets.
    pub original_message_id: Option<String>,
    /// What the remote server said, on one line.
    pub diagnostic: Option<String>,
}

/// The pieces of a mail a report is read from.
#[derive(Default)]
pub struct Evidence<'a> {
    /// Decoded message/delivery-status part.
    pub delivery_status: Option<String>,
    /// Headers of the returned message (message/rfc822 or text/rfc822-headers).
    pub returned: Option<Headers>,
    /// Text body.
    pub text: &'a str,
}

/// Reads a bounce, or `None` when the mail is not one.
pub fn recognise(
    headers: &Headers,
    envelope_from: Option<&str>,
    subject: &str,
    evidence: &Evidence<'_>,
) -> Option<Bounce> {
    let original = evidence.returned.as_ref().and_then(|returned| returned.ids("Message-ID").into_iter().next());
    if let Some(report) = &evidence.delivery_status {
        return standard(report, original.or_else(|| id_in_text(evidence.text)));
    }
    if !looks_like_bounce(headers, envelope_from, subject) {
        return None;
    }
    let mut recipients: Vec<String> =
        headers.all("x-failed-recipients").flat_map(|value| value.split(',')).filter_map(address::normalise).collect();
    if recipients.is_empty() {
        recipients = addresses_in_text(evidence.text, headers);
    }
    Some(Bounce {
        outcome: if is_delay(subject, evidence.text) { Outcome::Delayed } else { Outcome::Failed },
        recipients,
        status: status_in_text(evidence.text),
        original_message_id: original
            .or_else(|| headers.ids("In-Reply-To").into_iter().next())
            .or_else(|| headers.ids("References").into_iter().next_back())
            .or_else(|| id_in_text(evidence.text)),
        diagnostic: diagnostic_line(evidence.text),
    })
}

fn standard(report: &str, original_message_id: Option<String>) -> Option<Bounce> {
    let mut bounce = Bounce {
        outcome: Outcome::Delivered,
        recipients: Vec::new(),
        status: None,
        original_message_id,
        diagnostic: None,
    };
    let mut seen = false;
    for block in report.replace("\r\n", "\n").split("\n\n").take(crate::limits::ADDRESSES) {
        let fields = Headers::read(block.as_bytes());
        let Some(action) = fields.get("action") else { continue };
        seen = true;
        let outcome = match action.to_ascii_lowercase().as_str() {
            "failed" => Outcome::Failed,
            "delayed" => Outcome::Delayed,
            _ => Outcome::Delivered,
        };
        let recipient = fields.get("final-recipient").or_else(|| fields.get("original-recipient"));
        let recipient = recipient.map(|value| value.rsplit_once(';').map_or(value, |(_, address)| address));
        let recipient = recipient.and_then(|value| address::normalise(value.trim_matches(['<', '>', ' '])));
        if severity(outcome) > severity(bounce.outcome) {
            bounce.outcome = outcome;
            bounce.recipients.clear();
            bounce.status = None;
        }
        if severity(outcome) == severity(bounce.outcome) {
            bounce.recipients.extend(recipient);
            bounce.status = bounce.status.take().or_else(|| fields.get("status").and_then(status_code));
            let diagnostic = fields
                .get("diagnostic-code")
                .map(|value| value.split_once(';').map_or(value, |(_, text)| text).trim().to_owned());
            bounce.diagnostic = bounce.diagnostic.take().or(diagnostic);
        }
    }
    seen.then_some(bounce)
}

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Delivered => 0,
        Outcome::Delayed => 1,
        Outcome::Failed => 2,
    }
}

fn looks_like_bounce(headers: &Headers, envelope_from: Option<&str>, subject: &str) -> bool {
    if headers.get("x-failed-recipients").is_some() {
        return true;
    }
    let null_path =
        envelope_from.is_some_and(str::is_empty) || headers.get("return-path").is_some_and(|path| path.trim() == "<>");
    let daemon = headers.mailboxes("From").first().is_some_and(|from| {
        let local = from.address.split('@').next().unwrap_or_default();
        matches!(local, "mailer-daemon" | "postmaster" | "mail-daemon" | "mailerdaemon")
    });
    let subject = subject.to_lowercase();
    let says_so = [
        "undeliver",
        "delivery status notification",
        "returned mail",
        "delivery failure",
        "mail delivery failed",
        "failure notice",
        "delivery has failed",
        "message not delivered",
        "warning: message",
        "退信",
        "无法投递",
        "投递失败",
        "发送失败",
        "未送达",
        "無法傳遞",
        "delivery incomplete",
    ];
    let says_so = says_so.iter().any(|part| subject.contains(part));
    says_so && (null_path || daemon)
}

fn is_delay(subject: &str, text: &str) -> bool {
    let subject = subject.to_lowercase();
    ["delayed", "warning: message", "(delay)", "incomplete", "延迟"].iter().any(|part| subject.contains(part))
        || crate::limits::prefix(text, 2_000).to_lowercase().contains("this is a warning message only")
}

/// A status like 5.1.1 or 4.2.2 somewhere in the text.
fn status_in_text(text: &str) -> Option<String> {
    crate::limits::prefix(text, 16 * 1024).split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(status_code)
}

fn status_code(word: &str) -> Option<String> {
    let code = word.trim().split(' ').next()?;
    let mut numbers = code.split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let short =
        |number: &str| !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    (matches!(class, "2" | "4" | "5") && short(subject) && short(detail) && numbers.next().is_none())
        .then(|| code.to_owned())
}

fn id_in_text(text: &str) -> Option<String> {
    let text = crate::limits::prefix(text, 64 * 1024);
    let line = text
        .lines()
        .find(|line| line.trim_start().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("message-id:")))?;
    let id = line.split_once('<')?.1.split_once('>')?.0;
    (!id.is_empty() && !id.contains(char::is_whitespace)).then(|| id.to_owned())
}

/// Addresses the text names, without those that sent or got the report.
fn addresses_in_text(text: &str, headers: &Headers) -> Vec<String> {
    let mut own: Vec<String> = headers.mailboxes("To").into_iter().map(|to| to.address).collect();
    own.extend(headers.mailboxes("From").into_iter().map(|from| from.address));
    let mut found: Vec<String> = Vec::new();
    // Below such a line comes a copy of our own mail.
    let report = crate::limits::prefix(text, 16 * 1024).split("\n---").next().unwrap_or_default();
    let words = report.split(|c: char| c.is_whitespace() || "<>()[],;:\"'：，。（）".contains(c));
    for word in words.filter(|word| word.contains('@')) {
        if let Some(address) = address::normalise(word.trim_matches('.'))
            && !own.contains(&address)
            && !found.contains(&address)
            && found.len() < 10
        {
            found.push(address);
        }
    }
    found
}

fn diagnostic_line(text: &str) -> Option<String> {
    let line = crate::limits::prefix(text, 16 * 1024).lines().map(str::trim).find(|line| {
        let code = line.get(..3).unwrap_or_default();
        (code.starts_with('4') || code.starts_with('5')) && code.bytes().all(|byte| byte.is_ascii_digit())
            || line.to_lowercase().contains("said:")
    })?;
    Some(crate::limits::prefix(line, 500).to_owned())
}
