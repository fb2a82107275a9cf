use super::{House, PASSWORD, items};
use domain::Span;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::Client;
use uuid::Uuid;
use web::Gate;

async fn role(owner: &mut Client, name: &str, permissions: &[&str]) -> String {
    let made = owner.post("/api/roles", json!({ "name": name, "permissions": permissions })).await.ok();
    made["id"].as_str().unwrap().to_owned()
}

async fn role_id(client: &mut Client, key: &str) -> Value {
    let all = client.get("/api/roles").await.ok();
    items(&all).iter().find(|role| role["key"] == key).unwrap()["id"].clone()
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_have() {
    let (house, mut owner) = House::with_owner().await;
    let owner_id = owner.get("/api/me").await.ok()["id"].as_str().unwrap().to_owned();
    role(&mut owner, "Hiring", &["people.manage", "roles.manage", "tokens.manage", "case.read"]).await;
    let (mut boss, boss_id) = house.hire(&mut owner, "boss", &["Hiring"]).await;
    let (_, agent_id) = house.hire(&mut owner, "li", &["agent"]).await;
    let administrator = role_id(&mut boss, "administrator").await;
    let grant = json!({ "roles": [{ "role": administrator }] });
    let patch =
        async |client: &mut Client, id: &str, body: Value| client.patch(&format!("/api/users/{id}"), body).await;
    // Neither to oneself nor to others, nor by invitation, own role or token.
    let observer = role_id(&mut boss, "observer").await;
    assert_eq!(patch(&mut boss, &boss_id, grant.clone()).await.code(), "more_than_you_have");
    let mut invite = json!({ "email": "x@example.com", "name": "X" });
    invite["roles"] = grant["roles"].clone();
    assert_eq!(boss.post("/api/invitations", invite).await.code(), "more_than_you_have");
    assert_eq!(
        boss.post("/api/roles", json!({ "name": "All", "permissions": ["settings.manage"] })).await.code(),
        "more_than_you_have"
    );
    assert_eq!(
        boss.post("/api/tokens", json!({ "name": "t", "scopes": ["settings.manage"] })).await.code(),
        "more_than_you_have"
    );
    // A stronger person's account is not theirs to touch.
    for (id, body) in [
        (&agent_id, json!({ "active": false })),
        (&agent_id, json!({ "roles": [] })),
        (&agent_id, json!({ "totp_enabled": false })),
        (&owner_id, json!({ "active": false })),
        (&owner_id, json!({ "name": "x" })),
        (&boss_id, json!({ "is_owner": true })),
    ] {
        assert_eq!(patch(&mut boss, id, body.clone()).await.code(), "not_yours", "{body}");
    }
    assert_eq!(
        patch(&mut boss, &boss_id, json!({ "roles": [{ "role": observer }] })).await.code(),
        "more_than_you_have"
    );
    boss.post("/api/tokens", json!({ "name": "t", "scopes": ["case.read"] })).await.ok();
    // Unknown and extra fields give nothing.
    let same = patch(
        &mut boss,
        &boss_id,
        json!({ "owner": true, "permissions": ["settings.manage"], "workspace_id": Uuid::nil() }),
    )
    .await
    .ok();
    assert_eq!(same["is_owner"], false);
}

#[tokio::test]
async fn an_owner_remains() {
    let (house, mut owner) = House::with_owner().await;
    let me = owner.get("/api/me").await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/users/{me}");
    for body in [json!({ "active": false }), json!({ "is_owner": false })] {
        let answer = owner.patch(&path, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "last_owner"));
    }
    let (mut second, id) = house.hire(&mut owner, "second", &[]).await;
    owner.patch(&format!("/api/users/{id}"), json!({ "is_owner": true })).await.ok();
    second.patch(&path, json!({ "is_owner": false })).await.ok();
    assert_eq!(owner.get("/api/users").await.code(), "forbidden", "at once");
}

#[tokio::test]
async fn roles_change_at_once() {
    let (house, mut owner) = House::with_owner().await;
    let id = role(&mut owner, "Auditor", &["audit.read"]).await;
    let (mut auditor, user) = house.hire(&mut owner, "zhao", &["Auditor"]).await;
    auditor.get("/api/audit").await.ok();
    let path = format!("/api/roles/{id}");
    assert_eq!(owner.delete(&path).await.code(), "in_use");
    owner.patch(&path, json!({ "permissions": ["case.read"] })).await.ok();
    assert_eq!(auditor.get("/api/audit").await.code(), "forbidden");
    auditor.get("/api/agents").await.ok();
    owner.patch(&format!("/api/users/{user}"), json!({ "roles": [] })).await.ok();
    assert_eq!(auditor.get("/api/agents").await.code(), "forbidden");
    assert_eq!(owner.delete(&path).await.status, StatusCode::NO_CONTENT);
    let builtin = role_id(&mut owner, "agent").await;
    let path = format!("/api/roles/{}", builtin.as_str().unwrap());
    assert_eq!(owner.patch(&path, json!({ "permissions": [] })).await.code(), "builtin_role");
    assert_eq!(owner.delete(&path).await.code(), "builtin_role");
    assert_eq!(
        owner.post("/api/roles", json!({ "name": "X", "permissions": ["nonsense"] })).await.json()["fields"]["permissions[0]"]
            ["code"],
        "invalid"
    );
}

