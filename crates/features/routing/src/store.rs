//! All SQL of this feature.

use db::{Connection, Error, Query, Tx, params, row, sql};
use domain::access::{Access, Grant, Scope};
use domain::routing::{AgentState, Explanation, Presence, RoutingPolicies, Served, TeamPolicy};
use domain::{
    CaseId, ChannelId, ChannelKind, CustomerId, Permission, SkillId, Span, TeamId, Timestamp, UserId, WorkspaceId,
};
use spine::Refusal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Stands for "no team" where a column must have a value.
pub(crate) const NO_TEAM: TeamId = TeamId(Uuid::nil());

// ---- people

row! {
    pub(crate) struct AgentRow {
        pub(crate) id: UserId,
        pub(crate) name: String,
        pub(crate) languages: String,
        pub(crate) is_owner: bool,
        pub(crate) presence: Option<String>,
        pub(crate) connected: Option<bool>,
        pub(crate) since: Option<Timestamp>,
        pub(crate) last_assigned_at: Option<Timestamp>,
    }
}
row! {
    struct GrantRow {
        user_id: UserId,
        team_id: Option<TeamId>,
        channel_id: Option<ChannelId>,
        permissions: String,
    }
}

sql!(AGENTS = "SELECT a.id, a.name, a.languages, a.is_owner, p.presence, p.connected, p.since, p.last_assigned_at \
    FROM view_agent a LEFT JOIN agent_presence p ON p.workspace_id = a.workspace_id AND p.user_id = a.id \
    WHERE a.workspace_id = $1 AND a.active = TRUE ORDER BY a.id", params: 1, row: AgentRow);
