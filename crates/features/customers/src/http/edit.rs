//! `PATCH /api/customers/{id}`.

use crate::http::get;
use crate::wire::CustomerDetail;
use axum::extract::State;
use domain::customer::{Customer, CustomerCommand};
use domain::{Code, CustomerId, Rejection};
use serde::Deserialize;
use spine::Spine;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

/// What is absent stays; null takes away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct CustomerChange {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Option<String>>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

#[utoipa::path(patch, path = "/api/customers/{id}", tag = "customers", params(("id" = CustomerId, Path)),
    request_body = CustomerChange, responses((status = 200, body = CustomerDetail)))]
pub(crate) async fn edit_customer(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CustomerId>,
    Json(body): Json<CustomerChange>,
) -> Result<Json<CustomerDetail>> {
    if let Some(Some(language)) = &body.language
        && !is_language(language)
    {
        return Err(Rejection::new(Code::Invalid).on("language").into());
    }
    spine
        .execute(caller.order(), move |unit| {
            let body = body.clone();
            let command = CustomerCommand::Edit {
                name: body.name,
                language: body.language,
                time_zone: body.time_zone,
                company: body.company,
                note: body.note,
            };
            unit.decide::<Customer>(id, command)?;
            Ok(())
        })
        .await?;
    get::answer(&spine, &caller, id).await
}

/// A language tag such as `zh-CN` (RFC 5646, its letters and length only).
fn is_language(tag: &str) -> bool {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    tag.len() <= 35 && tag.split('-').all(part)
}
