//! The main job by web chat, through the routes.

use crate::app::TestApp;
use axum::body::Body;
use domain::Span;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use serde_json::{Value, json};
use testkit::{Answer, Client};
use uuid::Uuid;

/// Opens a visitor session; answers the client and the visitor's token.
pub async fn visitor(app: &TestApp, key: &str) -> (Client, String) {
    let mut client = app.owner.stranger();
    let session = call(
        &mut client,
        "POST",
        &format!("/api/widget/{key}/session"),
        None,
        json!({"locale": "en", "page": "http://shop/"}),
    )
    .await
    .ok();
    let token = session["visitor_token"].as_str().unwrap().to_owned();
    (client, token)
}

pub async fn call(client: &mut Client, method: &str, path: &str, token: Option<&str>, body: Value) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    request = request
        .header(HOST, "steward.test")
        .header(ORIGIN, "http://steward.test")
        .header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Visitor {token}"));
    }
    client.raw(request.body(Body::from(body.to_string())).unwrap()).await
}

pub async fn say(client: &mut Client, key: &str, token: &str, id: Uuid, text: &str) -> Answer {
    let body = json!({"id": id, "text": text, "attachments": []});
    call(client, "POST", &format!("/api/widget/{key}/messages"), Some(token), body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_asks_an_agent_answers_and_nothing_is_twice() {
    let mut app = TestApp::new().await;
    let chat = app.webchat().await;
    let key = chat["public_key"].as_str().unwrap().to_owned();
    let (mut browser, token) = visitor(&app, &key).await;
    let id = Uuid::from_u128(1);
    let first = say(&mut browser, &key, &token, id, "Where is my parcel?").await.ok();
    let again = say(&mut browser, &key, &token, id, "Where is my parcel?").await.ok();
    assert_eq!(first["message"]["seq"], again["message"]["seq"]);
    app.settle().await;
    let cases = app.owner.get("/api/cases?view=all").await.ok();
    assert_eq!(cases["items"].as_array().unwrap().len(), 1, "{cases}");
    let case = cases["items"][0]["id"].as_str().unwrap().to_owned();
    let reply = json!({"message_id": Uuid::from_u128(2), "text": "It arrives tomorrow.", "attachments": [], "then": "solved", "seen": id, "force": false});
    let after = app.owner.post(&format!("/api/cases/{case}/reply"), reply).await.ok();
    assert_eq!(after["status"], "solved");
    let heard =
        call(&mut browser, "GET", &format!("/api/widget/{key}/messages?after=0"), Some(&token), Value::Null).await.ok();
    let texts: Vec<&str> = heard["items"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Where is my parcel?", "It arrives tomorrow."]);
    // Another word reopens it; a week after it is solved again it closes, and the next word is a new case.
    say(&mut browser, &key, &token, Uuid::from_u128(3), "It did not").await.ok();
    app.settle().await;
    assert_eq!(app.owner.get(&format!("/api/cases/{case}")).await.ok()["status"], "open");
    app.owner.post(&format!("/api/cases/{case}/status"), json!({"status": "solved"})).await.ok();
    app.settle().await;
    app.pass(Span::days(8)).await;
    assert_eq!(app.owner.stranger().get(&format!("/api/cases/{case}")).await.status, 401);
    say(&mut browser, &key, &token, Uuid::from_u128(4), "A new question").await.ok();
    app.settle().await;
    assert_eq!(app.spine().unfinished_jobs().await.unwrap(), vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_never_reaches_the_visitor() {
    let mut app = TestApp::new().await;
    let chat = app.webchat().await;
    let key = chat["public_key"].as_str().unwrap().to_owned();
    let (mut browser, token) = visitor(&app, &key).await;
    say(&mut browser, &key, &token, Uuid::from_u128(1), "Hello").await.ok();
    app.settle().await;
    let cases = app.owner.get("/api/cases?view=all").await.ok();
    let case = cases["items"][0]["id"].as_str().unwrap().to_owned();
    let note = json!({"message_id": Uuid::from_u128(2), "text": "CANARY-7731", "attachments": [], "mentions": []});
    app.owner.post(&format!("/api/cases/{case}/note"), note).await.ok();
    let heard =
        call(&mut browser, "GET", &format!("/api/widget/{key}/messages?after=0"), Some(&token), Value::Null).await;
    assert!(!heard.text().contains("CANARY"), "{}", heard.text());
    let again = call(
        &mut browser,
        "POST",
        &format!("/api/widget/{key}/session"),
        None,
        json!({"visitor_token": token, "locale": "en", "page": ""}),
    )
    .await;
    assert!(again.status.is_success() && !again.text().contains("CANARY"), "{}", again.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_a_visitor_typed_opens_nobodys_history() {
    let mut app = TestApp::new().await;
    let chat = app.webchat().await;
    let key = chat["public_key"].as_str().unwrap().to_owned();
    let (mut first, first_token) = visitor(&app, &key).await;
    say(&mut first, &key, &first_token, Uuid::from_u128(1), "My secret").await.ok();
    call(
        &mut first,
        "POST",
        &format!("/api/widget/{key}/email"),
        Some(&first_token),
        json!({"email": "ann@mail.example"}),
    )
    .await
    .ok();
    let (mut second, second_token) = visitor(&app, &key).await;
    call(
        &mut second,
        "POST",
        &format!("/api/widget/{key}/email"),
        Some(&second_token),
        json!({"email": "ann@mail.example"}),
    )
    .await
    .ok();
    let seen =
        call(&mut second, "GET", &format!("/api/widget/{key}/messages?after=0"), Some(&second_token), Value::Null)
            .await;
    assert!(seen.status.is_success() && !seen.text().contains("secret"), "{}", seen.text());
    app.settle().await;
    let customers = app.owner.get("/api/customers").await.ok();
    let with_address =
        customers["items"].as_array().unwrap().iter().filter(|c| c.to_string().contains("ann@mail.example")).count();
    assert!(with_address <= 2);
    assert_eq!(app.owner.get("/api/cases?view=all").await.ok()["items"].as_array().unwrap().len(), 1);
}
