//! Bring your own channel: a program of the customer's own hands messages in and takes answers out, by an API token
//! that may do this for this one channel and nothing else.
//!
//! It must never trust the program further than its token: who somebody is counts only inside this channel, unless
//! the program vouches for it. Start reading in `messages.rs` (in), `outbox.rs` (out, fetched) and `push.rs` (out,
//! pushed).
#![forbid(unsafe_code)]

mod files;
mod messages;
mod outbox;
mod protocol;
mod push;
mod settings;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;

pub use protocol::ApiChannel;
pub use settings::Settings;

use channel::{ChannelConfig, Intake, uploads};
use domain::access::Place;
use domain::{ChannelId, ChannelKind, Code, Permission};
use spine::Spine;
use std::sync::Arc;
use utoipa_axum::routes;
use web::{Caller, Gate, Kit, Problem, Routes};

const GATE: Gate = Gate::Needs(Permission::ChannelWrite);

/// Makes HTML from outside safe to keep; the e-mail crate's sanitiser, handed in by the program.
pub type Sanitise = fn(&str) -> String;

/// What the routes hold.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    spine: Spine,
    kit: Kit,
    intake: Arc<dyn Intake>,
    sanitise: Sanitise,
}

impl Api {
    #[must_use]
    pub fn new(spine: Spine, kit: &Kit, intake: Arc<dyn Intake>, sanitise: Sanitise) -> Self {
        Self(Arc::new(Inner { spine, kit: kit.clone(), intake, sanitise }))
    }

    pub fn routes(&self) -> Routes {
        Routes::new(&self.0.kit)
            .add(GATE, routes!(messages::receive))
            .add(GATE, routes!(outbox::list))
            .add(GATE, routes!(outbox::delivered))
            .add_with_body(GATE, uploads::BODY_BYTES, routes!(files::upload))
            .add(GATE, routes!(files::download))
            .with_state(self.clone())
    }

    /// The channel, if this caller may write to it. Anything else is not there.
    async fn channel(&self, caller: &Caller, id: ChannelId) -> web::Result<ChannelConfig> {
        let config = self.0.intake.by_id(&self.0.spine, caller.workspace, id).await?;
        let place = Place { team: config.team, channel: config.id };
        if config.kind != ChannelKind::Api || !caller.access.allows_in(Permission::ChannelWrite, &place) {
            return Err(Problem::not_found());
        }
        if !config.active {
            return Err(Problem::new(Code::ChannelInactive));
        }
        Ok(config)
    }
}
