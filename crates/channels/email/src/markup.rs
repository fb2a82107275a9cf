//! A small HTML tokenizer: one pass, no tree, no recursion, linear on every input.
//!
//! It feeds the sanitizer's rewriter, the text form and the quote splitter. It need not
//! agree with browsers on hostile input: what it emits is written anew in canonical form.

use crate::limits;

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text with its entities still encoded.
    Text(&'a str),
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag, by lower-case name.
    Close(String),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Lower-case name.
    pub name: String,
    /// Attributes as (lower-case name, raw value with entities), first of each name.
    pub attributes: Vec<(String, &'a str)>,
}

impl<'a> Tag<'a> {
    /// The raw value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| *value)
    }
}

/// Iterates over the tokens of `html` with their byte offsets.
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
}

/// Elements whose content is no markup; it is dropped whole.
const RAW_TEXT: [&str; 11] =
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext", "svg"];

/// Starts tokenizing `html`.
pub fn tokens(html: &str) -> Tokens<'_> {
    Tokens { html, at: 0 }
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Skips to just behind `end`, or to the end of input.
    fn skip_past(&mut self, end: &str) {
        self.at = self.rest().find(end).map_or(self.html.len(), |found| self.at + found + end.len());
    }

    /// Skips the content of a raw-text element, up to its end tag or the end of input.
    fn skip_raw_text(&mut self, name: &str) {
        let rest = self.rest().as_bytes();
        let mut from = 0;
        while let Some(found) = rest.get(from..).and_then(|tail| tail.windows(2).position(|pair| pair == b"</")) {
            let tail = rest.get(from + found + 2..).unwrap_or_default();
            if tail.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())) {
                self.at += from + found;
                self.skip_past(">");
                return;
            }
            from += found + 2;
        }
        self.at = self.html.len();
    }

    /// Reads a tag whose `<` is at `self.at`; `None` when it never ends.
    fn tag(&mut self) -> Option<(Token<'a>, bool)> {
        let rest = self.rest();
        let closing = rest.starts_with("</");
        let inner = rest.get(if closing { 2 } else { 1 }..)?;
        let name_end = inner.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?;
        let name = inner.get(..name_end)?.to_ascii_lowercase();
        let mut scan = Attributes { rest: inner.get(name_end..)?, found: Vec::new() };
        if !scan.run() {
            return None;
        }
        self.at = self.html.len() - scan.rest.len();
        if closing {
            return Some((Token::Close(name), false));
        }
        let raw = RAW_TEXT.contains(&name.as_str());
        Some((Token::Open(Tag { name, attributes: scan.found }), raw))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest();
            let mut bytes = rest.bytes();
            let start = self.at;
            match (bytes.next()?, bytes.next(), bytes.next()) {
                (b'<', Some(b'!'), _) if rest.starts_with("<!--") => self.skip_past("-->"),
                (b'<', Some(b'!' | b'?'), _) => self.skip_past(">"),
                (b'<', Some(b'/'), Some(c)) if !c.is_ascii_alphabetic() => self.skip_past(">"),
                (b'<', Some(b'/'), Some(_)) | (b'<', Some(b'a'..=b'z' | b'A'..=b'Z'), _) => match self.tag() {
                    Some((token, raw)) => {
                        if let (true, Token::Open(tag)) = (raw, &token) {
                            self.skip_raw_text(&tag.name);
                        }
                        return Some((start, token));
                    }
                    None => {
                        self.at = self.html.len();
                        return Some((start, Token::Text(rest)));
                    }
                },
                _ => {
                    let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(at, _)| at);
                    self.at += end;
                    return Some((start, Token::Text(rest.get(..end).unwrap_or_default())));
                }
            }
        }
    }
}

struct Attributes<'a> {
    rest: &'a str,
    found: Vec<(String, &'a str)>,
}

impl<'a> Attributes<'a> {
    /// Reads up to and including `>`; false when the input ends first.
    fn run(&mut self) -> bool {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if let Some(tail) = self.rest.strip_prefix('>') {
                self.rest = tail;
                return true;
            }
            let stop = |c: char| c.is_ascii_whitespace() || c == '/' || c == '>' || c == '=';
            let Some(first) = self.rest.chars().next() else { return false };
            // A leading "=" belongs to the name (HTML 13.2.5.32).
            let skip = first.len_utf8();
            let Some(end) = self.rest.get(skip..).and_then(|tail| tail.find(stop)) else { return false };
            let (name, tail) = self.rest.split_at(skip + end);
            let spaced = tail.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let value = match spaced.strip_prefix('=') {
                Some(tail) => {
                    let Some((value, tail)) = value(tail) else { return false };
                    self.rest = tail;
                    value
                }
                None => {
                    self.rest = tail;
                    ""
                }
            };
            let known = self.found.len() >= limits::HTML_ATTRIBUTES
                || self.found.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if !known {
                self.found.push((name.to_ascii_lowercase(), value));
            }
        }
    }
}

fn value(tail: &str) -> Option<(&str, &str)> {
    let tail = tail.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let quote = tail.chars().next().filter(|c| *c == '"' || *c == '\'');
    match quote {
        Some(quote) => tail.get(1..)?.split_once(quote),
        None => {
            let end = tail.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
            Some(tail.split_at(end))
        }
    }
}

/// Decodes character references.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        // No reference is longer than 32 characters, so the search stays linear.
        let end = limits::prefix(tail, 34).find(';').filter(|end| *end > 1);
        let reference = end
            .and_then(|end| tail.get(..=end))
            .filter(|entity| entity.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() || b == b'#' || b == b';'));
        match reference {
            Some(entity) => {
                mail_parser::decoders::html::add_html_token(&mut out, entity.as_bytes(), false);
                rest = tail.get(entity.len()..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// Encodes text for HTML content and double-quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(html: &str) -> String {
        let mut out = String::new();
        for (_, token) in tokens(html) {
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Open(tag) => {
                    out.push_str(&format!("[{}", tag.name));
                    tag.attributes.iter().for_each(|(name, value)| out.push_str(&format!(" {name}={value}")));
                    out.push(']');
                }
                Token::Close(name) => out.push_str(&format!("[/{name}]")),
            }
        }
        out
    }

    #[test]
    fn tokenizes() {
        for (html, expect) in [
            ("a<b>c</b>", "a[b]c[/b]"),
            ("<A HREF='x y' b=c/d e>t", "[a href=x y b=c/d e=]t"),
            ("1 < 2 &lt; <3", "1 < 2 &lt; <3"),
            ("a<!-- <b> -->c<!doctype x>d<?x y?>e", "acde"),
            ("<script>if (a</b>)</SCRIPT >x", "[script]x"),
            ("<style>b{}</stylex>y</style>z", "[style]y[/style]z"),
            ("<a b=\"never", "<a b=\"never"),
            ("</ x>y</3>z", "yz"),
            ("<img src=a src=b/>", "[img src=a]"),
            ("<x =y>", "[x =y=]"),
        ] {
            assert_eq!(brief(html), expect, "{html}");
        }
    }

    #[test]
    fn references() {
        assert_eq!(decode("a&amp;b&nbsp;&#20320;&#x597d;&bogus;&;& &lt"), "a&b\u{a0}你好&bogus;&;& &lt");
        assert_eq!(escape("<a href=\"x'&\">"), "&lt;a href=&quot;x&#39;&amp;&quot;&gt;");
    }
}
