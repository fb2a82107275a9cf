//! A caller's rights: which permission holds where. One rule in two forms, as a yes/no
//! for one object and as a scope that lists compile to SQL, so both always agree.

use crate::ids::{ChannelId, TeamId};
use crate::permission::Permission;
use std::collections::BTreeSet;

/// A role given to a person, everywhere or only for one team and/or one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub permissions: BTreeSet<Permission>,
    pub team: Option<TeamId>,
    pub channel: Option<ChannelId>,
}

/// Where an object lies, for the question "is it within this grant?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub team: Option<TeamId>,
    pub channel: ChannelId,
}

/// All rights of one caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Owners may do everything.
    pub owner: bool,
    pub grants: Vec<Grant>,
}

/// A permission as a filter of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Everywhere,
    /// Within any of these pairs; `None` in a pair means "any".
    Within(Vec<(Option<TeamId>, Option<ChannelId>)>),
    Nowhere,
}

impl Scope {
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Nowhere => false,
            Self::Within(pairs) => pairs.iter().any(|(team, channel)| {
                team.is_none_or(|t| place.team == Some(t)) && channel.is_none_or(|c| place.channel == c)
            }),
        }
    }
}

impl Access {
    #[must_use]
    pub fn owner() -> Self {
        Self { owner: true, grants: Vec::new() }
    }
    /// Whether the permission is held anywhere.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.owner || self.grants.iter().any(|g| g.permissions.contains(&permission))
    }
    #[must_use]
    pub fn scope(&self, permission: Permission) -> Scope {
        if self.owner {
            return Scope::Everywhere;
        }
        let mut pairs = Vec::new();
        for grant in &self.grants {
            if !grant.permissions.contains(&permission) {
                continue;
            }
            if grant.team.is_none() && grant.channel.is_none() {
                return Scope::Everywhere;
            }
            pairs.push((grant.team, grant.channel));
        }
        if pairs.is_empty() { Scope::Nowhere } else { Scope::Within(pairs) }
    }
    #[must_use]
    pub fn allows_in(&self, permission: Permission, place: &Place) -> bool {
        self.scope(permission).covers(place)
    }
    /// Every permission held somewhere.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<Permission> {
        if self.owner {
            return Permission::ALL.iter().copied().collect();
        }
        self.grants.iter().flat_map(|g| g.permissions.iter().copied()).collect()
    }
    /// Whether this caller holds all of `wanted` everywhere: nobody grants what they don't have.
    #[must_use]
    pub fn may_grant<'a>(&self, wanted: impl IntoIterator<Item = &'a Permission>) -> bool {
        wanted.into_iter().all(|p| self.scope(*p) == Scope::Everywhere)
    }
}
