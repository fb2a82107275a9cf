//! What every route needs beside its own state: settings, clock, authentication, rate limits.

use crate::caller::{Authenticate, Identity};
use crate::net::Net;
use crate::problem::Result;
use crate::rate::{Key, Limit, RateLimiter};
use crate::secret::SecretHash;
use domain::{Span, Timestamp};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use spine::Refusal;
use std::sync::Arc;

/// How this server is reached.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Scheme, host and port under which people reach it, e.g. `https://help.example.com`.
    /// Without it, links are made from the request's `Host`.
    pub public_url: Option<String>,
    /// Peers whose `X-Forwarded-*` headers are believed. Nobody's, if empty (SECURITY row 18).
    pub trusted_proxies: Vec<Net>,
    /// Switches rate limits off, for load measurements only.
    pub no_rate_limits: bool,
}

/// Shared by all routes; clones are cheap.
#[derive(Clone)]
pub struct Kit(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    authenticate: Arc<dyn Authenticate>,
    limiter: RateLimiter,
}

impl Kit {
    pub fn new(
        mut settings: Settings,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        authenticate: Arc<dyn Authenticate>,
    ) -> Self {
        settings.public_url = settings.public_url.map(|url| url.trim_end_matches('/').to_owned());
        Self(Arc::new(Inner { settings, clock: Box::new(clock), authenticate, limiter: RateLimiter::default() }))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn authenticate(&self) -> &dyn Authenticate {
        self.0.authenticate.as_ref()
    }

    /// Who the session cookie of these headers stands for now: a live connection asks again when rights may have changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn identify_again(&self, headers: &HeaderMap) -> std::result::Result<Option<Identity>, Refusal> {
        let Some(hash) = self.session_of(headers).and_then(SecretHash::of) else { return Ok(None) };
        self.0.authenticate.by_session(hash).await
    }

    /// Takes one call out of the bucket of `key` under `limit`.
    ///
    /// # Errors
    /// `rate_limited` (429 with `Retry-After`).
    pub fn limit(&self, limit: &Limit, key: impl Into<Key>) -> Result<()> {
        if self.0.settings.no_rate_limits {
            return Ok(());
        }
        self.0.limiter.check(limit, key, self.now())
    }

    /// Fills the bucket of `key` again.
    pub fn forgive(&self, limit: &Limit, key: impl Into<Key>) {
        self.0.limiter.forgive(limit, key);
    }

    /// Whether people reach this server by https, so that cookies may be bound to it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.settings.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Name of the session cookie. The `__Host-` prefix binds it to this host and to https.
    #[must_use]
    pub fn cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-steward" } else { "steward" }
    }

    /// `Set-Cookie` for a new session; scripts can't read it, other sites can't send it along with writes.
    #[must_use]
    pub fn session_cookie(&self, secret: &str, lifetime: Span) -> HeaderValue {
        self.cookie(secret, lifetime.as_seconds())
    }

    /// `Set-Cookie` that ends the session in this browser.
    #[must_use]
    pub fn no_session_cookie(&self) -> HeaderValue {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let name = self.cookie_name();
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The session secret a browser sent.
    #[must_use]
    pub fn session_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie_name())
            .map(|(_, value)| value)
    }

    /// An absolute link for mails and invitations. `path` starts with `/`.
    #[must_use]
    pub fn link(&self, edge: &crate::Edge, path: &str) -> String {
        match &self.0.settings.public_url {
            Some(url) => format!("{url}{path}"),
            None => {
                let scheme = if edge.https { "https" } else { "http" };
                format!("{scheme}://{}{path}", edge.host)
            }
        }
    }
}
