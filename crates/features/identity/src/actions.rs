//! What happens inside a command, shared by the endpoints and the demo's seed.

use crate::fields;
use crate::rights;
use crate::store::link::{self, NewLink, Purpose};
use crate::store::session::{self, NewSession};
use crate::store::workspace::{self, WorkspaceRow};
use crate::store::{people, role, team, user};
use domain::access::Access;
use domain::event::{AccessEvent, ConfigAction, ConfigChanged};
use domain::permission::BuiltinRole;
use domain::{
    ChannelId, Code, Event, InvitationId, Rejection, RoleId, SessionId, SkillId, Span, TeamId, UserId, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Refusal, Unit};
use std::collections::BTreeMap;
use uuid::Uuid;
use web::{Locale, SecretHash};

/// A session ends for good after this long.
pub const SESSION_LIFE: Span = Span::days(30);
/// A session ends when it was not used for this long.
pub const SESSION_IDLE: Span = Span::days(7);
pub const SESSIONS_PER_USER: i64 = 50;
pub const INVITATION_LIFE: Span = Span::days(7);
pub const RESET_LIFE: Span = Span::hours(1);
pub const CHALLENGE_LIFE: Span = Span::minutes(10);

/// A role to be held, everywhere or for one team and/or channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoleGrant {
    pub role: RoleId,
    #[serde(default)]
    pub team: Option<TeamId>,
    #[serde(default)]
    pub channel: Option<ChannelId>,
}

/// What a new workspace is made from.
pub struct NewWorkspace<'a> {
    pub name: &'a str,
    pub slug: &'a str,
    pub locale: Locale,
    pub time_zone: &'a str,
    pub base_url: Option<&'a str>,
}

/// Creates the workspace of the unit with the roles everybody starts with.
pub fn create_workspace(
    unit: &mut Unit<'_, '_>,
    new: &NewWorkspace<'_>,
) -> Result<BTreeMap<&'static str, RoleId>, Refusal> {
    let ws = unit.workspace();
    let mut slug = new.slug.to_owned();
    for n in 2.. {
        if !workspace::slug_taken(unit.tx(), &slug)? {
            break;
        }
        slug = format!("{}-{n}", new.slug);
    }
    let settings = new.base_url.map_or_else(|| json!({}), |url| json!({ "base_url": url }));
    let row = WorkspaceRow {
        workspace_id: ws,
        name: new.name.trim().to_owned(),
        slug,
        locale: new.locale.as_str().to_owned(),
        time_zone: new.time_zone.to_owned(),
        settings: settings.to_string(),
    };
    let (secret, now) = (unit.random(), unit.now());
    workspace::insert(unit.tx(), &row, secret, now)?;
    unit.record(Event::Access(AccessEvent::WorkspaceCreated), "workspace", ws.0)?;
    let mut roles = BTreeMap::new();
    for builtin in BuiltinRole::ALL {
        let id = unit.next_id::<RoleId>();
        let permissions = builtin.permissions().into_iter().collect();
        role::insert(unit.tx(), ws, id, (Some(builtin.key()), role_name(builtin, new.locale), &permissions))?;
        roles.insert(builtin.key(), id);
    }
    schedule_cleanup(unit)?;
    Ok(roles)
}

/// The name of a built-in role as written at set-up; the interface may translate it by its key.
fn role_name(role: BuiltinRole, locale: Locale) -> &'static str {
    match (role, locale) {
        (BuiltinRole::Administrator, Locale::ZhCn) => "管理员",
        (BuiltinRole::Supervisor, Locale::ZhCn) => "客服主管",
        (BuiltinRole::Agent, Locale::ZhCn) => "客服",
        (BuiltinRole::Inspector, Locale::ZhCn) => "质检员",
        (BuiltinRole::Observer, Locale::ZhCn) => "观察员",
        (BuiltinRole::Administrator, Locale::En) => "Administrator",
        (BuiltinRole::Supervisor, Locale::En) => "Supervisor",
        (BuiltinRole::Agent, Locale::En) => "Agent",
        (BuiltinRole::Inspector, Locale::En) => "Quality inspector",
        (BuiltinRole::Observer, Locale::En) => "Observer",
    }
}

pub(crate) fn schedule_cleanup(unit: &mut Unit<'_, '_>) -> Result<(), Refusal> {
    let run_at = unit.now() + Span::days(1);
    unit.job(spine::NewJob { queue: crate::cleanup::QUEUE, key: "daily".to_owned(), payload: json!({}), run_at })
}

