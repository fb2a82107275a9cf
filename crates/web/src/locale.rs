//! The two languages of the product, for pages and mails that the server writes itself.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Locale {
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    #[serde(rename = "en")]
    En,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// By language subtag: `zh`, `zh-Hans-SG` -> zh-CN; `en-GB` -> en.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let language = text.trim().split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Some(Self::ZhCn)
        } else if language.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The first language of `Accept-Language` that we speak; English when none is.
    #[must_use]
    pub fn of_request(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        accept.split(',').find_map(|part| Self::parse(part.split(';').next().unwrap_or_default())).unwrap_or(Self::En)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        for (accept, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale::ZhCn),
            ("de-DE, en-GB;q=0.7, zh;q=0.3", Locale::En),
            ("fr", Locale::En),
            ("", Locale::En),
            ("ZH_hant", Locale::ZhCn),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, accept.parse().unwrap());
            assert_eq!(Locale::of_request(&headers), expected, "{accept}");
        }
    }
}
