//! Reasons of contact: a tree.

use crate::wire::Reason;
use db::{Connection, Query, Tx, params, row, sql};
use domain::{ReasonId, WorkspaceId};
use spine::Refusal;

row! {
    struct Line {
        id: ReasonId,
        parent_id: Option<ReasonId>,
        name_zh: String,
        name_en: String,
        required_skills: String,
        active: bool,
        position: i32,
    }
}

sql!(ALL = "SELECT id, parent_id, name_zh, name_en, required_skills, active, position FROM reason \
    WHERE workspace_id = $1 ORDER BY position, name_en, id", params: 1, row: Line);
sql!(SAVE = "INSERT INTO reason (workspace_id, id, parent_id, name_zh, name_en, required_skills, active, position) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, id) DO UPDATE SET parent_id = excluded.parent_id, \
    name_zh = excluded.name_zh, name_en = excluded.name_en, required_skills = excluded.required_skills, \
    active = excluded.active, position = excluded.position", params: 8);
sql!(DELETE = "DELETE FROM reason WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(USED = "SELECT id FROM case_record WHERE workspace_id = $1 AND reason_id = $2 LIMIT 1", params: 2);

pub(crate) fn all(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<Reason>, Refusal> {
    let rows: Vec<Line> = q.query(&ALL, params![ws])?;
    let wire = rows.into_iter().map(|row| {
        Ok(Reason {
            id: row.id,
            parent_id: row.parent_id,
            name_zh: row.name_zh,
            name_en: row.name_en,
            required_skills: serde_json::from_str(&row.required_skills).map_err(Refusal::internal)?,
            active: row.active,
            position: row.position,
        })
    });
    wire.collect()
}

pub(crate) fn by_id(q: &mut impl Connection, ws: WorkspaceId, id: ReasonId) -> Result<Option<Reason>, Refusal> {
    Ok(all(q, ws)?.into_iter().find(|reason| reason.id == id))
}

pub(crate) fn save(tx: &mut Tx<'_>, ws: WorkspaceId, reason: &Reason) -> Result<(), Refusal> {
    let skills = serde_json::to_string(&reason.required_skills).map_err(Refusal::internal)?;
    let names = (&reason.name_zh, &reason.name_en);
    tx.execute(
        &SAVE,
        params![ws, reason.id, reason.parent_id, names.0, names.1, skills, reason.active, reason.position],
    )?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: ReasonId) -> Result<(), Refusal> {
    tx.execute(&DELETE, params![ws, id])?;
    Ok(())
}

/// Whether a case has this reason.
pub(crate) fn is_used(q: &mut impl Connection, ws: WorkspaceId, id: ReasonId) -> Result<bool, Refusal> {
    Ok(q.query_opt::<domain::CaseId>(&USED, params![ws, id])?.is_some())
}
