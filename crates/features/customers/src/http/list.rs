//! `GET /api/customers`: by name, or by a search in name, company and addresses.

use crate::store::search;
use crate::wire::CustomerRow;
use axum::extract::State;
use domain::{CustomerId, limits};
use serde::Deserialize;
use spine::Spine;
use utoipa::IntoParams;
use web::{Caller, Json, Page, PageQuery, Query, Result};

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomersQuery {
    /// Search in name, company and addresses.
    q: Option<String>,
}

#[utoipa::path(get, path = "/api/customers", tag = "customers", params(CustomersQuery, PageQuery),
    responses((status = 200, body = Page<CustomerRow>)))]
pub(crate) async fn list_customers(
    State(spine): State<Spine>,
    caller: Caller,
    Query(query): Query<CustomersQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<CustomerRow>>> {
    let limit = paging.limit()?;
    let after: Option<(String, CustomerId)> = paging.position()?;
    let text = query.q.unwrap_or_default();
    limits::text_within("q", &text, limits::FILTER_TEXT_CHARS)?;
    let rows = spine.db().read(move |r| search::page(r, caller.workspace, &text, (after.as_ref(), limit))).await?;
    Ok(Json(Page::cut(rows, limit, |row| (row.name.clone(), row.id))))
}
