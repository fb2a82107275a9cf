//! The MIME skeleton of a mail, found in one pass over its lines.
//!
//! This runs before any parser and enforces the caps of [`crate::limits`], so that no
//! parser ever sees nested multiparts: each leaf is handed on as a slice of the raw mail.
//! The pass is linear by construction; `work` counts what it did, for the tests.

use crate::limits;

/// Why a mail is not taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    /// More than [`limits::MAIL_BYTES`].
    MailBytes,
    /// Multiparts nested deeper than [`limits::MIME_DEPTH`].
    Depth,
    /// More than [`limits::PARTS`].
    Parts,
    /// More than [`limits::HEADERS`] in one part.
    Headers,
    /// A header field longer than [`limits::HEADER_BYTES`].
    HeaderBytes,
}

/// A part without children.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// Header block of the part, without the empty line.
    pub header: &'a [u8],
    /// Undecoded content.
    pub body: &'a [u8],
    /// The innermost enclosing multipart/alternative, by number.
    pub alternative: Option<usize>,
    /// Directly inside a multipart/digest, whose default type is message/rfc822.
    pub in_digest: bool,
    /// A multipart whose boundary never came: shown as text.
    pub broken_multipart: bool,
}

/// What [`scan`] found.
#[derive(Debug)]
pub struct Structure<'a> {
    /// Header block of the mail itself.
    pub header: &'a [u8],
    /// `report-type` of a top-level multipart/report, in lower case.
    pub report_type: Option<String>,
    /// Parts without children, in order.
    pub leaves: Vec<Leaf<'a>>,
    /// Steps done: bytes read once plus boundary comparisons.
    pub work: u64,
}

struct Frame {
    boundary: Vec<u8>,
    alternative: Option<usize>,
    digest: bool,
    /// Header and start of body, to show the part as text when no boundary comes.
    header: (usize, usize),
    body: usize,
    seen: bool,
}

enum State {
    Header(usize),
    Leaf { header: (usize, usize), body: usize },
    Skip,
}

struct Scanner<'a> {
    raw: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    parts: usize,
    found: Structure<'a>,
}

/// Finds the leaves of `raw`.
///
/// # Errors
/// The first cap that is exceeded.
pub fn scan(raw: &[u8]) -> Result<Structure<'_>, Excess> {
    if raw.len() > limits::MAIL_BYTES {
        return Err(Excess::MailBytes);
    }
    let found = Structure { header: &[], report_type: None, leaves: Vec::new(), work: 0 };
    let mut scanner = Scanner { raw, at: 0, frames: Vec::new(), parts: 0, found };
    scanner.run()?;
    Ok(scanner.found)
}

impl<'a> Scanner<'a> {
    fn run(&mut self) -> Result<(), Excess> {
        let mut state = State::Header(0);
        loop {
            state = match state {
                State::Header(start) => self.header(start)?,
                State::Leaf { header, body } => match self.next_delimiter() {
                    Some((line, index, closing)) => {
                        self.leaf(header, body, self.before_newline(line, body), false);
                        self.delimiter(index, closing)
                    }
                    None => {
                        self.leaf(header, body, self.raw.len(), false);
                        return self.finish();
                    }
                },
                State::Skip => match self.next_delimiter() {
                    Some((line, index, closing)) => {
                        self.close_frames(index + 1, line);
                        self.delimiter(index, closing)
                    }
                    None => return self.finish(),
                },
            };
        }
    }

    /// End of input: multiparts that never met their boundary become text.
    fn finish(&mut self) -> Result<(), Excess> {
        self.close_frames(0, self.raw.len());
        Ok(())
    }

    fn header(&mut self, start: usize) -> Result<State, Excess> {
        self.parts += 1;
        if self.parts > limits::PARTS {
            return Err(Excess::Parts);
        }
        let (end, delimiter) = self.header_end(start)?;
        let block = self.raw.get(start..end).unwrap_or_default();
        if self.parts == 1 {
            self.found.header = block;
        }
        if let Some((index, closing)) = delimiter {
            self.leaf((start, end), end, end, false);
            return Ok(self.delimiter(index, closing));
        }
        let kind = ContentKind::of(block);
        if self.parts == 1 && kind.subtype == "report" {
            self.found.report_type = kind.report_type.clone();
        }
        if !kind.multipart || kind.boundary.is_empty() || kind.boundary.len() > limits::BOUNDARY_BYTES {
            return Ok(State::Leaf { header: (start, end), body: self.at });
        }
        if self.frames.len() >= limits::MIME_DEPTH {
            return Err(Excess::Depth);
        }
        let inherited = self.frames.last().and_then(|frame| frame.alternative);
        self.frames.push(Frame {
            boundary: kind.boundary,
            alternative: if kind.subtype == "alternative" { inherited.or(Some(self.parts)) } else { inherited },
            digest: kind.subtype == "digest",
            header: (start, end),
            body: self.at,
            seen: false,
        });
        Ok(State::Skip)
    }

