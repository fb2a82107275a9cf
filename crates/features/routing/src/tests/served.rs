//! What the desk and the widget are told.

use super::house::{CHAT, House, MAIL, Wish, block, id};
use crate::queue_position;
use domain::access::{Access, Grant};
use domain::case::CaseCommand;
use domain::{Actor, Permission, SessionId, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use spine::Refusal;
use std::sync::Arc;
use testkit::{Answer, Client, on_both_engines};
use web::{App, Authenticate, Identity, Kit, Locale, SecretHash};

/// API tokens stand in for sign-in: token `n` is agent `n`; 9 may do everything, others read and see presence.
struct Tokens(WorkspaceId);

impl Authenticate for Tokens {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
    fn by_token(&self, hash: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        let known = (1..10_u8).find(|n| SecretHash::of(&web::secret::api_token([*n; 32])) == Some(hash));
        let identity = known.map(|n| {
            let user: UserId = id(u128::from(n));
            let grant = |team| Grant {
                permissions: [Permission::CaseRead, Permission::PresenceRead].into(),
                team,
                channel: None,
            };
            let grants = vec![grant((n == 8).then(|| id(81)))];
            Identity {
                workspace: self.0,
                user: Some(user),
                actor: Actor::Agent(user),
                access: Access { owner: n == 9, grants },
                session: Some(SessionId(user.0)),
                locale: Locale::En,
                must_enroll: false,
            }
        });
        Box::pin(async move { Ok(identity) })
    }
}

struct Asking {
    client: Client,
}

impl Asking {
    fn new(house: &House) -> Self {
        let clock = house.spine.clone();
        let kit = Kit::new(web::Settings::default(), move || clock.now(), Arc::new(Tokens(house.ws)));
        let app = App::new(&kit).routes(crate::routes(&kit, &house.spine));
        assert!(app.conflicts().is_empty());
        Self { client: Client::new(app.build()) }
    }
    fn get(&self, agent: u8, path: &str) -> Answer {
        block(self.as_agent(agent).get(path))
    }
    fn put(&self, agent: u8, path: &str, body: Value) -> Answer {
        block(self.as_agent(agent).put(path, body))
    }
    fn as_agent(&self, agent: u8) -> Client {
        self.client.with_token(&web::secret::api_token([agent; 32]))
    }
}

fn case_path(n: u128) -> String {
    format!("/api/cases/{}/assignments", id::<domain::CaseId>(n))
}

#[test]
fn assignments_tell_why() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        for n in 1..=2 {
            house.agent(n);
        }
        house.opens(100, &Wish { skills: &[90], ..CHAT });
        house.settle();
        let asking = Asking::new(&house);
        house.wait(40);
        let items = asking.get(1, &case_path(100)).ok();
        assert_eq!(items["items"].as_array().unwrap().len(), 1);
        let item = &items["items"][0];
        assert_eq!((&item["user"], &item["waited_seconds"]), (&Value::Null, &json!(40)), "as of now, not of then");
        assert_eq!(item["others"][0]["code"], "routing.missing_skill");
        assert_eq!(item["others"][0]["params"]["skill"], "Returns", "by name");
        house.learn(2);
        house.arrives(2);
        house.settle();
        let items = asking.get(1, &case_path(100)).ok();
        let item = &items["items"][0];
        assert_eq!(item["user"]["name"], "Agent 2");
        assert_eq!(
            item["chosen"]["because"][0],
            json!({"code": "routing.has_skills", "params": {"skills": ["Returns"]}})
        );
        assert_eq!(item["chosen"]["because"][1]["code"], "routing.only_one");
        assert_eq!(item["others"][0]["user"]["name"], "Agent 1");
        assert_eq!(item["waited_seconds"], 40);
        assert_eq!(asking.get(1, &case_path(999)).status, 404);
        assert_eq!(asking.get(8, &case_path(100)).status, 404, "another team's case");
    });
}

#[test]
fn presence_and_load() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.agent(2);
        house.arrives(1);
        house.opens(100, &CHAT);
        house.settle();
        let asking = Asking::new(&house);
        let items = asking.get(1, "/api/presence").ok();
        let row = &items["items"][0];
        assert_eq!(
            (&row["presence"], &row["connected"], &row["load"]),
            (&json!("online"), &json!(true), &json!({"webchat": 1}))
        );
        assert_eq!(row["capacity"]["webchat"], 3);
        assert_eq!((&items["items"][1]["presence"], &items["items"][1]["since"]), (&json!("offline"), &Value::Null));
        let answer = asking.put(1, "/api/me/presence", json!({"presence": "busy"})).ok();
        assert_eq!((&answer["presence"], &answer["connected"]), (&json!("busy"), &json!(true)));
        assert_eq!(asking.put(1, "/api/me/presence", json!({"presence": "gone"})).code(), "invalid");
        assert_eq!(asking.get(1, "/api/presence").ok()["items"][0]["presence"], "busy");
    });
}

