//! Calls our own routes in process, as a browser would.

use super::Error;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{Method, Request};
use serde_json::Value;
use spine::Refusal;
use tower::ServiceExt;

const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// One signed-in (or not yet signed-in) person.
pub(crate) struct Caller {
    router: Router,
    cookie: Option<String>,
}

impl Caller {
    pub(crate) fn new(router: &Router) -> Self {
        Self { router: router.clone(), cookie: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Value, Error> {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Result<Value, Error> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Result<Value, Error> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Error> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, "demo.invalid").header(ORIGIN, "http://demo.invalid");
        request = request.header("x-steward-client", "demo").header(CONTENT_TYPE, "application/json");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
        let request = request.body(body).map_err(Refusal::internal)?;
        let response = self.router.clone().oneshot(request).await.map_err(Refusal::internal)?;
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get(SET_COOKIE).and_then(|v| v.to_str().ok()) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let bytes = to_bytes(body, ANSWER_BYTES).await.map_err(Refusal::internal)?;
        if !parts.status.is_success() {
            let body = String::from_utf8_lossy(&bytes).into_owned();
            return Err(Error::Answer { path: path.to_owned(), status: parts.status.as_u16(), body });
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}
