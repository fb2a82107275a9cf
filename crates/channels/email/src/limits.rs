//! Every cap of this crate, in one place, with its unit (DESIGN I5, SECURITY row 9).
//!
//! Past a cap nothing is dropped: the raw bytes stay in the inbox row, what could be
//! read is shown, and a [`crate::parse::Problem`] says what was not.

/// Largest mail taken in, in bytes (25 MB as advertised by SMTP SIZE).
pub const MAIL_BYTES: usize = 25 * 1024 * 1024;
/// Largest nesting of multiparts in a mail.
pub const MIME_DEPTH: usize = 64;
/// Most parts (multiparts and leaves) in a mail.
pub const PARTS: usize = 1_000;
/// Most header fields of one part.
pub const HEADERS: usize = 1_000;
/// Longest header field with its folded lines, in bytes.
pub const HEADER_BYTES: usize = 64 * 1024;
/// Longest MIME boundary taken as one, in bytes (RFC 2046 says 70; some senders use more).
pub const BOUNDARY_BYTES: usize = 200;
/// Largest HTML body that is sanitised, in bytes; past it the text form is shown.
pub const HTML_BYTES: usize = 2 * 1024 * 1024;
/// Deepest open element in sanitised HTML; deeper tags are dropped, their text is kept.
pub const HTML_DEPTH: usize = 256;
/// Most element creations the HTML parser may be led to; past it only text is kept.
pub const HTML_NODES: usize = 150_000;
/// Longest attribute value kept in HTML, in bytes.
pub const HTML_ATTRIBUTE_BYTES: usize = 8 * 1024;
/// Most attributes read per tag.
pub const HTML_ATTRIBUTES: usize = 64;
/// Longest decoded text body, in bytes.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Most attachments listed for one mail.
pub const ATTACHMENTS: usize = 100;
/// Most addresses taken from one address header.
pub const ADDRESSES: usize = 200;
/// Most message ids taken from `References` and `In-Reply-To`.
pub const REFERENCES: usize = 100;
/// Longest message id, in bytes (RFC 5322 line limit).
pub const MESSAGE_ID_BYTES: usize = 998;
/// Longest subject kept, in characters.
pub const SUBJECT_CHARS: usize = 998;
/// Longest display name kept, in characters.
pub const NAME_CHARS: usize = 200;
/// Longest file name kept, in characters.
pub const FILE_NAME_CHARS: usize = 200;
/// Longest mail address, in bytes (RFC 5321 section 4.5.3.1.3).
pub const ADDRESS_BYTES: usize = 254;
/// Text shown of a mail that could not be read, in bytes of the raw mail.
pub const EXCERPT_BYTES: usize = 64 * 1024;
/// Most attachments, bytes and recipients of an outgoing mail.
pub const OUT_RECIPIENTS: usize = 100;
/// Largest outgoing mail, in bytes after encoding; common relays refuse more.
pub const OUT_BYTES: usize = 25 * 1024 * 1024;
/// Most ids kept in the `References` header of an outgoing mail.
pub const OUT_REFERENCES: usize = 20;
/// Quoted text of the previous mail put below an answer, in bytes.
pub const OUT_QUOTE_BYTES: usize = 64 * 1024;

/// The start of `text` that fits in `bytes`, cut at a character border.
pub fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while end > 0 && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The first `count` characters of `text`.
pub fn first_chars(text: &str, count: usize) -> &str {
    match text.char_indices().nth(count) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_character_borders() {
        assert_eq!(prefix("你好", 4), "你");
        assert_eq!(prefix("你好", 6), "你好");
        assert_eq!(prefix("你好", 99), "你好");
        assert_eq!(first_chars("你好吗", 2), "你好");
        assert_eq!(first_chars("ab", 2), "ab");
    }
}
