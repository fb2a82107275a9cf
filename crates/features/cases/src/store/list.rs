//! Lists of cases, page by page, and their counts.

use super::predicate::{self, Sight};
use crate::wire::{CaseRow, ChannelRef, NameRef, ReasonRef, Sort};
use db::{Builder, Connection, Query, row};
use domain::case::Priority;
use domain::filter::{Filter, StatusKey};
use domain::{CaseId, ChannelId, ChannelKind, CustomerId, Id, ReasonId, TeamId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use spine::Refusal;

/// A count stops here and means "or more": counting on would cost what nobody reads.
pub(crate) const COUNT_MAX: i64 = 1_000;

row! {
    /// A line of `view_case_row`, and when the viewer last looked.
    pub(crate) struct Line {
        pub(crate) id: CaseId,
        number: i64,
        subject: String,
        preview: String,
        status: String,
        waiting_on: Option<String>,
        snoozed_until: Option<Timestamp>,
        pub(crate) priority: i64,
        pub(crate) channel_id: ChannelId,
        channel_kind: ChannelKind,
        channel_name: Option<String>,
        customer_id: CustomerId,
        customer_name: Option<String>,
        assignee_id: Option<UserId>,
        assignee_name: Option<String>,
        pub(crate) team_id: Option<TeamId>,
        team_name: Option<String>,
        reason_id: Option<ReasonId>,
        reason_name_zh: Option<String>,
        reason_name_en: Option<String>,
        tags: String,
        language: Option<String>,
        opened_at: Timestamp,
        pub(crate) last_message_at: Timestamp,
        pub(crate) waiting_since: Option<Timestamp>,
        solved_at: Option<Timestamp>,
        version: i64,
        seen_at: Option<Timestamp>,
    }
}

/// The select of lines up to `WHERE`.
pub(crate) fn select(sight: &Sight) -> Builder {
    let mut b = Builder::new(
        "SELECT c.id, c.number, c.subject, c.preview, c.status, c.waiting_on, c.snoozed_until, c.priority, c.channel_id, \
         c.channel_kind, c.channel_name, c.customer_id, c.customer_name, c.assignee_id, c.assignee_name, c.team_id, c.team_name, \
         c.reason_id, c.reason_name_zh, c.reason_name_en, c.tags, c.language, c.opened_at, c.last_message_at, c.waiting_since, \
         c.solved_at, c.version, s.seen_at FROM view_case_row c LEFT JOIN case_seen s \
         ON s.workspace_id = c.workspace_id AND s.case_id = c.id AND s.user_id = ",
    );
    // A token is nobody, and has seen nothing.
    b.bind(sight.viewer.user.map_or_else(uuid::Uuid::nil, Id::uuid)).push(" WHERE ");
    b
}

impl Line {
    pub(crate) fn wire(self) -> Result<CaseRow, Refusal> {
        let named =
            |id: Option<uuid::Uuid>, name: Option<String>| id.map(|id| NameRef { id, name: name.unwrap_or_default() });
        Ok(CaseRow {
            id: self.id,
            number: self.number,
            subject: self.subject,
            preview: self.preview,
            status: self.status,
            waiting_on: self.waiting_on,
            snoozed_until: self.snoozed_until,
            priority: Priority::from_rank(self.priority),
            channel: ChannelRef {
                id: self.channel_id,
                kind: self.channel_kind,
                name: self.channel_name.unwrap_or_default(),
            },
            customer: NameRef { id: self.customer_id.uuid(), name: self.customer_name.unwrap_or_default() },
            assignee: named(self.assignee_id.map(Id::uuid), self.assignee_name),
            team: named(self.team_id.map(Id::uuid), self.team_name),
            reason: self.reason_id.map(|id| ReasonRef {
                id,
                name_zh: self.reason_name_zh.unwrap_or_default(),
                name_en: self.reason_name_en.unwrap_or_default(),
            }),
            tags: serde_json::from_str(&self.tags).map_err(Refusal::internal)?,
            language: self.language,
            opened_at: self.opened_at,
            last_message_at: self.last_message_at,
            waiting_since: self.waiting_since,
            solved_at: self.solved_at,
            version: self.version,
            unread: self.seen_at.is_none_or(|seen| seen < self.last_message_at),
        })
    }
}

/// Where a page ended, in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) sort: Sort,
    priority: i64,
    waiting_since: Option<Timestamp>,
    last_message_at: Timestamp,
    id: CaseId,
}

impl Position {
    pub(crate) fn of(sort: Sort, row: &CaseRow) -> Self {
        Self {
            sort,
            priority: row.priority.rank(),
            waiting_since: row.waiting_since,
            last_message_at: row.last_message_at,
            id: row.id,
        }
    }
}

