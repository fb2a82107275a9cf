//! Transfer encodings and character sets of one leaf: lenient, linear, never failing.

use encoding_rs::Encoding;

/// Content-Transfer-Encoding of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// 7bit, 8bit, binary, or unknown.
    Identity,
    /// RFC 2045 section 6.8.
    Base64,
    /// RFC 2045 section 6.7.
    QuotedPrintable,
}

impl Transfer {
    /// The encoding a header value names.
    pub fn of(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::Identity,
        }
    }

    /// Decodes `body`; foreign bytes are skipped (base64) or kept (quoted-printable).
    pub fn decode(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => body.to_vec(),
            Self::Base64 => base64(body),
            Self::QuotedPrintable => quoted_printable(body),
        }
    }
}

fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u8);
    for &byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                // Padding ends a group; some senders join several encoded runs.
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 1;
        match count {
            2 => out.push((bits >> 4) as u8),
            3 => out.push((bits >> 2) as u8),
            4 => {
                out.push(bits as u8);
                (bits, count) = (0, 0);
            }
            _ => {}
        }
    }
    out
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let text = line.trim_ascii_end();
        let has_newline = line.ends_with(b"\n");
        let soft = text.ends_with(b"=") && has_newline;
        let mut rest = text.strip_suffix(b"=").filter(|_| soft).unwrap_or(text);
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            let pair = (byte == b'=').then(|| Some((hex(*tail.first()?)?, hex(*tail.get(1)?)?))).flatten();
            match pair {
                Some((high, low)) => {
                    out.push(high << 4 | low);
                    rest = tail.get(2..).unwrap_or_default();
                }
                None => out.push(byte),
            }
        }
        if has_newline && !soft {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Decodes text of the named character set.
///
/// Without a (known) name, or when a mail claims UTF-8 or ASCII and is not, Chinese
/// senders mostly mean GB18030, so that is tried before giving up byte by byte.
pub fn text(bytes: &[u8], charset: Option<&str>) -> String {
    let label = charset.map(|name| name.trim_matches(['"', '\'', ' ']));
    if label.is_some_and(|name| name.eq_ignore_ascii_case("utf-7"))
        && let Some(decode) = mail_parser::decoders::charsets::map::charset_decoder(b"utf-7")
    {
        return decode(bytes);
    }
    let named = label.and_then(|name| Encoding::for_label(name.as_bytes()));
    match named {
        // What the world calls gb2312 is in practice GB18030; encoding_rs maps the label to GBK,
        // which decodes with the same table.
        Some(encoding) if encoding != encoding_rs::UTF_8 && !is_ascii_label(label) => {
            encoding.decode(bytes).0.into_owned()
        }
        _ => guess(bytes),
    }
}

fn is_ascii_label(label: Option<&str>) -> bool {
    label.is_some_and(|name| name.eq_ignore_ascii_case("us-ascii") || name.eq_ignore_ascii_case("ascii"))
}

/// UTF-8 if it is, else GB18030 if it is, else UTF-8 with replacement characters.
pub fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_leniently() {
        assert_eq!(base64(b"5L2g\r\n5aW9"), "你好".as_bytes());
        assert_eq!(base64(b"YQ==YmM="), b"abc");
        assert_eq!(base64(b"Y!W*I"), b"ab");
        assert_eq!(quoted_printable(b"a=3D=\r\nb =  \r\n=E4=BD=A0=zz="), "a=b 你=zz=".as_bytes());
        assert_eq!(quoted_printable(b"x  \r\ny"), b"x\r\ny");
    }

    #[test]
    fn chinese_and_japanese_sets() {
        for (label, text_in) in [
            ("gb2312", "您好，订单已发货"),
            ("GBK", "您好，訂單"),
            ("gb18030", "您好𠮷"),
            ("big5", "您好訂單"),
            ("iso-2022-jp", "こんにちは"),
            ("shift_jis", "注文"),
        ] {
            let encoding =
                if label == "gb2312" { encoding_rs::GBK } else { Encoding::for_label(label.as_bytes()).unwrap() };
            let (bytes, _, lossy) = encoding.encode(text_in);
            assert!(!lossy, "{label}");
            assert_eq!(text(&bytes, Some(label)), text_in, "{label}");
        }
        let (bytes, _, _) = encoding_rs::GBK.encode("没有声明编码");
        assert_eq!(text(&bytes, None), "没有声明编码");
        assert_eq!(text(&bytes, Some("utf-8")), "没有声明编码");
        assert_eq!(text(&bytes, Some("us-ascii")), "没有声明编码");
        assert_eq!(text(b"+Zi9PYA-", Some("utf-7")), "是你");
    }
}
