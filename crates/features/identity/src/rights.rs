//! Who may give which rights to whom. Pure: nobody grants what they don't have (SECURITY row 28).

use domain::access::{Access, Scope};
use domain::{ChannelId, Code, Permission, Rejection, TeamId};

/// Whether `permission` is held for everything that lies in `team` and `channel` (`None`: all of them).
#[must_use]
pub fn holds(access: &Access, permission: Permission, team: Option<TeamId>, channel: Option<ChannelId>) -> bool {
    match access.scope(permission) {
        Scope::Everywhere => true,
        Scope::Nowhere => false,
        Scope::Within(pairs) => {
            pairs.into_iter().any(|(t, c)| (t.is_none() || t == team) && (c.is_none() || c == channel))
        }
    }
}

/// Whether the caller may hand out these permissions at this place.
///
/// # Errors
/// `more_than_you_have` naming the first permission that is missing.
pub fn may_grant<'a>(
    access: &Access,
    permissions: impl IntoIterator<Item = &'a Permission>,
    team: Option<TeamId>,
    channel: Option<ChannelId>,
) -> Result<(), Rejection> {
    for permission in permissions {
        // Machines take messages in; people who manage channels say which machines.
        let needed = match permission {
            Permission::ChannelWrite => Permission::ChannelsManage,
            other => *other,
        };
        if !holds(access, needed, team, channel) {
            return Err(Rejection::new(Code::MoreThanYouHave).with("permission", permission.as_str()));
        }
    }
    Ok(())
}

/// Whether the caller may change somebody's account: never a stronger one's.
///
/// # Errors
/// `not_yours`.
pub fn may_manage(access: &Access, target: &Access) -> Result<(), Rejection> {
    let weaker = !target.owner
        && target.grants.iter().all(|grant| may_grant(access, &grant.permissions, grant.team, grant.channel).is_ok());
    if access.owner || weaker { Ok(()) } else { Err(Rejection::new(Code::NotYours)) }
}

/// Administration is of the whole workspace: a right held only for one team is not enough.
///
/// # Errors
/// `forbidden` naming the permission.
pub fn everywhere(access: &Access, permission: Permission) -> Result<(), Rejection> {
    if access.scope(permission) == Scope::Everywhere {
        Ok(())
    } else {
        Err(Rejection::new(Code::Forbidden).with("permission", permission.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::access::Grant;
    use domain::permission::BuiltinRole;
    use uuid::Uuid;

    fn access(role: BuiltinRole, team: Option<u128>) -> Access {
        let team = team.map(|n| TeamId(Uuid::from_u128(n)));
        let permissions = role.permissions().into_iter().collect();
        Access { owner: false, grants: vec![Grant { permissions, team, channel: None }] }
    }

    #[test]
    fn nobody_grants_what_they_do_not_have() {
        use BuiltinRole as R;
        let team = |n: u128| Some(TeamId(Uuid::from_u128(n)));
        let cases = [
            (Access::owner(), R::Administrator, None, true),
            (access(R::Administrator, None), R::Administrator, None, true),
            (access(R::Administrator, None), R::Agent, team(1), true),
            (access(R::Administrator, Some(1)), R::Agent, team(1), true),
            (access(R::Administrator, Some(1)), R::Agent, team(2), false),
            (access(R::Administrator, Some(1)), R::Agent, None, false),
            (access(R::Supervisor, None), R::Administrator, None, false),
            (access(R::Supervisor, None), R::Administrator, team(1), false),
            (access(R::Observer, None), R::Agent, None, false),
            (Access::default(), R::Observer, None, false),
        ];
        for (giver, role, place, allowed) in cases {
            let result = may_grant(&giver, &role.permissions(), place, None);
            assert_eq!(result.is_ok(), allowed, "{giver:?} gives {role:?} at {place:?}");
        }
    }

    #[test]
    fn nobody_changes_a_stronger_account() {
        use BuiltinRole as R;
        let cases = [
            (Access::owner(), Access::owner(), true),
            (access(R::Administrator, None), Access::owner(), false),
            (access(R::Administrator, None), access(R::Administrator, None), true),
            (access(R::Supervisor, None), access(R::Administrator, None), false),
            (access(R::Administrator, Some(1)), access(R::Agent, Some(1)), true),
            (access(R::Administrator, Some(1)), access(R::Agent, Some(2)), false),
            (access(R::Administrator, Some(1)), access(R::Agent, None), false),
        ];
        for (caller, target, allowed) in cases {
            assert_eq!(may_manage(&caller, &target).is_ok(), allowed, "{caller:?} changes {target:?}");
        }
    }

    #[test]
    fn machines_are_allowed_in_by_who_manages_channels() {
        assert!(may_grant(&access(BuiltinRole::Administrator, None), &[Permission::ChannelWrite], None, None).is_ok());
        assert!(may_grant(&access(BuiltinRole::Supervisor, None), &[Permission::ChannelWrite], None, None).is_err());
    }
}
