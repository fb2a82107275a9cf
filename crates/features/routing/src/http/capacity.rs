use crate::store;
use axum::extract::State;
use domain::event::{ConfigAction, ConfigChanged};
use domain::routing::CAPACITY_MAX;
use domain::{ChannelKind, Code, Event, Rejection, UserId};
use serde::{Deserialize, Serialize};
use spine::{Refusal, Spine, Unit};
use std::collections::BTreeMap;
use web::{Caller, Json, Path, Problem, Result};

/// How many active cases of each channel kind one agent takes at once.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Capacity {
    capacity: BTreeMap<ChannelKind, u32>,
}

/// How much one agent takes.
#[utoipa::path(get, path = "/api/users/{id}/capacity", tag = "routing", params(("id" = UserId, Path)),
    responses((status = 200, body = Capacity)))]
pub(super) async fn get(caller: Caller, State(spine): State<Spine>, Path(id): Path<UserId>) -> Result<Json<Capacity>> {
    let ws = caller.workspace;
    let capacity = spine
        .db()
        .read(move |r| {
            store::is_active(r, ws, id)?.ok_or(Refusal::NotFound)?;
            Ok::<_, Refusal>(store::capacity_of(r, ws, id)?)
        })
        .await?;
    Ok(Json(Capacity { capacity }))
}

/// Set how much one agent takes. Kinds that are not named stay as they are.
#[utoipa::path(put, path = "/api/users/{id}/capacity", tag = "routing", params(("id" = UserId, Path)), request_body = Capacity,
    responses((status = 200, body = Capacity)))]
pub(super) async fn put(
    caller: Caller,
    State(spine): State<Spine>,
    Path(id): Path<UserId>,
    Json(body): Json<Capacity>,
) -> Result<Json<Capacity>> {
    for (kind, n) in &body.capacity {
        if *n > CAPACITY_MAX {
            let rejection = Rejection::new(Code::TooLarge).with("max", CAPACITY_MAX);
            return Err(Problem::from(rejection.on(format!("capacity.{}", kind.as_str()))));
        }
    }
    let capacity = spine.execute(caller.order(), move |unit| set(unit, id, &body)).await?;
    Ok(Json(capacity))
}

fn set(unit: &mut Unit<'_, '_>, user: UserId, wanted: &Capacity) -> std::result::Result<Capacity, Refusal> {
    let ws = unit.workspace();
    store::is_active(unit.tx(), ws, user)?.ok_or(Refusal::NotFound)?;
    let before = store::capacity_of(unit.tx(), ws, user)?;
    for (kind, n) in &wanted.capacity {
        store::set_capacity(unit.tx(), ws, user, *kind, *n)?;
    }
    let after = store::capacity_of(unit.tx(), ws, user)?;
    if after != before {
        let json = |capacity| serde_json::to_value(capacity).map_err(Refusal::internal);
        let change = ConfigChanged {
            object: "capacity".to_owned(),
            id: user.0,
            action: ConfigAction::Changed,
            before: json(&before)?,
            after: json(&after)?,
        };
        unit.record(Event::Config(change), "capacity", user.0)?;
    }
    Ok(Capacity { capacity: after })
}
