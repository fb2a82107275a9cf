//! Drafts, kept by the server per agent and case.

use crate::wire::DraftBody;
use db::{Connection, Query, Tx, params, sql};
use domain::{CaseId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;

sql!(GET = "SELECT body, updated_at FROM draft WHERE workspace_id = $1 AND case_id = $2 AND user_id = $3", params: 3);
sql!(PUT = "INSERT INTO draft (workspace_id, case_id, user_id, body, updated_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (workspace_id, case_id, user_id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at", params: 5);
sql!(DELETE = "DELETE FROM draft WHERE workspace_id = $1 AND case_id = $2 AND user_id = $3", params: 3);

pub(crate) fn get(
    q: &mut impl Connection,
    ws: WorkspaceId,
    case: CaseId,
    user: UserId,
) -> Result<Option<(DraftBody, Timestamp)>, Refusal> {
    let Some((body, at)) = q.query_opt::<(String, Timestamp)>(&GET, params![ws, case, user])? else {
        return Ok(None);
    };
    Ok(Some((serde_json::from_str(&body).map_err(Refusal::internal)?, at)))
}

pub(crate) fn put(
    tx: &mut Tx<'_>,
    (ws, case, user): (WorkspaceId, CaseId, UserId),
    body: &DraftBody,
    now: Timestamp,
) -> Result<(), Refusal> {
    let json = serde_json::to_string(body).map_err(Refusal::internal)?;
    tx.execute(&PUT, params![ws, case, user, json, now])?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, case: CaseId, user: UserId) -> Result<(), Refusal> {
    tx.execute(&DELETE, params![ws, case, user])?;
    Ok(())
}
