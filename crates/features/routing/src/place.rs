//! Where a customer stands in the queue, for the widget.

use crate::store::{self, QueuedRow};
use db::Connection;
use domain::routing::expected_wait;
use domain::{CaseId, Span, TeamId, Timestamp, WorkspaceId};
use serde::Serialize;
use spine::Refusal;

/// How far back assignments tell how fast a queue moves.
const RECENT: Span = Span::hours(1);

/// A place in the queue of one channel kind and team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = QueuePosition)]
pub struct Position {
    /// From 1 = next.
    pub position: u32,
    /// `None` when nobody is online.
    pub expected_wait_seconds: Option<i64>,
    pub agents_online: u32,
}

/// Where the case stands now; `None` when it waits for no agent.
///
/// # Errors
/// Those of the database.
pub fn queue_position(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    now: Timestamp,
) -> Result<Option<Position>, Refusal> {
    let Some(row) = store::queued(q, ws, case)? else { return Ok(None) };
    // The queue follows the cases a moment later; what somebody has just taken waits no more.
    if store::case_now(q, ws, case)?.is_none_or(|c| c.status_rank > 1 || c.assignee_id.is_some()) {
        return Ok(None);
    }
    let position = store::place(q, ws, case, &row)?;
    forecast(q, ws, &row, position, now).map(Some)
}

/// Whether somebody of the team (or anybody, without one) is online and connected.
///
/// # Errors
/// Those of the database.
pub fn anybody_online(q: &mut impl Connection, ws: WorkspaceId, team: Option<TeamId>) -> Result<bool, Refusal> {
    Ok(store::count_online(q, ws, team.unwrap_or(store::NO_TEAM))? > 0)
}

fn forecast(
    q: &mut impl Connection,
    ws: WorkspaceId,
    row: &QueuedRow,
    position: u32,
    now: Timestamp,
) -> Result<Position, Refusal> {
    let agents_online = store::count_online(q, ws, row.team_id)?;
    let recent = store::recent(q, ws, (&row.channel_kind, row.team_id), now - RECENT)?;
    let wait = expected_wait(position, agents_online, &recent, now);
    Ok(Position { position, expected_wait_seconds: wait.map(Span::as_seconds), agents_online })
}
