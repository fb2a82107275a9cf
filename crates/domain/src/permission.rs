//! What may be done, as a closed list. Roles are sets of these (DESIGN I8).

use crate::closed::closed;

closed! {
    /// Something that may be done.
    pub enum Permission {
        /// See cases, their messages and notes.
        CaseRead = "case.read",
        /// Enter a phone or counter contact by hand.
        CaseCreate = "case.create",
        /// Answer the customer, undo and retry.
        CaseReply = "case.reply",
        CaseNote = "case.note",
        /// Priority, reason, tags, subject, language, skills; status and snooze.
        CaseEdit = "case.edit",
        /// Give a case to somebody else or another team.
        CaseAssign = "case.assign",
        /// Move a message that landed in the wrong case.
        CaseMove = "case.move",
        CustomerRead = "customer.read",
        CustomerEdit = "customer.edit",
        /// Share views with a team or everyone.
        ViewShare = "view.share",
        CannedManage = "canned.manage",
        /// Others' presence and load.
        PresenceRead = "presence.read",
        PeopleManage = "people.manage",
        RolesManage = "roles.manage",
        RoutingManage = "routing.manage",
        ChannelsManage = "channels.manage",
        /// Workspace settings, reasons, the check page.
        SettingsManage = "settings.manage",
        TokensManage = "tokens.manage",
        AuditRead = "audit.read",
        /// Take in and deliver messages by a bring-your-own channel (API tokens).
        ChannelWrite = "channel.write",
    }
}

/// The roles every workspace starts with. The owner is no role but a flag: all permissions, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltinRole {
    Administrator,
    Supervisor,
    Agent,
    Inspector,
    Observer,
}

impl BuiltinRole {
    pub const ALL: [Self; 5] = [Self::Administrator, Self::Supervisor, Self::Agent, Self::Inspector, Self::Observer];
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::Inspector => "inspector",
            Self::Observer => "observer",
        }
    }
    #[must_use]
    pub fn permissions(self) -> Vec<Permission> {
        use Permission as P;
        let agent = [
            P::CaseRead,
            P::CaseCreate,
            P::CaseReply,
            P::CaseNote,
            P::CaseEdit,
            P::CaseAssign,
            P::CaseMove,
            P::CustomerRead,
            P::CustomerEdit,
            P::PresenceRead,
        ];
        match self {
            Self::Administrator => Permission::ALL.iter().copied().filter(|p| *p != P::ChannelWrite).collect(),
            Self::Supervisor => {
                agent.into_iter().chain([P::ViewShare, P::CannedManage, P::RoutingManage, P::AuditRead]).collect()
            }
            Self::Agent => agent.to_vec(),
            Self::Inspector => vec![P::CaseRead, P::CaseNote, P::CustomerRead, P::PresenceRead, P::AuditRead],
            Self::Observer => vec![P::CaseRead, P::CustomerRead, P::PresenceRead],
        }
    }
}