/// Logs that something configured was changed. Never hand it a secret.
pub fn changed(
    unit: &mut Unit<'_, '_>,
    (object, id): (&'static str, Uuid),
    action: ConfigAction,
    (before, after): (Value, Value),
) -> Result<(), Refusal> {
    let event = ConfigChanged { object: object.to_owned(), id, action, before, after };
    unit.record(Event::Config(event), object, id)
}

/// Logs a fact about a person's access.
pub fn access_event(unit: &mut Unit<'_, '_>, user: UserId, event: AccessEvent) -> Result<(), Refusal> {
    unit.record(Event::Access(event), "user", user.0)
}

/// A person as the audit trail shows them.
pub fn snapshot(unit: &mut Unit<'_, '_>, user: UserId) -> Result<Value, Refusal> {
    let ws = unit.workspace();
    let person = people::get(unit.tx(), ws, user)?;
    let mut value = serde_json::to_value(person).map_err(Refusal::internal)?;
    if let Some(map) = value.as_object_mut() {
        map.remove("last_seen_at");
    }
    Ok(value)
}

/// Replaces the roles somebody holds. The caller can neither give nor take what it does not have.
pub fn set_roles(unit: &mut Unit<'_, '_>, caller: &Access, user: UserId, grants: &[RoleGrant]) -> Result<(), Refusal> {
    fields::at_most("roles", grants.len(), fields::LINKS_PER_PERSON)?;
    let ws = unit.workspace();
    for grant in grants {
        let unknown = || Rejection::new(Code::UnknownReference).on("roles");
        let role = role::get(unit.tx(), ws, grant.role)?.ok_or_else(unknown)?;
        if let Some(id) = grant.team {
            team::get(unit.tx(), ws, id)?.ok_or_else(unknown)?;
        }
        if let Some(id) = grant.channel
            && !role::channel_exists(unit.tx(), ws, id)?
        {
            return Err(unknown().into());
        }
        rights::may_grant(caller, &role.permissions()?, grant.team, grant.channel).map_err(|r| r.on("roles"))?;
    }
    role::revoke_all(unit.tx(), ws, user)?;
    for grant in grants {
        let id = unit.next_id::<RoleId>().0;
        role::grant(unit.tx(), ws, (id, user, grant.role), (grant.team, grant.channel))?;
    }
    Ok(())
}

/// Puts somebody into exactly these teams.
pub fn set_teams(unit: &mut Unit<'_, '_>, user: UserId, teams: &[TeamId]) -> Result<(), Refusal> {
    fields::at_most("teams", teams.len(), fields::LINKS_PER_PERSON)?;
    let ws = unit.workspace();
    let mut teams = teams.to_vec();
    teams.sort_unstable();
    teams.dedup();
    for id in &teams {
        team::get(unit.tx(), ws, *id)?.ok_or_else(|| Rejection::new(Code::UnknownReference).on("teams"))?;
    }
    team::set_teams(unit.tx(), ws, user, &teams)
}

/// Gives somebody exactly these skills.
pub fn set_skills(unit: &mut Unit<'_, '_>, user: UserId, skills: &[SkillId]) -> Result<(), Refusal> {
    fields::at_most("skills", skills.len(), fields::LINKS_PER_PERSON)?;
    let ws = unit.workspace();
    let mut skills = skills.to_vec();
    skills.sort_unstable();
    skills.dedup();
    for id in &skills {
        team::skill(unit.tx(), ws, *id)?.ok_or_else(|| Rejection::new(Code::UnknownReference).on("skills"))?;
    }
    team::set_skills(unit.tx(), ws, user, &skills)
}

/// A person's rights as stored now.
pub fn access_of(unit: &mut Unit<'_, '_>, id: UserId) -> Result<Access, Refusal> {
    let ws = unit.workspace();
    let row = user::get(unit.tx(), ws, id)?;
    role::access(unit.tx(), ws, id, row.is_owner)
}

/// From where somebody signs in.
#[derive(Clone, Debug)]
pub struct Device {
    pub user_agent: String,
    pub address: String,
}

/// Opens a session for the secret that the browser will hold.
pub fn open_session(
    unit: &mut Unit<'_, '_>,
    user: UserId,
    secret: SecretHash,
    device: &Device,
    second_factor: bool,
) -> Result<SessionId, Refusal> {
    let (ws, now, id) = (unit.workspace(), unit.now(), unit.next_id::<SessionId>());
    let new = NewSession {
        id,
        user,
        secret,
        user_agent: &device.user_agent,
        address: &device.address,
        now,
        expires_at: now + SESSION_LIFE,
    };
    session::insert(unit.tx(), ws, &new)?;
    session::delete_surplus(unit.tx(), ws, user, SESSIONS_PER_USER)?;
    access_event(unit, user, AccessEvent::SignedIn { session: id, second_factor })?;
    Ok(id)
}

/// Makes a link for a purpose; the person's older unused links for it are void.
pub fn issue_link(
    unit: &mut Unit<'_, '_>,
    user: UserId,
    purpose: Purpose,
    secret: SecretHash,
    life: Span,
) -> Result<InvitationId, Refusal> {
    let (ws, now, id) = (unit.workspace(), unit.now(), unit.next_id::<InvitationId>());
    link::void(unit.tx(), ws, user, purpose)?;
    link::insert(unit.tx(), ws, &NewLink { id, purpose, secret, user, now, expires_at: now + life })?;
    Ok(id)
}

/// A workspace always keeps an active owner.
pub fn owner_remains(unit: &mut Unit<'_, '_>) -> Result<(), Refusal> {
    let ws: WorkspaceId = unit.workspace();
    if user::count_owners(unit.tx(), ws)? == 0 {
        return Err(Code::LastOwner.into());
    }
    Ok(())
}

/// Writes the workspace's row as it is: proves that a commit reaches the disk.
pub(crate) fn touch_workspace(unit: &mut Unit<'_, '_>) -> Result<(), Refusal> {
    let ws = unit.workspace();
    let row = workspace::get(unit.tx(), ws)?;
    workspace::update(unit.tx(), &row)
}
