//! `GET /api/cases/{id}/timeline`: messages, notes and events of all conversations, oldest first within a page;
//! the cursor leads to what is older.

use crate::admission;
use crate::store::timeline;
use crate::wire::Entry;
use axum::extract::State;
use domain::CaseId;
use spine::Spine;
use web::{Caller, Json, Page, PageQuery, Path, Query, Result, cursor};

#[utoipa::path(get, path = "/api/cases/{id}/timeline", tag = "cases", params(("id" = CaseId, Path), PageQuery),
    responses((status = 200, body = Page<Entry>)))]
pub(crate) async fn get_timeline(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    let limit = paging.limit()?;
    let before: Option<timeline::Position> = paging.position()?;
    let (items, next) = spine
        .db()
        .read(move |r| {
            admission::seen(r, &caller, id)?;
            timeline::page(r, caller.workspace, id, (before.clone(), limit))
        })
        .await?;
    Ok(Json(Page { items, next: next.and_then(|position| cursor(&position)) }))
}
