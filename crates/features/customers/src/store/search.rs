//! Finding and reading customers. A customer has no place of their own, so `customer.read` anywhere shows them;
//! their cases come only from within the caller's scope of `case.read` (SECURITY row 11).

use crate::wire::{CaseChannel, CaseCounts, CaseName, CaseReason, CustomerCase, CustomerRow};
use db::{Builder, Connection, Query, params, row, sql};
use domain::access::Scope;
use domain::case::Priority;
use domain::customer::CustomerState;
use domain::{CaseId, ChannelId, ChannelKind, CustomerId, Id, ReasonId, TeamId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;

/// Cases shown beside a customer.
const RECENT: i64 = 10;

row! {
    struct Line {
        id: CustomerId,
        state: String,
    }
}

row! {
    struct CaseLine {
        id: CaseId,
        number: i64,
        subject: String,
        preview: String,
        status: String,
        waiting_on: Option<String>,
        snoozed_until: Option<Timestamp>,
        priority: i64,
        channel_id: ChannelId,
        channel_kind: ChannelKind,
        channel_name: Option<String>,
        customer_id: CustomerId,
        customer_name: Option<String>,
        assignee_id: Option<UserId>,
        assignee_name: Option<String>,
        team_id: Option<TeamId>,
        team_name: Option<String>,
        reason_id: Option<ReasonId>,
        reason_name_zh: Option<String>,
        reason_name_en: Option<String>,
        tags: String,
        language: Option<String>,
        opened_at: Timestamp,
        last_message_at: Timestamp,
        waiting_since: Option<Timestamp>,
        solved_at: Option<Timestamp>,
        version: i64,
    }
}

sql!(STATE = "SELECT state FROM customer WHERE workspace_id = $1 AND id = $2", params: 2);

pub(crate) fn state(
    q: &mut impl Connection,
    ws: WorkspaceId,
    id: CustomerId,
) -> Result<Option<CustomerState>, Refusal> {
    let json: Option<String> = q.query_opt(&STATE, params![ws, id])?;
    json.map(|json| serde_json::from_str(&json).map_err(Refusal::internal)).transpose()
}

/// One page of customers by name, with one line more than `limit` if there are more; `text` is looked for in name,
/// company and addresses.
pub(crate) fn page(
    q: &mut impl Connection,
    ws: WorkspaceId,
    text: &str,
    (after, limit): (Option<&(String, CustomerId)>, usize),
) -> Result<Vec<CustomerRow>, Refusal> {
    let mut b = Builder::new("SELECT u.id, u.state FROM customer u WHERE u.workspace_id = ");
    b.bind(ws);
    let needle = text.trim().to_lowercase();
    if !needle.is_empty() {
        b.push(" AND (lower(u.name) LIKE ").contains(&needle).push(" OR lower(u.company) LIKE ").contains(&needle);
        b.push(" OR EXISTS (SELECT 1 FROM customer_identity i WHERE i.workspace_id = u.workspace_id AND i.customer_id = u.id AND lower(i.address) LIKE ");
        b.contains(&needle).push("))");
    }
    if let Some((name, id)) = after {
        b.push(" AND (u.name, u.id) > (").bind(name).push(", ").bind(*id).push(")");
    }
    b.push(" ORDER BY u.name, u.id LIMIT ").bind(i64::try_from(limit).unwrap_or(0) + 1);
    let (statement, values) = b.build();
    let lines: Vec<Line> = q.query(&statement, &values)?;
    lines.into_iter().map(wire).collect()
}

fn wire(line: Line) -> Result<CustomerRow, Refusal> {
    let state: CustomerState = serde_json::from_str(&line.state).map_err(Refusal::internal)?;
    Ok(CustomerRow {
        id: line.id,
        name: state.name,
        language: state.language,
        company: state.company,
        identities: state.identities,
    })
}

/// Whose cases, seen by whom.
#[derive(Clone, Debug)]
pub(crate) struct CaseSight {
    pub(crate) workspace: WorkspaceId,
    pub(crate) customer: CustomerId,
    pub(crate) scope: Scope,
}

fn within(b: &mut Builder, sight: &CaseSight) {
    b.push("c.workspace_id = ").bind(sight.workspace).push(" AND c.customer_id = ").bind(sight.customer);
    match &sight.scope {
        Scope::Everywhere => {}
        Scope::Nowhere => {
            b.push(" AND FALSE");
        }
        Scope::Within(pairs) => {
            b.push(" AND (FALSE");
            for (team, channel) in pairs {
                b.push(" OR (TRUE");
                if let Some(team) = team {
                    b.push(" AND c.team_id IS NOT NULL AND c.team_id = ").bind(*team);
                }
                if let Some(channel) = channel {
                    b.push(" AND c.channel_id = ").bind(*channel);
                }
                b.push(")");
            }
            b.push(")");
        }
    }
}

pub(crate) fn counts(q: &mut impl Connection, sight: &CaseSight) -> Result<CaseCounts, Refusal> {
    let mut b = Builder::new("SELECT COUNT(*) FILTER (WHERE c.status_rank < 4), COUNT(*) FROM view_case c WHERE ");
    within(&mut b, sight);
    let (statement, values) = b.build();
    let (open, total): (i64, i64) = q.query_one(&statement, &values)?;
    Ok(CaseCounts { open, total })
}

/// The latest cases, latest first.
pub(crate) fn recent(q: &mut impl Connection, sight: &CaseSight) -> Result<Vec<CustomerCase>, Refusal> {
    let mut b = Builder::new(
        "SELECT c.id, c.number, c.subject, c.preview, c.status, c.waiting_on, c.snoozed_until, c.priority, c.channel_id, \
         c.channel_kind, c.channel_name, c.customer_id, c.customer_name, c.assignee_id, c.assignee_name, c.team_id, c.team_name, \
         c.reason_id, c.reason_name_zh, c.reason_name_en, c.tags, c.language, c.opened_at, c.last_message_at, c.waiting_since, \
         c.solved_at, c.version FROM view_case_row c WHERE ",
    );
    within(&mut b, sight);
    b.push(" ORDER BY c.opened_at DESC, c.id DESC LIMIT ").bind(RECENT);
    let (statement, values) = b.build();
    q.query::<CaseLine>(&statement, &values)?.into_iter().map(case).collect()
}

fn case(line: CaseLine) -> Result<CustomerCase, Refusal> {
    let named =
        |id: Option<uuid::Uuid>, name: Option<String>| id.map(|id| CaseName { id, name: name.unwrap_or_default() });
    Ok(CustomerCase {
        id: line.id,
        number: line.number,
        subject: line.subject,
        preview: line.preview,
        status: line.status,
        waiting_on: line.waiting_on,
        snoozed_until: line.snoozed_until,
        priority: Priority::from_rank(line.priority),
        channel: CaseChannel {
            id: line.channel_id,
            kind: line.channel_kind,
            name: line.channel_name.unwrap_or_default(),
        },
        customer: CaseName { id: line.customer_id.uuid(), name: line.customer_name.unwrap_or_default() },
        assignee: named(line.assignee_id.map(Id::uuid), line.assignee_name),
        team: named(line.team_id.map(Id::uuid), line.team_name),
        reason: line.reason_id.map(|id| CaseReason {
            id,
            name_zh: line.reason_name_zh.unwrap_or_default(),
            name_en: line.reason_name_en.unwrap_or_default(),
        }),
        tags: serde_json::from_str(&line.tags).map_err(Refusal::internal)?,
        language: line.language,
        opened_at: line.opened_at,
        last_message_at: line.last_message_at,
        waiting_since: line.waiting_since,
        solved_at: line.solved_at,
        version: line.version,
        unread: false,
    })
}
