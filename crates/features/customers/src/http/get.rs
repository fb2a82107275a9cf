//! `GET /api/customers/{id}`: who they are and their latest cases.

use crate::store::search::{self, CaseSight};
use crate::wire::{CaseCounts, CustomerDetail};
use axum::extract::State;
use domain::{CustomerId, Permission};
use spine::{Refusal, Spine};
use web::{Caller, Json, Path, Result};

#[utoipa::path(get, path = "/api/customers/{id}", tag = "customers", params(("id" = CustomerId, Path)),
    responses((status = 200, body = CustomerDetail)))]
pub(crate) async fn get_customer(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CustomerId>,
) -> Result<Json<CustomerDetail>> {
    answer(&spine, &caller, id).await
}

/// The customer as this caller may see them.
pub(crate) async fn answer(spine: &Spine, caller: &Caller, id: CustomerId) -> Result<Json<CustomerDetail>> {
    let sight = CaseSight { workspace: caller.workspace, customer: id, scope: caller.scope(Permission::CaseRead) };
    let editable = caller.access.allows(Permission::CustomerEdit);
    let detail = spine
        .db()
        .read(move |r| {
            let state = search::state(r, sight.workspace, id)?.ok_or(Refusal::NotFound)?;
            let cases: CaseCounts = search::counts(r, &sight)?;
            let recent = search::recent(r, &sight)?;
            Ok::<_, Refusal>(CustomerDetail {
                id,
                name: state.name,
                language: state.language,
                time_zone: state.time_zone,
                company: state.company,
                note: state.note,
                identities: state.identities,
                created_at: state.created_at,
                cases,
                recent,
                editable,
            })
        })
        .await?;
    Ok(Json(detail))
}
