//! HTML of messages: what agents write is cleaned before it is kept; what is kept is prepared for the sandboxed
//! frame. Mail HTML was sanitised at intake and is kept with its remote images switched off (`data-remote-src`).
//! The walls behind this one are the frame's content security policy and its sandbox (SECURITY P12).

use domain::{AttachmentId, Code, Rejection, limits};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Nesting of an agent's HTML; our editor makes less than 20.
const DEPTH_MAX: usize = 100;
/// Tags of an agent's HTML, opening and closing.
const TAGS_MAX: usize = 20_000;
const ATTACHMENT_PATH: &str = "/api/attachments/";

/// What the composer may send.
const TAGS: [&str; 24] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
    "ul",
];

/// Cleans what an agent wrote: a short allow-list, pictures only from this message's own attachments.
/// Answers the HTML and the attachments it shows in place.
///
/// # Errors
/// `too_large` on `html` for more bytes, tags or nesting than anybody writes by hand.
pub(crate) fn from_agent(html: &str, attachments: &[AttachmentId]) -> Result<(String, Vec<AttachmentId>), Rejection> {
    let refused = |max: usize| Err(Rejection::new(Code::TooLarge).with("max", max).on("html"));
    if html.len() > limits::MESSAGE_HTML_BYTES {
        return refused(limits::MESSAGE_HTML_BYTES);
    }
    // The sanitiser's work grows with the square of the nesting, so that is bounded first.
    let (tags, depth) = nesting(html);
    if tags > TAGS_MAX || depth > DEPTH_MAX {
        return refused(if depth > DEPTH_MAX { DEPTH_MAX } else { TAGS_MAX });
    }
    let known: HashSet<String> = attachments.iter().map(|id| format!("{ATTACHMENT_PATH}{id}")).collect();
    let shown: Arc<Mutex<Vec<AttachmentId>>> = Arc::default();
    let found = Arc::clone(&shown);
    let mut cleaner = ammonia::Builder::empty();
    cleaner
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from(["script", "style", "title", "textarea", "template", "svg", "math"]))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"])), ("img", HashSet::from(["src", "alt"]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            ("img", "src") => {
                let id = value.strip_prefix(ATTACHMENT_PATH)?.parse().ok()?;
                if !known.contains(value) {
                    return None;
                }
                found.lock().unwrap_or_else(PoisonError::into_inner).push(id);
                Some(Cow::Borrowed(value))
            }
            // Relative links would lead into this product from the customer's mail.
            ("a", "href") if value.starts_with('/') || !value.contains(':') => None,
            _ => Some(Cow::Borrowed(value)),
        });
    let clean = cleaner.clean(html).to_string();
    let mut ids = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ids.sort_unstable();
    ids.dedup();
    Ok((clean, ids))
}

/// Number of tags and an upper bound of their nesting, without building a tree.
fn nesting(html: &str) -> (usize, usize) {
    let (mut tags, mut open, mut deepest) = (0_usize, 0_usize, 0_usize);
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let next = after.chars().next();
        if next == Some('/') {
            tags += 1;
            open = open.saturating_sub(1);
        } else if next.is_some_and(|c| c.is_ascii_alphabetic()) {
            tags += 1;
            let name: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
            if !matches!(name.to_ascii_lowercase().as_str(), "br" | "hr" | "img" | "wbr" | "input" | "meta" | "link") {
                open += 1;
                deepest = deepest.max(open);
            }
        }
        rest = after;
    }
    (tags, deepest)
}

/// The picture addresses in kept HTML that are ours: `cid:..` or one of our attachments.
pub(crate) fn own_pictures(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    rewrite(html, &mut |name, value| {
        if name == "src" && is_own(value) {
            found.push(unescape(value));
        }
        None
    });
    found
}

fn is_own(value: &str) -> bool {
    value.starts_with("cid:") || value.starts_with(ATTACHMENT_PATH)
}

