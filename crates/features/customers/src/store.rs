//! All SQL of this feature: how a customer is kept, and how agents find one.

pub(crate) mod search;

use db::{Query, Tx, params, row, sql};
use domain::customer::{Customer, CustomerEvent, CustomerState};
use domain::{CustomerId, WorkspaceId};
use spine::{Change, Refusal, Store};

row! {
    struct Kept {
        state: String,
        version: i64,
    }
}

sql!(LOAD = "SELECT state, version FROM customer WHERE workspace_id = $1 AND id = $2 /*for_update*/", params: 2, row: Kept);
sql!(SAVE = "INSERT INTO customer (workspace_id, id, name, language, time_zone, company, note, state, version, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (workspace_id, id) DO UPDATE SET \
    name = excluded.name, language = excluded.language, time_zone = excluded.time_zone, company = excluded.company, \
    note = excluded.note, state = excluded.state, version = excluded.version, updated_at = excluded.updated_at", params: 11);
sql!(SAVE_IDENTITY = "INSERT INTO customer_identity (workspace_id, customer_id, kind, address, level, added_at) \
    VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (workspace_id, customer_id, kind, address) DO UPDATE SET level = excluded.level", params: 6);

/// Keeps customers: the state as JSON, its searchable part as columns, and one row per identity.
pub struct CustomerStore;

impl Store<Customer> for CustomerStore {
    fn load(
        &self,
        tx: &mut Tx<'_>,
        workspace: WorkspaceId,
        id: CustomerId,
    ) -> Result<Option<(CustomerState, i64)>, Refusal> {
        let Some(kept) = tx.query_opt::<Kept>(&LOAD, params![workspace, id])? else {
            return Ok(None);
        };
        let state = serde_json::from_str(&kept.state).map_err(Refusal::internal)?;
        Ok(Some((state, kept.version)))
    }

    fn save(&self, tx: &mut Tx<'_>, change: &Change<'_, Customer>) -> Result<(), Refusal> {
        let state = change.after;
        let json = serde_json::to_string(state).map_err(Refusal::internal)?;
        tx.execute(
            &SAVE,
            params![
                change.workspace,
                change.id,
                &state.name,
                state.language.as_ref(),
                state.time_zone.as_ref(),
                &state.company,
                &state.note,
                json,
                change.version,
                state.created_at,
                state.updated_at
            ],
        )?;
        for event in change.events {
            if let CustomerEvent::IdentityAdded { identity } = event {
                let (kind, address, level) = (identity.kind.as_str(), &identity.address, identity.level.rank());
                tx.execute(&SAVE_IDENTITY, params![change.workspace, change.id, kind, address, level, change.at])?;
            }
        }
        Ok(())
    }
}
