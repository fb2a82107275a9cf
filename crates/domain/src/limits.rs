//! Limits of everything a person or machine can send (I5). The unit is in the name.

pub const SUBJECT_CHARS: usize = 300;
pub const NAME_CHARS: usize = 200;
pub const NOTE_CHARS: usize = 10_000;
/// Text of one message.
pub const MESSAGE_BYTES: usize = 256 * 1024;
/// Text of one message from the chat widget.
pub const CHAT_MESSAGE_CHARS: usize = 8_000;
pub const MESSAGE_HTML_BYTES: usize = 1024 * 1024;
pub const ATTACHMENTS_PER_MESSAGE: usize = 20;
pub const ATTACHMENT_BYTES: usize = 25 * 1024 * 1024;
pub const TAGS_PER_CASE: usize = 50;
pub const TAG_CHARS: usize = 64;
pub const SKILLS_PER_CASE: usize = 20;
pub const IDENTITIES_PER_CUSTOMER: usize = 50;
pub const ADDRESS_CHARS: usize = 320;
pub const FILTER_DEPTH: usize = 8;
pub const FILTER_NODES: usize = 64;
/// Values of one list in a filter.
pub const FILTER_LIST: usize = 32;
/// A text in a filter, and a search.
pub const FILTER_TEXT_CHARS: usize = 200;
pub const PAGE_ITEMS: usize = 100;
pub const JSON_BODY_BYTES: usize = 2 * 1024 * 1024;
pub const SNOOZE_MAX_DAYS: i64 = 366;

/// Checks a text's length in characters.
///
/// # Errors
/// `too_long` on `field`, with `max`, when it has more than `max` characters.
pub fn text_within(field: &str, text: &str, max: usize) -> Result<(), crate::rejection::Rejection> {
    if text.chars().count() > max {
        return Err(crate::rejection::Rejection::new(crate::rejection::Code::TooLong).with("max", max).on(field));
    }
    Ok(())
}

/// Checks that a text is there and not longer than `max` characters.
///
/// # Errors
/// `required` or `too_long` on `field`.
pub fn text_required(field: &str, text: &str, max: usize) -> Result<(), crate::rejection::Rejection> {
    if text.trim().is_empty() {
        return Err(crate::rejection::Rejection::new(crate::rejection::Code::Required).on(field));
    }
    text_within(field, text, max)
}
