//! Rewrites HTML into a canonical form that a tree builder handles in bounded time.
//!
//! The sanitizer's parser is quadratic on deep nesting and on the adoption-agency and
//! foster-parenting rules of HTML (measured: 195 KB of nested `div` took 3.7 s). So the
//! open elements and the active formatting elements are modelled here after HTML 13.2.4
//! and 13.2.6; a tag that would nest past [`limits::HTML_DEPTH`] is dropped with its text
//! kept, tables never need foster parenting, and the elements the parser would create are
//! counted against [`limits::HTML_NODES`]. Safety is not decided here: that is the
//! allow-list in [`crate::sanitize`].

use crate::limits;
use crate::markup::{self, Token};

/// The parser would be led to create more than [`limits::HTML_NODES`] elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun;

/// What an image source becomes.
pub enum Source {
    /// Written as `src` with this value.
    Inline(String),
    /// Written as `data-remote-src`, not loaded.
    Deferred,
    /// Left out.
    Drop,
}

/// Canonical HTML and what it cost.
#[derive(Debug)]
pub struct Flat {
    /// Only known tags and attributes, well quoted.
    pub html: String,
    /// Elements a parser creates for it, an upper bound.
    pub work: u64,
    /// Deepest open element.
    pub depth: usize,
    /// Tags dropped at the depth cap.
    pub dropped: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Closed by itself: br, img.
    Void,
    /// Rebuilt after misnesting: b, font.
    Formatting,
    /// Ends the search for an end tag's partner: div, td.
    Special,
    /// span and the like.
    Ordinary,
}

const VOID: [&str; 5] = ["br", "hr", "img", "col", "wbr"];
const FORMATTING: [&str; 13] =
    ["a", "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"];
const ORDINARY: [&str; 14] =
    ["abbr", "bdi", "bdo", "cite", "del", "dfn", "ins", "kbd", "mark", "q", "samp", "span", "sub", "sup"];
const SPECIAL: [&str; 36] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "caption",
    "center",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
const ATTRIBUTES: [&str; 22] = [
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "href",
    "lang",
    "rowspan",
    "size",
    "start",
    "style",
    "title",
    "type",
    "valign",
    "width",
    "src",
];

/// The tags this module lets through.
pub fn tags() -> impl Iterator<Item = &'static str> {
    VOID.into_iter().chain(FORMATTING).chain(ORDINARY).chain(SPECIAL)
}

/// The attributes this module lets through, beside `data-remote-src` that it makes.
pub fn attributes() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.into_iter()
}

fn class(name: &str) -> Option<(&'static str, Class)> {
    let groups: [(&'static [&'static str], Class); 4] = [
        (&VOID, Class::Void),
        (&FORMATTING, Class::Formatting),
        (&ORDINARY, Class::Ordinary),
        (&SPECIAL, Class::Special),
    ];
    groups.iter().find_map(|(names, class)| names.iter().find(|known| **known == name).map(|known| (*known, *class)))
}

/// Rewrites `html`; `source` decides about each image source (entities decoded).
///
/// # Errors
/// [`Overrun`] past the element budget.
pub fn flatten(html: &str, source: &mut dyn FnMut(&str) -> Source) -> Result<Flat, Overrun> {
    let mut builder = Builder {
        out: String::with_capacity(html.len().min(limits::HTML_BYTES)),
        open: Vec::new(),
        scopes: Vec::new(),
        active: Vec::new(),
        next_id: 0,
        work: 0,
        deepest: 0,
        dropped: 0,
        source,
    };
    for (_, token) in markup::tokens(html) {
        match token {
            Token::Text(text) => builder.text(text),
            Token::Open(tag) => builder.start(&tag),
            Token::Close(name) => builder.end(&name),
        }
        if builder.work > limits::HTML_NODES as u64 {
            return Err(Overrun);
        }
    }
    Ok(Flat { html: builder.out, work: builder.work, depth: builder.deepest, dropped: builder.dropped })
}

struct Open {
    name: &'static str,
    class: Class,
    id: u64,
    /// Work done when it was opened: what lies inside is at most the difference to now.
    since: u64,
}

