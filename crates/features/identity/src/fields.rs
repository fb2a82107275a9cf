//! Checks of what people type. Each refuses on the field it was given.

use domain::limits::{ADDRESS_CHARS, NAME_CHARS, text_required, text_within};
use domain::{Code, Rejection};
use serde_json::{Map, Value};
use web::Locale;

pub const SIGNATURE_CHARS: usize = 2_000;
pub const DESCRIPTION_CHARS: usize = 1_000;
pub const LANGUAGES_MAX: usize = 20;
pub const PREFERENCES_BYTES: usize = 16 * 1024;
/// Roles, teams or skills of one person.
pub const LINKS_PER_PERSON: usize = 200;

fn invalid(field: &str) -> Rejection {
    Rejection::new(Code::Invalid).on(field)
}

/// # Errors
/// `required`, `too_long` or `invalid` (control characters) on `field`.
pub fn name(field: &str, text: &str) -> Result<(), Rejection> {
    text_required(field, text, NAME_CHARS)?;
    if text.chars().any(char::is_control) { Err(invalid(field)) } else { Ok(()) }
}

/// The shape of an address that mail can be sent to; whether it exists, only a mail can tell.
///
/// # Errors
/// `required`, `too_long` or `invalid_address` on `field`.
pub fn email(field: &str, text: &str) -> Result<(), Rejection> {
    text_required(field, text, ADDRESS_CHARS)?;
    let text = text.trim();
    let plain = |part: &str| !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]@".contains(c));
    let good = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let dots = !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
        !local.is_empty() && domain.contains('.') && dots && plain(local) && plain(domain)
    });
    if good { Ok(()) } else { Err(Rejection::new(Code::InvalidAddress).on(field)) }
}

/// # Errors
/// `too_many` or `invalid` on `languages`.
pub fn languages(list: &[String]) -> Result<(), Rejection> {
    if list.len() > LANGUAGES_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", LANGUAGES_MAX).on("languages"));
    }
    let tag =
        |text: &String| (2..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if list.iter().all(tag) { Ok(()) } else { Err(invalid("languages")) }
}

/// # Errors
/// `invalid` on `time_zone` for a name the time zone database does not know.
pub fn time_zone(text: &str) -> Result<(), Rejection> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid("time_zone")),
    }
}

/// # Errors
/// `invalid` on `locale` for a language the product does not speak.
pub fn locale(text: &str) -> Result<Locale, Rejection> {
    Locale::ALL.into_iter().find(|locale| locale.as_str() == text).ok_or_else(|| invalid("locale"))
}

/// # Errors
/// `too_large` on `preferences`.
pub fn preferences(map: &Map<String, Value>) -> Result<String, Rejection> {
    let text = crate::store::text(map);
    if text.len() > PREFERENCES_BYTES {
        return Err(Rejection::new(Code::TooLarge).with("max", PREFERENCES_BYTES).on("preferences"));
    }
    Ok(text)
}

/// # Errors
/// `too_long` on `signature`.
pub fn signature(text: &str) -> Result<(), Rejection> {
    text_within("signature", text, SIGNATURE_CHARS)
}

/// # Errors
/// `too_many` on `field`.
pub fn at_most(field: &str, count: usize, max: usize) -> Result<(), Rejection> {
    if count > max { Err(Rejection::new(Code::TooMany).with("max", max).on(field)) } else { Ok(()) }
}

/// A short name for addresses, from a company's name: `Guanghua & Co` -> `guanghua-co`.
#[must_use]
pub fn slug(company: &str) -> String {
    let words: Vec<String> = company
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let slug: String = words.join("-").chars().take(40).collect();
    if slug.is_empty() { "workspace".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.cn", "Li.Xiaoming+x@example.com.cn", "李@例子.中国", " a@b.cn "] {
            assert!(email("email", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.cn",
            "a@b",
            "a@b.cn\r\nBcc: x@y.z",
            "a b@c.de",
            "<a@b.cn>",
            "a@b@c.de",
            "a@.cn",
            "a@b..cn",
            "a@b.cn.",
        ] {
            assert!(email("email", bad).is_err(), "{bad:?}");
        }
        let local = "a".repeat(320 - 5);
        assert!(email("email", &format!("{local}@b.cn")).is_ok());
        assert_eq!(email("email", &format!("{local}a@b.cn")).unwrap_err().code, Code::TooLong);
    }

    #[test]
    fn zones_languages_and_slugs() {
        assert!(time_zone("Asia/Shanghai").is_ok());
        assert!(time_zone("Europe/Berlin").is_ok());
        assert!(time_zone("Mars/Phobos").is_err());
        assert!(time_zone("").is_err());
        let tags = |list: &[&str]| languages(&list.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert!(tags(&["zh", "zh-Hant-TW", "en"]).is_ok());
        assert!(tags(&["z"]).is_err());
        assert!(tags(&["zh_CN"]).is_err());
        assert!(tags(&["en"; 20]).is_ok());
        assert_eq!(tags(&["en"; 21]).unwrap_err().code, Code::TooMany);
        assert_eq!(slug("Guanghua & Co."), "guanghua-co");
        assert_eq!(slug("光华"), "workspace");
    }
}
