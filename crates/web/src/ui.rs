//! The user interface, embedded: hashed assets are cached for ever, the page itself never, and an
//! unknown path of the desk is the desk (its router knows the rest).

use crate::problem::Problem;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../ui/desk/dist"]
#[allow_missing = true]
struct Desk;

#[derive(RustEmbed)]
#[folder = "../../ui/widget/dist"]
#[allow_missing = true]
struct Widget;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What no route answers: a file of the desk, or the desk itself.
pub(crate) async fn desk(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let api = ["api", "health", "form", "widget"]
        .iter()
        .any(|area| path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if api || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    if let Some(found) = Desk::get(path).filter(|_| !path.is_empty()) {
        let cache = if path.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
        return file(request.headers(), path, found, cache);
    }
    // A missing file is missing; only pages fall back to the desk.
    if path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Problem::not_found().into_response();
    }
    match Desk::get("index.html") {
        Some(found) => file(request.headers(), "index.html", found, ASK_AGAIN),
        None => not_built(),
    }
}

/// `/widget.js`: the one script that other sites load.
pub(crate) async fn widget(headers: HeaderMap) -> Response {
    let Some(found) = Widget::get("widget.js") else { return Problem::not_found().into_response() };
    let mut response = file(&headers, "widget.js", found, "public, max-age=300");
    let headers = response.headers_mut();
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// A script or style sheet of our own public pages (form, widget's test page), by its name in the widget's build.
#[must_use]
pub fn widget_file(name: &'static str, asked: &HeaderMap) -> Response {
    match Widget::get(name) {
        Some(found) => file(asked, name, found, "public, max-age=300"),
        None => Problem::not_found().into_response(),
    }
}

fn file(asked: &HeaderMap, path: &str, found: EmbeddedFile, cache: &'static str) -> Response {
    let etag: String = found.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime(path)));
    let same = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = same.is_some_and(|list| list.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, value);
    }
    if same {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Bytes::from(found.data.into_owned())).into_response()
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response {
    let page = "<!doctype html><html lang=\"en\"><title>Steward</title><p>The user interface is not built into this binary. \
        Run <code>npm run build</code>, then build again.</p><p lang=\"zh-CN\">此程序未包含用户界面，请先运行 <code>npm run build</code> 再重新编译。</p></html>";
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}
