//! Teams and skills, and who belongs to them.

use db::{Query, Tx, params, row, sql};
use domain::{SkillId, TeamId, UserId, WorkspaceId};
use spine::Refusal;

row! {
    #[derive(Debug, Clone)]
    pub struct TeamRow {
        pub id: TeamId,
        pub name: String,
        pub description: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct SkillRow {
        pub id: SkillId,
        pub name: String,
    }
}

sql!(TEAMS = "SELECT id, name, description FROM team WHERE workspace_id = $1 ORDER BY lower(name), id LIMIT 1000", params: 1, row: TeamRow);
sql!(TEAM_BY_ID = "SELECT id, name, description FROM team WHERE workspace_id = $1 AND id = $2", params: 2, row: TeamRow);
sql!(INSERT_TEAM = "INSERT INTO team (workspace_id, id, name, description) VALUES ($1, $2, $3, $4)", params: 4);
sql!(UPDATE_TEAM = "UPDATE team SET name = $3, description = $4 WHERE workspace_id = $1 AND id = $2", params: 4);
sql!(DELETE_TEAM = "DELETE FROM team WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(TEAM_USES = "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM view_case WHERE workspace_id = $1 AND team_id = $2) \
    + (SELECT CAST(COUNT(*) AS BIGINT) FROM view_channel WHERE workspace_id = $1 AND team_id = $2) AS uses", params: 2);
sql!(MEMBERS = "SELECT team_id, user_id FROM team_member WHERE workspace_id = $1", params: 1);
sql!(INSERT_MEMBER = "INSERT INTO team_member (workspace_id, team_id, user_id) VALUES ($1, $2, $3)", params: 3);
sql!(DELETE_MEMBERS = "DELETE FROM team_member WHERE workspace_id = $1 AND team_id = $2", params: 2);
sql!(LEAVE_TEAMS = "DELETE FROM team_member WHERE workspace_id = $1 AND user_id = $2", params: 2);

sql!(SKILLS = "SELECT id, name FROM skill WHERE workspace_id = $1 ORDER BY lower(name), id LIMIT 1000", params: 1, row: SkillRow);
sql!(SKILL_BY_ID = "SELECT id, name FROM skill WHERE workspace_id = $1 AND id = $2", params: 2, row: SkillRow);
sql!(INSERT_SKILL = "INSERT INTO skill (workspace_id, id, name) VALUES ($1, $2, $3)", params: 3);
sql!(UPDATE_SKILL = "UPDATE skill SET name = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(DELETE_SKILL = "DELETE FROM skill WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(SKILL_CASES = "SELECT COUNT(*) FROM view_case WHERE workspace_id = $1 AND status <> 'closed' AND state LIKE $2", params: 2);
sql!(SKILL_USES = "SELECT CAST(COUNT(*) AS BIGINT) FROM view_skill_use WHERE workspace_id = $1 AND required_skills LIKE $2", params: 2);
sql!(INSERT_USER_SKILL = "INSERT INTO user_skill (workspace_id, user_id, skill_id) VALUES ($1, $2, $3)", params: 3);
sql!(DELETE_USER_SKILLS = "DELETE FROM user_skill WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(DELETE_SKILL_OF_ALL = "DELETE FROM user_skill WHERE workspace_id = $1 AND skill_id = $2", params: 2);
sql!(DELETE_CAPACITY = "DELETE FROM agent_capacity WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(INSERT_CAPACITY = "INSERT INTO agent_capacity (workspace_id, user_id, channel_kind, capacity) VALUES ($1, $2, $3, $4)", params: 4);

pub fn list(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<TeamRow>, Refusal> {
    Ok(q.query(&TEAMS, params![ws])?)
}

pub fn get(q: &mut impl Query, ws: WorkspaceId, id: TeamId) -> Result<Option<TeamRow>, Refusal> {
    Ok(q.query_opt(&TEAM_BY_ID, params![ws, id])?)
}

pub fn insert(tx: &mut Tx<'_>, ws: WorkspaceId, id: TeamId, name: &str, description: &str) -> Result<(), Refusal> {
    tx.execute(&INSERT_TEAM, params![ws, id, name, description])?;
    Ok(())
}

pub fn update(tx: &mut Tx<'_>, ws: WorkspaceId, id: TeamId, name: &str, description: &str) -> Result<(), Refusal> {
    tx.execute(&UPDATE_TEAM, params![ws, id, name, description])?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: TeamId) -> Result<(), Refusal> {
    tx.execute(&DELETE_MEMBERS, params![ws, id])?;
    tx.execute(&DELETE_TEAM, params![ws, id])?;
    Ok(())
}

/// How many cases and channels belong to the team.
pub fn uses(q: &mut impl Query, ws: WorkspaceId, id: TeamId) -> Result<i64, Refusal> {
    Ok(q.query_one(&TEAM_USES, params![ws, id])?)
}

/// All memberships of a workspace.
pub fn members(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<(TeamId, UserId)>, Refusal> {
    Ok(q.query(&MEMBERS, params![ws])?)
}

pub fn set_members(tx: &mut Tx<'_>, ws: WorkspaceId, id: TeamId, users: &[UserId]) -> Result<(), Refusal> {
    tx.execute(&DELETE_MEMBERS, params![ws, id])?;
    for user in users {
        tx.execute(&INSERT_MEMBER, params![ws, id, *user])?;
    }
    Ok(())
}

pub fn set_teams(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, teams: &[TeamId]) -> Result<(), Refusal> {
    tx.execute(&LEAVE_TEAMS, params![ws, user])?;
    for team in teams {
        tx.execute(&INSERT_MEMBER, params![ws, *team, user])?;
    }
    Ok(())
}

pub fn skills(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<SkillRow>, Refusal> {
    Ok(q.query(&SKILLS, params![ws])?)
}

pub fn skill(q: &mut impl Query, ws: WorkspaceId, id: SkillId) -> Result<Option<SkillRow>, Refusal> {
    Ok(q.query_opt(&SKILL_BY_ID, params![ws, id])?)
}

pub fn insert_skill(tx: &mut Tx<'_>, ws: WorkspaceId, id: SkillId, name: &str) -> Result<(), Refusal> {
    tx.execute(&INSERT_SKILL, params![ws, id, name])?;
    Ok(())
}

pub fn update_skill(tx: &mut Tx<'_>, ws: WorkspaceId, id: SkillId, name: &str) -> Result<(), Refusal> {
    tx.execute(&UPDATE_SKILL, params![ws, id, name])?;
    Ok(())
}

pub fn delete_skill(tx: &mut Tx<'_>, ws: WorkspaceId, id: SkillId) -> Result<(), Refusal> {
    tx.execute(&DELETE_SKILL_OF_ALL, params![ws, id])?;
    tx.execute(&DELETE_SKILL, params![ws, id])?;
    Ok(())
}

/// How many cases that are not closed for good demand the skill: a solved one may come back to the queue.
pub fn skill_cases(q: &mut impl Query, ws: WorkspaceId, id: SkillId) -> Result<i64, Refusal> {
    Ok(q.query_one(&SKILL_CASES, params![ws, format!("%{id}%")])?)
}

/// How many channels and reasons demand the skill.
pub fn skill_uses(q: &mut impl Query, ws: WorkspaceId, id: SkillId) -> Result<i64, Refusal> {
    Ok(q.query_one(&SKILL_USES, params![ws, format!("%{id}%")])?)
}

pub fn set_skills(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, skills: &[SkillId]) -> Result<(), Refusal> {
    tx.execute(&DELETE_USER_SKILLS, params![ws, user])?;
    for skill in skills {
        tx.execute(&INSERT_USER_SKILL, params![ws, user, *skill])?;
    }
    Ok(())
}

/// Replaces how many open cases of each kind of channel the user takes at once.
pub fn set_capacity(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    user: UserId,
    capacity: &[(&'static str, i32)],
) -> Result<(), Refusal> {
    tx.execute(&DELETE_CAPACITY, params![ws, user])?;
    for (kind, count) in capacity {
        tx.execute(&INSERT_CAPACITY, params![ws, user, *kind, *count])?;
    }
    Ok(())
}
