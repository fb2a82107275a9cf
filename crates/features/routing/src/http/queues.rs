use super::Named;
use crate::store;
use axum::extract::State;
use domain::ChannelKind;
use serde::Serialize;
use spine::{Refusal, Spine};
use std::collections::HashMap;
use web::{Caller, Items, Json, Result};

/// Cases of one kind and team that wait for an agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QueueState {
    channel_kind: ChannelKind,
    #[schema(required = true)]
    team: Option<Named>,
    waiting: i64,
    longest_wait_seconds: i64,
    agents_online: u32,
    /// The longest wait is over the limit of the team's policy.
    alarm: bool,
}

/// How long the queues are and how long they have waited.
#[utoipa::path(get, path = "/api/routing/queues", tag = "routing", responses((status = 200, body = Items<QueueState>)))]
pub(super) async fn list(caller: Caller, State(spine): State<Spine>) -> Result<Json<Items<QueueState>>> {
    let (ws, now) = (caller.workspace, spine.now());
    let items = spine
        .db()
        .read(move |r| {
            let names: HashMap<_, _> = store::teams(r, ws)?.into_iter().collect();
            let policies = store::policies(r, ws)?;
            let mut items = Vec::new();
            for row in store::queue_lengths(r, ws)? {
                let Some(channel_kind) = ChannelKind::parse(&row.channel_kind) else { continue };
                let team = Some(row.team_id).filter(|team| *team != store::NO_TEAM);
                let longest = now.since(row.oldest).as_seconds();
                let limit = policies.of(team).max_wait_alarm_seconds;
                let name = |id| names.get(&id).cloned().unwrap_or_default();
                items.push(QueueState {
                    channel_kind,
                    team: team.map(|id| Named { id: id.to_string(), name: name(id) }),
                    waiting: row.waiting,
                    longest_wait_seconds: longest,
                    agents_online: store::count_online(r, ws, row.team_id)?,
                    alarm: limit.is_some_and(|limit| longest > i64::from(limit)),
                });
            }
            Ok::<_, Refusal>(items)
        })
        .await?;
    Ok(Json(Items { items }))
}
