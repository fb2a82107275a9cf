//! People with everything around them, as the people page shows them.

use db::{Query, params, row, sql};
use domain::{ChannelId, ChannelKind, RoleId, SkillId, TeamId, Timestamp, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use spine::Refusal;
use std::collections::BTreeMap;
use web::Named;

row! {
    #[derive(Debug, Clone)]
    struct PersonRow {
        id: UserId,
        name: String,
        email: String,
        active: bool,
        is_owner: bool,
        totp_last_step: Option<i64>,
        languages: String,
        invited: bool,
        last_seen_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    struct HeldRow {
        user_id: UserId,
        role_id: RoleId,
        role_name: String,
        team_id: Option<TeamId>,
        team_name: Option<String>,
        channel_id: Option<ChannelId>,
        channel_name: Option<String>,
    }
}

/// A role as somebody holds it: everywhere, or for one team and/or channel.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct HeldRole {
    pub role: Named,
    #[schema(required = true)]
    pub team: Option<Named>,
    #[schema(required = true)]
    pub channel: Option<Named>,
}

/// A person of the workspace.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub active: bool,
    pub is_owner: bool,
    pub totp_enabled: bool,
    /// Language tags, the best first.
    pub languages: Vec<String>,
    pub roles: Vec<HeldRole>,
    pub teams: Vec<Named>,
    pub skills: Vec<Named>,
    /// Open cases taken at once, by kind of channel.
    pub capacity: BTreeMap<String, u32>,
    /// The invitation was not accepted yet.
    pub invited: bool,
    #[schema(required = true)]
    pub last_seen_at: Option<Timestamp>,
}

/// One line of a picker.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AgentOption {
    pub id: UserId,
    pub name: String,
    pub active: bool,
    pub teams: Vec<TeamId>,
}

sql!(PEOPLE = "SELECT u.id, u.name, u.email, u.active, u.is_owner, u.totp_last_step, u.languages, \
    CASE WHEN u.password_hash IS NULL THEN TRUE ELSE FALSE END AS invited, \
    (SELECT MAX(s.last_seen_at) FROM session s WHERE s.workspace_id = u.workspace_id AND s.user_id = u.id) AS last_seen_at \
    FROM app_user u WHERE u.workspace_id = $1 ORDER BY lower(u.name), u.id LIMIT 5000", params: 1, row: PersonRow);
sql!(PERSON = "SELECT u.id, u.name, u.email, u.active, u.is_owner, u.totp_last_step, u.languages, \
    CASE WHEN u.password_hash IS NULL THEN TRUE ELSE FALSE END AS invited, \
    (SELECT MAX(s.last_seen_at) FROM session s WHERE s.workspace_id = u.workspace_id AND s.user_id = u.id) AS last_seen_at \
    FROM app_user u WHERE u.workspace_id = $1 AND u.id = $2", params: 2, row: PersonRow);
sql!(HELD = "SELECT g.user_id, g.role_id, r.name AS role_name, g.team_id, t.name AS team_name, g.channel_id, c.name AS channel_name \
    FROM user_role g JOIN role r ON r.workspace_id = g.workspace_id AND r.id = g.role_id \
    LEFT JOIN team t ON t.workspace_id = g.workspace_id AND t.id = g.team_id \
    LEFT JOIN view_channel c ON c.workspace_id = g.workspace_id AND c.id = g.channel_id \
    WHERE g.workspace_id = $1 ORDER BY g.id", params: 1, row: HeldRow);
sql!(TEAMS_HELD = "SELECT m.user_id, t.id, t.name FROM team_member m JOIN team t ON t.workspace_id = m.workspace_id AND t.id = m.team_id \
    WHERE m.workspace_id = $1 ORDER BY lower(t.name), t.id", params: 1);
