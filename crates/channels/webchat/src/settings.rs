//! Settings of a chat widget.

use domain::{Code, Rejection, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const ORIGINS: usize = 50;
const ORIGIN_CHARS: usize = 255;
const GREETING_CHARS: usize = 500;
/// Shortest secret that signs identities: 256 bits written in any alphabet take at least this many bytes.
pub const SECRET_BYTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The sites that may embed the widget, as origins: `https://shop.example`. Our own pages always may.
    pub origins: Vec<String>,
    /// `#rrggbb`, or empty for the standard colour.
    pub color: String,
    pub greeting_zh: String,
    pub greeting_en: String,
    /// Whether the widget asks for an e-mail address to answer to when the visitor has left.
    pub ask_email: bool,
    /// How long after an unread answer the visitor who has left gets it by mail, in seconds; 0 = never, absent = the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followup_seconds: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            color: String::new(),
            greeting_zh: String::new(),
            greeting_en: String::new(),
            ask_email: true,
            followup_seconds: None,
        }
    }
}

impl Settings {
    /// Exactly the listed origins; no pattern, no suffix.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }

    #[must_use]
    pub fn greeting(&self, locale: &str) -> &str {
        let (first, second) = match channel::text::language(locale).as_deref() {
            Some("zh") => (&self.greeting_zh, &self.greeting_en),
            _ => (&self.greeting_en, &self.greeting_zh),
        };
        if first.is_empty() { second } else { first }
    }
}

/// Checks what somebody entered.
///
/// # Errors
/// `invalid`, `too_long` or `too_many` on the field.
pub fn checked(settings: &Value) -> Result<Value, Rejection> {
    let mut settings: Settings =
        serde_json::from_value(settings.clone()).map_err(|_| Rejection::new(Code::Invalid).on("settings"))?;
    if settings.origins.len() > ORIGINS {
        return Err(Rejection::new(Code::TooMany).with("max", ORIGINS).on("settings.origins"));
    }
    for origin in &mut settings.origins {
        *origin = normal_origin(origin).ok_or_else(|| Rejection::new(Code::Invalid).on("settings.origins"))?;
    }
    settings.origins.sort();
    settings.origins.dedup();
    let is_color = settings
        .color
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if !settings.color.is_empty() && !is_color {
        return Err(Rejection::new(Code::Invalid).on("settings.color"));
    }
    limits::text_within("settings.greeting_zh", &settings.greeting_zh, GREETING_CHARS)?;
    limits::text_within("settings.greeting_en", &settings.greeting_en, GREETING_CHARS)?;
    serde_json::to_value(settings).map_err(|_| Rejection::new(Code::Invalid).on("settings"))
}

/// `https://Shop.example/` -> `https://shop.example`; `None` for what is no origin of http or https.
fn normal_origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let uri: http::Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let plain = matches!(uri.scheme_str(), Some("http" | "https"))
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none()
        && !authority.contains('@')
        && !authority.contains('*')
        && text.len() <= ORIGIN_CHARS;
    plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn origins_are_exact() {
        let table = [
            ("https://Shop.example/", Some("https://shop.example")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("https://shop.example/path", None),
            ("https://*.example", None),
            ("https://a@shop.example", None),
            ("shop.example", None),
            ("null", None),
            ("", None),
            ("file:///etc", None),
        ];
        for (entered, expected) in table {
            let stored = checked(&json!({ "origins": [entered] }));
            match expected {
                Some(origin) => assert_eq!(stored.unwrap()["origins"], json!([origin]), "{entered}"),
                None => assert_eq!(stored.unwrap_err().field.as_deref(), Some("settings.origins"), "{entered}"),
            }
        }
        let settings = Settings { origins: vec!["https://shop.example".to_owned()], ..Settings::default() };
        for (origin, allowed) in [
            ("https://shop.example", true),
            ("https://SHOP.example", true),
            ("http://shop.example", false),
            ("https://shop.example.evil.example", false),
            ("https://shop.example:8443", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(settings.allows(origin), allowed, "{origin}");
        }
    }

    #[test]
    fn limits_hold() {
        let many: Vec<String> = (0..=ORIGINS).map(|n| format!("https://s{n}.example")).collect();
        for (settings, field) in [
            (json!({ "origins": many }), "settings.origins"),
            (json!({ "color": "red" }), "settings.color"),
            (json!({ "color": "#12345g" }), "settings.color"),
            (json!({ "greeting_zh": "您".repeat(GREETING_CHARS + 1) }), "settings.greeting_zh"),
            (json!({ "ask_email": 3 }), "settings"),
        ] {
            assert_eq!(checked(&settings).unwrap_err().field.as_deref(), Some(field));
        }
        assert!(checked(&json!({ "greeting_zh": "您".repeat(GREETING_CHARS), "color": "#12aBcd" })).is_ok());
    }
}
