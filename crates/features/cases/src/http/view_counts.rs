//! `GET /api/views/counts`: how many cases each of the caller's views holds, all from one state of the database.

use crate::store::list;
use crate::store::predicate::Sight;
use crate::store::view;
use crate::{builtin, visibility};
use axum::extract::State;
use serde::Serialize;
use spine::{Refusal, Spine};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use web::{Caller, Json, Result};

/// Saved views that are counted; the desk shows no more at once.
const COUNTED: usize = 50;

#[derive(Serialize, ToSchema)]
pub(crate) struct ViewCounts {
    /// By view id; 1000 means "or more".
    counts: BTreeMap<String, i64>,
}

#[utoipa::path(get, path = "/api/views/counts", tag = "views", responses((status = 200, body = ViewCounts)))]
pub(crate) async fn count_views(State(spine): State<Spine>, caller: Caller) -> Result<Json<ViewCounts>> {
    let counts = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            let saved = view::all(r, caller.workspace)?;
            let usable = saved.into_iter().filter(|view| visibility::may_use(view, &sight.viewer)).take(COUNTED);
            let wanted = builtin::views().into_iter().map(|view| (view.id, view.filter));
            let wanted = wanted.chain(usable.map(|view| (view.id.to_string(), view.filter)));
            let counts = wanted.map(|(id, filter)| Ok((id, list::count(r, &sight, &filter)?)));
            counts.collect::<std::result::Result<_, Refusal>>()
        })
        .await?;
    Ok(Json(ViewCounts { counts }))
}
