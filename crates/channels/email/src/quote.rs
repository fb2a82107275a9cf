//! Tells what a person wrote from the mail they answered and from their signature.
//!
//! Nothing is cut away: callers get borders and show the rest folded. In doubt (answers
//! between quoted lines, forwarded mail) everything counts as fresh. One pass, no
//! backtracking.

use crate::limits;
use crate::markup::{self, Token};
use crate::plain;

/// Borders inside a text body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// What is new, without blank lines around it.
    pub fresh: &'a str,
    /// Signature below it, if one was recognised.
    pub signature: &'a str,
    /// The mail that is answered, with its introduction.
    pub quoted: &'a str,
}

struct Line<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

/// Splits a text body.
pub fn split(text: &str) -> Split<'_> {
    let lines = lines(text);
    let cut = find_cut(&lines);
    let (fresh, quoted) = match cut {
        Cut::None => (text, ""),
        Cut::From(at) => (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default()),
        Cut::Below(at) => (text.get(at..).unwrap_or_default(), text.get(..at).unwrap_or_default()),
    };
    // A mail that only quotes is shown whole.
    let (fresh, quoted) = if fresh.trim().is_empty() { (text, "") } else { (fresh, quoted) };
    let (fresh, signature) = split_signature(fresh);
    Split { fresh: fresh.trim(), signature: signature.trim(), quoted: quoted.trim() }
}

enum Cut {
    None,
    /// Quoted from this byte on.
    From(usize),
    /// Quoted up to this byte (answer below).
    Below(usize),
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut lines = Vec::new();
    for piece in text.split_inclusive('\n') {
        let start = at;
        at += piece.len();
        lines.push(Line { start, end: at, text: piece.trim() });
    }
    lines
}

