//! Live updates of the desk: one stream per browser with a resume token, so that after sleep nothing is missing.
//!
//! Frames say what happened to what, never a body: the desk fetches what it shows by the ordinary routes. Rights are
//! checked at delivery, and asked for again whenever they may have changed (SECURITY row 12). It owns no table.
//! Start reading in `socket.rs`; `places.rs` says where a case lies, `frame.rs` what travels.
#![forbid(unsafe_code)]

mod frame;
mod places;
mod poll;
mod socket;
#[cfg(test)]
mod tests;
mod viewers;

use domain::{UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use places::Places;
use spine::Spine;
use std::sync::Arc;
use utoipa_axum::routes;
use viewers::Viewers;
use web::{Gate, Kit, Routes};

/// Hears when an agent's first connection opens and the last one closes. Implemented by routing.
pub trait Attendance: Send + Sync {
    fn connected(&self, spine: &Spine, workspace: WorkspaceId, user: UserId) -> BoxFuture<'static, ()>;
    fn disconnected(&self, spine: &Spine, workspace: WorkspaceId, user: UserId) -> BoxFuture<'static, ()>;
}

/// What the routes share.
#[derive(Clone)]
pub struct Live {
    pub(crate) spine: Spine,
    pub(crate) kit: Kit,
    pub(crate) places: Arc<Places>,
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) attendance: Arc<dyn Attendance>,
}

impl Live {
    #[must_use]
    pub fn new(spine: &Spine, kit: &Kit, attendance: Arc<dyn Attendance>) -> Self {
        Self {
            spine: spine.clone(),
            kit: kit.clone(),
            places: Arc::new(Places::default()),
            viewers: Arc::new(Viewers::default()),
            attendance,
        }
    }
}

/// The routes of live updates.
pub fn routes(kit: &Kit, live: Live) -> Routes {
    Routes::new(kit)
        .add_page(Gate::SignedIn, http::Method::GET, "/api/live", axum::routing::get(socket::open))
        .add(Gate::SignedIn, routes!(poll::poll))
        .with_state(live)
}
