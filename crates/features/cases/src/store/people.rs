//! What this feature asks about agents, teams, skills and channels, through the views of their owners.

use db::{Builder, Connection, Query, params, row, sql};
use domain::access::{Access, Grant};
use domain::{ChannelId, Permission, SkillId, TeamId, UserId, WorkspaceId};
use spine::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

row! {
    pub(crate) struct Agent {
        pub(crate) name: String,
        pub(crate) is_owner: bool,
        pub(crate) active: bool,
    }
}

row! {
    struct Granted {
        permissions: String,
        team_id: Option<TeamId>,
        channel_id: Option<ChannelId>,
    }
}

sql!(AGENT = "SELECT name, is_owner, active FROM view_agent WHERE workspace_id = $1 AND id = $2", params: 2, row: Agent);
sql!(GRANTS = "SELECT permissions, team_id, channel_id FROM view_grant WHERE workspace_id = $1 AND user_id = $2", params: 2, row: Granted);
sql!(TEAM = "SELECT name FROM view_team WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CHANNEL_ACTIVE = "SELECT active FROM view_channel WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(WORKSPACE_NAME = "SELECT name FROM view_workspace WHERE workspace_id = $1", params: 1);

pub(crate) fn agent(q: &mut impl Connection, ws: WorkspaceId, user: UserId) -> Result<Option<Agent>, Refusal> {
    Ok(q.query_opt(&AGENT, params![ws, user])?)
}

/// The rights of somebody else, to answer whether they could see a case they are to get.
pub(crate) fn access_of(q: &mut impl Connection, ws: WorkspaceId, user: UserId) -> Result<Access, Refusal> {
    let owner = agent(q, ws, user)?.is_some_and(|agent| agent.is_owner);
    let rows: Vec<Granted> = q.query(&GRANTS, params![ws, user])?;
    let grants = rows.into_iter().map(|row| {
        let names: Vec<String> = serde_json::from_str(&row.permissions).map_err(Refusal::internal)?;
        let permissions: BTreeSet<Permission> = names.iter().filter_map(|name| Permission::parse(name)).collect();
        Ok(Grant { permissions, team: somewhere(row.team_id), channel: somewhere(row.channel_id) })
    });
    Ok(Access { owner, grants: grants.collect::<Result<_, Refusal>>()? })
}

/// The all-zero id also means "everywhere".
fn somewhere<I: domain::Id>(id: Option<I>) -> Option<I> {
    id.filter(|id| !id.uuid().is_nil())
}

pub(crate) fn team_name(q: &mut impl Connection, ws: WorkspaceId, team: TeamId) -> Result<Option<String>, Refusal> {
    Ok(q.query_opt(&TEAM, params![ws, team])?)
}

pub(crate) fn channel_active(q: &mut impl Connection, ws: WorkspaceId, channel: ChannelId) -> Result<bool, Refusal> {
    Ok(q.query_opt(&CHANNEL_ACTIVE, params![ws, channel])?.unwrap_or(false))
}

pub(crate) fn workspace_name(q: &mut impl Connection, ws: WorkspaceId) -> Result<String, Refusal> {
    Ok(q.query_opt(&WORKSPACE_NAME, params![ws])?.unwrap_or_default())
}

/// Whether all of these skills exist.
pub(crate) fn skills_exist(
    q: &mut impl Connection,
    ws: WorkspaceId,
    skills: &BTreeSet<SkillId>,
) -> Result<bool, Refusal> {
    let found = skill_names(q, ws, skills)?;
    Ok(found.len() == skills.len())
}

pub(crate) fn skill_names(
    q: &mut impl Connection,
    ws: WorkspaceId,
    skills: &BTreeSet<SkillId>,
) -> Result<Vec<(SkillId, String)>, Refusal> {
    if skills.is_empty() {
        return Ok(Vec::new());
    }
    let mut b = Builder::new("SELECT id, name FROM view_skill WHERE workspace_id = ");
    b.bind(ws).push(" AND id IN ").in_list(skills.iter().copied()).push(" ORDER BY name, id");
    let (statement, values) = b.build();
    Ok(q.query(&statement, &values)?)
}

/// Names of whatever these ids stand for: agents, customers, teams, reasons, skills, tokens.
pub(crate) fn names(
    q: &mut impl Connection,
    ws: WorkspaceId,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, String>, Refusal> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut b = Builder::default();
    let tables = [
        "SELECT id, name FROM view_agent WHERE workspace_id = ",
        " UNION ALL SELECT id, name FROM view_customer WHERE workspace_id = ",
        " UNION ALL SELECT id, name FROM view_team WHERE workspace_id = ",
        " UNION ALL SELECT id, name FROM view_skill WHERE workspace_id = ",
        " UNION ALL SELECT id, name FROM view_token WHERE workspace_id = ",
        " UNION ALL SELECT id, name FROM view_channel WHERE workspace_id = ",
        " UNION ALL SELECT id, name_zh || ' / ' || name_en FROM reason WHERE workspace_id = ",
        " UNION ALL SELECT id, '#' || CAST(number AS TEXT) FROM case_record WHERE workspace_id = ",
    ];
    for table in tables {
        b.push(table).bind(ws).push(" AND id IN ").in_list(ids.iter().copied());
    }
    let (statement, values) = b.build();
    Ok(q.query::<(Uuid, String)>(&statement, &values)?.into_iter().collect())
}