#[test]
fn capacity() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        let asking = Asking::new(&house);
        let path = format!("/api/users/{}/capacity", id::<UserId>(1));
        assert_eq!(asking.get(1, &path).code(), "forbidden");
        assert_eq!(asking.get(9, &path).ok()["capacity"]["email"], 10, "the default");
        let set = |n: u32| asking.put(9, &path, json!({"capacity": {"email": n}}));
        assert_eq!(set(1_001).code(), "too_large");
        assert_eq!(set(1_000).ok()["capacity"]["email"], 1_000);
        assert_eq!(
            set(0).ok()["capacity"],
            json!({"webchat": 3, "email": 0, "webform": 10, "api": 10, "phone": 1, "counter": 1})
        );
        house.arrives(1);
        house.opens(100, &MAIL);
        house.settle();
        assert_eq!(house.holder(100), None);
        assert_eq!(set(1).status, 200);
        house.settle();
        assert_eq!(house.holder(100), Some(1), "a change of capacity routes");
        let stranger = format!("/api/users/{}/capacity", id::<UserId>(77));
        assert_eq!(asking.get(9, &stranger).status, 404);
        assert_eq!(asking.put(9, &stranger, json!({"capacity": {}})).status, 404);
        assert_eq!(asking.put(9, &path, json!({"capacity": {"fax": 1}})).status, 422);
    });
}

#[test]
fn policies() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        let asking = Asking::new(&house);
        assert_eq!(asking.get(1, "/api/routing/policies").code(), "forbidden");
        let items = asking.get(9, "/api/routing/policies").ok();
        assert_eq!(
            (&items["items"][0]["team"], &items["items"][0]["policy"]["previous_agent"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(
            (&items["items"][1]["team"]["name"], &items["items"][1]["inherited"]),
            (&json!("Orders"), &json!(true))
        );
        let put = |body: Value| asking.put(9, "/api/routing/policies", body);
        let long = json!({"policy": {"language_relax_seconds": 2_592_001}});
        assert_eq!(put(long).code(), "too_large");
        let team = id::<domain::TeamId>(80);
        assert_eq!(put(json!({"team": id::<domain::TeamId>(81), "policy": {}})).code(), "unknown_reference");
        let items = put(json!({"team": team, "policy": {"automatic": ["email"]}})).ok();
        assert_eq!(
            (&items["items"][1]["inherited"], &items["items"][1]["policy"]["automatic"]),
            (&json!(false), &json!(["email"]))
        );
        house.join_team(1);
        house.opens(100, &Wish { team: Some(80), ..CHAT });
        house.settle();
        assert_eq!(house.holder(100), None);
        assert_eq!(put(json!({"team": team, "policy": {}})).status, 200);
        house.settle();
        assert_eq!(house.holder(100), Some(1), "a change of policy routes");
    });
}

#[test]
fn a_team_goes_back_to_the_general_policy() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.join_team(1);
        let asking = Asking::new(&house);
        let put = |body: Value| asking.put(9, "/api/routing/policies", body);
        let team = id::<domain::TeamId>(80);
        let before = asking.get(9, "/api/routing/policies").ok();
        put(json!({"team": team, "policy": {"automatic": ["email"]}})).ok();
        house.opens(100, &Wish { team: Some(80), ..CHAT });
        house.settle();
        assert_eq!(house.holder(100), None);
        let missing = put(json!({"team": team}));
        assert_eq!(missing.json()["fields"]["policy"]["code"], "required", "absent is not null");
        assert_eq!(put(json!({"team": team, "policy": null})).ok(), before);
        house.settle();
        assert_eq!(house.holder(100), Some(1), "the change routes");
        assert_eq!(put(json!({"team": team, "policy": null})).ok(), before, "again is fine");
        put(json!({"policy": {"previous_agent": false}})).ok();
        insta::assert_json_snapshot!("general_policy", put(json!({"policy": null})).ok());
    });
}

#[test]
fn queues_and_places() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        let asking = Asking::new(&house);
        for n in 100..103 {
            house.opens(n, &CHAT);
            house.settle();
            house.wait(10);
        }
        let ws = house.ws;
        let place = |n: u128| {
            let now = house.spine.now();
            house.ground.db.read_blocking(move |r| queue_position(r, ws, id(n), now)).unwrap()
        };
        let third = place(102).unwrap();
        assert_eq!((third.position, third.agents_online, third.expected_wait_seconds), (3, 0, None), "nobody online");
        let row = &asking.get(1, "/api/routing/queues").ok()["items"][0];
        assert_eq!(
            (&row["waiting"], &row["longest_wait_seconds"], &row["alarm"]),
            (&json!(3), &json!(30), &json!(false))
        );
        house.capacity(1, domain::ChannelKind::Webchat, 1);
        house.arrives(1);
        house.settle();
        assert_eq!(place(100), None, "taken");
        let last = place(102).unwrap();
        assert_eq!(
            (last.position, last.agents_online, last.expected_wait_seconds),
            (2, 1, Some(360)),
            "no experience yet"
        );
        for n in [100, 101] {
            house.wait(60);
            house.obey(n, 1, CaseCommand::Solve);
            house.settle();
        }
        house.opens(103, &CHAT);
        house.settle();
        // Three left the queue within the last 120 s.
        assert_eq!(place(103).unwrap().expected_wait_seconds, Some(40));
        house.wait(301);
        let queues = asking.get(1, "/api/routing/queues").ok();
        assert_eq!(queues["items"][0]["alarm"], true, "longer than five minutes");
        assert_eq!(place(999), None);
    });
}
