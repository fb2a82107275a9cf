use super::Named;
use crate::presence::Standing;
use crate::store::{self, AgentRow, PresenceRow};
use axum::extract::State;
use domain::routing::Presence;
use domain::{ChannelKind, Timestamp};
use serde::Serialize;
use spine::{Refusal, Spine};
use std::collections::BTreeMap;
use web::{Caller, Items, Json, Result};

/// How one agent is there, how much they have and how much they take.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AgentPresence {
    user: Named,
    presence: Presence,
    connected: bool,
    #[schema(required = true)]
    since: Option<Timestamp>,
    load: BTreeMap<ChannelKind, u32>,
    capacity: BTreeMap<ChannelKind, u32>,
}

/// Everybody's presence, load and capacity.
#[utoipa::path(get, path = "/api/presence", tag = "routing", responses((status = 200, body = Items<AgentPresence>)))]
pub(super) async fn list(caller: Caller, State(spine): State<Spine>) -> Result<Json<Items<AgentPresence>>> {
    let ws = caller.workspace;
    let items = spine
        .db()
        .read(move |r| {
            let mut loads = store::loads(r, ws)?;
            let mut capacities = store::capacities(r, ws)?;
            let agents = store::agents(r, ws)?;
            let row = |agent: AgentRow| {
                let id = agent.id;
                let since = agent.since;
                let presence = agent.presence.zip(agent.connected).zip(since);
                let presence =
                    presence.map(|((presence, connected), since)| PresenceRow { presence, connected, since });
                let standing = Standing::from(presence);
                AgentPresence {
                    user: Named { id: id.to_string(), name: agent.name },
                    presence: standing.presence,
                    connected: standing.connected,
                    since,
                    load: loads.remove(&id).unwrap_or_default(),
                    capacity: store::with_defaults(capacities.remove(&id).unwrap_or_default()),
                }
            };
            Ok::<_, Refusal>(agents.into_iter().map(row).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(Items { items }))
}
