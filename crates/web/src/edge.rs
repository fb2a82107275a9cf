//! The outermost layer: who is really asking (behind proxies), request id, headers, log line, time limit.

use crate::kit::Kit;
use crate::net::Net;
use crate::problem::{Problem, Result};
use crate::security;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Code;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A request that takes longer is given up; long uploads fit.
const REQUEST_TIME: Duration = Duration::from_secs(120);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Facts about the connection, believed only as far as the peer is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The client's address: the peer's, or the last untrusted one in `X-Forwarded-For`.
    pub address: IpAddr,
    pub https: bool,
    /// Host and port as the client wrote them.
    pub host: String,
    pub request_id: String,
    pub proxy: Proxy,
}

/// Whether a proxy stands before us, as far as its headers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    None,
    Trusted,
    /// Forwarding headers came from a peer that is not listed: they were ignored.
    Untrusted,
}

impl<S: Send + Sync> FromRequestParts<S> for Edge {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(&parts.headers, None, &[])))
    }
}

impl Edge {
    /// Reads the facts. `proxies` are the peers whose headers are believed.
    #[must_use]
    pub fn of(headers: &HeaderMap, peer: Option<SocketAddr>, proxies: &[Net]) -> Self {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip().to_canonical());
        let trusted = |ip: IpAddr| proxies.iter().any(|net| net.contains(ip));
        let mut edge = Self {
            address: peer,
            https: false,
            host: text(headers, &HOST).unwrap_or_default().to_owned(),
            request_id: new_request_id(),
            proxy: Proxy::None,
        };
        if trusted(peer) {
            edge.proxy = Proxy::Trusted;
        } else {
            if headers.contains_key(&FORWARDED_FOR) || headers.contains_key(&FORWARDED_PROTO) {
                edge.proxy = Proxy::Untrusted;
            }
            return edge;
        }
        edge.address = client_behind(headers, peer, trusted);
        edge.https = text(headers, &FORWARDED_PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        if let Some(host) = text(headers, &FORWARDED_HOST) {
            host.clone_into(&mut edge.host);
        }
        if let Some(id) = text(headers, &REQUEST_ID).filter(|id| is_request_id(id)) {
            id.clone_into(&mut edge.request_id);
        }
        edge
    }
}

/// From the right, each entry was written by the proxy after it: the first untrusted one is the client.
/// An entry that is no address ends the walk at the last address that was one.
fn client_behind(headers: &HeaderMap, peer: IpAddr, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let entries: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for entry in entries.into_iter().rev() {
        let Some(ip) = forwarded_address(entry.trim()) else { break };
        client = ip;
        if !trusted(ip) {
            break;
        }
    }
    client
}

fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let ip = bare.parse::<IpAddr>().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|a| a.ip()));
    ip.map(|ip| ip.to_canonical())
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
}

fn is_request_id(id: &str) -> bool {
    id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Unique within the process, which is all a log line needs.
fn new_request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("r{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The middleware around everything.
pub(crate) async fn outermost(State(kit): State<Kit>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let edge = Edge::of(request.headers(), peer, &kit.settings().trusted_proxies);
    let id = edge.request_id.clone();
    let method = request.method().clone();
    // The pattern, not the path: paths carry secrets of links and ids of people.
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", |p| p.as_str()).to_owned();
    request.extensions_mut().insert(edge);
    let started = kit.now();
    let mut response = match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Busy).retry_after(5).into_response(),
    };
    let micros = kit.now().since(started).as_micros();
    let status = response.status().as_u16();
    if status >= 500 {
        tracing::warn!(%method, route, status, micros, request = id, "request failed");
    } else {
        tracing::debug!(%method, route, status, micros, request = id, "request");
    }
    security::add_headers(response.headers_mut(), kit.is_https());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Refuses requests that another site made a browser send: foreign `Origin` or `Sec-Fetch-Site`.
///
/// # Errors
/// `cross_site`.
pub fn same_site(kit: &Kit, edge: &Edge, headers: &HeaderMap) -> Result<()> {
    let fetch_site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(fetch_site, None | Some(b"same-origin" | b"none")) {
        return Err(Problem::new(Code::CrossSite));
    }
    match origin(headers) {
        None => Ok(()),
        Some(origin) if is_own_origin(kit, edge, origin) => Ok(()),
        Some(_) => Err(Problem::new(Code::CrossSite)),
    }
}

/// The `Origin` header as sent; `null` counts as an origin (and is nobody's own).
#[must_use]
pub fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(http::header::ORIGIN).map(|value| value.to_str().unwrap_or("null"))
}

