//! The one door of the widget's API: every request passes here, and no handler can be reached around it. The door
//! finds the channel by its public key, checks the `Origin` against exactly the channel's list, and lets the browser
//! of a listed site read the answer (CORS). No cookie is ever looked at.

use crate::settings::Settings;
use crate::store::{self, VisitorRow};
use crate::{Webchat, files, live, messages, page, session};
use axum::RequestExt;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, options};
use channel::{ChannelConfig, uploads};
use domain::{ChannelKind, Code};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, UPGRADE, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::sync::Arc;
use utoipa_axum::routes;
use web::{Edge, Gate, Problem, Result, Routes, SecretHash};

const PUBLIC: Gate =
    Gate::Public("the widget's visitors have no account; the door checks the site, the visitor token who it is");
const PAGE: Gate = Gate::Public("a page for everybody");

/// The API's paths, for the preflight requests of browsers.
const PATHS: [&str; 6] = ["session", "messages", "typing", "email", "attachments", "attachments/{id}"];

pub(crate) fn routes(chat: &Webchat) -> Routes {
    let mut api = Routes::new(&chat.0.kit)
        .add(PUBLIC, routes!(session::open))
        .add(PUBLIC, routes!(messages::send))
        .add(PUBLIC, routes!(messages::list))
        .add(PUBLIC, routes!(messages::typing))
        .add(PUBLIC, routes!(messages::email))
        .add_with_body(PUBLIC, uploads::BODY_BYTES, routes!(files::upload))
        .add(PUBLIC, routes!(files::download))
        .add_page(PUBLIC, Method::GET, "/api/widget/{key}/live", get(live::open));
    for path in PATHS {
        let path = format!("/api/widget/{{key}}/{path}");
        api = api.add_page(PUBLIC, Method::OPTIONS, &path, options(async || StatusCode::NO_CONTENT));
    }
    let api = api.wrap(|router| router.layer(from_fn_with_state(chat.clone(), guard)));
    let pages = Routes::new(&chat.0.kit).add_page(PAGE, Method::GET, "/widget/test/{key}", get(page::test)).add_page(
        PAGE,
        Method::GET,
        "/widget/test-page.css",
        get(page::style),
    );
    api.merge(pages).with_state(chat.clone())
}

/// What a handler knows of where it is.
#[derive(Clone)]
pub(crate) struct Door {
    pub config: Arc<ChannelConfig>,
    pub settings: Arc<Settings>,
}

impl<S: Send + Sync> FromRequestParts<S> for Door {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

async fn guard(State(chat): State<Webchat>, mut request: Request, next: Next) -> Response {
    let (door, origin) = match admit(&chat, &mut request).await {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(door);
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    share(response.headers_mut(), origin, preflight);
    response
}

async fn admit(chat: &Webchat, request: &mut Request) -> Result<(Door, Option<HeaderValue>)> {
    let params = request.extract_parts::<RawPathParams>().await.map_err(|_| Problem::not_found())?;
    let key = params.iter().find(|(name, _)| *name == "key").map(|(_, key)| key.to_owned()).unwrap_or_default();
    let door = door(chat, key).await?;
    let edge = match request.extensions().get::<Edge>() {
        Some(edge) => edge.clone(),
        None => Edge::of(request.headers(), None, &[]),
    };
    let origin = match web::origin(request.headers()) {
        Some(origin) if door.settings.allows(origin) || web::is_own_origin(&chat.0.kit, &edge, origin) => {
            HeaderValue::from_str(origin).ok()
        }
        // Browsers name no origin when a page reads from its own server or shows a picture; all else must name one.
        None if request.method() == Method::GET && !request.headers().contains_key(UPGRADE) => None,
        _ => return Err(Problem::new(Code::OriginNotAllowed)),
    };
    Ok((door, origin))
}

/// The channel of a public key. It is kept: reading it and opening its secrets for every request of every visitor
/// would cost more than the request.
async fn door(chat: &Webchat, key: String) -> Result<Door> {
    let spine = &chat.0.spine;
    let number = spine.configuration();
    if let Some(door) = chat.0.doors.get(number, &key) {
        return Ok(door);
    }
    let config = chat.0.intake.by_key(spine, ChannelKind::Webchat, &key).await?;
    let settings: Settings = config.read()?;
    let door = Door { config: Arc::new(config), settings: Arc::new(settings) };
    chat.0.doors.keep(number, key, door.clone());
    Ok(door)
}

fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>, preflight: bool) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    if preflight {
        let allowed = "Authorization, Content-Type, Idempotency-Key";
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

/// The token that came in `Authorization: Visitor <token>`.
fn token(headers: &HeaderMap) -> &str {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("visitor") => token.trim(),
        _ => "",
    }
}

/// The visitor of a request.
///
/// # Errors
/// `unauthenticated` for no token, or one this channel does not know.
pub(crate) async fn visitor(chat: &Webchat, door: &Door, headers: &HeaderMap) -> Result<VisitorRow> {
    by_token(chat, door, token(headers)).await?.ok_or_else(|| Problem::new(Code::Unauthenticated))
}

/// The hash of a request's token, for a command that looks up the visitor in its own transaction.
///
/// # Errors
/// `unauthenticated` for no token, or what can't be one.
pub(crate) fn token_hash(headers: &HeaderMap) -> Result<[u8; 32]> {
    SecretHash::of(token(headers)).map(SecretHash::bytes).ok_or_else(|| Problem::new(Code::Unauthenticated))
}

pub(crate) async fn by_token(chat: &Webchat, door: &Door, token: &str) -> Result<Option<VisitorRow>> {
    let Some(hash) = SecretHash::of(token) else { return Ok(None) };
    let (workspace, channel) = (door.config.workspace, door.config.id);
    let found = chat.0.spine.db().read(move |r| store::by_token(r, workspace, channel, hash.bytes()));
    found.await.map_err(|error: db::Error| spine::Refusal::from(error).into())
}
