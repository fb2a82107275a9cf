use crate::presence::{self, Standing};
use axum::extract::State;
use domain::routing::Presence;
use serde::Deserialize;
use spine::Spine;
use web::{Caller, Json, Result};

/// What an agent says about being there.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct SetPresence {
    presence: Presence,
}

/// Say whether I am there. Only who is online (and has the desk open) is given cases.
#[utoipa::path(put, path = "/api/me/presence", tag = "routing", request_body = SetPresence, responses((status = 200, body = Standing)))]
pub(super) async fn put(
    caller: Caller,
    State(spine): State<Spine>,
    Json(body): Json<SetPresence>,
) -> Result<Json<Standing>> {
    let user = caller.user()?;
    let standing = spine.execute(caller.order(), move |unit| presence::say(unit, user, body.presence)).await?;
    Ok(Json(standing))
}
