//! What each agent has looked at.

use db::{Tx, params, sql};
use domain::{CaseId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;

sql!(MARK = "INSERT INTO case_seen (workspace_id, user_id, case_id, seen_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (workspace_id, user_id, case_id) DO UPDATE SET seen_at = excluded.seen_at \
    WHERE case_seen.seen_at < excluded.seen_at", params: 4);
sql!(FORGET = "DELETE FROM case_seen WHERE workspace_id = $1 AND user_id = $2 AND case_id = $3", params: 3);

/// Everything up to `now` is read.
pub(crate) fn mark(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    user: UserId,
    case: CaseId,
    now: Timestamp,
) -> Result<(), Refusal> {
    tx.execute(&MARK, params![ws, user, case, now])?;
    Ok(())
}

/// The case is unread again.
pub(crate) fn forget(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, case: CaseId) -> Result<(), Refusal> {
    tx.execute(&FORGET, params![ws, user, case])?;
    Ok(())
}
