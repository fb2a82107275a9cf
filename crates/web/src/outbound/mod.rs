//! The only HTTP client of Steward (SECURITY row 3). Every hop of every request goes through one
//! gate: scheme, then address by [`AddressPolicy`], then a connection to exactly the checked address.

mod address;
#[cfg(test)]
mod tests;

pub use address::{AddressError, AddressPolicy, Resolver, SystemResolver, is_public};

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Redirects followed before giving up.
pub const REDIRECTS_MAX: usize = 3;
/// Default cap of an answer's body.
pub const ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Default time for the whole call, redirects included.
pub const CALL_TIME: Duration = Duration::from_secs(20);
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// One request to a foreign host.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// For the whole call, redirects included.
    pub time: Duration,
    /// Cap of the answer's body in bytes.
    pub max_bytes: usize,
}

impl Call {
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            time: CALL_TIME,
            max_bytes: ANSWER_BYTES,
        }
    }

    /// A POST of JSON text.
    #[must_use]
    pub fn post_json(url: impl Into<String>, json: impl Into<Bytes>) -> Self {
        let mut call = Self { method: Method::POST, body: json.into(), ..Self::get(url) };
        call.headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        call
    }
}

/// What the foreign host answered (any status).
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where the answer finally came from.
    pub url: String,
}

/// Why there is no answer. Texts never name addresses: they would tell about the inner network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundError {
    /// Not a URL we would call, or plain http where only https is allowed.
    InvalidUrl,
    Address(AddressError),
    TooManyRedirects,
    TooLarge,
    TimedOut,
    Failed,
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("the URL can't be called"),
            Self::Address(error) => error.fmt(f),
            Self::TooManyRedirects => f.write_str("too many redirects"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Failed => f.write_str("the connection failed"),
        }
    }
}

impl std::error::Error for OutboundError {}

/// Client for webhooks, media and everything else that lives on a foreign host.
#[derive(Clone)]
pub struct Outbound {
    client: HttpClient,
    policy: AddressPolicy,
    plain_http: bool,
}

#[expect(clippy::disallowed_types, reason = "the one place that may hold an HTTP client")]
type HttpClient = reqwest::Client;

impl Outbound {
    /// `plain_http` also allows `http:` URLs (tests, closed networks).
    ///
    /// # Errors
    /// `Failed` when the TLS configuration can't be built.
    pub fn new(policy: AddressPolicy, plain_http: bool) -> Result<Self, OutboundError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| OutboundError::Failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = HttpClient::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Checked(policy.clone())))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("Steward/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|_| OutboundError::Failed)?;
        Ok(Self { client, policy, plain_http })
    }

    /// The policy for connections that are not HTTP (SMTP, IMAP).
    #[must_use]
    pub fn policy(&self) -> &AddressPolicy {
        &self.policy
    }

    /// Sends, following at most [`REDIRECTS_MAX`] redirects, each checked like the first URL.
    ///
    /// # Errors
    /// See [`OutboundError`]; an answer with an error status is no error.
    pub async fn send(&self, call: Call) -> Result<Answer, OutboundError> {
        match tokio::time::timeout(call.time, self.follow(call)).await {
            Ok(result) => result,
            Err(_) => Err(OutboundError::TimedOut),
        }
    }

    async fn follow(&self, mut call: Call) -> Result<Answer, OutboundError> {
        let mut url = reqwest::Url::parse(&call.url).map_err(|_| OutboundError::InvalidUrl)?;
        for _ in 0..=REDIRECTS_MAX {
            self.check_url(&url)?;
            let response = self
                .client
                .request(call.method.clone(), url.clone())
                .headers(call.headers.clone())
                .body(call.body.clone())
                .send()
                .await
                .map_err(|error| reason(&error))?;
            let status = response.status();
            let location = response.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            let (true, Some(location)) = (is_redirect(status), location) else {
                return read(response, call.max_bytes).await;
            };
            let next = url.join(location).map_err(|_| OutboundError::InvalidUrl)?;
            change_for_redirect(&mut call, status, url.origin() == next.origin());
            url = next;
        }
        Err(OutboundError::TooManyRedirects)
    }

    /// Scheme and literal addresses; names are checked by the resolver at the moment of connecting.
    fn check_url(&self, url: &reqwest::Url) -> Result<(), OutboundError> {
        let scheme = url.scheme() == "https" || (self.plain_http && url.scheme() == "http");
        let host = url.host_str().unwrap_or_default();
        if !scheme || host.is_empty() || !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::InvalidUrl);
        }
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        match bare.parse() {
            Ok(ip) if !self.policy.allows(ip) => Err(OutboundError::Address(AddressError::Denied)),
            _ => Ok(()),
        }
    }
}

/// The resolver inside the client: what it answers is what gets connected to.
struct Checked(AddressPolicy);

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            // Port 0: the client puts the URL's port in.
            let found = policy.check(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// What RFC 9110 section 15.4 says about the next request, and no secrets to another origin.
fn change_for_redirect(call: &mut Call, status: StatusCode, same_origin: bool) {
    let keeps_body = matches!(status.as_u16(), 307 | 308);
    if !keeps_body && call.method != Method::GET && call.method != Method::HEAD {
        call.method = Method::GET;
        call.body = Bytes::new();
        call.headers.remove(CONTENT_TYPE);
        call.headers.remove(CONTENT_LENGTH);
    }
    if !same_origin {
        call.headers.remove(AUTHORIZATION);
        call.headers.remove(COOKIE);
    }
}

async fn read(mut response: reqwest::Response, max: usize) -> Result<Answer, OutboundError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
        if body.len() + chunk.len() > max {
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        url: response.url().to_string(),
        body: body.freeze(),
    })
}

fn reason(error: &reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(address) = current.downcast_ref::<AddressError>() {
            return OutboundError::Address(address.clone());
        }
        source = current.source();
    }
    OutboundError::Failed
}