sql!(SKILLS_HELD = "SELECT m.user_id, s.id, s.name FROM user_skill m JOIN skill s ON s.workspace_id = m.workspace_id AND s.id = m.skill_id \
    WHERE m.workspace_id = $1 ORDER BY lower(s.name), s.id", params: 1);
sql!(CAPACITIES = "SELECT user_id, channel_kind, capacity FROM view_capacity WHERE workspace_id = $1", params: 1);
sql!(AGENT_OPTIONS = "SELECT id, name, active FROM app_user WHERE workspace_id = $1 ORDER BY lower(name), id LIMIT 5000", params: 1);

/// Everybody of a workspace, by name.
pub fn list(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<User>, Refusal> {
    let rows = q.query(&PEOPLE, params![ws])?;
    assemble(q, ws, rows)
}

/// One person.
///
/// # Errors
/// [`Refusal::NotFound`], or those of the database.
pub fn get(q: &mut impl Query, ws: WorkspaceId, id: UserId) -> Result<User, Refusal> {
    let rows = q.query(&PERSON, params![ws, id])?;
    assemble(q, ws, rows)?.pop().ok_or(Refusal::NotFound)
}

fn assemble(q: &mut impl Query, ws: WorkspaceId, rows: Vec<PersonRow>) -> Result<Vec<User>, Refusal> {
    let mut roles: BTreeMap<UserId, Vec<HeldRole>> = BTreeMap::new();
    for row in q.query::<HeldRow>(&HELD, params![ws])? {
        let held = HeldRole {
            role: Named::new(row.role_id, row.role_name),
            team: row.team_id.map(|id| Named::new(id, row.team_name.unwrap_or_default())),
            channel: row.channel_id.map(|id| Named::new(id, row.channel_name.unwrap_or_default())),
        };
        roles.entry(row.user_id).or_default().push(held);
    }
    let mut teams: BTreeMap<UserId, Vec<Named>> = BTreeMap::new();
    for (user, id, name) in q.query::<(UserId, TeamId, String)>(&TEAMS_HELD, params![ws])? {
        teams.entry(user).or_default().push(Named::new(id, name));
    }
    let mut skills: BTreeMap<UserId, Vec<Named>> = BTreeMap::new();
    for (user, id, name) in q.query::<(UserId, SkillId, String)>(&SKILLS_HELD, params![ws])? {
        skills.entry(user).or_default().push(Named::new(id, name));
    }
    let mut capacities: BTreeMap<UserId, BTreeMap<String, u32>> = BTreeMap::new();
    for (user, kind, capacity) in q.query::<(UserId, String, u32)>(&CAPACITIES, params![ws])? {
        capacities.entry(user).or_default().insert(kind, capacity);
    }
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let mut capacity: BTreeMap<String, u32> =
            ChannelKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), kind.default_capacity())).collect();
        capacity.extend(capacities.remove(&row.id).unwrap_or_default());
        people.push(User {
            id: row.id,
            name: row.name,
            email: row.email,
            active: row.active,
            is_owner: row.is_owner,
            totp_enabled: row.totp_last_step.is_some(),
            languages: super::json(&row.languages)?,
            roles: roles.remove(&row.id).unwrap_or_default(),
            teams: teams.remove(&row.id).unwrap_or_default(),
            skills: skills.remove(&row.id).unwrap_or_default(),
            capacity,
            invited: row.invited,
            last_seen_at: row.last_seen_at,
        });
    }
    Ok(people)
}

/// Names for pickers.
pub fn options(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<AgentOption>, Refusal> {
    let mut teams: BTreeMap<UserId, Vec<TeamId>> = BTreeMap::new();
    for (team, user) in super::team::members(q, ws)? {
        teams.entry(user).or_default().push(team);
    }
    let rows: Vec<(UserId, String, bool)> = q.query(&AGENT_OPTIONS, params![ws])?;
    Ok(rows
        .into_iter()
        .map(|(id, name, active)| AgentOption { id, name, active, teams: teams.remove(&id).unwrap_or_default() })
        .collect())
}
