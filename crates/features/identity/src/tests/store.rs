use super::{House, PASSWORD, credentials, items};
use domain::case::{Case, CaseCommand, CaseEdit, NewConversation, Priority};
use domain::{Actor, CaseId, ChannelId, ChannelKind, ConversationId, CustomerId, Span, WorkspaceId};
use serde_json::json;
use spine::{Order, Spine};
use std::collections::BTreeSet;
use testkit::on_both_engines;
use uuid::Uuid;

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

#[test]
fn a_skill_that_cases_demand_stays() {
    on_both_engines(|ground| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let spine = ground.spine(vec![crate::feature(), cases::feature()]);
            let house = House::new(ground);
            let mut owner = house.set_up().await;
            let workspace = owner.get("/api/me").await.ok()["workspace"]["id"].as_str().unwrap().parse().unwrap();
            let skill = owner.post("/api/skills", json!({ "name": "Returns" })).await.ok()["id"].clone();
            let path = format!("/api/skills/{}", skill.as_str().unwrap());
            let skill: domain::SkillId = skill.as_str().unwrap().parse().unwrap();
            for n in 1..=3 {
                let open = opened(n, (n < 3).then_some(skill));
                give(&spine, workspace, n, open).await;
            }
            let refused = owner.delete(&path).await;
            assert_eq!(
                (refused.code(), refused.json()["params"]["count"].clone()),
                ("needed_by_cases".into(), json!(2))
            );
            give(&spine, workspace, 1, CaseCommand::Solve).await;
            assert_eq!(owner.delete(&path).await.json()["params"]["count"], 2, "a solved case may come back");
            give(&spine, workspace, 1, CaseCommand::Close).await;
            assert_eq!(owner.delete(&path).await.json()["params"]["count"], 1);
            let none = CaseEdit { required_skills: Some(BTreeSet::new()), ..CaseEdit::default() };
            give(&spine, workspace, 2, CaseCommand::Edit(none)).await;
            assert_eq!(owner.delete(&path).await.status, 204);
        });
    });
}

fn opened(n: u128, skill: Option<domain::SkillId>) -> CaseCommand {
    let conversation = NewConversation {
        id: ConversationId(Uuid::from_u128(n)),
        channel: ChannelId(Uuid::from_u128(1)),
        channel_kind: ChannelKind::Email,
        customer: CustomerId(Uuid::from_u128(1)),
        thread_key: n.to_string(),
    };
    CaseCommand::Open {
        number: i64::try_from(n).unwrap(),
        conversation,
        subject: "Parcel".to_owned(),
        priority: Priority::Normal,
        team: None,
        reason: None,
        language: None,
        required_skills: skill.into_iter().collect(),
    }
}

async fn give(spine: &Spine, workspace: WorkspaceId, case: u128, command: CaseCommand) {
    let order = Order::new(workspace, Actor::System);
    let id = CaseId(Uuid::from_u128(case));
    spine.execute(order, move |unit| unit.decide::<Case>(id, command.clone()).map(drop)).await.unwrap();
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
