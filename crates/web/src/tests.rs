//! The kit as a whole, through a small application of its own.

use crate::*;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use domain::access::{Access, Grant};
use domain::{Actor, ApiTokenId, Code, Permission, SessionId, Timestamp, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::Refusal;
use std::sync::Arc;
use tower::ServiceExt;
use utoipa_axum::routes;
use uuid::Uuid;

/// Three secrets: an agent's session, a session that must enrol, a token that may read cases.
struct Known;

fn secret(n: u8) -> String {
    secret::text([n; 32])
}

fn identity(user: Option<u128>, permissions: &[Permission], must_enroll: bool) -> Identity {
    let grant = Grant { permissions: permissions.iter().copied().collect(), team: None, channel: None };
    let user = user.map(|n| UserId(Uuid::from_u128(n)));
    Identity {
        workspace: WorkspaceId(Uuid::from_u128(1)),
        user,
        actor: user.map_or(Actor::Token(ApiTokenId(Uuid::from_u128(9))), Actor::Agent),
        access: Access { owner: false, grants: vec![grant] },
        session: user.map(|u| SessionId(u.0)),
        locale: Locale::En,
        must_enroll,
    }
}

impl Authenticate for Known {
    fn by_session(&self, hash: SecretHash) -> BoxFuture<'_, std::result::Result<Option<Identity>, Refusal>> {
        Box::pin(async move {
            if Some(hash) == SecretHash::of(&secret(1)) {
                return Ok(Some(identity(Some(1), &[Permission::CaseRead], false)));
            }
            Ok((Some(hash) == SecretHash::of(&secret(2))).then(|| identity(Some(2), Permission::ALL, true)))
        })
    }
    fn by_token(&self, hash: SecretHash) -> BoxFuture<'_, std::result::Result<Option<Identity>, Refusal>> {
        Box::pin(async move {
            let known = SecretHash::of(&secret::api_token([3; 32]));
            Ok((Some(hash) == known).then(|| identity(None, &[Permission::CaseRead], false)))
        })
    }
}

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
struct Note {
    text: String,
}

/// Who am I.
#[utoipa::path(get, path = "/api/who", responses((status = 200, body = Note)))]
async fn who(caller: Caller) -> Json<Note> {
    Json(Note { text: caller.actor.to_string() })
}

#[utoipa::path(post, path = "/api/notes/{id}", params(("id" = Uuid, Path)), request_body = Note, responses((status = 200, body = Note)))]
async fn write_note(
    caller: Caller,
    _state: State<()>,
    Path(_id): Path<Uuid>,
    Json(note): Json<Note>,
) -> Result<Json<Note>> {
    let order = caller.order();
    let key = order
        .idempotency
        .map(|(key, print)| format!("{key} {}", print.iter().map(|b| format!("{b:02x}")).collect::<String>()));
    Ok(Json(Note { text: key.unwrap_or(note.text) }))
}

#[utoipa::path(get, path = "/api/admin", responses((status = 204)))]
async fn admin(_: Caller) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[utoipa::path(get, path = "/api/enroll", responses((status = 204)))]
async fn enroll(_: Caller) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[utoipa::path(post, path = "/api/sign-in", responses((status = 204)))]
async fn sign_in() -> StatusCode {
    StatusCode::NO_CONTENT
}

#[utoipa::path(get, path = "/api/open", responses((status = 204)))]
async fn open_with_caller(_: Caller) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[utoipa::path(get, path = "/api/panics", responses((status = 204)))]
async fn panics() -> StatusCode {
    panic!("a defect")
}

fn kit() -> Kit {
    let settings = Settings { public_url: Some("https://help.example".to_owned()), ..Settings::default() };
    Kit::new(settings, || Timestamp::from_micros(1_000_000), Arc::new(Known))
}

fn collected() -> App {
    let routes = Routes::<()>::new(&kit())
        .add(Gate::SignedIn, routes!(who))
        .add(Gate::Needs(Permission::CaseRead), routes!(write_note))
        .add(Gate::Needs(Permission::SettingsManage), routes!(admin))
        .add(Gate::Enrolling, routes!(enroll))
        .add(Gate::OwnSite("signs in"), routes!(sign_in))
        .add(Gate::Public("test"), routes!(open_with_caller))
        .add(Gate::Public("test"), routes!(panics));
    App::new(&kit()).routes(routes)
}

fn app() -> Router {
    collected().build()
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Value,
}

async fn ask(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "help.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status: parts.status, headers: parts.headers, body }
}

fn cookie(n: u8) -> String {
    format!("a=b; __Host-steward={}; c=d", secret(n))
}

type Headers<'a> = &'a [(&'a str, &'a str)];

