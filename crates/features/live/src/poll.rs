//! The fall-back where no socket gets through: the same events by asking.

use crate::Live;
use crate::frame::{Happened, may_hear};
use axum::extract::State;
use domain::CaseId;
use serde::{Deserialize, Serialize};
use spine::{Missed, ResumeToken};
use utoipa::{IntoParams, ToSchema};
use web::{Caller, Json, Query, Result};

#[derive(Debug, Deserialize, IntoParams)]
pub struct PollQuery {
    /// Token of the last answer; without it only a token is given.
    pub resume: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Polled {
    pub token: String,
    pub events: Vec<Happened>,
    /// Too much was missed: fetch everything anew.
    pub refetch: bool,
}

/// Events since a token.
#[utoipa::path(get, path = "/api/live/poll", params(PollQuery), responses((status = 200, body = Polled)), tag = "live")]
pub async fn poll(State(live): State<Live>, caller: Caller, Query(query): Query<PollQuery>) -> Result<Json<Polled>> {
    let now = live.spine.resume_token(caller.workspace).await?;
    let Some(token) = query.resume else {
        return Ok(Json(Polled { token: now.to_string(), events: Vec::new(), refetch: false }));
    };
    let missed = match ResumeToken::parse(&token) {
        Some(token) => live.spine.missed(caller.workspace, token).await?,
        None => Missed::TooMany,
    };
    let Missed::Events(missed) = missed else {
        return Ok(Json(Polled { token: now.to_string(), events: Vec::new(), refetch: true }));
    };
    let mut token = ResumeToken::parse(&token).unwrap_or_default();
    let mut events = Vec::new();
    for event in missed {
        token.advance(event.part, event.position);
        let place = match event.subject_kind.as_str() {
            "case" => live.places.at(&live.spine, event.workspace, CaseId(event.subject), event.version).await?,
            _ => None,
        };
        if may_hear(&caller.access, &event, place.as_ref()) {
            events.push(Happened::new(&event, token.to_string()));
        }
    }
    Ok(Json(Polled { token: token.to_string(), events, refetch: false }))
}