sql!(AGENT_ACTIVE = "SELECT active FROM view_agent WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(NAMES = "SELECT id, name FROM view_agent WHERE workspace_id = $1", params: 1);
sql!(TEAMS = "SELECT id, name FROM view_team WHERE workspace_id = $1 ORDER BY name, id", params: 1);
sql!(SKILL_NAMES = "SELECT id, name FROM view_skill WHERE workspace_id = $1", params: 1);
sql!(MEMBERS = "SELECT user_id, team_id FROM view_team_member WHERE workspace_id = $1", params: 1);
sql!(AGENT_SKILLS = "SELECT user_id, skill_id FROM view_agent_skill WHERE workspace_id = $1", params: 1);
sql!(GRANTS = "SELECT user_id, team_id, channel_id, permissions FROM view_grant WHERE workspace_id = $1", params: 1, row: GrantRow);
sql!(CAPACITIES = "SELECT user_id, channel_kind, capacity FROM agent_capacity WHERE workspace_id = $1", params: 1);
sql!(CAPACITY_OF = "SELECT channel_kind, capacity FROM agent_capacity WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(SET_CAPACITY = "INSERT INTO agent_capacity (workspace_id, user_id, channel_kind, capacity) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (workspace_id, user_id, channel_kind) DO UPDATE SET capacity = $4", params: 4);
sql!(LOADS = "SELECT assignee_id, channel_kind, COUNT(*) FROM view_active_case WHERE workspace_id = $1 \
    GROUP BY assignee_id, channel_kind", params: 1);

/// Everybody who may answer customers somewhere, with everything routing weighs.
pub(crate) fn staff(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<AgentState>, Refusal> {
    let teams: Vec<(UserId, TeamId)> = q.query(&MEMBERS, params![ws])?;
    let skills: Vec<(UserId, SkillId)> = q.query(&AGENT_SKILLS, params![ws])?;
    let (mut teams, mut skills) = (sets(teams), sets(skills));
    let mut reach = reach(q, ws)?;
    let mut capacities = capacities(q, ws)?;
    let mut loads = loads(q, ws)?;
    let mut staff = Vec::new();
    for row in agents(q, ws)? {
        let mut access = reach.remove(&row.id).unwrap_or_default();
        access.owner = row.is_owner;
        let reach = access.scope(Permission::CaseReply);
        if reach == Scope::Nowhere {
            continue;
        }
        staff.push(AgentState {
            user: row.id,
            active: true,
            presence: row.presence.as_deref().and_then(Presence::parse).unwrap_or_default(),
            connected: row.connected.unwrap_or(false),
            teams: teams.remove(&row.id).unwrap_or_default(),
            skills: skills.remove(&row.id).unwrap_or_default(),
            languages: serde_json::from_str(&row.languages).map_err(Refusal::internal)?,
            reach,
            capacity: capacities.remove(&row.id).unwrap_or_default(),
            load: loads.remove(&row.id).unwrap_or_default(),
            idle_since: row.last_assigned_at.unwrap_or_default(),
        });
    }
    Ok(staff)
}

pub(crate) fn agents(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<AgentRow>, Error> {
    q.query(&AGENTS, params![ws])
}

/// Whether the person is there and may work; `None` when there is no such person.
pub(crate) fn is_active(q: &mut impl Connection, ws: WorkspaceId, user: UserId) -> Result<Option<bool>, Error> {
    q.query_opt(&AGENT_ACTIVE, params![ws, user])
}

fn sets<T: Ord>(pairs: Vec<(UserId, T)>) -> HashMap<UserId, BTreeSet<T>> {
    let mut sets: HashMap<UserId, BTreeSet<T>> = HashMap::new();
    for (user, item) in pairs {
        sets.entry(user).or_default().insert(item);
    }
    sets
}

/// Only the permission to answer; few roles are held by many, so each text is read once.
fn reach(q: &mut impl Connection, ws: WorkspaceId) -> Result<HashMap<UserId, Access>, Refusal> {
    let rows: Vec<GrantRow> = q.query(&GRANTS, params![ws])?;
    let mut known: HashMap<String, bool> = HashMap::new();
    let mut reach: HashMap<UserId, Access> = HashMap::new();
    for row in rows {
        let answers = match known.get(&row.permissions) {
            Some(answers) => *answers,
            None => {
                let names: Vec<String> = serde_json::from_str(&row.permissions).map_err(Refusal::internal)?;
                let answers = names.iter().any(|n| n == Permission::CaseReply.as_str());
                known.insert(row.permissions, answers);
                answers
            }
        };
        if answers {
            let permissions = BTreeSet::from([Permission::CaseReply]);
            let grant = Grant { permissions, team: row.team_id, channel: row.channel_id };
            reach.entry(row.user_id).or_default().grants.push(grant);
        }
    }
    Ok(reach)
}

type PerKind = BTreeMap<ChannelKind, u32>;

fn per_kind(rows: Vec<(UserId, String, i64)>) -> HashMap<UserId, PerKind> {
    let mut all: HashMap<UserId, PerKind> = HashMap::new();
    for (user, kind, n) in rows {
        if let Some(kind) = ChannelKind::parse(&kind) {
            all.entry(user).or_default().insert(kind, u32::try_from(n).unwrap_or(u32::MAX));
        }
    }
    all
}

pub(crate) fn capacities(q: &mut impl Connection, ws: WorkspaceId) -> Result<HashMap<UserId, PerKind>, Error> {
    Ok(per_kind(q.query(&CAPACITIES, params![ws])?))
}

pub(crate) fn loads(q: &mut impl Connection, ws: WorkspaceId) -> Result<HashMap<UserId, PerKind>, Error> {
    Ok(per_kind(q.query(&LOADS, params![ws])?))
}

/// What was set for one person; kinds that were not have their default.
pub(crate) fn capacity_of(q: &mut impl Connection, ws: WorkspaceId, user: UserId) -> Result<PerKind, Error> {
    let rows: Vec<(String, i64)> = q.query(&CAPACITY_OF, params![ws, user])?;
    let set = per_kind(rows.into_iter().map(|(kind, n)| (user, kind, n)).collect()).remove(&user).unwrap_or_default();
    Ok(with_defaults(set))
}

pub(crate) fn with_defaults(mut set: PerKind) -> PerKind {
    for kind in ChannelKind::ALL {
        set.entry(*kind).or_insert(kind.default_capacity());
    }
    set
}

pub(crate) fn set_capacity(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    user: UserId,
    kind: ChannelKind,
    n: u32,
) -> Result<(), Error> {
    tx.execute(&SET_CAPACITY, params![ws, user, kind.as_str(), n]).map(drop)
}

pub(crate) fn names(q: &mut impl Connection, ws: WorkspaceId) -> Result<HashMap<UserId, String>, Error> {
    let rows: Vec<(UserId, String)> = q.query(&NAMES, params![ws])?;
    Ok(rows.into_iter().collect())
}

/// Teams by name.
pub(crate) fn teams(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<(TeamId, String)>, Error> {
    q.query(&TEAMS, params![ws])
}

pub(crate) fn skill_names(q: &mut impl Connection, ws: WorkspaceId) -> Result<HashMap<String, String>, Error> {
    let rows: Vec<(SkillId, String)> = q.query(&SKILL_NAMES, params![ws])?;
    Ok(rows.into_iter().map(|(id, name)| (id.to_string(), name)).collect())
}

// ---- presence

row! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct PresenceRow {
        pub(crate) presence: String,
        pub(crate) connected: bool,
        pub(crate) since: Timestamp,
    }
}

sql!(PRESENCE = "SELECT presence, connected, since FROM agent_presence WHERE workspace_id = $1 AND user_id = $2", params: 2, row: PresenceRow);
sql!(SET_PRESENCE = "INSERT INTO agent_presence (workspace_id, user_id, presence, connected, since, last_assigned_at) \
    VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (workspace_id, user_id) DO UPDATE SET presence = $3, connected = $4, since = $5", params: 5);
sql!(TOUCH = "UPDATE agent_presence SET last_assigned_at = $3 WHERE workspace_id = $1 AND user_id = $2 AND last_assigned_at < $3", params: 3);
sql!(ALL_CONNECTED = "SELECT workspace_id, user_id FROM agent_presence WHERE connected = TRUE", params: 0, global);
sql!(ONLINE = "SELECT COUNT(*) FROM agent_presence WHERE workspace_id = $1 AND presence = 'online' AND connected = TRUE", params: 1);
sql!(ONLINE_IN_TEAM = "SELECT COUNT(*) FROM agent_presence p JOIN view_team_member m ON m.workspace_id = p.workspace_id \
    AND m.user_id = p.user_id WHERE p.workspace_id = $1 AND m.team_id = $2 AND p.presence = 'online' AND p.connected = TRUE", params: 2);

pub(crate) fn presence(q: &mut impl Connection, ws: WorkspaceId, user: UserId) -> Result<Option<PresenceRow>, Error> {
    q.query_opt(&PRESENCE, params![ws, user])
}

pub(crate) fn set_presence(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, row: &PresenceRow) -> Result<(), Error> {
    tx.execute(&SET_PRESENCE, params![ws, user, &row.presence, row.connected, row.since]).map(drop)
}

/// Remembers when somebody got their last case.
pub(crate) fn touch(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, at: Timestamp) -> Result<(), Error> {
    tx.execute(&TOUCH, params![ws, user, at]).map(drop)
}

/// Of all workspaces: who counts as connected.
pub(crate) fn all_connected(q: &mut impl Connection) -> Result<Vec<(WorkspaceId, UserId)>, Error> {
    q.query(&ALL_CONNECTED, &[])
}

/// How many of the team (or of everybody) are online and connected.
pub(crate) fn count_online(q: &mut impl Connection, ws: WorkspaceId, team: TeamId) -> Result<u32, Error> {
    if team == NO_TEAM { q.query_one(&ONLINE, params![ws]) } else { q.query_one(&ONLINE_IN_TEAM, params![ws, team]) }
}

// ---- cases

row! {
    #[derive(Debug)]
    pub(crate) struct CaseNow {
        pub(crate) id: CaseId,
        pub(crate) channel_id: ChannelId,
        pub(crate) channel_kind: String,
        pub(crate) team_id: Option<TeamId>,
        pub(crate) assignee_id: Option<UserId>,
        pub(crate) customer_id: CustomerId,
        pub(crate) status_rank: i64,
        pub(crate) priority: i64,
        pub(crate) language: Option<String>,
        pub(crate) waiting_since: Option<Timestamp>,
        pub(crate) state: String,
    }
}

sql!(CASE_NOW = "SELECT id, channel_id, channel_kind, team_id, assignee_id, customer_id, status_rank, priority, language, waiting_since, state \
    FROM view_case WHERE workspace_id = $1 AND id = $2", params: 2, row: CaseNow);
sql!(PREVIOUS_AGENT = "SELECT assignee_id FROM view_case WHERE workspace_id = $1 AND customer_id = $2 AND id <> $3 \
    AND assignee_id IS NOT NULL ORDER BY opened_at DESC, id DESC LIMIT 1", params: 3);
sql!(HELD_CASES = "SELECT id, channel_kind, state FROM view_active_case WHERE workspace_id = $1 AND assignee_id = $2 ORDER BY id", params: 2);

pub(crate) fn case_now(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<Option<CaseNow>, Error> {
    q.query_opt(&CASE_NOW, params![ws, case])
}

/// Who looked after this customer's latest other case.
pub(crate) fn previous_agent(q: &mut impl Connection, ws: WorkspaceId, now: &CaseNow) -> Result<Option<UserId>, Error> {
    q.query_opt(&PREVIOUS_AGENT, params![ws, now.customer_id, now.id])
}

/// Active cases somebody holds: id, channel kind, state as JSON.
pub(crate) fn held_cases(
    q: &mut impl Connection,
    ws: WorkspaceId,
    user: UserId,
) -> Result<Vec<(CaseId, String, String)>, Error> {
    q.query(&HELD_CASES, params![ws, user])
}

// ---- the queue

row! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct QueuedRow {
        pub(crate) channel_kind: String,
        pub(crate) team_id: TeamId,
        pub(crate) lane: String,
        pub(crate) rank_at: Timestamp,
        pub(crate) waiting_since: Timestamp,
        pub(crate) queued_at: Timestamp,
        pub(crate) previous_agent_id: Option<UserId>,
    }
}
row! {
    pub(crate) struct QueueLength {
        pub(crate) channel_kind: String,
        pub(crate) team_id: TeamId,
        pub(crate) waiting: i64,
        pub(crate) oldest: Timestamp,
    }
}

sql!(TAKE_TURN = "INSERT INTO routing_turn (workspace_id, passes) VALUES ($1, 1) \
    ON CONFLICT (workspace_id) DO UPDATE SET passes = routing_turn.passes + 1", params: 1);
sql!(QUEUED = "SELECT channel_kind, team_id, lane, rank_at, waiting_since, queued_at, previous_agent_id FROM routing_queue \
    WHERE workspace_id = $1 AND case_id = $2", params: 2, row: QueuedRow);
sql!(ENQUEUE = "INSERT INTO routing_queue (workspace_id, case_id, channel_kind, team_id, lane, rank_at, waiting_since, queued_at, previous_agent_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (workspace_id, case_id) \
    DO UPDATE SET channel_kind = $3, team_id = $4, lane = $5, rank_at = $6, waiting_since = $7, previous_agent_id = $9", params: 9);
sql!(DEQUEUE = "DELETE FROM routing_queue WHERE workspace_id = $1 AND case_id = $2", params: 2);
sql!(NEXT_LANE = "SELECT case_id, lane FROM routing_queue WHERE workspace_id = $1 AND channel_kind = $2 AND lane > $3 \
    ORDER BY lane, rank_at, case_id LIMIT 1", params: 3);
sql!(LANE_FRONT = "SELECT case_id FROM routing_queue WHERE workspace_id = $1 AND channel_kind = $2 AND lane = $3 \
    ORDER BY rank_at, case_id LIMIT $4", params: 4);
sql!(PLACE = "SELECT COUNT(*) FROM routing_queue WHERE workspace_id = $1 AND channel_kind = $2 AND team_id = $3 \
    AND (rank_at, case_id) <= ($4, $5)", params: 5);
sql!(QUEUE_LENGTHS = "SELECT channel_kind, team_id, COUNT(*) AS waiting, MIN(waiting_since) AS oldest FROM routing_queue \
    WHERE workspace_id = $1 GROUP BY channel_kind, team_id ORDER BY channel_kind, team_id", params: 1, row: QueueLength);

/// Waits until no other pass of this workspace runs (PostgreSQL: by the row's lock).
pub(crate) fn take_turn(tx: &mut Tx<'_>, ws: WorkspaceId) -> Result<(), Error> {
    tx.execute(&TAKE_TURN, params![ws]).map(drop)
}

pub(crate) fn queued(q: &mut impl Connection, ws: WorkspaceId, case: CaseId) -> Result<Option<QueuedRow>, Error> {
    q.query_opt(&QUEUED, params![ws, case])
}

pub(crate) fn enqueue(tx: &mut Tx<'_>, ws: WorkspaceId, case: CaseId, row: &QueuedRow) -> Result<(), Error> {
    let values = params![
        ws,
        case,
        &row.channel_kind,
        row.team_id,
        &row.lane,
        row.rank_at,
        row.waiting_since,
        row.queued_at,
        row.previous_agent_id
    ];
    tx.execute(&ENQUEUE, values).map(drop)
}

pub(crate) fn dequeue(tx: &mut Tx<'_>, ws: WorkspaceId, case: CaseId) -> Result<(), Error> {
    tx.execute(&DEQUEUE, params![ws, case]).map(drop)
}

/// The lane after this one (in the engine's order of texts) and its first case.
pub(crate) fn next_lane(
    q: &mut impl Connection,
    ws: WorkspaceId,
    kind: ChannelKind,
    after: &str,
) -> Result<Option<(CaseId, String)>, Error> {
    q.query_opt(&NEXT_LANE, params![ws, kind.as_str(), after])
}

/// The first cases of a lane.
pub(crate) fn lane_front(
    q: &mut impl Connection,
    ws: WorkspaceId,
    (kind, lane): (ChannelKind, &str),
    limit: u32,
) -> Result<Vec<CaseId>, Error> {
    q.query(&LANE_FRONT, params![ws, kind.as_str(), lane, limit])
}

/// The place in the queue of the kind and team, from 1.
pub(crate) fn place(q: &mut impl Connection, ws: WorkspaceId, case: CaseId, row: &QueuedRow) -> Result<u32, Error> {
    q.query_one(&PLACE, params![ws, &row.channel_kind, row.team_id, row.rank_at, case])
}

pub(crate) fn queue_lengths(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<QueueLength>, Error> {
    q.query(&QUEUE_LENGTHS, params![ws])
}

// ---- assignments

row! {
    pub(crate) struct AssignmentRow {
        pub(crate) at: Timestamp,
        pub(crate) user_id: Option<UserId>,
        pub(crate) team_id: Option<TeamId>,
        pub(crate) waited: i64,
        pub(crate) explanation: String,
    }
}

sql!(ADD_ASSIGNMENT = "INSERT INTO assignment (workspace_id, id, case_id, user_id, team_id, at, waited, channel_kind, explanation) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", params: 9);
sql!(FORGET_UNASSIGNED = "DELETE FROM assignment WHERE workspace_id = $1 AND case_id = $2 AND user_id IS NULL", params: 2);
sql!(ASSIGNMENTS = "SELECT at, user_id, team_id, waited, explanation FROM assignment WHERE workspace_id = $1 AND case_id = $2 \
    ORDER BY at DESC, id DESC LIMIT $3", params: 3, row: AssignmentRow);
sql!(RECENT = "SELECT at, waited FROM assignment WHERE workspace_id = $1 AND channel_kind = $2 AND COALESCE(team_id, $3) = $4 \
    AND user_id IS NOT NULL AND at > $5 ORDER BY at DESC LIMIT $6", params: 6);

pub(crate) struct NewAssignment<'a> {
    pub(crate) id: Uuid,
    pub(crate) case: CaseId,
    pub(crate) team: Option<TeamId>,
    pub(crate) kind: ChannelKind,
    pub(crate) waited: Span,
    pub(crate) explanation: &'a Explanation,
}

/// Keeps an explanation. Of those where nobody could take the case only the latest is kept.
pub(crate) fn add_assignment(tx: &mut Tx<'_>, ws: WorkspaceId, new: &NewAssignment<'_>) -> Result<(), Refusal> {
    let user = new.explanation.chosen.as_ref().map(|c| c.user);
    if user.is_none() {
        tx.execute(&FORGET_UNASSIGNED, params![ws, new.case])?;
    }
    let text = serde_json::to_string(new.explanation).map_err(Refusal::internal)?;
    let (at, waited) = (new.explanation.at, new.waited.as_micros());
    tx.execute(&ADD_ASSIGNMENT, params![ws, new.id, new.case, user, new.team, at, waited, new.kind.as_str(), text])?;
    Ok(())
}

/// Newest first.
pub(crate) fn assignments(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    limit: u32,
) -> Result<Vec<AssignmentRow>, Error> {
    q.query(&ASSIGNMENTS, params![ws, case, limit])
}

pub(crate) fn recent(
    q: &mut impl Connection,
    ws: WorkspaceId,
    (kind, team): (&str, TeamId),
    since: Timestamp,
) -> Result<Vec<Served>, Error> {
    let limit = i64::try_from(domain::routing::RECENT_ASSIGNMENTS).unwrap_or(i64::MAX);
    let rows: Vec<(Timestamp, i64)> = q.query(&RECENT, params![ws, kind, NO_TEAM, team, since, limit])?;
    Ok(rows.into_iter().map(|(at, waited)| Served { at, waited: Span::from_micros(waited) }).collect())
}

// ---- policies

sql!(POLICIES = "SELECT team_id, settings FROM routing_policy WHERE workspace_id = $1", params: 1);
sql!(SET_POLICY = "INSERT INTO routing_policy (workspace_id, team_id, settings) VALUES ($1, $2, $3) \
    ON CONFLICT (workspace_id, team_id) DO UPDATE SET settings = $3", params: 3);
sql!(DELETE_POLICY = "DELETE FROM routing_policy WHERE workspace_id = $1 AND team_id = $2", params: 2);

pub(crate) fn policies(q: &mut impl Connection, ws: WorkspaceId) -> Result<RoutingPolicies, Refusal> {
    let rows: Vec<(TeamId, String)> = q.query(&POLICIES, params![ws])?;
    let mut policies = RoutingPolicies::default();
    for (team, settings) in rows {
        let policy: TeamPolicy = serde_json::from_str(&settings).map_err(Refusal::internal)?;
        if team == NO_TEAM {
            policies.default = policy;
        } else {
            policies.teams.insert(team, policy);
        }
    }
    Ok(policies)
}

pub(crate) fn set_policy(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    team: Option<TeamId>,
    policy: &TeamPolicy,
) -> Result<(), Refusal> {
    let settings = serde_json::to_string(policy).map_err(Refusal::internal)?;
    tx.execute(&SET_POLICY, params![ws, team.unwrap_or(NO_TEAM), settings])?;
    Ok(())
}

/// Answers whether there was one.
pub(crate) fn delete_policy(tx: &mut Tx<'_>, ws: WorkspaceId, team: Option<TeamId>) -> Result<bool, Error> {
    Ok(tx.execute(&DELETE_POLICY, params![ws, team.unwrap_or(NO_TEAM)])? > 0)
}