/// Kept HTML as a whole page for the frame. `picture` gives our own pictures as `data:` addresses (the frame has an
/// origin of its own and could not fetch them); remote ones are switched on only if `remote`, by https only.
pub(crate) fn frame(html: &str, remote: bool, picture: &dyn Fn(&str) -> Option<String>) -> String {
    let body = rewrite(html, &mut |name, value| match name {
        "src" if is_own(value) => picture(&unescape(value)).map(|data| ("src", data)),
        "src" => is_https(value).filter(|()| remote).map(|()| ("src", value.to_owned())),
        "data-remote-src" if remote => is_https(value).map(|()| ("src", value.to_owned())),
        "data-remote-src" => Some(("data-remote-src", value.to_owned())),
        "alt" => Some(("alt", value.to_owned())),
        "title" => Some(("title", value.to_owned())),
        "width" => Some(("width", value.to_owned())),
        "height" => Some(("height", value.to_owned())),
        "style" => Some(("style", value.to_owned())),
        _ => None,
    });
    format!("{HEAD}{body}</body></html>")
}

const HEAD: &str = "<!doctype html><html><head><meta charset=\"utf-8\"><base target=\"_blank\"><style>\
    body{margin:0;font:14px/1.5 system-ui,-apple-system,'PingFang SC','Microsoft YaHei',sans-serif;color:#1c1e21;\
    background:#fff;overflow-wrap:anywhere}img{max-width:100%;height:auto}img[data-remote-src]{display:inline-block;\
    min-width:24px;min-height:24px;border:1px dashed #bbb}table{max-width:100%}pre{white-space:pre-wrap}\
    blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #ccc}</style></head><body>";

fn is_https(value: &str) -> Option<()> {
    value.starts_with("https://").then_some(())
}

type Rule<'r> = dyn FnMut(&str, &str) -> Option<(&'static str, String)> + 'r;

/// Rewrites the attributes of every `img`. The input is the sanitiser's own output: attributes are in double quotes
/// with quotes inside them escaped, and a `<` in text is escaped, so tags can be found without parsing.
fn rewrite(html: &str, rule: &mut Rule<'_>) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, from_tag) = rest.split_at(at);
        out.push_str(text);
        let (tag, after) = from_tag.split_at(tag_length(from_tag));
        match tag.strip_prefix("<img").filter(|rest| rest.starts_with([' ', '>', '/'])) {
            Some(attributes) => picture(&mut out, attributes, rule),
            None => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Bytes up to and with the `>` that ends the tag, quotes respected.
fn tag_length(tag: &str) -> usize {
    let mut quoted = false;
    for (index, c) in tag.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return index + 1,
            _ => {}
        }
    }
    tag.len()
}

fn picture(out: &mut String, attributes: &str, rule: &mut Rule<'_>) {
    out.push_str("<img");
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        if let Some((name, value)) = rule(name.trim_matches([' ', '/']), value) {
            // A value is either taken over as it was escaped or made by us without quotes.
            let _ = write!(out, " {name}=\"{}\"", value.replace('"', "&quot;"));
        }
        rest = after;
    }
    out.push('>');
}

