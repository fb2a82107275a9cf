//! Saved views.

use crate::wire::Sort;
use db::{Connection, Query, Tx, params, row, sql};
use domain::filter::Filter;
use domain::{TeamId, UserId, ViewId, WorkspaceId};
use serde::{Deserialize, Serialize};
use spine::Refusal;

/// Saved views of one workspace, all people together.
pub(crate) const VIEWS_MAX: i64 = 1_000;

row! {
    struct Line {
        id: ViewId,
        name: String,
        owner_id: Option<UserId>,
        team_id: Option<TeamId>,
        filter: String,
        sort: String,
        position: i32,
    }
}

/// A saved view as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedView {
    pub(crate) id: ViewId,
    pub(crate) name: String,
    /// Set: only this person's.
    pub(crate) owner: Option<UserId>,
    /// Set: a team's. Neither: everybody's.
    pub(crate) team: Option<TeamId>,
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) position: i32,
}

sql!(ALL = "SELECT id, name, owner_id, team_id, filter, sort, position FROM saved_view \
    WHERE workspace_id = $1 ORDER BY position, name, id LIMIT $2", params: 2, row: Line);
sql!(BY_ID = "SELECT id, name, owner_id, team_id, filter, sort, position FROM saved_view \
    WHERE workspace_id = $1 AND id = $2", params: 2, row: Line);
sql!(SAVE = "INSERT INTO saved_view (workspace_id, id, name, owner_id, team_id, filter, sort, position) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, \
    owner_id = excluded.owner_id, team_id = excluded.team_id, filter = excluded.filter, sort = excluded.sort, \
    position = excluded.position", params: 8);
sql!(DELETE = "DELETE FROM saved_view WHERE workspace_id = $1 AND id = $2", params: 2);

fn kept(row: Line) -> Result<SavedView, Refusal> {
    Ok(SavedView {
        id: row.id,
        name: row.name,
        owner: row.owner_id,
        team: row.team_id,
        filter: serde_json::from_str(&row.filter).map_err(Refusal::internal)?,
        sort: Sort::parse(&row.sort).unwrap_or_default(),
        position: row.position,
    })
}

pub(crate) fn all(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<SavedView>, Refusal> {
    q.query::<Line>(&ALL, params![ws, VIEWS_MAX])?.into_iter().map(kept).collect()
}

pub(crate) fn by_id(q: &mut impl Connection, ws: WorkspaceId, id: ViewId) -> Result<Option<SavedView>, Refusal> {
    q.query_opt::<Line>(&BY_ID, params![ws, id])?.map(kept).transpose()
}

pub(crate) fn save(tx: &mut Tx<'_>, ws: WorkspaceId, view: &SavedView) -> Result<(), Refusal> {
    let filter = serde_json::to_string(&view.filter).map_err(Refusal::internal)?;
    let sort = view.sort.key();
    tx.execute(&SAVE, params![ws, view.id, &view.name, view.owner, view.team, filter, sort, view.position])?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: ViewId) -> Result<(), Refusal> {
    tx.execute(&DELETE, params![ws, id])?;
    Ok(())
}
