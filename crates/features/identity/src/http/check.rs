//! The check page: is everything around the server as it must be, and what is wrong if not.

use crate::People;
use crate::actions::touch_workspace;
use crate::rights::everywhere;
use crate::store::workspace;
use axum::extract::State;
use domain::{Permission, Span, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spine::{Order, Refusal};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use web::{Caller, Edge, Items, Json, Proxy, Query, Result};

/// A browser's clock may differ this much before we say so.
const CLOCK_DIFFERENCE: Span = Span::seconds(30);
/// Jobs later than this mean that nobody does them.
const JOBS_LATE: Span = Span::minutes(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CheckItem {
    /// `clock`, `proxy`, `live`, `storage`, `jobs`, `mail_out`, `mail_in`.
    pub key: Cow<'static, str>,
    pub state: CheckState,
    /// What is wrong, for the interface to say in words.
    pub code: Cow<'static, str>,
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
}

impl CheckItem {
    #[must_use]
    pub fn new(
        key: impl Into<Cow<'static, str>>,
        state: CheckState,
        code: impl Into<Cow<'static, str>>,
        params: Value,
    ) -> Self {
        let params = if let Value::Object(map) = params { map } else { Map::new() };
        Self { key: key.into(), state, code: code.into(), params }
    }
}

/// A check that another feature brings.
pub trait Check: Send + Sync {
    fn check(&self, workspace: WorkspaceId) -> Pin<Box<dyn Future<Output = Vec<CheckItem>> + Send + '_>>;
}

#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CheckQuery {
    /// What the browser's clock says.
    #[serde(default)]
    #[param(value_type = Option<String>, format = "date-time")]
    now: Option<Timestamp>,
}

/// Runs all checks.
#[utoipa::path(get, path = "/api/check", tag = "settings", params(CheckQuery), responses((status = 200, body = Items<CheckItem>)))]
pub async fn run(
    State(people): State<People>,
    caller: Caller,
    edge: Edge,
    Query(query): Query<CheckQuery>,
) -> Result<Json<Items<CheckItem>>> {
    everywhere(&caller.access, Permission::SettingsManage)?;
    let mut items = vec![clock(people.spine.now(), query.now), proxy(&people, &edge), live(&edge)];
    items.push(storage(&people, caller.workspace).await);
    items.push(jobs(&people, caller.workspace).await?);
    for check in people.checks.iter() {
        items.extend(check.check(caller.workspace).await);
    }
    Ok(Json(items.into()))
}

fn clock(server: Timestamp, browser: Option<Timestamp>) -> CheckItem {
    let Some(browser) = browser else {
        return CheckItem::new("clock", CheckState::Ok, "clock_server", json!({ "server": server }));
    };
    let apart = server.since(browser).max(browser.since(server));
    let params = json!({ "server": server, "seconds": apart.as_seconds() });
    if apart > CLOCK_DIFFERENCE {
        CheckItem::new("clock", CheckState::Warn, "clock_differs", params)
    } else {
        CheckItem::new("clock", CheckState::Ok, "clock_right", params)
    }
}

fn proxy(people: &People, edge: &Edge) -> CheckItem {
    let public = people.kit.settings().public_url.as_deref();
    let host_differs = public.is_some_and(|url| !url.ends_with(&format!("://{}", edge.host)));
    let params =
        json!({ "public_url": public, "host": edge.host, "address": edge.address.to_string(), "https": edge.https });
    let (state, code) = match (edge.proxy, public) {
        (Proxy::Untrusted, _) => (CheckState::Fail, "proxy_not_trusted"),
        (_, None) => (CheckState::Warn, "no_public_url"),
        (_, Some(_)) if host_differs => (CheckState::Warn, "other_host"),
        (Proxy::Trusted, Some(url)) if url.starts_with("https://") && !edge.https => {
            (CheckState::Warn, "proxy_hides_https")
        }
        (_, Some(url)) if url.starts_with("http://") => (CheckState::Warn, "no_https"),
        _ => (CheckState::Ok, "proxy_right"),
    };
    CheckItem::new("proxy", state, code, params)
}

/// Whether sockets get through, only the browser can try; this says what the server sees.
fn live(edge: &Edge) -> CheckItem {
    let code = if edge.proxy == Proxy::None { "live_direct" } else { "live_through_proxy" };
    CheckItem::new("live", CheckState::Ok, code, json!({}))
}

async fn storage(people: &People, ws: WorkspaceId) -> CheckItem {
    let started = people.spine.now();
    let order = Order::new(ws, domain::Actor::System);
    let written = people.spine.execute(order, touch_workspace).await;
    let millis = people.spine.now().since(started).as_micros() / 1_000;
    match written {
        Ok(()) => CheckItem::new("storage", CheckState::Ok, "storage_writes", json!({ "milliseconds": millis })),
        Err(Refusal::Storage(db::Error::ReadOnly)) => {
            CheckItem::new("storage", CheckState::Fail, "storage_read_only", json!({}))
        }
        Err(refusal) => {
            tracing::error!(error = %refusal, "the check of the storage failed");
            CheckItem::new("storage", CheckState::Fail, "storage_fails", json!({}))
        }
    }
}

async fn jobs(people: &People, ws: WorkspaceId) -> Result<CheckItem> {
    let late = people.spine.now() - JOBS_LATE;
    let (dead, late) = people.spine.db().read::<_, Refusal, _>(move |q| workspace::troubled_jobs(q, ws, late)).await?;
    let params = json!({ "dead": dead, "late": late });
    Ok(match (dead, late) {
        (0, 0) => CheckItem::new("jobs", CheckState::Ok, "jobs_done", params),
        (_, 0) => CheckItem::new("jobs", CheckState::Warn, "jobs_dead", params),
        _ => CheckItem::new("jobs", CheckState::Fail, "jobs_late", params),
    })
}
