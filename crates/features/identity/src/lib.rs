//! People at work: set-up, sign-in, sessions, second factor, invitations, roles, teams, skills,
//! API tokens, workspace settings and the audit trail. Owns the rows of `0002_identity.sql`, the
//! workspace and the capacity of agents. It must never store a secret it only needs to recognise,
//! and never let anyone give rights they don't have. Start reading in `http/session.rs` (how
//! somebody signs in), then `actions.rs` and `rights.rs`.
#![forbid(unsafe_code)]

mod actions;
mod authenticator;
mod cleanup;
mod fields;
mod http;
pub mod mail;
mod password;
mod rights;
mod seed;
mod store;
mod throttle;
mod totp;

#[cfg(test)]
mod tests;

pub use authenticator::Authenticator;
pub use http::check::{Check, CheckItem, CheckState};
pub use http::routes;
pub use password::Passwords;
pub use rights::{everywhere, may_grant, may_manage};
pub use seed::{Seed, SeedTeam, SeedUser, Seeded, seed};
pub use store::people::{AgentOption, HeldRole, User};

use spine::{Feature, Refusal, Spine};
use std::sync::Arc;
use throttle::Throttle;
use web::Kit;

/// What the spine must know of this feature.
#[must_use]
pub fn feature() -> Feature {
    Feature::new().job(cleanup::Cleanup)
}

/// State of the endpoints.
#[derive(Clone)]
pub struct People {
    pub(crate) spine: Spine,
    pub(crate) kit: Kit,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) checks: Arc<[Arc<dyn Check>]>,
}

impl People {
    /// `checks` are those of other features for the check page (mail in, mail out).
    ///
    /// # Errors
    /// [`Refusal::Internal`] when argon2 refuses its parameters.
    pub fn new(spine: Spine, kit: Kit, checks: Vec<Arc<dyn Check>>) -> Result<Self, Refusal> {
        let passwords = Passwords::new(spine.random())?;
        Ok(Self { spine, kit, passwords, throttle: Arc::default(), checks: checks.into() })
    }
}
