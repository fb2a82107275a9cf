//! Settings of a bring-your-own channel.

use domain::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const URL_CHARS: usize = 2_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where answers are pushed to; without it the program fetches them from the outbox.
    pub outbound_url: Option<String>,
}

/// Checks what somebody entered. Whether the host may be called is checked at every call, not here.
///
/// # Errors
/// `invalid` on the field.
pub fn checked(settings: &Value) -> Result<Value, Rejection> {
    let mut settings: Settings =
        serde_json::from_value(settings.clone()).map_err(|_| Rejection::new(Code::Invalid).on("settings"))?;
    settings.outbound_url = settings.outbound_url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
    if let Some(url) = &settings.outbound_url {
        let uri = url.parse::<http::Uri>().ok().filter(|_| url.len() <= URL_CHARS);
        let right = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("https" | "http"))
                && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
        });
        if !right {
            return Err(Rejection::new(Code::Invalid).on("settings.outbound_url"));
        }
    }
    serde_json::to_value(settings).map_err(|_| Rejection::new(Code::Invalid).on("settings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_of_the_web() {
        for (url, fine) in [
            (json!(null), true),
            (json!(""), true),
            (json!("https://crm.example/in"), true),
            (json!("https://user:secret@crm.example/in"), false),
            (json!("ftp://crm.example"), false),
            (json!("crm"), false),
            (json!(7), false),
        ] {
            assert_eq!(checked(&json!({ "outbound_url": url })).is_ok(), fine, "{url}");
        }
    }
}
