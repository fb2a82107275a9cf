//! The audit trail.

use crate::People;
use crate::rights::everywhere;
use crate::store::audit::{self as rows, AuditFilter, AuditRow};
use axum::extract::State;
use domain::{Actor, ActorKind, Code, Permission, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::Refusal;
use std::collections::BTreeSet;
use uuid::Uuid;
use web::{Caller, Json, Page, PageQuery, Problem, Query, Result};

#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// `system`, `agent:<id>`, `token:<id>`, `customer:<id>`, or the id of a person.
    #[serde(default)]
    actor: Option<String>,
    /// Kind of thing (`user`, `team`, `case` ...) or the id of one thing.
    #[serde(default)]
    object: Option<String>,
    /// `config.team.created`, or a group: `access.`. Without it everything but `agent.presence_changed`.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    #[serde(default)]
    #[param(value_type = Option<String>, format = "date-time")]
    to: Option<Timestamp>,
    /// How many items, 1 to 100; 50 if not given.
    #[serde(default)]
    limit: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditActor {
    pub kind: ActorKind,
    #[schema(required = true)]
    pub id: Option<Uuid>,
    #[schema(required = true)]
    pub name: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditItem {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: AuditActor,
    pub kind: String,
    pub subject_kind: String,
    pub subject_id: Uuid,
    /// What the event says, by its kind.
    #[schema(value_type = Object)]
    pub data: Value,
}

fn filter(query: &AuditQuery, before: Option<(i64, i64, Uuid)>) -> Result<AuditFilter> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut filter =
        AuditFilter { kind: given(&query.kind), from: query.from, to: query.to, before, ..AuditFilter::default() };
    if let Some(text) = given(&query.actor) {
        let actor = match text.parse::<UserId>() {
            Ok(user) => Actor::Agent(user),
            Err(_) => text.parse().map_err(|_| Problem::field("actor", Code::Invalid))?,
        };
        filter.actor = Some(actor);
    }
    if let Some(text) = given(&query.object) {
        match text.parse::<Uuid>() {
            Ok(id) => filter.subject_id = Some(id),
            Err(_) => filter.subject_kind = Some(text),
        }
    }
    Ok(filter)
}

/// What happened, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "settings", params(AuditQuery), responses((status = 200, body = Page<AuditItem>)))]
pub async fn list(
    State(people): State<People>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditItem>>> {
    everywhere(&caller.access, Permission::AuditRead)?;
    let page = PageQuery { limit: query.limit.clone(), cursor: query.cursor.clone() };
    let limit = page.limit()?;
    let filter = filter(&query, page.position()?)?;
    let ws = caller.workspace;
    let (found, names) = people
        .spine
        .db()
        .read::<_, Refusal, _>(move |q| {
            let found = rows::list(q, ws, &filter, limit + 1)?;
            let actors: BTreeSet<(ActorKind, Uuid)> = found
                .iter()
                .filter_map(|row| row.actor.parse::<Actor>().ok())
                .filter_map(|a| Some((a.kind(), a.id()?)))
                .collect();
            let names = rows::names(q, ws, &actors)?;
            Ok((found, names))
        })
        .await?;
    let page = Page::cut(found, limit, |row: &AuditRow| (row.at.as_micros(), row.position, row.id));
    Ok(Json(page.map(|row| {
        let actor = row.actor.parse::<Actor>().unwrap_or(Actor::System);
        AuditItem {
            id: row.id,
            at: row.at,
            actor: AuditActor {
                kind: actor.kind(),
                id: actor.id(),
                name: actor.id().and_then(|id| names.get(&id).cloned()),
            },
            kind: row.kind,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            data: serde_json::from_str(&row.data).unwrap_or_default(),
        }
    })))
}
