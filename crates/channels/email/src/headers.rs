//! The header fields of one part, decoded.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders};

use crate::address::Mailbox;
use crate::{limits, transfer};

/// Decoded header fields, in order of appearance (topmost first).
#[derive(Clone, Debug, Default)]
pub struct Headers {
    fields: Vec<(String, String)>,
    message: Message<'static>,
}

impl Headers {
    /// Reads a header block. Raw 8-bit fields are taken as UTF-8, else as GB18030.
    pub fn read(block: &[u8]) -> Self {
        let mut text = transfer::guess(block);
        text.push_str("\r\n\r\n");
        let message = MessageParser::default().parse_headers(text.as_str()).map(Message::into_owned);
        let message = message.unwrap_or_default();
        let fields = fields(&text);
        Self { fields, message }
    }

    /// No field at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Unfolded raw value of the topmost field `name` (lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Unfolded raw values of every field `name` (lower case), topmost first.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Every field as (lower-case name, unfolded raw value).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Message ids of a header without their angle brackets, capped.
    pub fn ids(&self, name: &'static str) -> Vec<String> {
        let sane = |id: &str| {
            let id = id.trim();
            let good = !id.is_empty()
                && id.len() <= limits::MESSAGE_ID_BYTES
                && !id.contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>');
            good.then(|| id.to_owned())
        };
        let mut ids = Vec::new();
        for value in self.message.parts.first().into_iter().flat_map(|part| &part.headers) {
            if !value.name.as_str().eq_ignore_ascii_case(name) {
                continue;
            }
            match &value.value {
                HeaderValue::Text(id) => ids.extend(sane(id)),
                HeaderValue::TextList(list) => ids.extend(list.iter().filter_map(|id| sane(id))),
                _ => {}
            }
        }
        // The last ids are the nearest ancestors.
        let surplus = ids.len().saturating_sub(limits::REFERENCES);
        ids.drain(..surplus);
        ids
    }

    /// Mailboxes of an address header, capped; what is no address is left out.
    pub fn mailboxes(&self, name: &'static str) -> Vec<Mailbox> {
        let parts = self.message.parts.first().into_iter().flat_map(|part| &part.headers);
        parts
            .filter(|header| header.name.as_str().eq_ignore_ascii_case(name))
            .filter_map(|header| header.value.as_address())
            .flat_map(Address::iter)
            .filter_map(|addr| {
                let address = addr.address.as_deref()?;
                Some(Mailbox {
                    name: addr.name.as_deref().map(crate::address::clean_name).filter(|n| !n.is_empty()),
                    ..Mailbox::parse(address)?
                })
            })
            .take(limits::ADDRESSES)
            .collect()
    }

    /// How many entries an address header has, before the cap.
    pub fn mailbox_count(&self, name: &'static str) -> usize {
        let parts = self.message.parts.first().into_iter().flat_map(|part| &part.headers);
        parts
            .filter(|header| header.name.as_str().eq_ignore_ascii_case(name))
            .filter_map(|header| header.value.as_address())
            .map(|address| address.iter().count())
            .sum()
    }

    /// Subject on one line, decoded.
    pub fn subject(&self) -> String {
        let subject = self.message.parts.first().and_then(|_| self.message.subject()).unwrap_or_default();
        let line: String =
            subject.chars().filter(|c| !c.is_control() && !crate::address::is_format_control(*c)).collect();
        limits::first_chars(line.trim(), limits::SUBJECT_CHARS).to_owned()
    }

    /// Date in microseconds since 1970 UTC.
    pub fn date(&self) -> Option<i64> {
        self.message.parts.first()?;
        let date = self.message.date().filter(|date| date.is_valid())?;
        date.to_timestamp().checked_mul(1_000_000)
    }

    /// Content type as (type, subtype), lower case, when there is one.
    pub fn content_type(&self) -> Option<(String, String)> {
        let kind = self.message.parts.first()?.content_type()?;
        Some((kind.ctype().to_ascii_lowercase(), kind.subtype().unwrap_or_default().to_ascii_lowercase()))
    }

    /// `charset` of the content type.
    pub fn charset(&self) -> Option<&str> {
        self.message.parts.first()?.content_type()?.attribute("charset")
    }

    /// File name from Content-Disposition or Content-Type.
    pub fn file_name(&self) -> Option<&str> {
        self.message.parts.first()?.attachment_name()
    }

    /// Content-Id without brackets.
    pub fn content_id(&self) -> Option<&str> {
        self.message.parts.first()?.content_id()
    }

    /// Whether Content-Disposition says attachment.
    pub fn is_attachment(&self) -> bool {
        let disposition = self.message.parts.first().and_then(|part| part.content_disposition());
        disposition.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("attachment"))
    }
}

/// Splits a header block into unfolded fields.
fn fields(block: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_encoded_and_raw_fields() {
        let headers = Headers::read(
            b"From: =?GB2312?B?zfW3vA==?= <Wang@Example.com>\r\nSubject: =?utf-8?Q?=E8=AE=A2=E5=8D=95?=\r\n =?utf-8?Q?_42?=\r\nReferences: <a@b>\r\n <c@d>\r\nX-Odd:  v \r\nDate: Tue, 1 Sep 2026 08:00:00 +0800",
        );
        assert_eq!(headers.mailboxes("From"), vec![Mailbox::named("王芳", "wang@example.com").unwrap()]);
        assert_eq!(headers.subject(), "订单 42");
        assert_eq!(headers.ids("References"), ["a@b", "c@d"]);
        assert_eq!(headers.get("x-odd"), Some("v"));
        assert_eq!(headers.date(), Some(1_788_220_800_000_000));
        let (raw, _, _) = encoding_rs::GBK.encode("Subject: 退款申请\r\nFrom: 李 <li@x.cn>");
        let headers = Headers::read(&raw);
        assert_eq!(headers.subject(), "退款申请");
        assert_eq!(headers.mailboxes("From"), vec![Mailbox::named("李", "li@x.cn").unwrap()]);
    }

    #[test]
    fn empty_blocks_have_nothing() {
        let headers = Headers::read(b"");
        assert!(headers.is_empty() && headers.subject().is_empty() && headers.date().is_none());
        assert!(headers.mailboxes("From").is_empty() && headers.ids("Message-ID").is_empty());
    }
}
