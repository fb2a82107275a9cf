//! A shop with a chat widget, its visitors' browsers, and an agent who answers.

use crate::identity::signing::sign;
use crate::{Webchat, WebchatChannel, feature};
use axum::Router;
use axum::body::Body;
use channel::{NoQueue, QueueInfo};
use conversations::{Handle, Protocols};
use db::{params, sql};
use domain::case::{Case, CaseCommand, NewMessage, Route, Then};
use domain::event::{ConfigAction, ConfigChanged};
use domain::{Actor, CaseId, ChannelId, ConversationId, Event, MessageId, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use http::{Method, Request};
use serde_json::{Value, json};
use spine::{Order, Refusal, Spine};
use std::sync::Arc;
use testkit::{Answer, Client, Ground};
use uuid::Uuid;
use web::{App, Authenticate, Identity, Kit, SecretHash, Settings};

sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, secrets, required_skills, active, created_at) \
    VALUES ($1, $2, 'webchat', 'Chat', 'Qinghe', $3, $4, $5, '[]', TRUE, 0)", params: 5);
sql!(SWITCH_OFF = "UPDATE channel SET active = FALSE WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(CASES = "SELECT id FROM view_case WHERE workspace_id = $1 ORDER BY number", params: 1);
sql!(CUSTOMERS = "SELECT customer_id FROM view_case WHERE workspace_id = $1 ORDER BY number", params: 1);
sql!(CONVERSATION = "SELECT id FROM view_conversation WHERE workspace_id = $1 AND case_id = $2", params: 2);

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const SITE: &str = "https://shop.example";

struct Nobody;
impl Authenticate for Nobody {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
    fn by_token(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
}

pub struct Shop {
    pub ground: Ground,
    pub spine: Spine,
    pub ws: WorkspaceId,
    pub router: Router,
}

pub fn channel(n: u128) -> ChannelId {
    ChannelId(Uuid::from_u128(n))
}

pub fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

impl Shop {
    /// Channels `shop` and `other`, with the same secret.
    pub fn open() -> Self {
        Self::with(Arc::new(NoQueue))
    }

    pub fn with(queue: Arc<dyn QueueInfo>) -> Self {
        Self::on(Ground::sqlite(), queue)
    }

    pub fn on(ground: Ground, queue: Arc<dyn QueueInfo>) -> Self {
        let protocols = Protocols::new(vec![Arc::new(WebchatChannel)]);
        let features = vec![cases::feature(), customers::feature(), conversations::feature(&protocols), feature()];
        let spine = ground.spine(features);
        let ws = ground.workspace(1);
        for (n, key) in [(70, "shop"), (71, "other")] {
            let sealed = seal(&spine, ws, channel(n));
            let settings = json!({ "origins": [SITE], "greeting_en": "Hello" }).to_string();
            let insert = move |tx: &mut db::Tx<'_>| {
                tx.execute(&ADD_CHANNEL, params![ws, channel(n), key, settings.as_str(), sealed.as_slice()])
            };
            ground.db.write_blocking(insert).unwrap();
        }
        let clock = spine.clone();
        let kit = Kit::new(Settings::default(), move || clock.now(), Arc::new(Nobody));
        let app = App::new(&kit).routes(Webchat::new(spine.clone(), &kit, Arc::new(Handle), queue).routes());
        assert!(app.conflicts().is_empty(), "{:?}", app.conflicts());
        Self { router: app.build(), ground, spine, ws }
    }

    pub fn browser(&self) -> Browser {
        Browser { client: Client::new(self.router.clone()), token: None, origin: Some(SITE.to_owned()), key: "shop" }
    }

    pub fn identity(&self, change: Value) -> String {
        let exp = self.spine.now().as_micros() / 1_000_000 + 600;
        let mut body = json!({ "sub": "u1", "aud": "shop", "exp": exp, "name": "Li Na" });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        sign(&json!({ "alg": "HS256" }), &body, SECRET)
    }

    pub fn switch_off(&self) {
        let ws = self.ws;
        let done = self.spine.execute_blocking(Order::new(ws, Actor::System), move |unit| {
            unit.tx().execute(&SWITCH_OFF, params![ws, channel(70)])?;
            let (before, after) = (json!({ "active": true }), json!({ "active": false }));
            let (object, id) = ("channel".to_owned(), channel(70).0);
            let changed = ConfigChanged { object, id, action: ConfigAction::Changed, before, after };
            unit.record(Event::Config(changed), "channel", id)
        });
        done.unwrap();
    }

    pub fn cases(&self) -> Vec<CaseId> {
        let ws = self.ws;
        self.ground.db.read_blocking(move |r| db::Query::query(r, &CASES, params![ws])).unwrap()
    }

    pub fn customers(&self) -> Vec<Uuid> {
        let ws = self.ws;
        self.ground.db.read_blocking(move |r| db::Query::query(r, &CUSTOMERS, params![ws])).unwrap()
    }

    async fn command(&self, case: CaseId, command: impl Fn(ConversationId) -> CaseCommand + Send + 'static) {
        let order = Order::new(self.ws, Actor::Agent(UserId(Uuid::from_u128(5))));
        let done = self.spine.execute(order, move |unit| {
            let ws = unit.workspace();
            let conversation = db::Query::query_one(unit.tx(), &CONVERSATION, params![ws, case])?;
            unit.decide::<Case>(case, command(conversation))?;
            Ok(())
        });
        done.await.unwrap();
    }

    pub async fn answer(&self, case: CaseId, n: u128, text: &'static str) {
        self.command(case, move |conversation| CaseCommand::Reply {
            message: message(n, conversation, text),
            route: Route::Direct,
            then: Then::Stay,
            seen_at: None,
            force: true,
        })
        .await;
    }

    pub async fn note(&self, case: CaseId, n: u128, text: &'static str) {
        self.command(case, move |conversation| CaseCommand::Note {
            message: message(n, conversation, text),
            mentions: Vec::new(),
        })
        .await;
    }

    pub async fn close(&self, case: CaseId) {
        self.command(case, |_| CaseCommand::Solve).await;
        self.command(case, |_| CaseCommand::Close).await;
    }
}

fn seal(spine: &Spine, ws: WorkspaceId, id: ChannelId) -> Vec<u8> {
    let context = [b"channel".as_slice(), ws.0.as_bytes(), id.0.as_bytes()].concat();
    let secrets = json!({ "identity_secret": SECRET }).to_string();
    spine.vault().seal(&context, secrets.as_bytes(), spine.random()).unwrap()
}

fn message(n: u128, conversation: ConversationId, text: &str) -> NewMessage {
    NewMessage {
        id: MessageId(Uuid::from_u128(n)),
        conversation,
        sent_at: domain::Timestamp::from_micros(0),
        author_name: "Emma".to_owned(),
        automatic: false,
        text: text.to_owned(),
        html: None,
        quoted: String::new(),
        meta: json!({ "secret": "canary" }),
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    }
}

/// One visitor's browser on the shop's site.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    pub token: Option<String>,
    pub origin: Option<String>,
    pub key: &'static str,
}

