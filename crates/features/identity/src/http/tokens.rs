//! API tokens.

use crate::actions::access_event;
use crate::rights::{everywhere, may_grant};
use crate::store::{role, token};
use crate::{People, fields};
use axum::extract::State;
use domain::event::AccessEvent;
use domain::{ApiTokenId, ChannelId, Code, Permission, Rejection, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use spine::Refusal;
use std::collections::BTreeSet;
use web::{Caller, Items, Json, Named, Path, Problem, Result, SecretHash, secret};

const TOKENS_MAX: i64 = 200;

#[derive(Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub name: String,
    pub scopes: Vec<String>,
    /// The only channel it is good for.
    #[schema(required = true)]
    pub channel: Option<Named>,
    pub created_by: Named,
    pub created_at: Timestamp,
    #[schema(required = true)]
    pub expires_at: Option<Timestamp>,
    #[schema(required = true)]
    pub last_used_at: Option<Timestamp>,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct TokenBody {
    pub name: String,
    #[schema(value_type = Vec<String>)]
    pub scopes: BTreeSet<Permission>,
    #[serde(default)]
    pub channel: Option<ChannelId>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct NewApiToken {
    pub id: ApiTokenId,
    /// Shown this once; only its hash is kept.
    pub token: String,
}

/// Valid tokens, the newest first.
#[utoipa::path(get, path = "/api/tokens", tag = "tokens", responses((status = 200, body = Items<ApiToken>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<ApiToken>>> {
    everywhere(&caller.access, Permission::TokensManage)?;
    let ws = caller.workspace;
    let rows = people.spine.db().read::<_, Refusal, _>(move |q| token::list(q, ws)).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(ApiToken {
            id: row.id,
            name: row.name,
            scopes: crate::store::json(&row.scopes)?,
            channel: row.channel_id.map(|id| Named::new(id, row.channel_name.unwrap_or_default())),
            created_by: Named::new(row.created_by, row.created_by_name.unwrap_or_default()),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        });
    }
    Ok(Json(items.into()))
}

/// Creates a token of what the caller may do. Its text is answered this once.
#[utoipa::path(post, path = "/api/tokens", tag = "tokens", request_body = TokenBody, responses((status = 200, body = NewApiToken)))]
pub async fn create(
    State(people): State<People>,
    caller: Caller,
    Json(body): Json<TokenBody>,
) -> Result<Json<NewApiToken>> {
    everywhere(&caller.access, Permission::TokensManage)?;
    let by = caller.user()?;
    fields::name("name", &body.name)?;
    if body.scopes.is_empty() {
        return Err(Problem::field("scopes", Code::Required));
    }
    if body.expires_at.is_some_and(|end| end <= people.spine.now()) {
        return Err(Problem::field("expires_at", Code::Invalid));
    }
    may_grant(&caller.access, &body.scopes, None, body.channel).map_err(|r| r.on("scopes"))?;
    let text = secret::api_token(people.spine.random());
    let hash = SecretHash::of(&text).ok_or_else(Problem::internal)?;
    let id = people
        .spine
        .execute(caller.order_once(), move |unit| {
            let (ws, now, id) = (unit.workspace(), unit.now(), unit.next_id::<ApiTokenId>());
            if let Some(channel) = body.channel
                && !role::channel_exists(unit.tx(), ws, channel)?
            {
                return Err(Rejection::new(Code::UnknownReference).on("channel").into());
            }
            if token::count(unit.tx(), ws)? >= TOKENS_MAX {
                return Err(Rejection::new(Code::TooMany).with("max", TOKENS_MAX).into());
            }
            let new = token::NewToken {
                id,
                name: body.name.trim(),
                secret: hash,
                scopes: &crate::store::text(&body.scopes),
                channel: body.channel,
                by,
                now,
                expires_at: body.expires_at,
            };
            token::insert(unit.tx(), ws, &new)?;
            access_event(unit, by, AccessEvent::TokenCreated { name: body.name.trim().to_owned() })?;
            Ok(id)
        })
        .await?;
    Ok(Json(NewApiToken { id, token: text }))
}

/// Revokes a token, at once.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "tokens", params(("id" = ApiTokenId, Path)), responses((status = 204)))]
pub async fn revoke(State(people): State<People>, caller: Caller, Path(id): Path<ApiTokenId>) -> Result<StatusCode> {
    everywhere(&caller.access, Permission::TokensManage)?;
    let by = caller.user()?;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let (ws, now) = (unit.workspace(), unit.now());
            let name = token::revoke(unit.tx(), ws, id, now)?.ok_or(Refusal::NotFound)?;
            access_event(unit, by, AccessEvent::TokenRevoked { name })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
