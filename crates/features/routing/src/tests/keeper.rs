//! Keeps cases in their table as feature `cases` does, without the messages routing never looks at.

use db::{Query, Tx, params, sql};
use domain::case::{Case, CaseState, Status};
use domain::{CaseId, WorkspaceId};
use spine::{Change, Refusal, Store};

sql!(LOAD = "SELECT state, version FROM case_record WHERE workspace_id = $1 AND id = $2 /*for_update*/", params: 2);
sql!(SAVE = "INSERT INTO case_record (workspace_id, id, number, customer_id, channel_id, channel_kind, subject, preview, \
    status, status_rank, priority, team_id, assignee_id, language, tags, opened_at, updated_at, last_message_at, \
    waiting_since, snoozed_until, state, version) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, $11, $12, $13, '[]', $14, $15, $16, $17, $18, $19, $20) \
    ON CONFLICT (workspace_id, id) DO UPDATE SET status = excluded.status, status_rank = excluded.status_rank, \
    priority = excluded.priority, team_id = excluded.team_id, assignee_id = excluded.assignee_id, \
    language = excluded.language, updated_at = excluded.updated_at, waiting_since = excluded.waiting_since, \
    snoozed_until = excluded.snoozed_until, state = excluded.state, version = excluded.version", params: 20);

pub(super) struct Keeper;

impl Store<Case> for Keeper {
    fn load(&self, tx: &mut Tx<'_>, ws: WorkspaceId, id: CaseId) -> Result<Option<(CaseState, i64)>, Refusal> {
        let row: Option<(String, i64)> = tx.query_opt(&LOAD, params![ws, id])?;
        row.map(|(state, version)| Ok((serde_json::from_str(&state).map_err(Refusal::internal)?, version))).transpose()
    }

    fn save(&self, tx: &mut Tx<'_>, change: &Change<'_, Case>) -> Result<(), Refusal> {
        let s = change.after;
        let until = if let Status::Snoozed { until } = s.status { Some(until) } else { None };
        let json = serde_json::to_string(s).map_err(Refusal::internal)?;
        let row = params![
            change.workspace,
            change.id,
            s.number,
            s.customer,
            s.channel,
            s.channel_kind.as_str(),
            &s.subject,
            s.status.key(),
            s.status.rank(),
            s.priority.rank(),
            s.team,
            s.assignee,
            s.language.as_ref(),
            s.opened_at,
            s.updated_at,
            s.last_message_at,
            s.waiting_since,
            until,
            json,
            change.version
        ];
        tx.execute(&SAVE, row)?;
        Ok(())
    }
}
