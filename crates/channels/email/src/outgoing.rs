//! A message of the desk as a mail to write.

use ::channel::{Attached, Outbound};

use crate::address::{self, Mailbox};
use crate::compose::{ComposeError, Draft, File, Machine, Quoted};
use crate::incoming::ATTACHMENT_PATH;
use crate::settings::Settings;
use crate::subject;
use crate::token::Signer;

/// Makes the draft of `message`. `mark` is the value of our loop header.
///
/// # Errors
/// When an address is none.
pub fn draft(settings: &Settings, signer: &Signer, message: &Outbound, mark: &str) -> Result<Draft, ComposeError> {
    let case = *message.case.0.as_bytes();
    let token = signer.subject_token(message.case_number);
    let from = settings.mailbox();
    let (html, files) = body(message, from.domain());
    let machine =
        message.automatic.then(|| Machine { mark: mark.to_owned(), answers: message.mail.in_reply_to.is_some() });
    let references = as_sent(&message.mail.references);
    let answers = message.mail.in_reply_to.as_deref();
    let in_reply_to = answers.map(|id| {
        references.iter().find(|sent| sent.eq_ignore_ascii_case(id)).cloned().unwrap_or_else(|| id.to_owned())
    });
    let signature = if message.signature.trim().is_empty() { &settings.signature } else { &message.signature };
    Ok(Draft {
        reply_to: signer.reply_address(&from.address, case).filter(|_| is_about_case(message)),
        to: vec![recipient(&message.to)?],
        // A machine's mail goes to one person and repeats nobody's words (SECURITY row 6).
        cc: if message.automatic {
            Vec::new()
        } else {
            message.mail.cc.iter().map(recipient).collect::<Result<_, _>>()?
        },
        subject: subject_line(message, &token),
        text: message.text.clone(),
        html,
        signature: if message.automatic { settings.signature.clone() } else { signature.clone() },
        quoted: message.mail.quoted.as_ref().filter(|_| !message.automatic).map(|(author, at, text)| Quoted {
            author: author.clone(),
            at: at.as_micros(),
            text: text.clone(),
        }),
        files,
        message_id: signer.message_id(*message.message.0.as_bytes(), case, from.domain()),
        in_reply_to,
        references,
        at: message.at.as_micros(),
        machine,
        locale: message.locale.clone(),
        from,
    })
}

/// Mails of the system itself (an invitation, a new password) have nil ids and are about no case.
fn is_about_case(message: &Outbound) -> bool {
    !message.case.0.is_nil()
}

fn subject_line(message: &Outbound, token: &str) -> String {
    if message.automatic && is_about_case(message) {
        let about = if message.locale.starts_with("zh") { "关于您的来信" } else { "About your message" };
        return format!("{about} {token}");
    }
    let clean: String = message.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if !is_about_case(message) {
        return clean;
    }
    if message.mail.in_reply_to.is_some() { subject::answer(&clean, token) } else { subject::first(&clean, token) }
}

fn recipient(to: &::channel::OutRecipient) -> Result<Mailbox, ComposeError> {
    Mailbox::named(&address::clean_name(&to.name), &to.address).ok_or(ComposeError::Address("to"))
}

/// Each id once, in the spelling it was sent in: ids are stored in lower case beside it.
fn as_sent(ids: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in ids {
        let lower = |id: &String| id.bytes().all(|byte| !byte.is_ascii_uppercase());
        match out.iter_mut().find(|other| other.eq_ignore_ascii_case(id)) {
            Some(other) if lower(other) => *other = id.clone(),
            Some(_) => {}
            None => out.push(id.clone()),
        }
    }
    out
}

/// The HTML with its pictures by Content-Id, and the files.
fn body(message: &Outbound, domain: &str) -> (Option<String>, Vec<File>) {
    let mut html = message.html.clone().filter(|html| !html.trim().is_empty());
    let mut files = Vec::new();
    for attached in &message.attachments {
        let path = format!("{ATTACHMENT_PATH}{}", attached.id);
        let content_id = attached.content_id.clone().unwrap_or_else(|| format!("{}@{domain}", attached.id));
        let shown =
            html.as_deref().is_some_and(|html| html.contains(&path) || html.contains(&format!("cid:{content_id}")));
        if shown {
            html = html.map(|html| html.replace(&path, &format!("cid:{content_id}")));
        }
        files.push(file(attached, shown.then_some(content_id)));
    }
    (html, files)
}

fn file(attached: &Attached, inline: Option<String>) -> File {
    let name = crate::parse::file_name(Some(&attached.name), "application", "octet-stream", 1);
    File { name, mime: attached.mime.clone(), bytes: attached.bytes.clone(), inline }
}
