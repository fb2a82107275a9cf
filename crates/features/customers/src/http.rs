//! The routes of this feature, each with its gate.

mod edit;
mod get;
mod identities;
mod list;

use domain::Permission as P;
use spine::Spine;
use utoipa_axum::routes;
use web::{Gate, Kit, Routes};

/// All routes under `/api/customers`.
pub fn routes(kit: &Kit, spine: Spine) -> Routes {
    Routes::new(kit)
        .add(Gate::Needs(P::CustomerRead), routes!(list::list_customers))
        .add(Gate::Needs(P::CustomerRead), routes!(get::get_customer))
        .add(Gate::Needs(P::CustomerEdit), routes!(edit::edit_customer))
        .add(Gate::Needs(P::CustomerEdit), routes!(identities::add_identity))
        .add(Gate::Needs(P::CustomerEdit), routes!(identities::verify_identity))
        .with_state(spine)
}
