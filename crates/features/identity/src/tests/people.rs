use super::{House, PASSWORD, items};
use domain::Span;
use domain::event::AgentEvent;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn invitations() {
    let (house, mut owner) = House::with_owner().await;
    let invite = json!({ "email": "Li@Example.com", "name": "Li Na", "languages": ["zh", "en"] });
    let made = owner.post("/api/invitations", invite.clone()).await.ok();
    let link = made["link"].as_str().unwrap();
    let token = link.rsplit('/').next().unwrap();
    assert!(link.starts_with("http://steward.test/invitation/"));
    assert_eq!(owner.post("/api/invitations", invite).await.json()["fields"]["email"]["code"], "already_exists");
    let mails = house.mails().await;
    assert_eq!((&mails[0]["params"]["link"], &mails[0]["params"]["company"]), (&json!(link), &json!("Guanghua & Co")));
    let users = owner.get("/api/users").await.ok();
    let li = items(&users).iter().find(|user| user["name"] == "Li Na").unwrap();
    assert_eq!((&li["invited"], &li["active"]), (&json!(true), &json!(true)));

    let mut stranger = house.stranger();
    let welcome = stranger.get(&format!("/api/invitations/by-token/{token}")).await.ok();
    assert_eq!(welcome, json!({ "email": "Li@Example.com", "name": "Li Na", "company": "Guanghua & Co" }));
    for nonsense in ["x", "null", "%20", &token[1..], &token.to_lowercase()] {
        let answer = stranger.get(&format!("/api/invitations/by-token/{nonsense}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::GONE, "link_expired"), "{nonsense}");
    }
    // Sent again, the old link is void.
    let again = owner.post(&format!("/api/invitations/{}/resend", made["id"].as_str().unwrap()), json!({})).await.ok();
    assert_eq!(again["id"], made["id"]);
    let newer = again["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let accept = |token: &str| json!({ "token": token, "name": "Li Na", "password": PASSWORD });
    assert_eq!(stranger.post("/api/invitations/accept", accept(token)).await.code(), "link_expired");
    let me = stranger.post("/api/invitations/accept", accept(&newer)).await.ok();
    assert_eq!((&me["languages"], &me["permissions"]), (&json!(["zh", "en"]), &json!([])));
    assert_eq!(house.stranger().post("/api/invitations/accept", accept(&newer)).await.code(), "link_expired");
    assert!(items(&owner.get("/api/invitations").await.ok()).is_empty());
    let gone = owner.delete(&format!("/api/invitations/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(gone.code(), "not_found", "an accepted invitation can't be withdrawn");
}

#[tokio::test]
async fn invitations_end() {
    let (house, mut owner) = House::with_owner().await;
    let made = owner.post("/api/invitations", json!({ "email": "a@example.com", "name": "A" })).await.ok();
    let token = made["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    house.advance(Span::days(6));
    owner.get("/api/me").await.ok();
    house.stranger().get(&format!("/api/invitations/by-token/{token}")).await.ok();
    house.advance(Span::days(1));
    assert_eq!(house.stranger().get(&format!("/api/invitations/by-token/{token}")).await.code(), "link_expired");
    let list = owner.get("/api/invitations").await.ok();
    assert_eq!(items(&list)[0]["expired"], true);
    assert_eq!(
        owner.delete(&format!("/api/invitations/{}", made["id"].as_str().unwrap())).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(items(&owner.get("/api/users").await.ok()).len(), 1, "the account that nobody used is gone");
    assert!(house.mails().await.is_empty(), "its mail is cancelled");
    owner.post("/api/invitations", json!({ "email": "a@example.com", "name": "A" })).await.ok();
}

#[tokio::test]
async fn my_own_account() {
    let (_house, mut owner) = House::with_owner().await;
    let change = json!({
        "name": " Wang Fang 2 ", "locale": "en", "time_zone": "Europe/Berlin", "languages": ["en", "zh"],
        "signature": "Best", "preferences": { "theme": "dark", "density": "compact" },
    });
    let me = owner.patch("/api/me", change).await.ok();
    assert_eq!(
        (&me["name"], &me["locale"], &me["preferences"]["theme"]),
        (&json!("Wang Fang 2"), &json!("en"), &json!("dark"))
    );
    let me = owner.patch("/api/me", json!({ "signature": "" })).await.ok();
    assert_eq!((&me["signature"], &me["languages"]), (&json!(""), &json!(["en", "zh"])));
    let cases = [
        (json!({ "name": "" }), "name"),
        (json!({ "locale": "fr" }), "locale"),
        (json!({ "time_zone": "x" }), "time_zone"),
        (json!({ "languages": ["?"] }), "languages"),
        (json!({ "signature": "x".repeat(2_001) }), "signature"),
        (json!({ "preferences": { "a": "x".repeat(17_000) } }), "preferences"),
        (json!({ "preferences": [] }), "preferences"),
    ];
    for (body, field) in cases {
        let answer = owner.patch("/api/me", body).await;
        assert!(answer.json()["fields"][field].is_object(), "{field}: {}", answer.text());
    }
    // What is not one's own to change is not changed.
    let me = owner.patch("/api/me", json!({ "email": "x@y.z", "id": Uuid::nil(), "totp_enabled": true })).await.ok();
    assert_eq!((&me["email"], &me["totp_enabled"]), (&json!("owner@example.com"), &json!(false)));
}

#[tokio::test]
async fn teams_and_skills() {
    let (_house, mut owner) = House::with_owner().await;
    let me = owner.get("/api/me").await.ok();
    let body = json!({ "name": "Refunds", "description": "money", "members": [me["id"], me["id"]] });
    let key = Some(Uuid::from_u128(1));
    let team = owner.send(Method::POST, "/api/teams", Some(body.clone()), key).await.ok();
    assert_eq!(owner.send(Method::POST, "/api/teams", Some(body), key).await.ok(), team, "the same key does it once");
    let reused = owner.send(Method::POST, "/api/teams", Some(json!({ "name": "B" })), key).await;
    assert_eq!((reused.status, reused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"));
    assert_eq!(team["members"], json!([me["id"]]));
    assert_eq!(owner.post("/api/teams", json!({ "name": "refunds" })).await.code(), "already_exists");
    assert_eq!(
        owner.post("/api/teams", json!({ "name": "X", "members": [Uuid::nil()] })).await.code(),
        "unknown_reference"
    );
    let path = format!("/api/teams/{}", team["id"].as_str().unwrap());
    let changed = owner.patch(&path, json!({ "name": "Returns", "members": [] })).await.ok();
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["members"]),
        (&json!("Returns"), &json!("money"), &json!([]))
    );
    assert_eq!(items(&owner.get("/api/teams").await.ok()).len(), 2);
    assert_eq!(owner.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(owner.delete(&path).await.code(), "not_found");

    let skill = owner.post("/api/skills", json!({ "name": "French" })).await.ok();
    assert_eq!(owner.post("/api/skills", json!({ "name": "FRENCH" })).await.code(), "already_exists");
    let user = format!("/api/users/{}", me["id"].as_str().unwrap());
    let changed =
        owner.patch(&user, json!({ "skills": [skill["id"]], "capacity": { "webchat": 5, "email": 0 } })).await.ok();
    assert_eq!(changed["skills"][0]["name"], "French");
    assert_eq!(
        (&changed["capacity"]["webchat"], &changed["capacity"]["email"], &changed["capacity"]["phone"]),
        (&json!(5), &json!(0), &json!(1))
    );
    assert_eq!(owner.patch(&user, json!({ "capacity": { "webchat": 1_001 } })).await.code(), "invalid");
    assert_eq!(owner.patch(&user, json!({ "skills": [Uuid::nil()] })).await.code(), "unknown_reference");
    let path = format!("/api/skills/{}", skill["id"].as_str().unwrap());
    assert_eq!(owner.patch(&path, json!({ "name": "Français" })).await.ok()["name"], "Français");
    assert_eq!(owner.delete(&path).await.status, StatusCode::NO_CONTENT);
    let users = owner.get("/api/users").await.ok();
    insta::assert_json_snapshot!(users);
}

#[tokio::test]
async fn the_audit_trail_tells_everything_but_secrets() {
    let (house, mut owner) = House::with_owner().await;
    let (mut agent, id) = house.hire(&mut owner, "li", &["agent"]).await;
    let (secret, recovery) = house.enroll(&mut owner).await;
    let token = owner.post("/api/tokens", json!({ "name": "shop", "scopes": ["case.read"] })).await.ok();
    house.stranger().post("/api/session", super::credentials("li@example.com", "wrong password")).await;
    // The failure is written beside the answer.
    while !house.events().await.iter().any(|(kind, _)| kind == "access.sign_in_failed") {
        tokio::task::yield_now().await;
    }
    house.advance(Span::seconds(1));
    owner.patch(&format!("/api/users/{id}"), json!({ "active": false })).await.ok();
    let events = house.events().await;
    let kinds: std::collections::BTreeSet<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    for kind in [
        "access.workspace_created",
        "access.signed_in",
        "access.invited",
        "access.invitation_accepted",
        "access.totp_enabled",
        "access.token_created",
        "access.signed_out_everywhere",
        "config.user.created",
        "config.user.changed",
    ] {
        assert!(kinds.contains(kind), "{kind} is missing: {kinds:?}");
    }
    let all: String = events.iter().map(|(_, data)| data.as_str()).collect();
    let base32 = crate::totp::base32(&secret);
    for secret in
        [PASSWORD, "argon2", token["token"].as_str().unwrap(), &recovery[0], &base32, "token_hash", "password_hash"]
    {
        assert!(!all.contains(secret), "{secret}");
    }
    assert_eq!(agent.get("/api/audit").await.code(), "unauthenticated", "deactivated at once");

    let first = owner.get("/api/audit?limit=3").await.ok();
    assert_eq!(items(&first).len(), 3);
    assert_eq!(items(&first)[0]["kind"], "config.user.changed");
    assert_eq!(items(&first)[0]["actor"]["name"], "Wang Fang");
    let next = first["next"].as_str().unwrap();
    let second = owner.get(&format!("/api/audit?limit=3&cursor={next}")).await.ok();
    assert_ne!(items(&first), items(&second));
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/api/audit?limit=4{cursor}")).await.ok();
        seen += items(&page).len();
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, events.len(), "paging shows each event once");
    let count = async |client: &mut testkit::Client, query: &str| {
        items(&client.get(&format!("/api/audit?{query}")).await.ok()).len()
    };
    assert_eq!(count(&mut owner, "kind=access.token_created").await, 1);
    assert!(count(&mut owner, "kind=access.").await > 5);
    assert_eq!(count(&mut owner, "kind=access").await, 0);
    assert!(count(&mut owner, &format!("object={id}")).await > 3);
    assert_eq!(count(&mut owner, "object=team").await, 0);
    assert!(count(&mut owner, &format!("actor={id}")).await > 0);
    assert_eq!(count(&mut owner, "to=2020-01-01T00:00:00Z").await, 0);
    assert_eq!(owner.get("/api/audit?actor=nobody").await.json()["fields"]["actor"]["code"], "invalid");
}

#[tokio::test]
async fn presence_is_left_out_of_the_audit_trail_until_asked_for() {
    let (house, mut owner) = House::with_owner().await;
    let me = owner.get("/api/me").await.ok();
    let workspace = me["workspace"]["id"].as_str().unwrap().parse().unwrap();
    let user: domain::UserId = me["id"].as_str().unwrap().parse().unwrap();
    let order = spine::Order::new(workspace, domain::Actor::Agent(user));
    let come = move |unit: &mut spine::Unit<'_, '_>| {
        let event = AgentEvent::PresenceChanged { presence: "online".to_owned(), connected: true };
        unit.record(domain::Event::Agent(event), "agent", user.0)?;
        let event = AgentEvent::CapacityChanged { capacity: json!({ "email": 3 }) };
        unit.record(domain::Event::Agent(event), "agent", user.0)
    };
    house.spine.execute(order, come).await.unwrap();
    let kinds = async |client: &mut testkit::Client, query: &str| {
        let answer = client.get(&format!("/api/audit?{query}")).await.ok();
        items(&answer).iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let presence = "agent.presence_changed".to_owned();
    for query in ["", "object=agent", &format!("actor={user}")] {
        let seen = kinds(&mut owner, query).await;
        assert_eq!((seen[0].as_str(), seen.contains(&presence)), ("agent.capacity_changed", false), "{query}");
    }
    assert_eq!(kinds(&mut owner, "kind=agent.").await, ["agent.capacity_changed", "agent.presence_changed"]);
    assert_eq!(kinds(&mut owner, "kind=agent.presence_changed").await, ["agent.presence_changed"]);
}

#[tokio::test]
async fn settings_and_checks() {
    let (_house, mut owner) = House::with_owner().await;
    let change = json!({ "name": "光华", "undo_seconds": 20, "close_after_days": 3 });
    let workspace = owner.patch("/api/workspace", change).await.ok();
    insta::assert_json_snapshot!(workspace);
    for (field, value) in [("undo_seconds", 121), ("close_after_days", 0), ("close_after_days", 366)] {
        assert_eq!(
            owner.patch("/api/workspace", json!({ field: value })).await.json()["fields"][field]["code"],
            "invalid"
        );
    }
    owner.patch("/api/workspace", json!({ "undo_seconds": 120, "close_after_days": 365 })).await.ok();
    let check = owner.get("/api/check?now=2026-01-05T09:01:00Z").await.ok();
    let find = |key: &str| -> Value { items(&check).iter().find(|item| item["key"] == key).unwrap().clone() };
    assert_eq!(
        (find("clock")["state"].clone(), find("clock")["code"].clone()),
        (json!("warn"), json!("clock_differs"))
    );
    assert_eq!(
        (find("storage")["state"].clone(), find("proxy")["code"].clone()),
        (json!("ok"), json!("no_public_url"))
    );
    assert_eq!(find("jobs")["state"], "ok");
}
