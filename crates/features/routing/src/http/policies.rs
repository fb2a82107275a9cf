use super::Named;
use crate::store;
use axum::extract::State;
use domain::event::{ConfigAction, ConfigChanged};
use domain::routing::TeamPolicy;
use domain::{Code, Event, Rejection, TeamId};
use serde::{Deserialize, Serialize};
use spine::{Refusal, Spine, Unit};
use web::{Caller, Items, Json, Result};

/// How the queue of one team is routed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Policy {
    /// Null: cases without a team, and teams that have no policy of their own.
    #[schema(required = true)]
    team: Option<Named>,
    /// The team has no policy of its own; this is the general one.
    inherited: bool,
    policy: TeamPolicy,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct SetPolicy {
    /// Null for cases without a team, and teams that have no policy of their own.
    #[serde(default)]
    team: Option<TeamId>,
    /// Null takes the policy away: the team follows the general one again, and the general one is as at the beginning.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    policy: Option<TeamPolicy>,
}

/// How queues are routed: the general policy first, then every team's.
#[utoipa::path(get, path = "/api/routing/policies", tag = "routing", responses((status = 200, body = Items<Policy>)))]
pub(super) async fn get(caller: Caller, State(spine): State<Spine>) -> Result<Json<Items<Policy>>> {
    list(&caller, &spine).await
}

/// Change how one queue is routed. Answers the whole list.
#[utoipa::path(put, path = "/api/routing/policies", tag = "routing", request_body = SetPolicy,
    responses((status = 200, body = Items<Policy>)))]
pub(super) async fn put(
    caller: Caller,
    State(spine): State<Spine>,
    Json(body): Json<SetPolicy>,
) -> Result<Json<Items<Policy>>> {
    body.policy.as_ref().map_or(Ok(()), TeamPolicy::check)?;
    spine.execute(caller.order(), move |unit| set(unit, &body)).await?;
    list(&caller, &spine).await
}

async fn list(caller: &Caller, spine: &Spine) -> Result<Json<Items<Policy>>> {
    let ws = caller.workspace;
    let read = move |r: &mut db::Read<'_>| Ok::<_, Refusal>((store::policies(r, ws)?, store::teams(r, ws)?));
    let (policies, teams) = spine.db().read(read).await?;
    let mut items = vec![Policy { team: None, inherited: false, policy: policies.default.clone() }];
    items.extend(teams.into_iter().map(|(id, name)| Policy {
        team: Some(Named { id: id.to_string(), name }),
        inherited: !policies.teams.contains_key(&id),
        policy: policies.of(Some(id)).clone(),
    }));
    Ok(Json(Items { items }))
}

fn set(unit: &mut Unit<'_, '_>, wanted: &SetPolicy) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    let known = |teams: Vec<(TeamId, String)>, team| teams.iter().any(|(id, _)| *id == team);
    if let Some(team) = wanted.team
        && !known(store::teams(unit.tx(), ws)?, team)
    {
        return Err(Rejection::new(Code::UnknownReference).on("team").into());
    }
    let before = store::policies(unit.tx(), ws)?.of(wanted.team).clone();
    let action = match &wanted.policy {
        Some(policy) => {
            store::set_policy(unit.tx(), ws, wanted.team, policy)?;
            ConfigAction::Changed
        }
        None if store::delete_policy(unit.tx(), ws, wanted.team)? => ConfigAction::Deleted,
        None => return Ok(()),
    };
    let after = store::policies(unit.tx(), ws)?.of(wanted.team).clone();
    let json = |policy| serde_json::to_value(policy).map_err(Refusal::internal);
    let change = ConfigChanged {
        object: "routing_policy".to_owned(),
        id: wanted.team.unwrap_or(store::NO_TEAM).0,
        action,
        before: json(&before)?,
        after: json(&after)?,
    };
    let subject = change.id;
    unit.record(Event::Config(change), "routing_policy", subject)
}
