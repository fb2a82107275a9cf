//! What the desk asks about people's presence, capacity, policies, queues and why a case went where it did.

mod assignments;
mod capacity;
mod own_presence;
mod policies;
mod presence;
mod queues;

use domain::Permission;
use serde::Serialize;
use spine::Spine;
use utoipa_axum::routes;
use web::{Gate, Kit, Routes};

/// All routes of this feature.
pub fn routes(kit: &Kit, spine: &Spine) -> Routes {
    Routes::new(kit)
        .add(Gate::SignedIn, routes!(own_presence::put))
        .add(Gate::Needs(Permission::PresenceRead), routes!(presence::list))
        .add(Gate::Needs(Permission::CaseRead), routes!(assignments::list))
        .add(Gate::Needs(Permission::PeopleManage), routes!(capacity::get, capacity::put))
        .add(Gate::Needs(Permission::RoutingManage), routes!(policies::get, policies::put))
        .add(Gate::Needs(Permission::PresenceRead), routes!(queues::list))
        .with_state(spine.clone())
}

/// Something with a name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RoutingNamed)]
pub(crate) struct Named {
    #[schema(format = "uuid")]
    pub(crate) id: String,
    pub(crate) name: String,
}
