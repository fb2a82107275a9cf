//! Speaks to a router as our own pages do: keeps the cookie, sends the headers, reads problems.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

/// One browser (or one API client, with a token).
#[derive(Clone)]
pub struct Client {
    router: Router,
    cookie: Option<String>,
    bearer: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The JSON body of a success.
    ///
    /// # Panics
    /// On any other status, showing the problem.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "often only the success matters")]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    /// The code of a problem document.
    #[must_use]
    pub fn code(&self) -> String {
        self.json().get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Client {
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, cookie: None, bearer: None }
    }

    /// The same server, with an API token instead of a session.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { router: self.router.clone(), cookie: None, bearer: Some(token.to_owned()) }
    }

    /// The same server, nobody signed in.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self::new(self.router.clone())
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), Some(new_key())).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), Some(new_key())).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), Some(new_key())).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Some(new_key())).await
    }

    /// A request with a given idempotency key.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<Value>, key: Option<Uuid>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, "steward.test").header(ORIGIN, "http://steward.test");
        request = request.header("x-steward-client", "test");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(token) = &self.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key.to_string());
        }
        let body = match body {
            Some(value) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        self.raw(request.body(body).unwrap()).await
    }

    /// Any request as it is.
    pub async fn raw(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
            self.cookie = pair.split_once('=').filter(|(_, v)| !v.is_empty()).map(|_| pair.to_owned());
        }
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// A key nobody else uses: taken from the process-wide count, since tests have no other source of chance.
fn new_key() -> Uuid {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x5EED_0000_0000_4000, 0x8000_0000_0000_0000 | NEXT.fetch_add(1, Ordering::Relaxed))
}