    /// Reads header lines from `self.at`; leaves `self.at` at the body.
    fn header_end(&mut self, start: usize) -> Result<(usize, Option<(usize, bool)>), Excess> {
        let (mut fields, mut field_bytes) = (0_usize, 0_usize);
        self.at = start;
        loop {
            let line_start = self.at;
            let Some(line) = self.next_line() else { return Ok((self.raw.len(), None)) };
            match line {
                [] => return Ok((line_start, None)),
                [b' ' | b'\t', ..] => field_bytes += line.len(),
                _ => {
                    if let Some((index, closing)) = self.match_delimiter(line) {
                        return Ok((line_start, Some((index, closing))));
                    }
                    fields += 1;
                    field_bytes = line.len();
                }
            }
            if fields > limits::HEADERS {
                return Err(Excess::Headers);
            }
            if field_bytes > limits::HEADER_BYTES {
                return Err(Excess::HeaderBytes);
            }
        }
    }

    /// The next line without its line end, or `None` at the end.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let rest = self.raw.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.at += length;
        self.found.work += length as u64;
        let line = rest.get(..length)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Position of the next delimiter line, the frame it belongs to, and whether it closes it.
    fn next_delimiter(&mut self) -> Option<(usize, usize, bool)> {
        loop {
            let line_start = self.at;
            let line = self.next_line()?;
            if let Some((index, closing)) = self.match_delimiter(line) {
                return Some((line_start, index, closing));
            }
        }
    }

    fn match_delimiter(&mut self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        let rest = rest.trim_ascii_end();
        for (index, frame) in self.frames.iter().enumerate().rev() {
            self.found.work += 1;
            let Some(tail) = rest.strip_prefix(frame.boundary.as_slice()) else { continue };
            match tail {
                [] => return Some((index, false)),
                b"--" => return Some((index, true)),
                _ => {}
            }
        }
        None
    }

    fn delimiter(&mut self, index: usize, closing: bool) -> State {
        self.close_frames(index + 1, self.at);
        if let Some(frame) = self.frames.get_mut(index) {
            frame.seen = true;
        }
        if closing {
            self.frames.truncate(index);
            State::Skip
        } else {
            State::Header(self.at)
        }
    }

    fn close_frames(&mut self, keep: usize, end: usize) {
        while self.frames.len() > keep {
            let Some(frame) = self.frames.pop() else { return };
            if !frame.seen {
                self.leaf(frame.header, frame.body, end.max(frame.body), true);
            }
        }
    }

    fn before_newline(&self, end: usize, start: usize) -> usize {
        let body = self.raw.get(start..end).unwrap_or_default();
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        start + body.strip_suffix(b"\r").unwrap_or(body).len()
    }

    fn leaf(&mut self, header: (usize, usize), body: usize, end: usize, broken_multipart: bool) {
        let frame = self.frames.last();
        self.found.leaves.push(Leaf {
            header: self.raw.get(header.0..header.1).unwrap_or_default(),
            body: self.raw.get(body..end).unwrap_or_default(),
            alternative: frame.and_then(|frame| frame.alternative),
            in_digest: frame.is_some_and(|frame| frame.digest),
            broken_multipart,
        });
    }
}

/// What the structure needs to know of a Content-Type.
#[derive(Default)]
struct ContentKind {
    multipart: bool,
    subtype: String,
    boundary: Vec<u8>,
    report_type: Option<String>,
}

impl ContentKind {
    fn of(block: &[u8]) -> Self {
        use mail_parser::MimeHeaders;
        // Only a block that names a multipart is worth a parser's time.
        if !block.to_ascii_lowercase().windows(10).any(|window| window == b"multipart/") {
            return Self::default();
        }
        let Some(message) = mail_parser::MessageParser::default().parse_headers(block) else {
            return Self::default();
        };
        let Some(kind) = message.parts.first().and_then(|part| part.content_type()) else {
            return Self::default();
        };
        Self {
            multipart: kind.ctype().eq_ignore_ascii_case("multipart"),
            subtype: kind.subtype().unwrap_or_default().to_ascii_lowercase(),
            boundary: kind.attribute("boundary").unwrap_or_default().trim_end().as_bytes().to_vec(),
            report_type: kind.attribute("report-type").map(str::to_ascii_lowercase),
        }
    }
}
