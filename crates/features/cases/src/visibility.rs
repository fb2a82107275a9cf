//! Whose saved views and canned replies are whose.

use crate::store::view::SavedView;
use crate::wire::{CannedReply, View, ViewScope};
use domain::access::Access;
use domain::filter::Viewer;
use domain::{Permission, TeamId};

/// One's own, one's teams', and everybody's.
pub(crate) fn may_use(view: &SavedView, viewer: &Viewer) -> bool {
    match (view.owner, view.team) {
        (Some(owner), _) => viewer.user == Some(owner),
        (None, Some(team)) => viewer.teams.contains(&team),
        (None, None) => true,
    }
}

/// One's own always; shared ones by who may share.
pub(crate) fn may_change(view: &SavedView, viewer: &Viewer, access: &Access) -> bool {
    may_use(view, viewer) && (view.owner.is_some() || access.allows(Permission::ViewShare))
}

pub(crate) fn wire(view: SavedView, viewer: &Viewer, access: &Access) -> View {
    let editable = may_change(&view, viewer, access);
    View {
        id: view.id.to_string(),
        scope: match (view.owner, view.team) {
            (Some(_), _) => ViewScope::Mine,
            (None, Some(_)) => ViewScope::Team,
            (None, None) => ViewScope::Shared,
        },
        name: view.name,
        team_id: view.team,
        filter: view.filter,
        sort: view.sort,
        count: None,
        editable,
    }
}

/// Everybody's replies, those of one's teams; who manages them sees all.
pub(crate) fn may_send(reply: &CannedReply, viewer: &Viewer, access: &Access) -> bool {
    let mine = |team: TeamId| viewer.teams.contains(&team) || access.allows(Permission::CannedManage);
    reply.team_id.is_none_or(mine)
}
