//! Signing in as people do, through the routes.

use crate::app::{PASSWORD, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn set_up_happens_once_and_wrong_passwords_all_look_alike() {
    let mut app = TestApp::new().await;
    let mut stranger = app.owner.stranger();
    assert_eq!(stranger.get("/api/setup").await.ok()["needed"], false);
    let again = json!({"company": "X", "name": "X", "email": "x@x.example", "password": PASSWORD, "locale": "en", "time_zone": "UTC"});
    assert_eq!(stranger.post("/api/setup", again).await.code(), "already_set_up");
    let wrong =
        stranger.post("/api/session", json!({"email": "owner@spruce.example", "password": "wrong wrong wrong"})).await;
    let nobody =
        stranger.post("/api/session", json!({"email": "nobody@spruce.example", "password": "wrong wrong wrong"})).await;
    assert_eq!((wrong.status, wrong.code()), (nobody.status, nobody.code()));
    assert_eq!(wrong.code(), "wrong_credentials");
    let right =
        stranger.post("/api/session", json!({"email": "OWNER@spruce.example ", "password": PASSWORD})).await.ok();
    assert_eq!(right["status"], "signed_in");
    assert_eq!(app.owner.get("/api/sessions").await.ok()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_every_session_at_once() {
    let mut app = TestApp::new().await;
    let mut second = app.owner.stranger();
    second.post("/api/session", json!({"email": "owner@spruce.example", "password": PASSWORD})).await.ok();
    assert!(second.get("/api/me").await.status.is_success());
    app.owner.delete("/api/sessions").await;
    assert_eq!(second.get("/api/me").await.status, 401);
    assert_eq!(app.owner.get("/api/me").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_agent_has_an_agents_rights_and_no_more() {
    let mut app = TestApp::new().await;
    let mut agent = app.person("Li", "agent", &[]).await;
    let me = agent.get("/api/me").await.ok();
    let permissions = me["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("case.reply")) && !permissions.contains(&json!("people.manage")));
    assert_eq!(agent.get("/api/users").await.status, 403);
    assert_eq!(agent.post("/api/teams", json!({"name": "Mine", "description": ""})).await.status, 403);
}