impl Browser {
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/api/widget/{}/{path}", self.key);
        let mut request = Request::builder().method(method).uri(path).header("host", "steward.test");
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Visitor {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.client.raw(request.body(body).unwrap()).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body), &[]).await
    }

    pub async fn session(&mut self, identity: Option<&str>) -> Value {
        let mut body = json!({ "locale": "en-GB", "page": "https://shop.example/cart?token=1#x" });
        if let Some(token) = &self.token {
            body["visitor_token"] = json!(token);
        }
        if let Some(identity) = identity {
            body["identity"] = json!(identity);
        }
        let got = self.post("session", body).await.ok();
        self.token = got["visitor_token"].as_str().map(str::to_owned);
        got
    }

    pub async fn say(&mut self, n: u128, text: &str) -> Answer {
        self.post("messages", json!({ "id": id(n), "text": text, "attachments": [] })).await
    }

    pub async fn texts(&mut self, after: i64) -> Vec<String> {
        let page = self.ask(Method::GET, &format!("messages?after={after}"), None, &[]).await.ok();
        page["items"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn upload(&mut self, name: &str, mime: &str, bytes: &[u8]) -> Answer {
        let mut body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let request = Request::post(format!("/api/widget/{}/attachments", self.key))
            .header("host", "steward.test")
            .header("origin", SITE)
            .header("authorization", format!("Visitor {}", self.token.clone().unwrap_or_default()))
            .header("content-type", "multipart/form-data; boundary=b");
        self.client.raw(request.body(Body::from(body)).unwrap()).await
    }
}
