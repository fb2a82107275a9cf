//! Views, reasons and canned replies: whose they are, and what they refuse.

use super::office::{LI, MAIL, OLGA, Office, REASON, SALES, SUPPORT, WANG, ZHAO};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Ground;
use uuid::Uuid;

fn text(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn names(views: &Value) -> Vec<&str> {
    let items = views["items"].as_array().unwrap();
    items.iter().filter(|view| view["scope"] != "builtin").map(|view| view["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn views_are_counted_and_shared_by_right() {
    let office = Office::open(Ground::sqlite());
    for n in 1..=3 {
        let case = office.case(n, MAIL, Some(if n == 1 { SALES } else { SUPPORT }), "hello");
        office.assign(case, Some(if n == 1 { SALES } else { SUPPORT }), (n == 2).then_some(WANG));
    }
    let (mut li, mut wang, mut zhao) = (office.agent(LI), office.agent(WANG), office.agent(ZHAO));
    let view = |name: &str, scope: &str, team: Option<u128>| {
        json!({"name": name, "scope": scope, "team_id": team.map(text),
        "filter": {"all": [{"assignee": "none"}]}, "sort": "oldest"})
    };
    let mine = wang.post("/api/views", view("Free", "mine", None)).await.ok();
    assert_eq!((&mine["scope"], &mine["editable"]), (&json!("mine"), &json!(true)));
    assert_eq!(wang.post("/api/views", view("All", "shared", None)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(zhao.post("/api/views", view("T", "team", Some(SALES))).await.code(), "unknown_reference");
    let _ = zhao.post("/api/views", view("Team", "team", Some(SUPPORT))).await.ok();
    let shared = zhao.post("/api/views", view("Shared", "shared", None)).await.ok();
    assert_eq!(names(&wang.get("/api/views").await.ok()), ["Free", "Shared", "Team"]);
    assert_eq!(names(&li.get("/api/views").await.ok()), ["Shared"]);
    let counts = wang.get("/api/views/counts").await.ok()["counts"].clone();
    let count = |id: &str| counts[id].as_i64();
    assert_eq!((count("mine"), count("unassigned"), count("team"), count("all")), (Some(1), Some(1), Some(2), Some(2)));
    assert_eq!(count(mine["id"].as_str().unwrap()), Some(1));
    let of = |view: &Value| format!("/api/views/{}", view["id"].as_str().unwrap());
    let listed = wang.get(&format!("/api/cases?view={}", mine["id"].as_str().unwrap())).await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(li.get(&format!("/api/cases?view={}", mine["id"].as_str().unwrap())).await.code(), "unknown_reference");
    assert_eq!(li.patch(&of(&mine), json!({"name": "x"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(li.patch(&of(&shared), json!({"name": "x"})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(zhao.patch(&of(&shared), json!({"name": "Ours", "filter": {"any": []}})).await.ok()["name"], "Ours");
    assert_eq!(zhao.patch(&of(&shared), json!({"filter": {"status": []}})).await.code(), "invalid_filter");
    assert_eq!(wang.delete(&of(&mine)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(names(&wang.get("/api/views").await.ok()), ["Ours", "Team"]);
}

#[tokio::test]
async fn reasons_are_a_tree_that_stays_used() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "hello");
    let (mut li, mut olga) = (office.agent(LI), office.agent(OLGA));
    let body = json!({"name_zh": "换货", "name_en": "Exchange", "parent_id": text(REASON)});
    assert_eq!(li.post("/api/reasons", body.clone()).await.status, StatusCode::FORBIDDEN);
    let child = olga.post("/api/reasons", body).await.ok();
    let path = format!("/api/reasons/{}", child["id"].as_str().unwrap());
    assert_eq!(olga.delete(&format!("/api/reasons/{}", text(REASON))).await.code(), "in_use");
    let _ = li.patch(&format!("/api/cases/{case}"), json!({"reason_id": child["id"]})).await.ok();
    assert_eq!(olga.delete(&path).await.code(), "in_use");
    assert_eq!(olga.patch(&path, json!({"active": false, "parent_id": null})).await.ok()["parent_id"], Value::Null);
    assert_eq!(
        li.patch(&format!("/api/cases/{case}"), json!({"reason_id": text(REASON)})).await.ok()["reason"]["name_en"],
        "Return"
    );
    assert_eq!(
        li.patch(&format!("/api/cases/{case}"), json!({"reason_id": child["id"]})).await.code(),
        "unknown_reference"
    );
    assert_eq!(olga.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(li.get("/api/reasons").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn canned_replies_fill_in_the_case() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(7, MAIL, Some(SALES), "hello");
    let (mut li, mut wang, mut zhao) = (office.agent(LI), office.agent(WANG), office.agent(ZHAO));
    let body = json!({"shortcut": "hi", "title": "Greeting", "language": "zh-CN", "team_id": null,
        "body": "{{customer.name}}您好，工单 #{{case.number}}，我是{{agent.name}}（{{company.name}}）。{{order.id}}"});
    assert_eq!(li.post("/api/canned", body.clone()).await.status, StatusCode::FORBIDDEN);
    let reply = zhao.post("/api/canned", body.clone()).await.ok();
    assert_eq!(zhao.post("/api/canned", body).await.code(), "already_exists");
    let path = format!("/api/canned/{}", reply["id"].as_str().unwrap());
    let rendered = li.post(&format!("{path}/render"), json!({"case_id": case})).await.ok();
    assert_eq!(rendered["text"], "王芳 Fang您好，工单 #7，我是Li（Workspace 1）。{{order.id}}");
    assert_eq!(li.get("/api/canned").await.ok()["items"][0]["uses"], 1);
    assert_eq!(wang.post(&format!("{path}/render"), json!({"case_id": case})).await.status, StatusCode::NOT_FOUND);
    let _ = zhao.patch(&path, json!({"team_id": text(SUPPORT)})).await.ok();
    assert_eq!(li.get("/api/canned").await.ok()["items"], json!([]));
    assert_eq!(wang.get("/api/canned").await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(zhao.delete(&path).await.status, StatusCode::NO_CONTENT);
}
