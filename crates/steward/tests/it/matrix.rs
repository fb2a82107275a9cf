//! Role x workspace x route, generated from the gate table (SECURITY P13): nobody gets through a gate without its
//! permission, and another workspace's objects look like objects that do not exist.

use crate::app::TestApp;
use domain::Permission;
use domain::permission::BuiltinRole;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;
use web::{Entry, Gate};

/// The path with every parameter replaced by an id nobody has.
fn concrete(path: &str) -> String {
    let parts: Vec<String> = path
        .split('/')
        .map(|part| if part.starts_with('{') { Uuid::from_u128(0xDEAD).to_string() } else { part.to_owned() })
        .collect();
    parts.join("/")
}

fn permission_of(entry: &Entry) -> Option<Permission> {
    match entry.gate {
        Gate::Needs(permission) => Some(permission),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_passes_no_gate() {
    let app = TestApp::new().await;
    let mut checked = 0;
    for entry in app.assembled.table.iter().filter(|e| !matches!(e.gate, Gate::Public(_) | Gate::OwnSite(_))) {
        let mut stranger = app.owner.stranger();
        let answer = stranger
            .send(entry.method.clone(), &concrete(&entry.path), Some(json!({})), Some(Uuid::from_u128(1)))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", entry.method, entry.path);
        checked += 1;
    }
    assert!(checked > 60, "only {checked} gated routes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_passes_exactly_the_gates_of_its_permissions() {
    let mut app = TestApp::new().await;
    let table = app.assembled.table.clone();
    for role in BuiltinRole::ALL {
        let mut person = app.person(&format!("P{}", role.key()), role.key(), &[]).await;
        for entry in &table {
            let Some(permission) = permission_of(entry) else { continue };
            if role.permissions().contains(&permission) {
                continue;
            }
            let answer = person
                .send(
                    entry.method.clone(),
                    &concrete(&entry.path),
                    Some(json!({})),
                    Some(app.spine().next_id::<domain::CommandId>().0),
                )
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {} {}", role.key(), entry.method, entry.path);
            assert_eq!(answer.code(), "forbidden");
        }
    }
}

/// Two companies in one instance: whatever one has, the other gets the same 404 as for nothing at all.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_objects_do_not_exist() {
    let mut app = TestApp::new().await;
    let foreign = foreign_ids(&mut app).await;
    let mut other = second_workspace(&app).await;
    let table = app.assembled.table.clone();
    let mut checked = 0;
    for entry in table.iter().filter(|e| e.method == Method::GET && e.path.contains('{')) {
        if matches!(entry.gate, Gate::Public(_) | Gate::OwnSite(_)) {
            continue;
        }
        for id in &foreign {
            let path: Vec<&str> =
                entry.path.split('/').map(|p| if p.starts_with('{') { id.as_str() } else { p }).collect();
            let answer = other.send(Method::GET, &path.join("/"), None, None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} with {id}: {}", entry.path, answer.text());
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} combinations");
}

async fn foreign_ids(app: &mut TestApp) -> Vec<String> {
    let chat = app.webchat().await;
    let key = chat["public_key"].as_str().unwrap();
    let (mut visitor, token) = crate::chat::visitor(app, key).await;
    crate::chat::say(&mut visitor, key, &token, Uuid::from_u128(77), "Hello").await.ok();
    app.settle().await;
    let cases = app.owner.get("/api/cases?view=all").await.ok();
    let case = &cases["items"][0];
    let timeline = app.owner.get(&format!("/api/cases/{}/timeline", case["id"].as_str().unwrap())).await.ok();
    let message =
        timeline["items"].as_array().unwrap().iter().find(|i| i["type"] == "message").unwrap()["message"]["id"].clone();
    [&case["id"], &case["customer"]["id"], &message, &chat["id"]]
        .into_iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect()
}

/// A second company in the same instance, made as an operator would: by seeding.
async fn second_workspace(app: &TestApp) -> testkit::Client {
    let owner = identity::SeedUser {
        name: "Other".to_owned(),
        email: "other@other.example".to_owned(),
        password: crate::app::PASSWORD.to_owned(),
        owner: true,
        locale: web::Locale::En,
        languages: Vec::new(),
        roles: Vec::new(),
        teams: Vec::new(),
        skills: Vec::new(),
    };
    let seed = identity::Seed {
        company: "Other".to_owned(),
        slug: "other".to_owned(),
        locale: web::Locale::En,
        time_zone: "UTC".to_owned(),
        teams: Vec::new(),
        skills: Vec::new(),
        users: vec![owner],
    };
    identity::seed(app.spine(), seed).await.unwrap();
    let mut client = app.owner.stranger();
    client.post("/api/session", json!({"email": "other@other.example", "password": crate::app::PASSWORD})).await.ok();
    client
}
