//! Mail HTML made safe to show: the first of three walls (the others are the sandboxed
//! frame and the content security policy; SECURITY P12, row 1).
//!
//! Order: byte cap, [`crate::flatten`] (canonical tags, bounded nesting and work), then
//! ammonia with a short allow-list. No forms, no `id`, `name` or `class`, no `data:` or
//! `javascript:`, no CSS that loads, positions or escapes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::flatten::{self, Source};
use crate::{limits, markup, plain};

/// Whether content on foreign servers may be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Image addresses are kept in `data-remote-src` only.
    Blocked,
    /// Images load, by https only.
    Allowed,
}

/// Why HTML was replaced by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// More than [`limits::HTML_BYTES`].
    Bytes,
    /// More than [`limits::HTML_NODES`] elements.
    Nodes,
}

/// HTML that may be put into the sandboxed frame.
#[derive(Clone, Debug)]
pub struct Safe {
    /// The HTML; never empty when the input had text.
    pub html: String,
    /// Remote images found (shown or not).
    pub remote: usize,
    /// Set when the text form is shown instead.
    pub fallback: Option<Fallback>,
    /// Elements the parser had to create, an upper bound.
    pub work: u64,
    /// Tags whose nesting was cut.
    pub flattened: u64,
}

/// Sanitises `html`. `cid` gives the address of an inline image by its Content-Id.
pub fn sanitize(html: &str, remote: Remote, cid: &dyn Fn(&str) -> Option<String>) -> Safe {
    if html.len() > limits::HTML_BYTES {
        return as_text(html, Fallback::Bytes);
    }
    let mut inline: Vec<String> = Vec::new();
    let mut count = 0;
    let flat = flatten::flatten(html, &mut |source| {
        if let Some(id) = strip_prefix_ignore_case(source, "cid:") {
            let Some(url) = cid(&percent_decode(id)) else { return Source::Drop };
            inline.push(url);
            return Source::Inline(format!("cid:{}", inline.len() - 1));
        }
        let Some(url) = https(source) else { return Source::Drop };
        count += 1;
        match remote {
            Remote::Blocked => Source::Deferred,
            Remote::Allowed => Source::Inline(url),
        }
    });
    let Ok(flat) = flat else { return as_text(html, Fallback::Nodes) };
    let html = builder(inline).clean(&flat.html).to_string();
    Safe { html, remote: count, fallback: None, work: flat.work, flattened: flat.dropped }
}

/// HTML written by an agent, for an outgoing mail: the same rules, inline images kept as `cid:`.
pub fn outgoing(html: &str) -> String {
    let known = |id: &str| Some(format!("cid:{id}"));
    sanitize(html, Remote::Allowed, &known).html
}

fn as_text(html: &str, why: Fallback) -> Safe {
    let html = plain::to_html(&plain::to_text(html));
    Safe { html, remote: 0, fallback: Some(why), work: 0, flattened: 0 }
}

fn builder(inline: Vec<String>) -> ammonia::Builder<'static> {
    let mut builder = ammonia::Builder::empty();
    builder
        .tags(flatten::tags().collect())
        .clean_content_tags(HashSet::from(["script", "style", "title", "textarea", "template", "svg", "math"]))
        .generic_attributes(HashSet::from([
            "title", "dir", "lang", "align", "valign", "width", "height", "bgcolor", "border", "color", "style",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src", "alt", "data-remote-src"])),
            ("font", HashSet::from(["face", "size"])),
            ("table", HashSet::from(["cellpadding", "cellspacing"])),
            ("td", HashSet::from(["colspan", "rowspan"])),
            ("th", HashSet::from(["colspan", "rowspan"])),
            ("ol", HashSet::from(["start", "type"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        // The filter below decides; our own addresses of inline images are relative.
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| filter(&inline, element, attribute, value));
    builder
}

fn filter<'v>(inline: &[String], element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        ("img", "src") => match value.strip_prefix("cid:") {
            Some(number) => inline.get(number.parse::<usize>().ok()?).map(|url| url.clone().into()),
            None => https(value).map(Cow::Owned),
        },
        ("img", "data-remote-src") => https(value).map(Cow::Owned),
        ("a", "href") => {
            let web = ["http://", "https://", "mailto:", "tel:"]
                .iter()
                .any(|scheme| strip_prefix_ignore_case(value, scheme).is_some());
            web.then_some(Cow::Borrowed(value))
        }
        (_, "style") => {
            let style = style(value);
            (!style.is_empty()).then_some(Cow::Owned(style))
        }
        (
            _,
            "width" | "height" | "border" | "size" | "start" | "colspan" | "rowspan" | "cellpadding" | "cellspacing",
        ) => {
            let short =
                value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-%px.".contains(&byte));
            short.then_some(Cow::Borrowed(value))
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

/// The https form of a web address, or nothing.
fn https(value: &str) -> Option<String> {
    let value = value.trim();
    if value.contains(|c: char| c.is_control() || c.is_whitespace() || c == '"' || c == '<') {
        return None;
    }
    let rest = strip_prefix_ignore_case(value, "https://")
        .or_else(|| strip_prefix_ignore_case(value, "http://"))
        .or_else(|| value.strip_prefix("//"))?;
    let host_first = rest.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '[');
    host_first.then(|| format!("https://{rest}"))
}

fn strip_prefix_ignore_case<'a>(value: &'a str, prefix: &str) -> Option<&'a str> {
    let start = value.get(..prefix.len())?;
    if start.eq_ignore_ascii_case(prefix) { value.get(prefix.len()..) } else { None }
}

fn percent_decode(id: &str) -> String {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// CSS properties that only change how text and boxes look in their own place.
const PROPERTIES: [&str; 43] = [
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "direction",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "max-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-wrap",
    "overflow-wrap",
    "margin",
];

/// The declarations of a style attribute that are on the list and hold nothing but plain values.
fn style(value: &str) -> String {
    let mut out = String::new();
    for declaration in value.split(';').take(64) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim();
        let listed = PROPERTIES.contains(&name.as_str()) || (name == "background" && !value.contains('('));
        if listed && plain_value(value) {
            if !out.is_empty() {
                out.push_str("; ");
            }
            out.push_str(&name);
            out.push_str(": ");
            out.push_str(value);
        }
    }
    out
}

/// No url(), no escapes, no comments, no markup: numbers, words, colours, quoted names.
fn plain_value(value: &str) -> bool {
    let calm = |c: char| c.is_alphanumeric() || " #%.,-!'\"()+".contains(c);
    let balanced = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let lower = value.to_lowercase();
    let functions_known = lower.match_indices('(').all(|(at, _)| {
        let before = lower.get(..at).unwrap_or_default();
        ["rgb", "rgba", "hsl", "hsla"].iter().any(|function| before.ends_with(function))
    });
    // A negative margin moves content over the frame's own chrome.
    let negative = lower.contains('-')
        && lower.bytes().zip(lower.bytes().skip(1)).any(|(a, b)| a == b'-' && (b.is_ascii_digit() || b == b'.'));
    !value.is_empty()
        && value.len() <= 300
        && value.chars().all(calm)
        && balanced('"')
        && balanced('\'')
        && functions_known
        && !negative
        && !lower.contains("url")
}

/// Text of a mail as safe HTML, for mails without an HTML part.
pub fn text_as_html(text: &str) -> String {
    plain::to_html(limits::prefix(text, limits::TEXT_BYTES))
}

/// Escapes text for HTML; re-exported for callers that build small fragments.
pub fn escape(text: &str) -> String {
    markup::escape(text)
}