enum Active {
    Marker,
    Element { name: &'static str, id: u64, open: bool, fingerprint: u64 },
}

struct Builder<'s> {
    out: String,
    open: Vec<Open>,
    /// Open elements of [`SCOPE`], innermost last: asked for with every token.
    scopes: Vec<&'static str>,
    active: Vec<Active>,
    next_id: u64,
    work: u64,
    deepest: usize,
    dropped: u64,
    source: &'s mut dyn FnMut(&str) -> Source,
}

const SCOPE: [&str; 4] = ["table", "td", "th", "caption"];

impl Builder<'_> {
    fn text(&mut self, text: &str) {
        if self.in_table_context() {
            if text.trim().is_empty() {
                return;
            }
            self.imply_cell();
        }
        self.reconstruct();
        self.work += 1;
        self.out.push_str(&text.replace('<', "&lt;"));
    }

    fn start(&mut self, tag: &markup::Tag<'_>) {
        let Some((name, class)) = class(&tag.name) else { return };
        if !self.place(name, class) {
            return;
        }
        if matches!(class, Class::Formatting | Class::Ordinary) || matches!(name, "br" | "img" | "wbr") {
            self.reconstruct();
        }
        self.work += 1;
        if class == Class::Void {
            self.write_tag(name, tag);
            return;
        }
        if self.open.len() + self.pending() >= limits::HTML_DEPTH {
            self.dropped += 1;
            return;
        }
        let written = self.write_tag(name, tag);
        self.push(name, class, written);
    }

    /// Closes what the start tag closes by itself; false when the tag has no place here.
    fn place(&mut self, name: &'static str, class: Class) -> bool {
        let table_part =
            matches!(name, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "col" | "colgroup");
        if table_part {
            return self.place_in_table(name);
        }
        if self.in_table_context() {
            match class {
                Class::Formatting | Class::Ordinary => return false,
                // A table directly in a table ends that one (HTML 13.2.6.4.9).
                _ if name == "table" => self.close_nearest("table"),
                _ => self.imply_cell(),
            }
        }
        match name {
            "li" => self.close_item(&["li"]),
            "dd" | "dt" => self.close_item(&["dd", "dt"]),
            "a" => self.end_formatting("a"),
            _ => {}
        }
        let closes_paragraph = (class == Class::Special && name != "table") || name == "hr";
        if closes_paragraph {
            self.close_in_scope(&["p"], &[]);
        }
        if name.len() == 2 && name.starts_with('h') && self.open.last().is_some_and(|open| is_heading(open.name)) {
            self.truncate(self.open.len() - 1);
        }
        true
    }

    fn place_in_table(&mut self, name: &'static str) -> bool {
        let Some(table) = self.open.iter().rposition(|open| open.name == "table") else { return false };
        let group = self
            .open
            .iter()
            .rposition(|open| matches!(open.name, "tbody" | "thead" | "tfoot"))
            .filter(|at| *at > table);
        match name {
            "td" | "th" => {
                let row = self.open.iter().rposition(|open| open.name == "tr").filter(|at| *at > table);
                match (row, group) {
                    (Some(row), _) => self.truncate(row + 1),
                    (None, Some(group)) => {
                        self.truncate(group + 1);
                        self.imply("tr");
                    }
                    (None, None) => {
                        self.truncate(table + 1);
                        self.imply("tbody");
                        self.imply("tr");
                    }
                }
            }
            "tr" => match group {
                Some(group) => self.truncate(group + 1),
                None => {
                    self.truncate(table + 1);
                    self.imply("tbody");
                }
            },
            "col" => {
                let columns = self.open.last().is_some_and(|open| open.name == "colgroup");
                if !columns {
                    self.truncate(table + 1);
                    self.imply("colgroup");
                }
            }
            _ => self.truncate(table + 1),
        }
        true
    }

    /// Inside a table but in no cell or caption of it.
    fn in_table_context(&self) -> bool {
        self.scopes.last() == Some(&"table")
    }

    fn imply_cell(&mut self) {
        if self.place_in_table("td") {
            self.imply("td");
        }
    }

    fn imply(&mut self, name: &'static str) {
        self.out.push_str(&format!("<{name}>"));
        self.work += 1;
        self.push(name, Class::Special, 0);
    }

    fn push(&mut self, name: &'static str, class: Class, fingerprint: u64) {
        self.next_id += 1;
        let id = self.next_id;
        self.open.push(Open { name, class, id, since: self.work });
        self.deepest = self.deepest.max(self.open.len());
        if SCOPE.contains(&name) {
            self.scopes.push(name);
        }
        if matches!(name, "td" | "th" | "caption") {
            self.active.push(Active::Marker);
        }
        if class == Class::Formatting {
            self.forget_fourth(name, fingerprint);
            self.active.push(Active::Element { name, id, open: true, fingerprint });
        }
    }

    /// At most three equal elements since the last marker ("Noah's Ark clause").
    fn forget_fourth(&mut self, name: &str, fingerprint: u64) {
        let since = self.after_marker();
        let twin = |entry: &Active| matches!(entry, Active::Element { name: other, fingerprint: print, .. } if *other == name && *print == fingerprint);
        let twins: Vec<usize> =
            (since..self.active.len()).filter(|at| self.active.get(*at).is_some_and(twin)).collect();
        if let (true, Some(first)) = (twins.len() >= 3, twins.first()) {
            self.active.remove(*first);
        }
    }

    fn after_marker(&self) -> usize {
        self.active.iter().rposition(|entry| matches!(entry, Active::Marker)).map_or(0, |at| at + 1)
    }

    /// How many elements the next inline content rebuilds.
    fn pending(&self) -> usize {
        let tail = self.active.get(self.after_marker()..).unwrap_or_default();
        tail.iter().rev().take_while(|entry| matches!(entry, Active::Element { open: false, .. })).count()
    }

    fn reconstruct(&mut self) {
        let pending = self.pending();
        if pending == 0 {
            return;
        }
        let from = self.active.len() - pending;
        for entry in self.active.iter_mut().skip(from) {
            if let Active::Element { name, id, open, .. } = entry {
                *open = true;
                self.next_id += 1;
                *id = self.next_id;
                self.work += 1;
                self.open.push(Open { name, class: Class::Formatting, id: *id, since: self.work });
            }
        }
        self.deepest = self.deepest.max(self.open.len());
    }

    fn truncate(&mut self, keep: usize) {
        while self.open.len() > keep {
            let Some(gone) = self.open.pop() else { return };
            if gone.class == Class::Formatting {
                for entry in &mut self.active {
                    if let Active::Element { id, open, .. } = entry
                        && *id == gone.id
                    {
                        *open = false;
                    }
                }
            }
            if SCOPE.contains(&gone.name) {
                self.scopes.pop();
            }
            if matches!(gone.name, "td" | "th" | "caption") {
                let marker = self.after_marker();
                self.active.truncate(marker.saturating_sub(1));
            }
        }
    }

    fn close_nearest(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.truncate(at);
            self.out.push_str(&format!("</{name}>"));
        }
    }

    fn close_item(&mut self, names: &[&str]) {
        for at in (0..self.open.len()).rev() {
            let Some(open) = self.open.get(at) else { return };
            if names.contains(&open.name) {
                self.truncate(at);
                return;
            }
            if open.class == Class::Special && !matches!(open.name, "address" | "div" | "p") {
                return;
            }
        }
    }

    /// Closes up to the nearest of `names` unless a scope border comes first.
    fn close_in_scope(&mut self, names: &[&str], borders: &[&str]) -> bool {
        for at in (0..self.open.len()).rev() {
            let Some(open) = self.open.get(at) else { return false };
            if names.contains(&open.name) {
                self.truncate(at);
                return true;
            }
            if SCOPE.contains(&open.name) || borders.contains(&open.name) {
                return false;
            }
        }
        false
    }

    fn end(&mut self, name: &str) {
        let Some((name, class)) = class(name) else { return };
        let closed = match (name, class) {
            ("br", _) => {
                self.reconstruct();
                self.work += 1;
                self.out.push_str("<br>");
                false
            }
            (_, Class::Void) => false,
            (_, Class::Formatting) => {
                self.end_formatting(name);
                true
            }
            (_, Class::Ordinary) => self.end_ordinary(name),
            ("table" | "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup", _) => {
                self.end_table_part(name)
            }
            ("li", _) => self.close_in_scope(&["li"], &["ol", "ul"]),
            (heading, _) if is_heading(heading) => self.close_in_scope(&["h1", "h2", "h3", "h4", "h5", "h6"], &[]),
            _ => self.close_in_scope(&[name], &[]),
        };
        if closed {
            self.out.push_str(&format!("</{name}>"));
        }
    }

    fn end_table_part(&mut self, name: &str) -> bool {
        for at in (0..self.open.len()).rev() {
            let Some(open) = self.open.get(at) else { return false };
            if open.name == name {
                self.truncate(at);
                return true;
            }
            if open.name == "table" {
                return false;
            }
        }
        false
    }

    fn end_ordinary(&mut self, name: &str) -> bool {
        for at in (0..self.open.len()).rev() {
            let Some(open) = self.open.get(at) else { return false };
            if open.name == name {
                self.truncate(at);
                return true;
            }
            if open.class == Class::Special {
                return false;
            }
        }
        false
    }

    /// The adoption agency algorithm (HTML 13.2.6.4.7), as far as it changes the counts.
    fn end_formatting(&mut self, name: &'static str) {
        let since = self.after_marker();
        // Elements of SCOPE are never taken out of the middle, see below.
        let found = (since..self.active.len()).rev().find_map(|at| match self.active.get(at) {
            Some(Active::Element { name: other, id, open, .. }) if *other == name => Some((at, *id, *open)),
            _ => None,
        });
        let Some((entry, id, is_open)) = found else {
            self.end_ordinary(name);
            return;
        };
        let place = self.open.iter().position(|open| open.id == id).filter(|_| is_open);
        let Some(place) = place else {
            self.active.remove(entry);
            return;
        };
        let above: Vec<&Open> = self.open.iter().skip(place + 1).collect();
        if above.iter().any(|open| SCOPE.contains(&open.name)) {
            return;
        }
        let blocks: Vec<&Open> = above.iter().copied().filter(|open| open.class == Class::Special).collect();
        let moved: u64 =
            blocks.iter().take(8).map(|block| self.work.saturating_sub(block.since) + above.len() as u64).sum();
        match blocks.len() {
            0 => {
                self.truncate(place);
                // Truncating marked it closed; an end tag forgets it.
                self.active.remove(entry);
            }
            1..=7 => {
                self.open.remove(place);
                self.active.remove(entry);
                self.work += moved;
            }
            // The algorithm stops after eight rounds and leaves the element open.
            _ => self.work += moved,
        }
    }

    /// Writes a start tag; returns a fingerprint of its attributes.
    fn write_tag(&mut self, name: &'static str, tag: &markup::Tag<'_>) -> u64 {
        use std::hash::{Hash, Hasher};
        let start = self.out.len();
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in &tag.attributes {
            let known = ATTRIBUTES.contains(&attribute.as_str()) && value.len() <= limits::HTML_ATTRIBUTE_BYTES;
            match attribute.as_str() {
                "src" if name == "img" && known => self.write_source(value),
                "src" => {}
                other if known => self.write_attribute(other, value),
                _ => {}
            }
        }
        self.out.push('>');
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        self.out.get(start..).unwrap_or_default().hash(&mut hasher);
        hasher.finish()
    }

    fn write_source(&mut self, value: &str) {
        let decoded = markup::decode(value);
        match (self.source)(decoded.trim()) {
            Source::Inline(url) => self.write_attribute("src", &markup::escape(&url)),
            Source::Deferred => self.write_attribute("data-remote-src", value),
            Source::Drop => {}
        }
    }

    fn write_attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.out.push_str(&value.replace('"', "&quot;"));
        self.out.push('"');
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}
