//! HTML to text for search, quoting and fallback, and text to HTML for display.

use crate::limits;
use crate::markup::{self, Token};

/// The text of `html`: blocks on lines of their own, lists with bullets, link targets
/// in angle brackets where the text does not show them. Linear; at most
/// [`limits::TEXT_BYTES`] are returned.
pub fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut in_head = false;
    for (_, token) in markup::tokens(html) {
        if writer.out.len() > limits::TEXT_BYTES {
            break;
        }
        match token {
            Token::Text(text) if !in_head => writer.text(text),
            Token::Text(_) => {}
            Token::Open(tag) if tag.name == "head" => in_head = true,
            Token::Open(tag) => {
                if tag.name == "body" {
                    in_head = false;
                }
                writer.open(&tag);
            }
            Token::Close(name) if name == "head" => in_head = false,
            Token::Close(name) => writer.close(&name),
        }
    }
    let text: Vec<&str> = writer.out.lines().map(str::trim_end).collect();
    let text = collapse_blank_lines(&text);
    limits::prefix(text.trim_matches('\n'), limits::TEXT_BYTES).to_owned()
}

fn collapse_blank_lines(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut blank = 0;
    for line in lines {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 1 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Open lists: `Some(n)` numbers the next item.
    lists: Vec<Option<u32>>,
    preformatted: u32,
    quotes: u32,
    /// Target of the open link, and where its text starts.
    link: Option<(String, usize)>,
}

impl Writer {
    fn text(&mut self, raw: &str) {
        let text = markup::decode(raw);
        if self.preformatted > 0 {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 {
                    self.newline();
                }
                self.prefix();
                self.out.push_str(line.trim_end_matches('\r'));
            }
            return;
        }
        let mut words = text.split(|c: char| c.is_ascii_whitespace() || c == '\u{a0}').peekable();
        let mut first = true;
        while let Some(word) = words.next() {
            if !first
                && !self.at_line_start()
                && !self.out.ends_with(' ')
                && (!word.is_empty() || words.peek().is_none())
            {
                self.out.push(' ');
            }
            first = false;
            if !word.is_empty() {
                self.prefix();
                self.out.push_str(word);
            }
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn prefix(&mut self) {
        if self.at_line_start() {
            for _ in 0..self.quotes.min(8) {
                self.out.push_str("> ");
            }
        }
    }

    fn newline(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn block(&mut self) {
        if !self.at_line_start() {
            self.newline();
        }
    }

    fn open(&mut self, tag: &markup::Tag<'_>) {
        match tag.name.as_str() {
            "br" => self.newline(),
            "hr" => {
                self.block();
                self.out.push_str("---\n");
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.paragraph(),
            "ul" => {
                self.block();
                self.lists.push(None);
            }
            "ol" => {
                self.block();
                self.lists.push(Some(1));
            }
            "li" => self.item(),
            "td" | "th" if !self.at_line_start() => self.out.push_str("  "),
            "pre" => {
                self.block();
                self.preformatted += 1;
            }
            "blockquote" => {
                self.block();
                self.quotes += 1;
            }
            "img" => {
                if let Some(alt) = tag.attribute("alt").map(str::trim).filter(|alt| !alt.is_empty()) {
                    self.text(&format!("[{}]", limits::prefix(alt, 200)));
                }
            }
            "a" => {
                let target = tag.attribute("href").map(markup::decode).unwrap_or_default();
                self.link = Some((target.trim().to_owned(), self.out.len()));
            }
            name if is_block(name) => self.block(),
            _ => {}
        }
        self.lists.truncate(64);
    }

    fn item(&mut self) {
        self.block();
        self.prefix();
        for _ in 1..self.lists.len() {
            self.out.push_str("  ");
        }
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number += 1;
                self.out.push_str(&marker);
            }
            _ => self.out.push_str("- "),
        }
    }

    fn paragraph(&mut self) {
        self.block();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.paragraph(),
            "ul" | "ol" => {
                self.lists.pop();
                self.block();
            }
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.block();
            }
            "blockquote" => {
                self.block();
                self.quotes = self.quotes.saturating_sub(1);
            }
            "a" => self.close_link(),
            name if is_block(name) => self.block(),
            _ => {}
        }
    }

    fn close_link(&mut self) {
        let Some((target, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default().trim().to_owned();
        let bare = |url: &str| {
            url.trim_start_matches("mailto:")
                .trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .to_lowercase()
        };
        let web = target.starts_with("http://") || target.starts_with("https://") || target.starts_with("mailto:");
        if web && !shown.is_empty() && target.len() <= 2_000 && bare(&target) != bare(&shown) {
            self.out.push_str(&format!(" <{target}>"));
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "tr"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "address"
            | "center"
            | "figure"
            | "figcaption"
            | "form"
            | "fieldset"
            | "caption"
            | "tbody"
            | "thead"
            | "body"
            | "html"
    )
}

/// Text as HTML: escaped, paragraphs and line ends kept, web addresses linked.
pub fn to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for paragraph in text.replace("\r\n", "\n").trim_matches('\n').split("\n\n") {
        out.push_str("<p>");
        for (at, line) in paragraph.split('\n').enumerate() {
            if at > 0 {
                out.push_str("<br>");
            }
            link_line(line, &mut out);
        }
        out.push_str("</p>");
    }
    out
}

fn link_line(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, tail) = rest.split_at(at);
        out.push_str(&markup::escape(before));
        let end =
            tail.find(|c: char| c.is_whitespace() || "<>\"'`，。；！？、（）《》".contains(c)).unwrap_or(tail.len());
        let url = tail.get(..end).unwrap_or_default().trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let escaped = markup::escape(url);
        if url.ends_with("//") {
            out.push_str(&escaped);
        } else {
            out.push_str(&format!("<a href=\"{escaped}\">{escaped}</a>"));
        }
        rest = tail.get(url.len().max(1)..).unwrap_or_default();
    }
    out.push_str(&markup::escape(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_readable_text() {
        for (html, expect) in [
            ("<p>Hello <b>you</b></p><p>Bye</p>", "Hello you\n\nBye"),
            ("a<br>b<div>c</div>d", "a\nb\nc\nd"),
            ("<head><title>x</title><style>y</style></head><body>  z \n w </body>", "z w"),
            ("<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n1. c\n2. d"),
            (
                "<a href='https://x.cn/a?b=1&amp;c'>link</a> <a href='https://y.cn'>y.cn</a>",
                "link <https://x.cn/a?b=1&c> y.cn",
            ),
            ("<blockquote>q<br>r</blockquote>s", "> q\n> r\ns"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"),
            ("<pre>  x\n y</pre>", "  x\n y"),
            ("<img alt=\"图片\" src=x>&nbsp;你好", "[图片] 你好"),
            ("<a href=\"javascript:x\">y</a>", "y"),
        ] {
            assert_eq!(to_text(html), expect, "{html}");
        }
    }

    #[test]
    fn text_becomes_safe_html() {
        assert_eq!(
            to_html("a <b>\nsee https://x.cn/q?a=1&b=2.\n\nend"),
            "<p>a &lt;b&gt;<br>see <a href=\"https://x.cn/q?a=1&amp;b=2\">https://x.cn/q?a=1&amp;b=2</a>.</p><p>end</p>"
        );
        assert_eq!(
            to_html("详见https://x.cn/路径，谢谢"),
            "<p>详见<a href=\"https://x.cn/路径\">https://x.cn/路径</a>，谢谢</p>"
        );
        assert_eq!(to_html("http://"), "<p>http://</p>");
    }
}