fn find_cut(lines: &[Line<'_>]) -> Cut {
    for (index, line) in lines.iter().enumerate() {
        if is_forward(line.text) {
            return Cut::None;
        }
        if is_separator(line.text) || starts_header_block(lines, index) {
            return Cut::From(line.start);
        }
        if let Some(length) = attribution(lines, index) {
            return after_attribution(lines, index, index + length);
        }
        if line.text.starts_with('>') {
            return after_attribution(lines, index, index);
        }
    }
    Cut::None
}

/// Decides between top-, bottom- and inline-answering.
fn after_attribution(lines: &[Line<'_>], intro: usize, body: usize) -> Cut {
    let Some(first) = lines.get(intro) else { return Cut::None };
    let marked = |line: &&Line<'_>| line.text.starts_with('>');
    let below = lines.get(body..).unwrap_or_default();
    let Some(last) = below.iter().rposition(|line| line.text.starts_with('>')) else {
        // Introduced but not marked with ">": the rest is the old mail.
        return Cut::From(first.start);
    };
    let tail_is_blank = below.iter().skip(last + 1).all(|line| line.text.is_empty());
    let runs = below
        .iter()
        .take(last + 1)
        .skip_while(|line| !marked(line))
        .filter(|line| !line.text.is_empty())
        .any(|line| !marked(&line));
    let above_is_blank = lines.iter().take(intro).all(|line| line.text.is_empty());
    match (runs, tail_is_blank, above_is_blank) {
        (false, true, _) => Cut::From(first.start),
        (false, false, true) => below.get(last).map_or(Cut::None, |line| Cut::Below(line.end)),
        _ => Cut::None,
    }
}

fn is_forward(line: &str) -> bool {
    let line = line.to_lowercase();
    let dashed = line.starts_with("---") || line.starts_with("begin forwarded");
    dashed
        && ["forwarded message", "转发的邮件", "转发邮件", "轉寄", "begin forwarded message"]
            .iter()
            .any(|word| line.contains(word))
}

/// `-----Original Message-----`, `------------------ 原始邮件 ------------------` and kin.
fn is_separator(line: &str) -> bool {
    if !line.starts_with("--") && !line.starts_with("——") {
        return false;
    }
    let words: String =
        line.chars().filter(|c| !matches!(c, '-' | '—' | ' ' | '\u{a0}' | '_')).collect::<String>().to_lowercase();
    matches!(
        words.as_str(),
        "originalmessage"
            | "原始邮件"
            | "原始郵件"
            | "originalmail"
            | "回复的原邮件"
            | "回复的邮件"
            | "回复邮件"
            | "ursprünglichenachricht"
            | "messaged'origine"
            | "mensajeoriginal"
            | "原邮件"
            | "回复的原始邮件"
            | "repliedmessage"
            | "原始邮件信息"
    )
}

const SENDER: [&str; 8] = ["from:", "发件人:", "发件人：", "寄件者:", "寄件者：", "寄件人:", "von:", "de :"];
const OTHER: [&str; 26] = [
    "sent:",
    "date:",
    "to:",
    "subject:",
    "cc:",
    "发送时间:",
    "发送时间：",
    "收件人:",
    "收件人：",
    "主题:",
    "主题：",
    "日期:",
    "日期：",
    "抄送:",
    "抄送：",
    "寄件日期:",
    "寄件日期：",
    "收件者:",
    "收件者：",
    "主旨:",
    "主旨：",
    "发送日期:",
    "发送日期：",
    "时间:",
    "时间：",
    "an:",
];

/// A block like `From: … / Sent: … / To: …`, as Outlook and QQ put above the old mail.
fn starts_header_block(lines: &[Line<'_>], index: usize) -> bool {
    let Some(line) = lines.get(index) else { return false };
    let bare = |text: &str| text.trim_start_matches(['*', '>', ' ']).replace("*", "").to_lowercase();
    let first = bare(limits::prefix(line.text, 200));
    if !SENDER.iter().any(|label| first.starts_with(label)) {
        return false;
    }
    let near = lines.get(index + 1..).unwrap_or_default().iter().filter(|line| !line.text.is_empty()).take(4);
    near.filter(|line| {
        let text = bare(limits::prefix(line.text, 200));
        OTHER.iter().any(|label| text.starts_with(label))
    })
    .count()
        >= 2
}

/// `On … wrote:`, `在 … 写道：` and kin, over at most three lines; returns how many.
fn attribution(lines: &[Line<'_>], index: usize) -> Option<usize> {
    let first = lines.get(index)?.text;
    let lower = limits::prefix(first, 400).to_lowercase();
    let opens = ["on ", "at ", "le ", "am ", "el ", "在", "于", "於"].iter().any(|start| lower.starts_with(start))
        || (lower.chars().next().is_some_and(|c| c.is_ascii_digit()) && (lower.contains('年') || lower.contains('@')))
        || lower.contains('@')
        || lower.ends_with("写道：")
        || lower.ends_with("写道:");
    if !opens {
        return None;
    }
    let mut length = 0;
    for taken in 1..=3 {
        let line = lines.get(index + taken - 1)?.text;
        if line.is_empty() || line.starts_with('>') {
            return None;
        }
        length += line.len();
        if length > 600 {
            return None;
        }
        if ends_attribution(line) {
            let dated = lines
                .get(index..index + taken)?
                .iter()
                .any(|line| line.text.contains(|c: char| c.is_ascii_digit()) || line.text.contains('@'));
            return dated.then_some(taken);
        }
    }
    None
}

fn ends_attribution(line: &str) -> bool {
    let line = line.to_lowercase();
    [
        "wrote:",
        "wrote：",
        "写道：",
        "写道:",
        "寫道：",
        "寫道:",
        "写到：",
        "写到:",
        "schrieb:",
        "a écrit :",
        "a écrit:",
        "escribió:",
        "さんは書きました:",
    ]
    .iter()
    .any(|end| line.ends_with(end))
}

/// Signature: below `-- `, or a mobile client's advertising line, near the end.
fn split_signature(fresh: &str) -> (&str, &str) {
    let lines = lines(fresh);
    let from = lines.len().saturating_sub(20);
    let found = lines.iter().enumerate().skip(from).find(|(_, line)| line.text == "--" || is_client_line(line.text));
    match found {
        Some((index, line)) if index > 0 => {
            (fresh.get(..line.start).unwrap_or_default(), fresh.get(line.start..).unwrap_or_default())
        }
        _ => (fresh, ""),
    }
}

fn is_client_line(line: &str) -> bool {
    let line = limits::prefix(line, 120).to_lowercase();
    let short = line.chars().count() <= 60;
    let starts = [
        "发自我的",
        "來自我的",
        "从我的",
        "来自我的",
        "sent from my ",
        "sent from mail for",
        "sent from outlook",
        "get outlook for",
        "获取 outlook",
        "发送自 ",
        "从 windows 版邮件",
        "发自",
    ];
    short && starts.iter().any(|start| line.starts_with(start))
}

/// Borders inside an HTML body: (fresh, quoted).
///
/// Runs on the mail as sent, because the marks (`class`, `id`) do not survive the
/// sanitizer; both halves must be sanitised by themselves.
pub fn split_html(html: &str) -> (&str, &str) {
    let html = limits::prefix(html, limits::HTML_BYTES);
    let mut tokens = markup::tokens(html).peekable();
    while let Some((at, token)) = tokens.next() {
        let border = match &token {
            Token::Open(tag) => is_quote_tag(tag),
            Token::Text(text) => {
                is_separator(&markup::decode(limits::prefix(text, 300)).replace('\u{a0}', " "))
                    || is_forward(text.trim())
            }
            Token::Close(_) => false,
        };
        if !border {
            continue;
        }
        let forwarded = matches!(&token, Token::Text(text) if is_forward(text.trim()))
            || tokens.by_ref().take(12).any(|(_, token)| matches!(token, Token::Text(text) if is_forward(text.trim())));
        let (fresh, quoted) = html.split_at(at);
        let empty = plain::to_text(fresh).trim().is_empty() && !fresh.contains("<img");
        return if forwarded || empty { (html, "") } else { (fresh, quoted) };
    }
    (html, "")
}

fn is_quote_tag(tag: &markup::Tag<'_>) -> bool {
    let class = tag.attribute("class").unwrap_or_default();
    let id = tag.attribute("id").unwrap_or_default();
    let style = || tag.attribute("style").unwrap_or_default().to_lowercase().replace(' ', "");
    let classes = [
        "gmail_quote",
        "gmail_quote_container",
        "gmail_extra",
        "yahoo_quoted",
        "moz-cite-prefix",
        "protonmail_quote",
        "zmail_extra",
        "ntes-mailmaster-quote",
        "tutanota_quote",
        "wps_quotion",
        "foxmail-quote",
        "mailmaster-quote",
        "qm_quote",
        "xm_reply_quote",
    ];
    let ids = [
        "appendonsend",
        "divRplyFwdMsg",
        "isReplyContent",
        "mail-editor-reference-message-container",
        "OLK_SRC_BODY_SECTION",
        "reply-intro",
        "ntes-pcmac-signature-quote",
        "origbody",
        "replySplit",
        "qqmail_quote",
    ];
    class.split_ascii_whitespace().any(|name| classes.contains(&name) || name.starts_with("yahoo_quoted"))
        || ids.contains(&id)
        || id.starts_with("yahoo_quoted")
        || (tag.name == "blockquote" && tag.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("cite")))
        || (tag.name == "blockquote" && id == "isReplyContent")
        || (tag.name == "div" && {
            let style = style();
            // Outlook's and Foxmail's rule above the old mail's headers.
            (style.contains("border-top:solid#") && style.contains("padding:3"))
                || style.contains("border-top:#b5c4df1ptsolid")
        })
}
