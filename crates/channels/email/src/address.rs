//! Mail addresses: the one shape used by every other module.

use crate::limits;

/// A mailbox of a header: what the sender calls it, and its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Mailbox {
    /// Display name, decoded, without control characters.
    pub name: Option<String>,
    /// Address in lower case, checked by [`normalise`].
    pub address: String,
}

impl Mailbox {
    /// A mailbox without a display name, if `address` is one.
    pub fn parse(address: &str) -> Option<Self> {
        Some(Self { name: None, address: normalise(address)? })
    }

    /// A mailbox with a cleaned display name, if `address` is one.
    pub fn named(name: &str, address: &str) -> Option<Self> {
        let name = clean_name(name);
        Some(Self { name: (!name.is_empty()).then_some(name), address: normalise(address)? })
    }

    /// The part after the last `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The address in lower case, or `None` when it is not a plain `local@domain`.
///
/// Quoted local parts with blanks are refused: no provider hands them out and they are
/// the usual carrier of header injection (SECURITY row 10).
pub fn normalise(address: &str) -> Option<String> {
    let address = address.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let sane = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c);
    let good_local = !local.is_empty() && local.len() <= 64 && local.chars().all(sane);
    let good_domain = !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with('-')
        && !domain.contains("..")
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    (good_local && good_domain && address.len() <= limits::ADDRESS_BYTES)
        .then(|| format!("{}@{}", local.to_lowercase(), domain.trim_end_matches('.').to_lowercase()))
}

/// Splits `support+abc@example.com` into (`support@example.com`, `Some("abc")`).
pub fn split_plus(address: &str) -> (String, Option<&str>) {
    match address.rsplit_once('@') {
        Some((local, domain)) => match local.split_once('+') {
            Some((base, tag)) => (format!("{base}@{domain}"), Some(tag)),
            None => (address.to_owned(), None),
        },
        None => (address.to_owned(), None),
    }
}

/// A display name on one line: control characters and bidi overrides removed, blanks folded.
pub fn clean_name(name: &str) -> String {
    let visible: String = name
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_format_control(*c))
        .collect();
    let folded = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    limits::first_chars(&folded, limits::NAME_CHARS).to_owned()
}

/// Characters that reorder or hide what a reader sees (spoofed names and file names).
pub fn is_format_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (input, expect) in [
            ("Li.Wei@Example.COM", Some("li.wei@example.com")),
            (" a+b@x.cn ", Some("a+b@x.cn")),
            ("李@例子.中国", Some("李@例子.中国")),
            ("a@b@c", None),
            ("\"a b\"@c.d", None),
            ("a@b\r\nBcc: x@y.z", None),
            ("@b.c", None),
            ("a@", None),
            ("a@-b.c", None),
            ("a,b@c.d", None),
            ("noat", None),
        ] {
            assert_eq!(normalise(input).as_deref(), expect, "{input}");
        }
        assert_eq!(split_plus("s+t@x.y"), ("s@x.y".into(), Some("t")));
        assert_eq!(split_plus("s@x.y"), ("s@x.y".into(), None));
    }

    #[test]
    fn names_lose_what_deceives() {
        assert_eq!(clean_name("a\r\n\tb\u{202E}c\0"), "a bc");
        assert_eq!(clean_name(&"长".repeat(500)).chars().count(), limits::NAME_CHARS);
    }
}
