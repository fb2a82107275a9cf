//! Routes and their gates. A route can only be added together with the gate that guards it, and the
//! table of all gates is what the generated role matrix is tested against (SECURITY P13).

use crate::caller::{Caller, Idempotent, Identity};
use crate::edge::{Edge, own_origin_required, same_site};
use crate::kit::Kit;
use crate::openapi;
use crate::problem::{Problem, Result};
use crate::rate::Limit;
use crate::secret::{API_TOKEN_PREFIX, SecretHash};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use domain::limits::JSON_BODY_BYTES;
use domain::{Code, CommandId, Permission, Span};
use http::header::{AUTHORIZATION, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::UtoipaMethodRouter;
use uuid::Uuid;

/// Calls of one signed-in person or token.
const CALLS: Limit = Limit::new("calls", 600, Span::seconds(30));
const CLIENT_HEADER: &str = "x-steward-client";
const KEY_HEADER: &str = "idempotency-key";

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anyone, from any site; the reason says what guards it instead.
    Public(&'static str),
    /// Anyone, but no other site's script (sign-in and the like); the reason says why no sign-in is needed.
    OwnSite(&'static str),
    /// Anyone signed in, even while a demanded second factor is still missing.
    Enrolling,
    SignedIn,
    /// Who holds the permission somewhere. Whether it holds for the object at hand, the handler checks.
    Needs(Permission),
}

/// One line of the gate table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub method: Method,
    pub path: String,
    pub gate: Gate,
    /// Part of the API description.
    pub described: bool,
}

/// A set of routes with the state `S` of their feature.
#[must_use]
pub struct Routes<S = ()> {
    pub(crate) kit: Kit,
    pub(crate) router: Router<S>,
    pub(crate) openapi: OpenApi,
    pub(crate) table: Vec<Entry>,
    pub(crate) conflicts: Vec<String>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new(kit: &Kit) -> Self {
        Self {
            kit: kit.clone(),
            router: Router::new(),
            openapi: OpenApi::default(),
            table: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    /// Adds the handlers of `routes!(..)` behind `gate`.
    pub fn add(self, gate: Gate, routes: UtoipaMethodRouter<S>) -> Self {
        self.add_with_body(gate, JSON_BODY_BYTES, routes)
    }

    /// The same with another limit of the body, in bytes (uploads).
    pub fn add_with_body(mut self, gate: Gate, max_bytes: usize, routes: UtoipaMethodRouter<S>) -> Self {
        let (schemas, mut paths, handlers) = routes;
        let described: Vec<(Method, String)> = openapi::operations(&paths);
        openapi::describe(&mut paths, gate);
        let handlers = self.guarded(gate, max_bytes, handlers);
        for path in paths.paths.keys() {
            self.router = self.router.route(path, handlers.clone());
        }
        for (method, path) in described {
            self.table.push(Entry { method, path, gate, described: true });
        }
        let clashes = openapi::merge(&mut self.openapi, schemas, paths);
        self.conflicts.extend(clashes);
        self
    }

    /// Adds a route that the API description leaves out (pages, files, sockets).
    pub fn add_page(mut self, gate: Gate, method: Method, path: &str, handlers: MethodRouter<S>) -> Self {
        let handlers = self.guarded(gate, JSON_BODY_BYTES, handlers);
        self.router = self.router.route(path, handlers);
        self.table.push(Entry { method, path: path.to_owned(), gate, described: false });
        self
    }

    fn guarded(&self, gate: Gate, max_bytes: usize, handlers: MethodRouter<S>) -> MethodRouter<S> {
        handlers
            .route_layer(from_fn_with_state((self.kit.clone(), gate), guard))
            .layer(DefaultBodyLimit::max(max_bytes))
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self.conflicts.extend(other.conflicts);
        let schemas = other.openapi.components.map(|c| c.schemas).unwrap_or_default();
        let clashes = openapi::merge(&mut self.openapi, schemas.into_iter().collect(), other.openapi.paths);
        self.conflicts.extend(clashes);
        self
    }

    /// Wraps all routes added so far in a layer of the feature's own (the widget's origin check). Gates stay inside it.
    pub fn wrap(mut self, wrap: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.router = wrap(self.router);
        self
    }

    /// Gives the routes their state, so that routes of several features can be merged.
    pub fn with_state(self, state: S) -> Routes {
        Routes {
            kit: self.kit,
            router: self.router.with_state(state),
            openapi: self.openapi,
            table: self.table,
            conflicts: self.conflicts,
        }
    }

    /// Every route with its gate.
    #[must_use]
    pub fn table(&self) -> &[Entry] {
        &self.table
    }

    /// Names of schemas that two routes describe differently; a test keeps this empty.
    #[must_use]
    pub fn conflicts(&self) -> &[String] {
        &self.conflicts
    }
}

async fn guard(State((kit, gate)): State<(Kit, Gate)>, request: Request, next: Next) -> Response {
    match admit(&kit, gate, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Lets the request through with what its handler may know, or says why not.
async fn admit(kit: &Kit, gate: Gate, request: Request) -> Result<Request> {
    let edge = match request.extensions().get::<Edge>() {
        Some(edge) => edge.clone(),
        None => Edge::of(request.headers(), None, &[]),
    };
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match gate {
        Gate::Public(_) => return with_idempotency(request, None).await,
        Gate::OwnSite(_) => {
            if writes {
                same_site(kit, &edge, request.headers())?;
            }
            return with_idempotency(request, None).await;
        }
        Gate::Enrolling | Gate::SignedIn | Gate::Needs(_) => {}
    }
    // A body can't be shared between threads, so it waits here.
    let (parts, body) = request.into_parts();
    let identity = identify(kit, &edge, &parts.headers, writes).await?;
    let request = Request::from_parts(parts, body);
    if identity.must_enroll && gate != Gate::Enrolling {
        return Err(Problem::new(Code::TotpEnrollmentRequired));
    }
    if let Gate::Needs(permission) = gate
        && !identity.access.allows(permission)
    {
        return Err(Problem::forbidden(permission));
    }
    let key = identity.actor.id().unwrap_or_default();
    kit.limit(&CALLS, key)?;
    let mut request = with_idempotency(request, Some(key)).await?;
    let idempotent = request.extensions().get::<Idempotent>().cloned().unwrap_or_default();
    request.extensions_mut().insert(Caller {
        workspace: identity.workspace,
        user: identity.user,
        actor: identity.actor,
        access: identity.access,
        session: identity.session,
        locale: identity.locale,
        address: edge.address,
        must_enroll: identity.must_enroll,
        idempotent,
    });
    Ok(request)
}

/// By bearer token, else by session cookie; a cookie is believed only when our own page sent it.
async fn identify(kit: &Kit, edge: &Edge, headers: &HeaderMap, writes: bool) -> Result<Identity> {
    let unknown = || Problem::new(Code::Unauthenticated);
    if let Some(token) = bearer(headers) {
        let hash = SecretHash::of(token).filter(|_| token.starts_with(API_TOKEN_PREFIX)).ok_or_else(unknown)?;
        return kit.authenticate().by_token(hash).await?.ok_or_else(unknown);
    }
    let secret = kit.session_of(headers).ok_or_else(unknown)?;
    let hash = SecretHash::of(secret).ok_or_else(unknown)?;
    if headers.contains_key(UPGRADE) {
        own_origin_required(kit, edge, headers)?;
    } else if writes {
        same_site(kit, edge, headers)?;
        // A custom header can't be sent across sites without a preflight, which we never answer.
        if !headers.contains_key(CLIENT_HEADER) {
            return Err(Problem::new(Code::CrossSite));
        }
    }
    kit.authenticate().by_session(hash).await?.ok_or_else(unknown)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Reads `Idempotency-Key` and fingerprints the request. Bodies that are not JSON (uploads) are not
/// read here; their fingerprint is of caller, method and path.
async fn with_idempotency(request: Request, caller: Option<Uuid>) -> Result<Request> {
    let (mut parts, body) = request.into_parts();
    let Some(key) = parts.headers.get(KEY_HEADER) else {
        parts.extensions.insert(Idempotent::default());
        return Ok(Request::from_parts(parts, body));
    };
    let key = key.to_str().ok().and_then(|text| text.parse::<CommandId>().ok());
    let command = key.ok_or_else(|| Problem::field("Idempotency-Key", Code::Invalid))?;
    let json = parts.headers.get(CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
    let (content, body) = if json {
        let bytes = to_bytes(body, JSON_BODY_BYTES).await.map_err(|_| Problem::new(Code::TooLarge))?;
        (bytes.clone(), Body::from(bytes))
    } else {
        (Bytes::new(), body)
    };
    let mut hasher = Sha256::new();
    hasher.update(caller.unwrap_or_default().as_bytes());
    for part in [parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default()] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(&content);
    let fingerprint = hasher.finalize().into();
    parts.extensions.insert(Idempotent { command: Some(command), fingerprint });
    Ok(Request::from_parts(parts, body))
}
