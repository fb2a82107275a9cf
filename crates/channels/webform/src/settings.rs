//! Settings of a contact form.

use domain::{Code, Rejection, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::Locale;

const TITLE_CHARS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Heading of the page; a standard one when empty.
    pub title_zh: String,
    pub title_en: String,
    /// Whether files may be sent.
    pub attachments: bool,
    /// Confirms receipt by mail with the case's number, within the budgets of automatic mail.
    pub autoreply: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { title_zh: String::new(), title_en: String::new(), attachments: true, autoreply: false }
    }
}

impl Settings {
    #[must_use]
    pub fn title(&self, locale: Locale) -> &str {
        match locale {
            Locale::ZhCn if self.title_zh.is_empty() => "联系我们",
            Locale::ZhCn => &self.title_zh,
            Locale::En if self.title_en.is_empty() => "Contact us",
            Locale::En => &self.title_en,
        }
    }
}

/// Checks what somebody entered.
///
/// # Errors
/// `invalid` or `too_long` on the field.
pub fn checked(settings: &Value) -> Result<Value, Rejection> {
    let settings: Settings =
        serde_json::from_value(settings.clone()).map_err(|_| Rejection::new(Code::Invalid).on("settings"))?;
    limits::text_within("settings.title_zh", &settings.title_zh, TITLE_CHARS)?;
    limits::text_within("settings.title_en", &settings.title_en, TITLE_CHARS)?;
    serde_json::to_value(settings).map_err(|_| Rejection::new(Code::Invalid).on("settings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn titles_have_a_limit_and_a_default() {
        assert!(checked(&json!({ "title_zh": "好".repeat(TITLE_CHARS) })).is_ok());
        let long = checked(&json!({ "title_zh": "好".repeat(TITLE_CHARS + 1) })).unwrap_err();
        assert_eq!((long.code, long.field.as_deref()), (Code::TooLong, Some("settings.title_zh")));
        assert_eq!(Settings::default().title(Locale::En), "Contact us");
    }
}
