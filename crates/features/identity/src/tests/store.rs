use super::{House, PASSWORD, credentials, items};
use domain::Span;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn every_statement_prepares() {
    on_both_engines(|ground| {
        let problems: Vec<String> = db::check_statements(&ground.db).iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:#?}");
    });
}

/// One story through all rows, the same on both engines.
#[test]
fn the_same_on_both_engines() {
    on_both_engines(|ground| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new(ground);
            let mut owner = house.set_up().await;
            let (mut agent, id) = house.hire(&mut owner, "li", &["agent", "observer"]).await;
            let team = owner.post("/api/teams", json!({ "name": "A", "members": [id] })).await.ok();
            let skill = owner.post("/api/skills", json!({ "name": "S" })).await.ok();
            let change = json!({ "skills": [skill["id"]], "teams": [team["id"]], "capacity": { "email": 3 }, "languages": ["en"] });
            let changed = owner.patch(&format!("/api/users/{id}"), change).await.ok();
            assert_eq!((changed["teams"].as_array().unwrap().len(), &changed["capacity"]["email"]), (1, &json!(3)));
            let (secret, _) = house.enroll(&mut agent).await;
            house.advance(Span::seconds(30));
            let mut client = house.stranger();
            let answer = client.post("/api/session", credentials("li@example.com", PASSWORD)).await.ok();
            let body = json!({ "challenge": answer["challenge"], "code": house.code(&secret, 0) });
            assert_eq!(client.post("/api/session/totp", body).await.ok()["status"], "signed_in");
            assert_eq!(items(&client.get("/api/sessions").await.ok()).len(), 2);
            let token = owner.post("/api/tokens", json!({ "name": "t", "scopes": ["case.read"] })).await.ok();
            owner.with_token(token["token"].as_str().unwrap()).get("/api/agents").await.ok();
            owner.patch("/api/workspace", json!({ "undo_seconds": 9 })).await.ok();
            owner.get("/api/check").await.ok();
            assert!(items(&owner.get(&format!("/api/audit?object={id}&kind=access.")).await.ok()).len() >= 3);
            assert_eq!(owner.delete(&format!("/api/teams/{}", team["id"].as_str().unwrap())).await.status, 204);
            assert_eq!(owner.delete(&format!("/api/skills/{}", skill["id"].as_str().unwrap())).await.status, 204);
        });
    });
}

#[tokio::test]
async fn sessions_and_links_are_cleaned_up() {
    let (house, mut owner) = House::with_owner().await;
    house.sign_in("owner@example.com").await;
    house.advance(Span::days(6));
    owner.get("/api/me").await.ok();
    house.spine.run_due().await.unwrap();
    assert_eq!(items(&owner.get("/api/sessions").await.ok()).len(), 2);
    house.advance(Span::days(2));
    house.spine.run_due().await.unwrap();
    assert_eq!(items(&owner.get("/api/sessions").await.ok()).len(), 1, "the one not used for seven days is gone");
    assert!(house.spine.unfinished_jobs().await.unwrap().is_empty(), "the next round waits for tomorrow");
}
