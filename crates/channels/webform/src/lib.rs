//! The contact form: a hosted page and the API behind it.
//!
//! Who sends a form proves nothing: the address given is a claim, it never finds a customer, and the mails that
//! follow from it are bounded elsewhere. Each form costs its sender a proof of work; without a script there is a much
//! smaller budget instead (SECURITY row 6). It must never repeat what was typed as anything but escaped text.
//! Start reading in `submit.rs`, then `proof.rs` and `page.rs`.
#![forbid(unsafe_code)]

mod page;
mod proof;
mod protocol;
mod settings;
mod submit;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;

pub use proof::{Challenge, Proof};
pub use protocol::WebformChannel;
pub use settings::Settings;

use axum::routing::get;
use channel::{ChannelConfig, Intake, uploads};
use domain::ChannelKind;
use http::Method;
use spine::Spine;
use std::sync::Arc;
use utoipa_axum::routes;
use web::{Gate, Kit, Routes};

const FORM: Gate = Gate::OwnSite("a form for everybody; a proof of work and budgets guard it");
const PAGE: Gate = Gate::Public("a page for everybody");

/// What the routes hold.
#[derive(Clone)]
pub struct Webform(Arc<Inner>);

struct Inner {
    spine: Spine,
    kit: Kit,
    intake: Arc<dyn Intake>,
}

impl Webform {
    #[must_use]
    pub fn new(spine: Spine, kit: &Kit, intake: Arc<dyn Intake>) -> Self {
        Self(Arc::new(Inner { spine, kit: kit.clone(), intake }))
    }

    /// The hosted page and its API.
    pub fn routes(&self) -> Routes {
        Routes::new(&self.0.kit)
            .add(FORM, routes!(submit::describe))
            .add(FORM, routes!(submit::submit))
            .add_with_body(FORM, uploads::BODY_BYTES, routes!(submit::upload))
            .add_page(PAGE, Method::GET, "/form/{key}", get(page::show))
            .add_page(FORM, Method::POST, "/form/{key}", axum::routing::post(page::take))
            .add_page(PAGE, Method::GET, "/form.css", get(page::style))
            .add_page(PAGE, Method::GET, "/form.js", get(page::script))
            .with_state(self.clone())
    }

    async fn channel(&self, key: &str) -> web::Result<ChannelConfig> {
        Ok(self.0.intake.by_key(&self.0.spine, ChannelKind::Webform, key).await?)
    }
}
