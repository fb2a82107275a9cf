//! The routes of this feature. Every handler that touches a case asks for the caller's rights at the case's place.

mod answers;
mod channels;
mod contact;
mod inbox;
mod moves;
mod participants;

use crate::Protocols;
use crate::store::moving;
use domain::access::{Access, Place};
use domain::{CaseId, Permission, WorkspaceId};
use spine::{Refusal, Spine};
use utoipa_axum::routes;
use web::{Gate, Kit, Problem, Routes};

#[derive(Clone)]
pub(crate) struct State {
    spine: Spine,
    protocols: Protocols,
}

/// All routes of this feature.
pub fn routes(kit: &Kit, spine: &Spine, protocols: &Protocols) -> Routes {
    use Permission as P;
    Routes::new(kit)
        .add(Gate::Needs(P::ChannelsManage), routes!(channels::list, channels::create))
        .add(Gate::Needs(P::ChannelsManage), routes!(channels::show, channels::change, channels::remove))
        .add(Gate::Needs(P::ChannelsManage), routes!(channels::rotate))
        .add(Gate::Needs(P::ChannelsManage), routes!(channels::test))
        .add(Gate::Needs(P::ChannelsManage), routes!(inbox::failed))
        .add(Gate::Needs(P::ChannelsManage), routes!(inbox::failed_raw))
        .add(Gate::Needs(P::CaseRead), routes!(inbox::message_raw))
        .add(Gate::Needs(P::CaseCreate), routes!(contact::create))
        .add(Gate::Needs(P::CaseCreate), routes!(contact::channels))
        .add(Gate::Needs(P::CaseMove), routes!(moves::move_message))
        .add(Gate::Needs(P::CaseRead), routes!(participants::list))
        .add(Gate::Needs(P::CaseEdit), routes!(participants::approve))
        .with_state(State { spine: spine.clone(), protocols: protocols.clone() })
}

/// Lets through who may see the case and do `permission` there. Who may not see it hears that there is none.
fn needs_at(
    q: &mut impl db::Connection,
    (ws, case): (WorkspaceId, CaseId),
    access: &Access,
    permission: Permission,
) -> Result<Place, Refusal> {
    let (team, channel) = moving::place(q, ws, case)?.ok_or(Refusal::NotFound)?;
    let place = Place { team, channel };
    if !access.allows_in(Permission::CaseRead, &place) {
        return Err(Refusal::NotFound);
    }
    if !access.allows_in(permission, &place) {
        let missing = domain::Rejection::new(domain::Code::Forbidden).with("permission", permission.as_str());
        return Err(missing.into());
    }
    Ok(place)
}

/// A channel is seen by who manages it.
fn manages(access: &Access, row: &crate::store::ChannelRow) -> Result<(), Problem> {
    let place = Place { team: row.team_id, channel: row.id };
    if access.allows_in(Permission::ChannelsManage, &place) { Ok(()) } else { Err(Problem::not_found()) }
}