/// Whether `origin` is this server itself.
#[must_use]
pub fn is_own_origin(kit: &Kit, edge: &Edge, origin: &str) -> bool {
    if kit.settings().public_url.as_deref().is_some_and(|url| url.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(&edge.host))
}

/// The Origin check for WebSockets opened with a cookie: the header must be there and be our own.
///
/// # Errors
/// `cross_site`.
pub fn own_origin_required(kit: &Kit, edge: &Edge, headers: &HeaderMap) -> Result<()> {
    match origin(headers) {
        Some(origin) if is_own_origin(kit, edge, origin) => Ok(()),
        _ => Err(Problem::new(Code::CrossSite)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    fn address(peer: &str, proxies: &[&str], list: &[(&'static str, &str)]) -> String {
        let proxies: Vec<Net> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        Edge::of(&headers(list), Some(peer), &proxies).address.to_string()
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_peers() {
        let lie = [("x-forwarded-for", "6.6.6.6")];
        assert_eq!(address("9.9.9.9", &[], &lie), "9.9.9.9");
        assert_eq!(address("9.9.9.9", &["10.0.0.0/8"], &lie), "9.9.9.9");
        assert_eq!(address("10.0.0.1", &["10.0.0.0/8"], &lie), "6.6.6.6");
        // What the client wrote itself stands left of what the proxy wrote.
        let chain = [("x-forwarded-for", "1.1.1.1, 6.6.6.6"), ("x-forwarded-for", "10.0.0.7")];
        assert_eq!(address("10.0.0.1", &["10.0.0.0/8"], &chain), "6.6.6.6");
        assert_eq!(address("::ffff:10.0.0.1", &["10.0.0.0/8"], &[("x-forwarded-for", "[2001:db8::1]")]), "2001:db8::1");
        assert_eq!(address("10.0.0.1", &["10.0.0.0/8"], &[("x-forwarded-for", "6.6.6.6:4711")]), "6.6.6.6");
        for nonsense in ["<script>", "unknown", "6.6.6.6' OR 1=1", "::ffff:999.1.1.1"] {
            assert_eq!(address("10.0.0.1", &["10.0.0.0/8"], &[("x-forwarded-for", nonsense)]), "10.0.0.1");
        }
        // Headers we never read.
        for name in ["cf-connecting-ip", "x-real-ip", "true-client-ip", "forwarded", "client-ip"] {
            assert_eq!(address("10.0.0.1", &["10.0.0.0/8"], &[(name, "6.6.6.6")]), "10.0.0.1");
        }
    }

    #[test]
    fn scheme_and_host_from_trusted_peers_only() {
        let list = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("host", "help.example"),
            ("x-request-id", "abc"),
        ];
        let peer = SocketAddr::from(([10, 0, 0, 1], 1));
        let open = Edge::of(&headers(&list), Some(peer), &[]);
        assert_eq!((open.https, open.host.as_str()), (false, "help.example"));
        assert_ne!(open.request_id, "abc");
        let trusted = Edge::of(&headers(&list), Some(peer), &["10.0.0.1".parse().unwrap()]);
        assert_eq!((trusted.https, trusted.host.as_str(), trusted.request_id.as_str()), (true, "evil.example", "abc"));
    }
}
