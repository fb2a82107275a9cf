//! A program that brings its own channel, through the routes, on the real intake.

use crate::{Api, ApiChannel};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversations::{Handle, Protocols};
use db::{Query, params, sql};
use domain::access::{Access, Grant};
use domain::case::{Case, CaseCommand, NewMessage, Route, Then};
use domain::{
    Actor, ApiTokenId, CaseId, ChannelId, ConversationId, MessageId, Permission, Span, Timestamp, UserId, WorkspaceId,
};
use futures_util::future::BoxFuture;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use spine::{Order, Refusal, Spine};
use std::sync::{Arc, Mutex};
use testkit::{Client, Ground};
use uuid::Uuid;
use web::outbound::{AddressPolicy, Outbound};
use web::{App, Authenticate, Identity, Kit, Locale, SecretHash, Settings};

sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, secrets, required_skills, active, created_at) \
    VALUES ($1, $2, 'api', 'Program', '', $3, $4, $5, '[]', TRUE, 0)", params: 5);
sql!(CONVERSATION = "SELECT id FROM view_conversation WHERE workspace_id = $1 AND case_id = $2", params: 2);
sql!(DELIVERY = "SELECT delivery FROM view_message WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CUSTOMERS = "SELECT customer_id FROM view_case WHERE workspace_id = $1 ORDER BY number", params: 1);

/// Token 1 may write to channel 70, token 2 to channel 71, token 3 may only read cases.
struct Tokens(WorkspaceId);
impl Authenticate for Tokens {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
    fn by_token(&self, hash: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        let known = (1..4_u8).find(|n| SecretHash::of(&web::secret::api_token([*n; 32])) == Some(hash));
        let identity = known.map(|n| {
            let (permission, channel) = match n {
                3 => (Permission::CaseRead, None),
                n => (Permission::ChannelWrite, Some(id(69 + u128::from(n)))),
            };
            Identity {
                workspace: self.0,
                user: None,
                actor: Actor::Token(ApiTokenId(Uuid::from_u128(u128::from(n)))),
                access: Access {
                    owner: false,
                    grants: vec![Grant { permissions: [permission].into(), team: None, channel }],
                },
                session: None,
                locale: Locale::En,
                must_enroll: false,
            }
        });
        Box::pin(async move { Ok(identity) })
    }
}

fn id(n: u128) -> ChannelId {
    ChannelId(Uuid::from_u128(n))
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Program {
    ground: Ground,
    spine: Spine,
    ws: WorkspaceId,
    client: Client,
}

impl Program {
    fn new(outbound_url: Option<&str>) -> Self {
        let ground = Ground::sqlite();
        let outbound = Outbound::new(loopback(), true).unwrap();
        let protocols = Protocols::new(vec![Arc::new(ApiChannel::new(outbound, ground.edges.clone()))]);
        let features = vec![cases::feature(), customers::feature(), conversations::feature(&protocols)];
        let spine = ground.spine(features);
        let ws = ground.workspace(1);
        for n in [70_u128, 71] {
            let context = [b"channel".as_slice(), ws.0.as_bytes(), id(n).0.as_bytes()].concat();
            let secrets = json!({ "outbound_secret": SECRET }).to_string();
            let sealed = spine.vault().seal(&context, secrets.as_bytes(), spine.random()).unwrap();
            let settings = json!({ "outbound_url": outbound_url }).to_string();
            let insert = move |tx: &mut db::Tx<'_>| {
                tx.execute(&ADD_CHANNEL, params![ws, id(n), n.to_string(), settings.as_str(), sealed.as_slice()])
            };
            ground.db.write_blocking(insert).unwrap();
        }
        let clock = spine.clone();
        let kit = Kit::new(Settings::default(), move || clock.now(), Arc::new(Tokens(ws)));
        let sanitise: crate::Sanitise = |html| html.replace("<script>", "");
        let app = App::new(&kit).routes(Api::new(spine.clone(), &kit, Arc::new(Handle), sanitise).routes());
        assert!(app.conflicts().is_empty(), "{:?}", app.conflicts());
        let client = Client::new(app.build()).with_token(&web::secret::api_token([1; 32]));
        Self { ground, spine, ws, client }
    }

    fn with(&self, token: u8) -> Client {
        self.client.with_token(&web::secret::api_token([token; 32]))
    }

    async fn answer(&self, case: CaseId, n: u128, text: &'static str) {
        let order = Order::new(self.ws, Actor::Agent(UserId(Uuid::from_u128(5))));
        let done = self.spine.execute(order, move |unit| {
            let ws = unit.workspace();
            let conversation: ConversationId = unit.tx().query_one(&CONVERSATION, params![ws, case])?;
            let message = NewMessage {
                id: MessageId(Uuid::from_u128(n)),
                conversation,
                sent_at: Timestamp::from_micros(0),
                author_name: "Emma".to_owned(),
                automatic: false,
                text: text.to_owned(),
                html: None,
                quoted: String::new(),
                meta: json!({}),
                attachments: Vec::new(),
                inbox: None,
                references: Vec::new(),
            };
            let command =
                CaseCommand::Reply { message, route: Route::Queue, then: Then::Stay, seen_at: None, force: true };
            unit.decide::<Case>(case, command)?;
            Ok(())
        });
        done.await.unwrap();
    }

    fn delivery(&self, n: u128) -> String {
        let (ws, message) = (self.ws, MessageId(Uuid::from_u128(n)));
        self.ground.db.read_blocking(move |r| r.query_one(&DELIVERY, params![ws, message])).unwrap()
    }
}

fn loopback() -> AddressPolicy {
    AddressPolicy::new(["127.0.0.0/8".parse().unwrap()])
}

fn message(n: u128, thread: &str, from: Value) -> Value {
    json!({ "id": Uuid::from_u128(n), "thread": thread, "from": from, "subject": "Kettle", "text": format!("message {n}") })
}

fn path(rest: &str) -> String {
    format!("/api/ext/{}/{rest}", id(70))
}

#[tokio::test]
async fn messages_of_one_thread_are_one_case_and_each_is_taken_once() {
    let mut program = Program::new(None);
    let from = json!({ "id": "c1", "name": "Li" });
    let first = program.client.post(&path("messages"), message(100, "t1", from.clone())).await.ok();
    let again = program.client.post(&path("messages"), message(100, "t1", from.clone())).await.ok();
    assert_eq!(first, again);
    let second = program.client.post(&path("messages"), message(101, "t1", from.clone())).await.ok();
    assert_eq!(first["case_id"], second["case_id"]);
    let third = program.client.post(&path("messages"), message(102, "t2", from)).await.ok();
    assert_ne!(first["case_id"], third["case_id"]);
    // The same person of the program's is the same customer; another channel's is somebody else.
    let mut other = program.with(2);
    let elsewhere = format!("/api/ext/{}/messages", id(71));
    let _ = other.post(&elsewhere, message(103, "t1", json!({ "id": "c1" }))).await.ok();
    let ws = program.ws;
    let customers: Vec<Uuid> = program.ground.db.read_blocking(move |r| r.query(&CUSTOMERS, params![ws])).unwrap();
    assert_eq!(customers[0], customers[1]);
    assert_ne!(customers[0], customers[2]);
    // A message id of another channel is refused.
    let reused = other.post(&elsewhere, message(100, "t9", json!({ "id": "c9" }))).await;
    assert_eq!(reused.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn an_address_finds_a_customer_only_when_vouched_for() {
    let mut program = Program::new(None);
    let people = [("a", true), ("b", true), ("c", false)];
    for (n, (person, verified)) in (100_u128..).zip(people) {
        let from = json!({ "id": person, "email": "li@example.com", "verified": verified });
        let _ = program.client.post(&path("messages"), message(n, person, from)).await.ok();
    }
    let ws = program.ws;
    let customers: Vec<Uuid> = program.ground.db.read_blocking(move |r| r.query(&CUSTOMERS, params![ws])).unwrap();
    assert_eq!(customers[0], customers[1]);
    assert_ne!(customers[0], customers[2]);
}

#[tokio::test]
async fn a_token_reaches_its_channel_only() {
    let mut program = Program::new(None);
    let body = message(100, "t1", json!({ "id": "c1" }));
    let elsewhere = format!("/api/ext/{}/messages", id(71));
    assert_eq!(program.client.post(&elsewhere, body.clone()).await.status.as_u16(), 404);
    assert_eq!(program.with(2).post(&path("messages"), body.clone()).await.status.as_u16(), 404);
    assert_eq!(program.with(3).post(&path("messages"), body.clone()).await.status.as_u16(), 403);
    assert_eq!(program.client.stranger().post(&path("messages"), body.clone()).await.status.as_u16(), 401);
    let case = program.client.post(&path("messages"), body).await.ok()["case_id"].clone();
    program.answer(serde_json::from_value(case).unwrap(), 200, "hi").await;
    let mark = format!("/api/ext/{}/outbox/{}/delivered", id(71), Uuid::from_u128(200));
    assert_eq!(program.with(2).post(&mark, json!({})).await.status.as_u16(), 404);
    assert_eq!(program.with(2).get(&format!("/api/ext/{}/outbox", id(71))).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn answers_wait_in_the_outbox_until_they_are_marked() {
    let mut program = Program::new(None);
    let got = program.client.post(&path("messages"), message(100, "t1", json!({ "id": "c1" }))).await.ok();
    let case: CaseId = serde_json::from_value(got["case_id"].clone()).unwrap();
    for n in 200..203 {
        program.ground.clock.advance(Span::seconds(1));
        program.answer(case, n, "an answer").await;
        program.spine.run_due().await.unwrap();
    }
    let all = program.client.get(&path("outbox")).await.ok();
    let ids: Vec<&str> = all["items"].as_array().unwrap().iter().map(|i| i["message_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!((&all["items"][0]["thread"], &all["items"][0]["author"]), (&json!("t1"), &json!("Emma")));
    let page = program.client.get(&path("outbox?limit=1")).await.ok();
    let next = page["next"].as_str().unwrap();
    let rest = program.client.get(&path(&format!("outbox?after={next}"))).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    let mark = path(&format!("outbox/{}/delivered", Uuid::from_u128(200)));
    for _ in 0..2 {
        assert_eq!(program.client.post(&mark, json!({})).await.status.as_u16(), 204);
    }
    assert_eq!((program.delivery(200), program.delivery(201)), ("sent".to_owned(), "queued".to_owned()));
    assert_eq!(program.client.get(&path("outbox")).await.ok()["items"].as_array().unwrap().len(), 2);
    // What the customer wrote can't be marked.
    let own = path(&format!("outbox/{}/delivered", Uuid::from_u128(100)));
    assert_eq!(program.client.post(&own, json!({})).await.status.as_u16(), 404);
    // Never fetched, an answer fails in the end and the agent sees it.
    for _ in 0..20 {
        program.ground.clock.advance(Span::hours(1));
        program.spine.run_due().await.unwrap();
    }
    assert_eq!(program.delivery(201), "failed");
}

#[tokio::test]
async fn wrong_messages_name_the_field() {
    let mut program = Program::new(None);
    let good = message(100, "t1", json!({ "id": "c1" }));
    for (change, field, code) in [
        (json!({ "thread": "" }), "thread", "required"),
        (json!({ "thread": "x".repeat(201) }), "thread", "too_long"),
        (json!({ "from": { "id": " " } }), "from.id", "required"),
        (json!({ "from": { "id": "a", "email": "x" } }), "from.email", "invalid_address"),
        (json!({ "text": " " }), "text", "empty_message"),
        (json!({ "text": "x".repeat(256 * 1024 + 1) }), "text", "too_large"),
        (json!({ "attachments": [Uuid::nil()] }), "attachments", "unknown_reference"),
    ] {
        let mut wrong = good.clone();
        for (name, value) in change.as_object().unwrap() {
            wrong[name] = value.clone();
        }
        let answer = program.client.post(&path("messages"), wrong).await;
        assert_eq!(answer.json()["fields"][field]["code"], code, "{}", answer.text());
    }
}

type Heard = Arc<Mutex<Vec<(http::HeaderMap, String)>>>;

/// A receiver that fails once, then takes everything.
async fn receiver() -> (String, Heard) {
    let heard: Heard = Arc::default();
    let (log, calls) = (heard.clone(), Arc::new(Mutex::new(0)));
    let take = move |headers: http::HeaderMap, body: String| {
        let (log, calls) = (log.clone(), calls.clone());
        async move {
            log.lock().unwrap().push((headers, body));
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            if *calls == 1 { http::StatusCode::SERVICE_UNAVAILABLE } else { http::StatusCode::OK }
        }
    };
    let router = Router::new().route("/in", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

#[tokio::test]
async fn answers_are_pushed_signed_and_again_after_a_failure() {
    let (url, heard) = receiver().await;
    let mut program = Program::new(Some(&url));
    let got = program.client.post(&path("messages"), message(100, "t1", json!({ "id": "c1" }))).await.ok();
    program.answer(serde_json::from_value(got["case_id"].clone()).unwrap(), 200, "an answer").await;
    program.spine.run_due().await.unwrap();
    assert_eq!(program.delivery(200), "queued");
    program.ground.clock.advance(Span::minutes(1));
    program.spine.run_due().await.unwrap();
    assert_eq!(program.delivery(200), "sent");
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    for (headers, body) in heard.iter() {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(text("webhook-id"), Uuid::from_u128(200).to_string());
        let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{body}", text("webhook-id"), text("webhook-timestamp")).as_bytes());
        assert_eq!(text("webhook-signature"), format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["type"], &body["data"]["text"]), (&json!("message.created"), &json!("an answer")));
    }
}

#[test]
fn statements_fit_both_engines() {
    testkit::on_both_engines(|ground| {
        let mut problems = db::check_statements(&ground.db);
        problems.retain(|problem| problem.place.contains("channels"));
        assert!(problems.is_empty(), "{problems:?}");
    });
}