#[tokio::test]
async fn rights_for_one_team_are_not_administration() {
    let (house, mut owner) = House::with_owner().await;
    let team = owner.get("/api/teams").await.ok()["items"][0]["id"].clone();
    let (mut lead, id) = house.hire(&mut owner, "lead", &[]).await;
    let administrator = role_id(&mut owner, "administrator").await;
    let body = json!({ "roles": [{ "role": administrator, "team": team }] });
    let changed = owner.patch(&format!("/api/users/{id}"), body).await.ok();
    assert_eq!(changed["roles"][0]["team"]["id"], team);
    for path in ["/api/users", "/api/invitations", "/api/tokens", "/api/audit", "/api/check"] {
        assert_eq!(lead.get(path).await.code(), "forbidden", "{path}");
    }
    for (path, body) in [
        ("/api/teams", json!({ "name": "x" })),
        ("/api/skills", json!({ "name": "x" })),
        ("/api/roles", json!({ "name": "x", "permissions": [] })),
    ] {
        assert_eq!(lead.post(path, body).await.code(), "forbidden", "{path}");
    }
}

#[tokio::test]
async fn tokens() {
    let (house, mut owner) = House::with_owner().await;
    let expires = house.now() + Span::days(20);
    let made =
        owner.post("/api/tokens", json!({ "name": "shop", "scopes": ["case.read"], "expires_at": expires })).await.ok();
    let text = made["token"].as_str().unwrap().to_owned();
    assert!(text.starts_with("st_") && text.len() == 46);
    let mut machine = owner.with_token(&text);
    machine.get("/api/agents").await.ok();
    assert_eq!(machine.get("/api/users").await.json()["params"]["permission"], "people.manage");
    assert_eq!(machine.get("/api/me").await.code(), "forbidden", "a token is nobody's account");
    assert_eq!(machine.delete("/api/sessions").await.code(), "forbidden");
    let list = owner.get("/api/tokens").await.ok();
    assert_eq!(
        (items(&list).len(), &items(&list)[0]["name"], &items(&list)[0]["created_by"]["name"]),
        (1, &json!("shop"), &json!("Wang Fang"))
    );
    assert!(!list.to_string().contains(&text));
    for day in 0..3 {
        house.advance(Span::days(6));
        owner.get("/api/me").await.ok();
        machine.get("/api/agents").await.ok();
        let _ = day;
    }
    house.advance(Span::days(2));
    assert_eq!(machine.get("/api/agents").await.code(), "unauthenticated", "expired");
    let made = owner.post("/api/tokens", json!({ "name": "two", "scopes": ["case.read"] })).await.ok();
    let mut machine = owner.with_token(made["token"].as_str().unwrap());
    machine.get("/api/agents").await.ok();
    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(machine.get("/api/agents").await.code(), "unauthenticated", "revoked");
    assert_eq!(owner.delete(&path).await.code(), "not_found");
    for (body, field) in [
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["nonsense"] }), "scopes[0]"),
        (json!({ "name": "x", "scopes": ["case.read"], "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
        (json!({ "name": "x", "scopes": ["case.read"], "channel": Uuid::nil() }), "channel"),
    ] {
        let answer = owner.post("/api/tokens", body).await;
        assert!(answer.json()["fields"][field].is_object(), "{}", answer.text());
    }
}

/// Generated from the table of gates: a route without a line here can't be forgotten.
#[tokio::test]
async fn every_gate_holds() {
    let (house, mut owner) = House::with_owner().await;
    let (mut nobody, _) = house.hire(&mut owner, "nobody", &[]).await;
    let mut checked = 0;
    for entry in house.table.clone() {
        let path = entry.path.replace("{id}", &Uuid::nil().to_string()).replace("{token}", "x");
        let body = (entry.method != Method::GET).then(|| json!({}));
        let stranger = house.stranger().send(entry.method.clone(), &path, body.clone(), None).await;
        let signed_in = async |client: &mut Client| client.send(entry.method.clone(), &path, body.clone(), None).await;
        match entry.gate {
            Gate::Public(reason) | Gate::OwnSite(reason) => {
                assert!(!reason.is_empty());
                assert_ne!(stranger.code(), "unauthenticated", "{} {path}", entry.method);
            }
            Gate::Enrolling | Gate::SignedIn => {
                assert_eq!(stranger.code(), "unauthenticated", "{} {path}", entry.method)
            }
            Gate::Needs(permission) => {
                assert_eq!(stranger.code(), "unauthenticated", "{} {path}", entry.method);
                let refused = signed_in(&mut nobody).await;
                assert_eq!(refused.json()["params"]["permission"], permission.as_str(), "{} {path}", entry.method);
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 44);
}

/// Two workspaces: everything of the other one is as if it were not there.
#[tokio::test]
async fn other_workspaces_do_not_exist() {
    let (house, mut owner) = House::with_owner().await;
    let other = crate::Seed {
        company: "Other".to_owned(),
        slug: "other".to_owned(),
        locale: web::Locale::En,
        time_zone: "Europe/Berlin".to_owned(),
        teams: vec![crate::SeedTeam { name: "T".to_owned(), description: String::new() }],
        skills: vec!["S".to_owned()],
        users: vec![crate::SeedUser {
            name: "Other Owner".to_owned(),
            email: "owner@example.com".to_owned(),
            password: PASSWORD.to_owned(),
            owner: true,
            locale: web::Locale::En,
            languages: vec!["en".to_owned()],
            roles: vec![("agent".to_owned(), Some("T".to_owned()))],
            teams: vec!["T".to_owned()],
            skills: vec!["S".to_owned()],
        }],
    };
    let seeded = crate::seed(&house.spine, other).await.unwrap();
    // The same address and password in two workspaces: the person chooses.
    let mut client = house.stranger();
    let choice = client.post("/api/session", super::credentials("owner@example.com", PASSWORD)).await.ok();
    assert_eq!(choice["status"], "choose_workspace");
    let slugs: Vec<&str> =
        choice["workspaces"].as_array().unwrap().iter().map(|w| w["slug"].as_str().unwrap()).collect();
    assert!(slugs.contains(&"other") && slugs.contains(&"guanghua-co"), "{slugs:?}");
    let mut body = super::credentials("owner@example.com", PASSWORD);
    body["workspace"] = json!("other");
    let me = client.post("/api/session", body).await.ok();
    assert_eq!(me["me"]["workspace"]["name"], "Other");
    let invitation =
        client.post("/api/invitations", json!({ "email": "z@example.com", "name": "Z" })).await.ok()["id"].clone();
    let token = client.post("/api/tokens", json!({ "name": "x", "scopes": ["case.read"] })).await.ok()["id"].clone();
    let own_role = role(&mut client, "Own", &[]).await;

    let user = seeded.users["owner@example.com"];
    let (team, skill, agent) = (seeded.teams["T"], seeded.skills["S"], seeded.roles["agent"]);
    let foreign = [
        (Method::PATCH, format!("/api/users/{user}"), json!({ "name": "x" })),
        (Method::PATCH, format!("/api/teams/{team}"), json!({ "name": "x" })),
        (Method::DELETE, format!("/api/teams/{team}"), json!({})),
        (Method::PATCH, format!("/api/skills/{skill}"), json!({ "name": "x" })),
        (Method::DELETE, format!("/api/skills/{skill}"), json!({})),
        (Method::PATCH, format!("/api/roles/{own_role}"), json!({ "name": "x" })),
        (Method::DELETE, format!("/api/roles/{own_role}"), json!({})),
        (Method::DELETE, format!("/api/tokens/{}", token.as_str().unwrap()), json!({})),
        (Method::POST, format!("/api/invitations/{}/resend", invitation.as_str().unwrap()), json!({})),
        (Method::DELETE, format!("/api/invitations/{}", invitation.as_str().unwrap()), json!({})),
    ];
    for (method, path, body) in foreign {
        let there = owner.send(method.clone(), &path, Some(body.clone()), None).await;
        let nowhere = path
            .split('/')
            .map(|part| if part.len() == 36 { Uuid::nil().to_string() } else { part.to_owned() })
            .collect::<Vec<_>>()
            .join("/");
        let missing = owner.send(method.clone(), &nowhere, Some(body), None).await;
        assert_eq!((there.status, there.json()), (StatusCode::NOT_FOUND, missing.json()), "{method} {path}");
    }
    // Parameters that name foreign things are checked too.
    let mine = owner.get("/api/me").await.ok()["id"].as_str().unwrap().to_owned();
    for body in [json!({ "teams": [team] }), json!({ "skills": [skill] }), json!({ "roles": [{ "role": agent }] })] {
        assert_eq!(
            owner.patch(&format!("/api/users/{mine}"), body.clone()).await.code(),
            "unknown_reference",
            "{body}"
        );
    }
    assert_eq!(owner.post("/api/teams", json!({ "name": "M", "members": [user] })).await.code(), "unknown_reference");
    for path in [
        "/api/users",
        "/api/teams",
        "/api/skills",
        "/api/roles",
        "/api/tokens",
        "/api/invitations",
        "/api/agents",
        "/api/audit?limit=100",
    ] {
        let text = owner.get(path).await.text();
        for id in [user.0, team.0, skill.0, agent.0, seeded.workspace.0] {
            assert!(!text.contains(&id.to_string()), "{path} shows {id}");
        }
    }
}
