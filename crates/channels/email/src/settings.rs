//! Settings of an e-mail channel, as the admin page writes them.

use domain::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address::{self, Mailbox};
use crate::net::Security;

/// Names of the sealed fields.
pub const SECRETS: &[&str] = &["imap_password", "smtp_password"];

/// Which way mail comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receive {
    /// We fetch it.
    #[default]
    Imap,
    /// It is brought to the built-in receiver.
    Smtp,
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    #[serde(default)]
    pub user: String,
}

/// Settings without the secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The mailbox, `support@example.com`.
    pub address: String,
    /// What customers see beside the address.
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub imap: Option<Server>,
    #[serde(default)]
    pub smtp: Option<Server>,
    #[serde(default)]
    pub receive: Receive,
    /// Below every answer that has no signature of its agent.
    #[serde(default)]
    pub signature: String,
    /// The server whose Authentication-Results are believed (RFC 8601 authserv-id).
    #[serde(default)]
    pub trusted_authserv_id: Option<String>,
    /// Acknowledge the first mail of a case.
    #[serde(default)]
    pub autoreply: bool,
    /// Take the whole folder on the first connection, not only the unread mails.
    #[serde(default)]
    pub whole_folder: bool,
}

const TEXT_CHARS: usize = 2_000;

impl Settings {
    /// Reads and checks what somebody entered.
    ///
    /// # Errors
    /// A rejection naming the field.
    pub fn parse(value: &Value) -> Result<Self, Rejection> {
        let mut settings: Self = serde_json::from_value(value.clone()).map_err(|error| field_of(value, &error))?;
        settings.address =
            address::normalise(&settings.address).ok_or_else(|| Rejection::new(Code::InvalidAddress).on("address"))?;
        settings.display_name = address::clean_name(&settings.display_name);
        if settings.signature.chars().count() > TEXT_CHARS {
            return Err(Rejection::new(Code::TooLong).with("max", TEXT_CHARS).on("signature"));
        }
        settings.trusted_authserv_id =
            settings.trusted_authserv_id.map(|id| id.trim().to_lowercase()).filter(|id| !id.is_empty());
        for (name, server) in [("imap", &mut settings.imap), ("smtp", &mut settings.smtp)] {
            let Some(server) = server else { continue };
            server.host = server.host.trim().to_lowercase();
            let host = !server.host.is_empty()
                && server.host.len() <= 253
                && server.host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
            if !host {
                return Err(Rejection::new(Code::Invalid).on(format!("{name}.host")));
            }
            if server.port == 0 {
                return Err(Rejection::new(Code::Invalid).on(format!("{name}.port")));
            }
            if server.user.chars().count() > 320 || server.user.chars().any(char::is_control) {
                return Err(Rejection::new(Code::Invalid).on(format!("{name}.user")));
            }
        }
        if settings.receive == Receive::Imap && settings.imap.as_ref().is_some_and(|imap| imap.user.is_empty()) {
            return Err(Rejection::new(Code::Required).on("imap.user"));
        }
        Ok(settings)
    }

    /// Our mailbox with its display name.
    pub fn mailbox(&self) -> Mailbox {
        let name = (!self.display_name.is_empty()).then(|| self.display_name.clone());
        Mailbox { name, address: self.address.clone() }
    }
}

/// Names the field a value of a wrong shape stands in, as far as it can be told.
fn field_of(value: &Value, error: &serde_json::Error) -> Rejection {
    if value.get("address").and_then(Value::as_str).is_none() {
        return Rejection::new(Code::Required).on("address");
    }
    let field = ["imap", "smtp"].into_iter().find(|name| {
        let server = value.get(*name).filter(|server| !server.is_null());
        server.is_some_and(|server| serde_json::from_value::<Server>(server.clone()).is_err())
    });
    let rejection = Rejection::new(Code::Invalid).with("detail", error.to_string());
    match field {
        Some(field) => rejection.on(field),
        None => rejection,
    }
}
