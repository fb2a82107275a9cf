//! `POST /api/customers/{id}/identities` writes down an address somebody named; `../verify` says that an agent has
//! convinced themselves that it is theirs, which lets it find the customer again.

use crate::http::get;
use crate::wire::CustomerDetail;
use axum::extract::State;
use domain::customer::{Customer, CustomerCommand, CustomerIdentity, IdentityKind, Level};
use domain::{Code, CustomerId, Rejection};
use serde::Deserialize;
use spine::Spine;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct IdentityBody {
    kind: IdentityKind,
    address: String,
}

#[utoipa::path(post, path = "/api/customers/{id}/identities", tag = "customers", params(("id" = CustomerId, Path)),
    request_body = IdentityBody, responses((status = 200, body = CustomerDetail)))]
pub(crate) async fn add_identity(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CustomerId>,
    Json(body): Json<IdentityBody>,
) -> Result<Json<CustomerDetail>> {
    set(&spine, caller, id, (body, Level::Claimed)).await
}

#[utoipa::path(post, path = "/api/customers/{id}/identities/verify", tag = "customers", params(("id" = CustomerId, Path)),
    request_body = IdentityBody, responses((status = 200, body = CustomerDetail)))]
pub(crate) async fn verify_identity(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CustomerId>,
    Json(body): Json<IdentityBody>,
) -> Result<Json<CustomerDetail>> {
    set(&spine, caller, id, (body, Level::Verified)).await
}

async fn set(
    spine: &Spine,
    caller: Caller,
    id: CustomerId,
    (body, level): (IdentityBody, Level),
) -> Result<Json<CustomerDetail>> {
    // Widget visitors and external ids prove themselves; nobody types them in.
    if matches!(body.kind, IdentityKind::Visitor | IdentityKind::External) {
        return Err(Rejection::new(Code::Invalid).on("kind").into());
    }
    spine
        .execute(caller.order(), move |unit| {
            let identity = CustomerIdentity { kind: body.kind, address: body.address.clone(), level };
            unit.decide::<Customer>(id, CustomerCommand::AddIdentity(identity))?;
            Ok(())
        })
        .await?;
    get::answer(spine, &caller, id).await
}