fn unescape(value: &str) -> String {
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Text as HTML that looks the same.
pub(crate) fn from_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> AttachmentId {
        AttachmentId(Uuid::from_u128(n))
    }

    fn clean(html: &str) -> String {
        from_agent(html, &[id(7)]).unwrap().0
    }

    #[test]
    fn agents_write_plain_things_only() {
        let cases = [
            ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
            ("<p onclick=alert(1) id=x class=y style=position:fixed>a</p>", "<p>a</p>"),
            ("<script>alert(1)</script>x", "x"),
            ("<svg><script>1</script></svg>x", "x"),
            ("<form action=/x><input>a</form>", "a"),
            ("<a href=\"javascript:alert(1)\">a</a>", "<a rel=\"noopener noreferrer nofollow\">a</a>"),
            ("<a href=\"/admin\">a</a>", "<a rel=\"noopener noreferrer nofollow\">a</a>"),
            (
                "<a href=\"https://x.cn/?a=1\">a</a>",
                "<a href=\"https://x.cn/?a=1\" rel=\"noopener noreferrer nofollow\">a</a>",
            ),
            ("<img src=\"https://evil/pixel\">", "<img>"),
            ("<img src=\"data:image/svg+xml,x\">", "<img>"),
            ("<img src=\"/api/attachments/00000000-0000-0000-0000-000000000008\">", "<img>"),
            ("<!-- c --><iframe src=x></iframe>ok", "ok"),
        ];
        for (html, expect) in cases {
            assert_eq!(clean(html), expect, "{html}");
        }
    }

    #[test]
    fn pictures_of_the_message_are_kept_and_told() {
        let src = format!("/api/attachments/{}", id(7));
        let (html, shown) = from_agent(&format!("<p><img src=\"{src}\" alt=\"x\"></p>"), &[id(7), id(9)]).unwrap();
        assert!(html.contains(&src), "{html}");
        assert_eq!(shown, [id(7)]);
        assert_eq!(own_pictures(&html), [src]);
    }

    #[test]
    fn bombs_are_refused_before_parsing() {
        let deep = |n: usize| "<div>".repeat(n);
        assert!(from_agent(&deep(DEPTH_MAX), &[]).is_ok());
        assert_eq!(from_agent(&deep(DEPTH_MAX + 1), &[]).unwrap_err().code, Code::TooLarge);
        assert!(from_agent(&"<br>".repeat(TAGS_MAX), &[]).is_ok());
        assert_eq!(from_agent(&"<br>".repeat(TAGS_MAX + 1), &[]).unwrap_err().code, Code::TooLarge);
        assert!(from_agent(&"x".repeat(limits::MESSAGE_HTML_BYTES), &[]).is_ok());
        assert!(from_agent(&"x".repeat(limits::MESSAGE_HTML_BYTES + 1), &[]).is_err());
    }

    fn body(html: &str, remote: bool) -> String {
        let page = frame(html, remote, &|src| (src == "cid:a&b").then(|| "data:image/png;base64,AA==".to_owned()));
        page.strip_prefix(HEAD).unwrap().strip_suffix("</body></html>").unwrap().to_owned()
    }

    #[test]
    fn remote_pictures_need_consent_and_https() {
        let blocked = "<p>1 &lt; 2</p><img alt=\"a > b\" data-remote-src=\"https://x/p.png?a=1&amp;b=2\">";
        assert_eq!(body(blocked, false), blocked);
        assert_eq!(body(blocked, true), "<p>1 &lt; 2</p><img alt=\"a > b\" src=\"https://x/p.png?a=1&amp;b=2\">");
        for source in ["http://x/p.png", "//x/p.png", "javascript:1", "data:text/html,x"] {
            assert_eq!(body(&format!("<img data-remote-src=\"{source}\">"), true), "<img>", "{source}");
            assert_eq!(body(&format!("<img src=\"{source}\">"), true), "<img>", "{source}");
        }
        assert_eq!(body("<img src=\"https://x/p.png\">", false), "<img>");
    }

    #[test]
    fn own_pictures_are_embedded_others_vanish() {
        assert_eq!(body("<img src=\"cid:a&amp;b\" onerror=\"x\">", false), "<img src=\"data:image/png;base64,AA==\">");
        assert_eq!(body("<img src=\"cid:none\">", false), "<img>");
    }

    #[test]
    fn text_that_looks_like_tags_stays_text() {
        let text = "&lt;img data-remote-src=\"https://x\"&gt; <a href=\"https://y/?q=<img src=\">z</a>";
        assert_eq!(body(text, true), text);
        assert_eq!(body("<img src=\"cid:x", true), "<img>");
        assert_eq!(body("a < b", true), "a < b");
    }
}
