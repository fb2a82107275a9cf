//! Mails the product itself sends. Written as jobs; whoever works the queue `system_mail`
//! (the e-mail channel) turns the template into words.

use domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::{NewJob, Refusal, Unit};

pub const QUEUE: &str = "system_mail";

/// Payload of a job in [`QUEUE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SystemMail {
    pub to: String,
    /// `zh-CN` or `en`.
    pub locale: String,
    pub template: Template,
    /// Texts: `name` (of the receiver), `company`, `link`, and `hours` the link is good for.
    pub params: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    Invitation,
    PasswordReset,
}

/// Puts a mail in the queue. One per person and template waits at a time; a newer one replaces it.
///
/// # Errors
/// Those of the database.
pub fn send(unit: &mut Unit<'_, '_>, user: UserId, mail: &SystemMail, run_at: Timestamp) -> Result<(), Refusal> {
    let template = match mail.template {
        Template::Invitation => "invitation",
        Template::PasswordReset => "password_reset",
    };
    let payload = serde_json::to_value(mail).map_err(Refusal::internal)?;
    unit.job(NewJob { queue: QUEUE, key: format!("{template}:{user}"), payload, run_at })
}
