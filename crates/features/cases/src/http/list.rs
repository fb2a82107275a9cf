//! `GET /api/cases`: one page of cases in a view, by a filter, by a search, or all three together.

use crate::builtin;
use crate::store::list::{self, Position};
use crate::store::predicate::Sight;
use crate::store::view;
use crate::visibility::may_use;
use crate::wire::{CaseRow, Sort};
use axum::extract::State;
use db::Connection;
use domain::filter::Filter;
use domain::{Code, Rejection, ViewId};
use serde::Deserialize;
use spine::{Refusal, Spine};
use utoipa::IntoParams;
use web::{Caller, Json, Page, PageQuery, Problem, Query, Result};

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Id of a built-in or saved view.
    view: Option<String>,
    /// A filter tree in JSON.
    filter: Option<String>,
    /// Search in number, subject, customer and messages.
    q: Option<String>,
    /// `waiting`, `newest`, `oldest` or `priority`; the view's own order if not given.
    sort: Option<String>,
}

#[utoipa::path(get, path = "/api/cases", tag = "cases", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<CaseRow>)))]
pub(crate) async fn list_cases(
    State(spine): State<Spine>,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<CaseRow>>> {
    let limit = paging.limit()?;
    let after: Option<Position> = paging.position()?;
    let wanted = Wanted::parse(query)?;
    let (rows, sort) = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            let (filter, sort) = wanted.resolve(r, &sight)?;
            // A cursor of another order would skip or repeat rows.
            if after.as_ref().is_some_and(|after| after.sort != sort) {
                return Err(Refusal::from(Rejection::new(Code::Invalid).on("cursor")));
            }
            Ok((list::page(r, &sight, &filter, (sort, after.as_ref(), limit))?, sort))
        })
        .await?;
    Ok(Json(Page::cut(rows, limit, |row| Position::of(sort, row))))
}

/// The query's parts, checked.
#[derive(Clone)]
struct Wanted {
    view: Option<String>,
    filters: Vec<Filter>,
    sort: Option<Sort>,
}

impl Wanted {
    fn parse(query: ListQuery) -> Result<Self> {
        let mut filters = Vec::new();
        if let Some(json) = query.filter.filter(|json| !json.is_empty()) {
            filters.push(Filter::parse(&json)?);
        }
        if let Some(text) = query.q.filter(|text| !text.trim().is_empty()) {
            let search = Filter::Text(text);
            search.check().map_err(|_| Problem::field("q", Code::TooLong))?;
            filters.push(search);
        }
        let sort = match query.sort.filter(|sort| !sort.is_empty()) {
            Some(sort) => Some(Sort::parse(&sort).ok_or_else(|| Problem::field("sort", Code::Invalid))?),
            None => None,
        };
        Ok(Self { view: query.view.filter(|view| !view.is_empty()), filters, sort })
    }

    fn resolve(&self, q: &mut impl Connection, sight: &Sight) -> std::result::Result<(Filter, Sort), Refusal> {
        let mut filters = self.filters.clone();
        let mut sort = Sort::default();
        if let Some(id) = &self.view {
            let (filter, order) = viewed(q, sight, id)?;
            filters.push(filter);
            sort = order;
        }
        Ok((Filter::All(filters), self.sort.unwrap_or(sort)))
    }
}

fn viewed(q: &mut impl Connection, sight: &Sight, id: &str) -> std::result::Result<(Filter, Sort), Refusal> {
    if let Some(view) = builtin::views().into_iter().find(|view| view.id == id) {
        return Ok((view.filter, view.sort));
    }
    let unknown = || Refusal::from(Rejection::new(Code::UnknownReference).on("view"));
    let id: ViewId = id.parse().map_err(|_| unknown())?;
    let saved = view::by_id(q, sight.workspace, id)?.filter(|view| may_use(view, &sight.viewer)).ok_or_else(unknown)?;
    Ok((saved.filter, saved.sort))
}
