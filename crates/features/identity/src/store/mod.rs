//! All SQL of this feature. One file per kind of row.

pub mod audit;
pub mod link;
pub mod people;
pub mod role;
pub mod session;
pub mod team;
pub mod token;
pub mod user;
pub mod workspace;

use serde::de::DeserializeOwned;
use spine::Refusal;

/// Reads JSON that this feature wrote.
pub(crate) fn json<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(Refusal::internal)
}

/// Writes JSON of our own plain types, which always works.
pub(crate) fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
