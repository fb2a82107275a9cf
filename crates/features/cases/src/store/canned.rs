//! Canned replies.

use crate::wire::CannedReply;
use db::{Connection, Query, Tx, params, row, sql};
use domain::{CannedReplyId, TeamId, WorkspaceId};
use spine::Refusal;

row! {
    struct Line {
        id: CannedReplyId,
        shortcut: String,
        title: String,
        language: Option<String>,
        team_id: Option<TeamId>,
        body: String,
        uses: i64,
    }
}

sql!(ALL = "SELECT id, shortcut, title, language, team_id, body, uses FROM canned_reply \
    WHERE workspace_id = $1 ORDER BY shortcut, title, id LIMIT $2", params: 2, row: Line);
sql!(BY_ID = "SELECT id, shortcut, title, language, team_id, body, uses FROM canned_reply \
    WHERE workspace_id = $1 AND id = $2", params: 2, row: Line);
sql!(SAVE = "INSERT INTO canned_reply (workspace_id, id, shortcut, title, language, team_id, body, uses) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, id) DO UPDATE SET shortcut = excluded.shortcut, \
    title = excluded.title, language = excluded.language, team_id = excluded.team_id, body = excluded.body", params: 8);
sql!(DELETE = "DELETE FROM canned_reply WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(COUNT_USE = "UPDATE canned_reply SET uses = uses + 1 WHERE workspace_id = $1 AND id = $2", params: 2);

/// Canned replies of one workspace.
pub(crate) const CANNED_MAX: i64 = 1_000;

fn wire(row: Line) -> CannedReply {
    CannedReply {
        id: row.id,
        shortcut: row.shortcut,
        title: row.title,
        language: row.language,
        team_id: row.team_id,
        body: row.body,
        uses: row.uses,
    }
}

pub(crate) fn all(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<CannedReply>, Refusal> {
    Ok(q.query::<Line>(&ALL, params![ws, CANNED_MAX])?.into_iter().map(wire).collect())
}

pub(crate) fn by_id(
    q: &mut impl Connection,
    ws: WorkspaceId,
    id: CannedReplyId,
) -> Result<Option<CannedReply>, Refusal> {
    Ok(q.query_opt::<Line>(&BY_ID, params![ws, id])?.map(wire))
}

/// Writes all but the number of uses.
pub(crate) fn save(tx: &mut Tx<'_>, ws: WorkspaceId, reply: &CannedReply) -> Result<(), Refusal> {
    let (shortcut, title, body) = (&reply.shortcut, &reply.title, &reply.body);
    let language = reply.language.as_ref();
    tx.execute(&SAVE, params![ws, reply.id, shortcut, title, language, reply.team_id, body, reply.uses])?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: CannedReplyId) -> Result<(), Refusal> {
    tx.execute(&DELETE, params![ws, id])?;
    Ok(())
}

pub(crate) fn count_use(tx: &mut Tx<'_>, ws: WorkspaceId, id: CannedReplyId) -> Result<(), Refusal> {
    tx.execute(&COUNT_USE, params![ws, id])?;
    Ok(())
}
