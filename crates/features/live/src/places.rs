//! Where a case lies, looked up once per event for all connections of this process.

use db::{Query, params, row, sql};
use domain::access::Place;
use domain::{CaseId, ChannelId, TeamId, WorkspaceId};
use spine::{Refusal, Spine};
use std::collections::HashMap;
use std::sync::Mutex;

row! {
    struct PlaceRow {
        team_id: Option<TeamId>,
        channel_id: ChannelId,
    }
}

sql!(PLACE = "SELECT team_id, channel_id FROM view_case WHERE workspace_id = $1 AND id = $2", params: 2, row: PlaceRow);

/// Places remembered; a full memory is emptied, never grown.
const REMEMBERED: usize = 4_096;

/// The place of a case as of a version; asked again when the case has moved on.
#[derive(Default)]
pub struct Places(Mutex<HashMap<(WorkspaceId, CaseId), (i64, Place)>>);

impl Places {
    /// The place at or after `version` of the case; `None` when there is no such case.
    pub async fn at(
        &self,
        spine: &Spine,
        ws: WorkspaceId,
        case: CaseId,
        version: i64,
    ) -> Result<Option<Place>, Refusal> {
        if let Some(place) = self.known(ws, case, version) {
            return Ok(Some(place));
        }
        let row: Option<PlaceRow> =
            spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&PLACE, params![ws, case])?)).await?;
        let Some(row) = row else { return Ok(None) };
        let place = Place { team: row.team_id, channel: row.channel_id };
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((ws, case), (version, place));
        Ok(Some(place))
    }

    fn known(&self, ws: WorkspaceId, case: CaseId, version: i64) -> Option<Place> {
        let known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&(ws, case)).filter(|(at, _)| *at >= version).map(|(_, place)| *place)
    }

    /// The place now, for what a client says about a case.
    pub async fn now(&self, spine: &Spine, ws: WorkspaceId, case: CaseId) -> Result<Option<Place>, Refusal> {
        let row: Option<PlaceRow> =
            spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&PLACE, params![ws, case])?)).await?;
        Ok(row.map(|row| Place { team: row.team_id, channel: row.channel_id }))
    }
}