/// One page, with one line more than `limit` if there are more. The keys are found first and the names looked up for
/// them alone: sorting whole lines would join every row of the table (measured at 30,000 cases: 20 ms against 144).
pub(crate) fn page(
    q: &mut impl Connection,
    sight: &Sight,
    filter: &Filter,
    (sort, after, limit): (Sort, Option<&Position>, usize),
) -> Result<Vec<CaseRow>, Refusal> {
    let mut b = Builder::new("SELECT c.id FROM case_record c WHERE ");
    predicate::push(&mut b, sight, filter);
    if let Some(after) = after {
        b.push(" AND ");
        behind(&mut b, sort, after);
    }
    b.push(order(sort, is_narrow(filter)));
    b.push(" LIMIT ").bind(i64::try_from(limit).unwrap_or(0) + 1);
    let (statement, values) = b.build();
    let keys: Vec<CaseId> = q.query(&statement, &values)?;
    lines(q, sight, &keys)
}

/// The lines of these cases, in this order.
fn lines(q: &mut impl Connection, sight: &Sight, keys: &[CaseId]) -> Result<Vec<CaseRow>, Refusal> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut b = select(sight);
    b.push("c.id IN ").in_list(keys.iter().copied()).push(" AND ");
    predicate::push(&mut b, sight, &Filter::All(Vec::new()));
    let (statement, values) = b.build();
    let mut rows: Vec<CaseRow> =
        q.query::<Line>(&statement, &values)?.into_iter().map(Line::wire).collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| keys.iter().position(|key| *key == row.id));
    Ok(rows)
}

/// Whether the filter holds only for cases that are still being worked on. They are few however long the history is,
/// so they are found by status and sorted, instead of walking the whole order (`+` keeps its index out of it).
fn is_narrow(filter: &Filter) -> bool {
    match filter {
        Filter::Status(list) => list.iter().all(|key| !matches!(key, StatusKey::Solved | StatusKey::Closed)),
        Filter::All(children) => children.iter().any(is_narrow),
        _ => false,
    }
}

fn order(sort: Sort, narrow: bool) -> &'static str {
    match (sort, narrow) {
        (Sort::Waiting, true) => " ORDER BY +c.waiting_since ASC NULLS LAST, c.last_message_at DESC, c.id DESC",
        (Sort::Waiting, false) => " ORDER BY c.waiting_since ASC NULLS LAST, c.last_message_at DESC, c.id DESC",
        (Sort::Newest, true) => " ORDER BY +c.last_message_at DESC, c.id DESC",
        (Sort::Newest, false) => " ORDER BY c.last_message_at DESC, c.id DESC",
        (Sort::Oldest, true) => " ORDER BY +c.last_message_at ASC, c.id ASC",
        (Sort::Oldest, false) => " ORDER BY c.last_message_at ASC, c.id ASC",
        (Sort::Priority, _) => {
            " ORDER BY c.priority DESC, c.waiting_since ASC NULLS LAST, c.last_message_at DESC, c.id DESC"
        }
    }
}

/// The rows that come after a position: the same order as `ORDER BY`, as a condition (keyset paging).
fn behind(b: &mut Builder, sort: Sort, after: &Position) {
    match sort {
        Sort::Newest => later(b, after),
        Sort::Oldest => {
            b.push("(c.last_message_at, c.id) > (").bind(after.last_message_at).push(", ").bind(after.id).push(")");
        }
        Sort::Waiting => waits_less(b, after),
        Sort::Priority => {
            b.push("(c.priority < ").bind(after.priority).push(" OR (c.priority = ").bind(after.priority).push(" AND ");
            waits_less(b, after);
            b.push("))");
        }
    }
}

fn later(b: &mut Builder, after: &Position) {
    b.push("(c.last_message_at, c.id) < (").bind(after.last_message_at).push(", ").bind(after.id).push(")");
}

fn waits_less(b: &mut Builder, after: &Position) {
    if let Some(since) = after.waiting_since {
        b.push("(c.waiting_since IS NULL OR c.waiting_since > ").bind(since);
        b.push(" OR (c.waiting_since = ").bind(since).push(" AND ");
        later(b, after);
        b.push("))");
    } else {
        b.push("(c.waiting_since IS NULL AND ");
        later(b, after);
        b.push(")");
    }
}

/// How many cases a filter holds for, up to [`COUNT_MAX`].
pub(crate) fn count(q: &mut impl Connection, sight: &Sight, filter: &Filter) -> Result<i64, Refusal> {
    let mut b = Builder::new("SELECT COUNT(*) FROM (SELECT 1 AS one FROM case_record c WHERE ");
    predicate::push(&mut b, sight, filter);
    b.push(" LIMIT ").bind(COUNT_MAX).push(") AS found");
    let (statement, values) = b.build();
    Ok(q.query_one(&statement, &values)?)
}
