//! What a caller may do with a case now, and why not (I8). The same rules that `decide` applies, asked in advance.

use crate::wire::{Can, CanStatus, Permit};
use domain::access::{Access, Place};
use domain::case::{CaseState, Status, may_become};
use domain::{ChannelKind, Code, Permission};

/// Where answers to this case would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayOut {
    pub(crate) kind: ChannelKind,
    pub(crate) active: bool,
}

/// The place of a case, for questions of access.
pub(crate) fn place_of(state: &CaseState) -> Place {
    Place { team: state.team, channel: state.channel }
}

pub(crate) fn can(state: &CaseState, access: &Access, me: Option<domain::UserId>, way: Option<WayOut>) -> Can {
    let may = |permission, rule: Option<Code>| {
        let held = access.allows_in(permission, &place_of(state));
        permit(if held { rule } else { Some(Code::Forbidden) })
    };
    let closed = (state.status == Status::Closed).then_some(Code::CaseClosed);
    let status = |key| may(Permission::CaseEdit, may_become(state, key).err().map(|rejection| rejection.code));
    let taken = closed.or_else(|| state.assignee.map(|_| Code::AlreadyAssigned));
    let nobody = me.is_none().then_some(Code::Forbidden);
    Can {
        reply: may(Permission::CaseReply, closed.or_else(|| blocked(way))),
        note: may(Permission::CaseNote, None),
        assign: may(Permission::CaseAssign, closed),
        pick: may(Permission::CaseReply, nobody.or(taken)),
        status: CanStatus {
            open: status("open"),
            waiting: status("waiting"),
            solved: status("solved"),
            closed: status("closed"),
        },
        snooze: status("snoozed"),
        edit: may(Permission::CaseEdit, closed),
        relocate: may(Permission::CaseMove, None),
    }
}

fn permit(refused: Option<Code>) -> Permit {
    Permit { allowed: refused.is_none(), reason: refused.map(Code::as_str) }
}

/// Why no answer could leave.
pub(crate) fn blocked(way: Option<WayOut>) -> Option<Code> {
    match way {
        None => Some(Code::NoWayToReply),
        Some(way) if matches!(way.kind, ChannelKind::Phone | ChannelKind::Counter) => Some(Code::NoWayToReply),
        Some(way) if !way.active => Some(Code::ChannelInactive),
        Some(_) => None,
    }
}