const JSON: (&str, &str) = ("content-type", "application/json");
const CLIENT: (&str, &str) = ("x-steward-client", "desk");
const NOTE: &str = "/api/notes/0190163d-8694-739b-aea5-966c26f8ad91";

#[tokio::test]
async fn gates_ask_for_the_right_thing() {
    let (agent, enrolling) = (cookie(1), cookie(2));
    let token = format!("Bearer {}", secret::api_token([3; 32]));
    let plain = format!("Bearer {}", secret(3));
    let insecure = format!("steward={}", secret(1));
    let cases: &[(&str, Headers<'_>, u16, &str)] = &[
        ("/api/who", &[], 401, "unauthenticated"),
        ("/api/who", &[("cookie", "__Host-steward=")], 401, "unauthenticated"),
        ("/api/who", &[("cookie", &insecure)], 401, "unauthenticated"),
        ("/api/who", &[("authorization", "Bearer ")], 401, "unauthenticated"),
        ("/api/who", &[("authorization", "Bearer st_")], 401, "unauthenticated"),
        ("/api/who", &[("authorization", &plain)], 401, "unauthenticated"),
        ("/api/who", &[("authorization", "Basic x"), ("cookie", &agent)], 200, ""),
        ("/api/who", &[("cookie", &agent)], 200, ""),
        ("/api/who", &[("authorization", &token)], 200, ""),
        ("/api/who", &[("cookie", &enrolling)], 403, "totp_enrollment_required"),
        ("/api/admin", &[("cookie", &enrolling)], 403, "totp_enrollment_required"),
        ("/api/enroll", &[("cookie", &enrolling)], 204, ""),
        ("/api/admin", &[("cookie", &agent)], 403, "forbidden"),
        ("/api/admin", &[("authorization", &token)], 403, "forbidden"),
        ("/api/open", &[("cookie", &agent)], 500, "internal"),
        ("/api/panics", &[], 500, "internal"),
        ("/api/nothing", &[("cookie", &agent)], 404, "not_found"),
    ];
    for (path, headers, status, code) in cases {
        let answer = ask(Method::GET, path, headers, "").await;
        assert_eq!(answer.status.as_u16(), *status, "{path} {headers:?}");
        if !code.is_empty() {
            assert_eq!(answer.body["code"], *code, "{path}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    let answer = ask(Method::GET, "/api/admin", &[("cookie", &agent)], "").await;
    assert_eq!(answer.body["params"], json!({"permission": "settings.manage"}));
}

#[tokio::test]
async fn writes_by_cookie_come_from_our_own_pages() {
    let agent = cookie(1);
    let token = format!("Bearer {}", secret::api_token([3; 32]));
    let cookie = ("cookie", agent.as_str());
    let cases: &[(Headers<'_>, u16)] = &[
        (&[cookie, JSON], 403),
        (&[cookie, JSON, CLIENT], 200),
        (&[cookie, JSON, CLIENT, ("origin", "https://help.example"), ("sec-fetch-site", "same-origin")], 200),
        (&[cookie, JSON, CLIENT, ("origin", "https://evil.example")], 403),
        (&[cookie, JSON, CLIENT, ("origin", "null")], 403),
        (&[cookie, JSON, CLIENT, ("origin", "https://help.example.evil")], 403),
        (&[cookie, JSON, CLIENT, ("sec-fetch-site", "cross-site")], 403),
        (&[cookie, JSON, CLIENT, ("sec-fetch-site", "same-site")], 403),
        (&[("authorization", &token), JSON], 200),
        (&[("authorization", &token), JSON, ("origin", "https://evil.example")], 200),
    ];
    for (headers, status) in cases {
        let answer = ask(Method::POST, NOTE, headers, r#"{"text":"a"}"#).await;
        assert_eq!(answer.status.as_u16(), *status, "{headers:?} {}", answer.body);
    }
    // Reading over a socket is as good as writing.
    let answer = ask(Method::GET, "/api/who", &[cookie, ("upgrade", "websocket")], "").await;
    assert_eq!(answer.body["code"], "cross_site");
    let own =
        ask(Method::GET, "/api/who", &[cookie, ("upgrade", "websocket"), ("origin", "https://help.example")], "").await;
    assert_eq!(own.status, StatusCode::OK);
    let foreign = ask(Method::POST, "/api/sign-in", &[("origin", "https://evil.example")], "").await;
    assert_eq!(foreign.body["code"], "cross_site");
    assert_eq!(ask(Method::POST, "/api/sign-in", &[], "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_fingerprint_covers_the_whole_request() {
    let token = format!("Bearer {}", secret::api_token([3; 32]));
    let key = ("idempotency-key", "0190163d-8694-739b-aea5-000000000001");
    let auth = ("authorization", token.as_str());
    let print = async |path: &str, body: &str| {
        let answer = ask(Method::POST, path, &[auth, JSON, key], body).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body["text"].as_str().unwrap().to_owned()
    };
    let first = print(NOTE, r#"{"text":"a"}"#).await;
    assert!(first.starts_with(key.1));
    assert_eq!(first, print(NOTE, r#"{"text":"a"}"#).await);
    assert_ne!(first, print(NOTE, r#"{"text":"b"}"#).await);
    assert_ne!(first, print(&NOTE.replace("ad91", "ad92"), r#"{"text":"a"}"#).await);
    let agent = cookie(1);
    let other = ask(Method::POST, NOTE, &[("cookie", &agent), CLIENT, JSON, key], r#"{"text":"a"}"#).await;
    assert_ne!(other.body["text"], first, "another caller is another request");
    let wrong = ask(Method::POST, NOTE, &[auth, JSON, ("idempotency-key", "1")], r#"{"text":"a"}"#).await;
    assert_eq!(wrong.body["fields"]["Idempotency-Key"]["code"], "invalid");
    let none = ask(Method::POST, NOTE, &[auth, JSON], r#"{"text":"a"}"#).await;
    assert_eq!(none.body["text"], "a");
}

#[tokio::test]
async fn bad_bodies_get_problems() {
    let token = format!("Bearer {}", secret::api_token([3; 32]));
    let auth = ("authorization", token.as_str());
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(domain::limits::JSON_BODY_BYTES));
    let cases: &[(&str, Headers<'_>, &str, u16, Code)] = &[
        (NOTE, &[auth], "{}", 415, Code::UnsupportedType),
        (NOTE, &[auth, JSON], "{}", 422, Code::Required),
        (NOTE, &[auth, JSON], "{", 400, Code::InvalidJson),
        (NOTE, &[auth, JSON], &large, 413, Code::TooLarge),
        ("/api/notes/17", &[auth, JSON], "{}", 404, Code::NotFound),
    ];
    for (path, headers, body, status, code) in cases {
        let answer = ask(Method::POST, path, headers, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (*status, &json!(code.as_str())), "{path}");
    }
    assert_eq!(ask(Method::PUT, NOTE, &[auth], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn every_answer_is_armoured() {
    for path in ["/api/who", "/api/panics", "/", "/docs", "/openapi.json", "/nowhere", "/assets/none.js"] {
        let answer = ask(Method::GET, path, &[], "").await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    assert_eq!(ask(Method::GET, "/api/who", &[], "").await.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn the_description_tells_gates() {
    let app = collected();
    assert!(app.conflicts().is_empty());
    let expected: Vec<(Method, &str, Gate)> = vec![
        (Method::GET, "/api/who", Gate::SignedIn),
        (Method::POST, "/api/notes/{id}", Gate::Needs(Permission::CaseRead)),
        (Method::GET, "/api/admin", Gate::Needs(Permission::SettingsManage)),
        (Method::GET, "/api/enroll", Gate::Enrolling),
        (Method::POST, "/api/sign-in", Gate::OwnSite("signs in")),
        (Method::GET, "/api/open", Gate::Public("test")),
        (Method::GET, "/api/panics", Gate::Public("test")),
    ];
    let table: Vec<_> = app.table().iter().map(|e| (e.method.clone(), e.path.as_str(), e.gate)).collect();
    assert_eq!(table, expected);
    let api: Value = serde_json::from_str(&app.openapi_text().unwrap()).unwrap();
    let note = &api["paths"]["/api/notes/{id}"]["post"];
    assert_eq!(note["x-permission"], "case.read");
    assert_eq!(note["operationId"], "post_api_notes_id");
    assert_eq!(note["security"], json!([{"session": []}, {"token": []}]));
    assert_eq!(
        note["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    assert_eq!(note["parameters"][1]["name"], "Idempotency-Key");
    assert!(api["components"]["schemas"]["Problem"]["properties"]["code"].is_object(), "{api}");
    assert_eq!(api["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_docs_page_needs_no_script() {
    for (lang, word) in [("en", "Permission: case.read"), ("zh", "所需权限: case.read")] {
        let answer = ask(Method::GET, &format!("/docs?lang={lang}"), &[], "").await;
        let page = answer.body.as_str().unwrap();
        assert!(page.contains(word), "{page}");
        for inline in ["<script", " style=", " onload=", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }
    let style = ask(Method::GET, "/docs/style.css", &[], "").await;
    assert!(style.headers["content-type"].to_str().unwrap().starts_with("text/css"));
}

#[tokio::test]
async fn too_many_calls_are_slowed() {
    let app = app();
    let agent = cookie(1);
    let call = async || {
        let request = Request::get("/api/who").header("cookie", &agent).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap()
    };
    for _ in 0..600 {
        assert_eq!(call().await.status(), StatusCode::OK);
    }
    let refused = call().await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "1");
}
