//! Setting up channels, by way of the routes; and who may.

use super::office::{MAILBOX, Office, block, id};
use domain::access::{Access, Grant};
use domain::{Actor, Permission, SessionId, UserId, WorkspaceId};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use spine::Refusal;
use std::sync::Arc;
use testkit::{Answer, Client, on_both_engines};
use web::{App, Authenticate, Identity, Kit, Locale, SecretHash};

/// API tokens stand in for sign-in: token 1 may do everything, 2 everything but only in team 80, 3 may only read cases.
struct Tokens(WorkspaceId);

impl Authenticate for Tokens {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
    fn by_token(&self, hash: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        let known = (1..4_u8).find(|n| SecretHash::of(&web::secret::api_token([*n; 32])) == Some(hash));
        let identity = known.map(|n| {
            let user: UserId = id(u128::from(n));
            let permissions = match n {
                3 => [Permission::CaseRead].into(),
                _ => Permission::ALL.iter().copied().collect(),
            };
            Identity {
                workspace: self.0,
                user: Some(user),
                actor: Actor::Agent(user),
                access: Access {
                    owner: n == 1,
                    grants: vec![Grant { permissions, team: (n == 2).then(|| id(80)), channel: None }],
                },
                session: Some(SessionId(user.0)),
                locale: Locale::En,
                must_enroll: false,
            }
        });
        Box::pin(async move { Ok(identity) })
    }
}

pub struct Desk(Client);

impl Desk {
    pub fn new(office: &Office) -> Self {
        let clock = office.spine.clone();
        let kit = Kit::new(web::Settings::default(), move || clock.now(), Arc::new(Tokens(office.ws)));
        let app = App::new(&kit).routes(crate::routes(&kit, &office.spine, &office.protocols));
        assert!(app.conflicts().is_empty());
        Self(Client::new(app.build()))
    }
    fn of(&self, n: u8) -> Client {
        self.0.with_token(&web::secret::api_token([n; 32]))
    }
    pub fn get(&self, n: u8, path: &str) -> Answer {
        block(self.of(n).get(path))
    }
    pub fn post(&self, n: u8, path: &str, body: Value) -> Answer {
        block(self.of(n).post(path, body))
    }
    fn patch(&self, n: u8, path: &str, body: Value) -> Answer {
        block(self.of(n).patch(path, body))
    }
    fn delete(&self, n: u8, path: &str) -> Answer {
        block(self.of(n).delete(path))
    }
}

db::sql!(EVENTS = "SELECT data FROM event WHERE workspace_id = $1 AND kind LIKE 'config.channel.%' ORDER BY at, position", params: 1);
db::sql!(SEALED = "SELECT secrets FROM channel WHERE workspace_id = $1 AND id = $2", params: 2);

#[test]
fn a_mailbox_is_set_up_and_keeps_its_secrets() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let desk = Desk::new(&office);
        let settings = json!({ "address": "Sales@us.test", "autoreply": false, "imap_password": "hunter2", "smtp_password": "swordfish" });
        let made =
            desk.post(1, "/api/channels", json!({ "kind": "email", "name": " Sales ", "settings": settings })).ok();
        assert_eq!((&made["public_key"], &made["name"]), (&json!("sales@us.test"), &json!("Sales")));
        assert_eq!(made["has_secrets"], json!({ "imap_password": true, "smtp_password": true }));
        let path = format!("/api/channels/{}", made["id"].as_str().unwrap());
        let channel: domain::ChannelId = serde_json::from_value(made["id"].clone()).unwrap();
        assert_eq!(office.config(channel).secret("imap_password").unwrap().expose(), "hunter2");

        let changed = desk
            .patch(1, &path, json!({ "settings": { "imap_password": "", "autoreply": true }, "language": "zh" }))
            .ok();
        assert_eq!(changed["has_secrets"], json!({ "imap_password": false, "smtp_password": true }));
        assert_eq!(changed["settings"], json!({ "address": "Sales@us.test", "autoreply": true }));
        assert_eq!(changed["language"], "zh");
        assert_eq!(desk.get(1, &path).ok(), changed);

        let everything = format!(
            "{made}{changed}{}{:?}",
            desk.get(1, "/api/channels").text(),
            office.rows::<String>(&EVENTS, db::params![office.ws])
        );
        for secret in ["hunter2", "swordfish"] {
            assert!(!everything.contains(secret), "{secret} is never read back");
        }
        let sealed: Vec<u8> = office.rows(&SEALED, db::params![office.ws, channel]).remove(0);
        assert!(!String::from_utf8_lossy(&sealed).contains("swordfish"));
        let other = crate::channels::seal_context(office.ws, MAILBOX);
        assert!(office.spine.vault().open(&other, &sealed).is_err(), "copied to another row it opens nothing");

        let table = [
            (json!({ "kind": "email", "name": "x", "settings": {} }), "settings.address"),
            (json!({ "kind": "email", "name": "x", "settings": { "address": "sales@US.test" } }), "settings.address"),
            (json!({ "kind": "email", "name": " ", "settings": { "address": "a@us.test" } }), "name"),
            (json!({ "kind": "phone", "name": "x", "team_id": channel }), "team_id"),
            (json!({ "kind": "phone", "name": "x", "required_skills": [channel] }), "required_skills"),
            (json!({ "kind": "phone", "name": "x", "settings": [] }), "settings"),
            (
                json!({ "kind": "email", "name": "x", "settings": { "address": "a@us.test", "imap_password": 1 } }),
                "settings.imap_password",
            ),
        ];
        for (body, field) in table {
            let answer = desk.post(1, "/api/channels", body.clone());
            assert!(
                answer.status.is_client_error() && answer.json()["fields"].get(field).is_some(),
                "{body}: {}",
                answer.text()
            );
        }
    });
}

#[test]
fn a_chats_secret_is_shown_once() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let desk = Desk::new(&office);
        let made = desk
            .post(1, "/api/channels", json!({ "kind": "webchat", "name": "Chat", "settings": { "color": "#123" } }))
            .ok();
        let secret = made["identity_secret"].as_str().unwrap().to_owned();
        let path = format!("/api/channels/{}", made["id"].as_str().unwrap());
        assert!(secret.len() >= 40 && made["public_key"].as_str().unwrap().len() >= 20);
        assert!(!desk.get(1, &path).text().contains(&secret));
        let channel: domain::ChannelId = serde_json::from_value(made["id"].clone()).unwrap();
        assert_eq!(office.config(channel).secret("identity_secret").unwrap().expose(), secret);
        let new = desk.post(1, &format!("{path}/identity-secret"), json!({})).ok();
        assert_ne!(new["identity_secret"], secret.as_str());
        assert_eq!(office.config(channel).secret("identity_secret").unwrap().expose(), new["identity_secret"]);
        assert_eq!(desk.post(1, &format!("/api/channels/{MAILBOX}/identity-secret"), json!({})).status, 422);

        assert_eq!(desk.delete(1, &path).status, 204);
        assert_eq!(desk.get(1, &path).status, 404, "nothing ever came by it");
        office.mail(json!({ "from": "ann@x.test", "subject": "Hi", "text": "Hi" }));
        assert_eq!(desk.delete(1, &format!("/api/channels/{MAILBOX}")).status, 204);
        let kept = desk.get(1, &format!("/api/channels/{MAILBOX}")).ok();
        assert_eq!(kept["active"], false, "its cases need it");
    });
}

#[test]
fn only_who_may_sees_channels_sources_and_participants() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let desk = Desk::new(&office);
        office.bytes("odd", b"From: <script>\r\n\r\nnot json");
        let said = office.said().pop().unwrap();
        let raw = desk.get(3, &format!("/api/messages/{}/raw", said.id));
        assert_eq!(raw.text(), "From: <script>\r\n\r\nnot json");
        let header = |name: &str| raw.headers[name].to_str().unwrap().to_owned();
        assert!(
            header("content-type").starts_with("text/plain") && header("content-disposition").starts_with("attachment")
        );
        assert_eq!(
            (header("x-content-type-options").as_str(), header("content-security-policy").contains("sandbox")),
            ("nosniff", true)
        );
        assert_eq!(desk.get(2, &format!("/api/messages/{}/raw", said.id)).status, 404, "another team's case");

        let failed = desk.get(1, "/api/inbox/failed").ok();
        assert_eq!(failed["items"][0]["case_id"], json!(said.case_id));
        let source = format!("/api/inbox/{}/raw", failed["items"][0]["id"].as_str().unwrap());
        assert_eq!((desk.get(1, &source).status.as_u16(), desk.get(2, &source).status.as_u16()), (200, 404));
        assert_eq!(desk.get(2, "/api/inbox/failed").ok()["items"], json!([]));

        let people = format!("/api/conversations/{}/participants", said.conversation_id);
        assert_eq!(desk.get(3, &people).ok()["items"], json!([]));
        assert_eq!(desk.post(3, &people, json!({ "address": "a@x.test" })).status, 403);
        assert_eq!(desk.post(2, &people, json!({ "address": "a@x.test" })).status, 404);
        assert_eq!(desk.post(1, &people, json!({ "address": "a@x.test\r\nBcc: b@x.test" })).code(), "invalid_address");
        let items = desk.post(1, &people, json!({ "address": "A@x.test" })).ok();
        assert_eq!((&items["items"][0]["address"], &items["items"][0]["approved"]), (&json!("a@x.test"), &json!(true)));

        assert_eq!(desk.get(3, "/api/channels").status, 403);
        assert_eq!(desk.get(2, "/api/channels").ok()["items"], json!([]), "no channel of that team");
        let mailbox = format!("/api/channels/{MAILBOX}");
        assert_eq!(
            (desk.get(2, &mailbox).status.as_u16(), desk.patch(2, &mailbox, json!({})).status.as_u16()),
            (404, 404)
        );
        let checks = desk.post(1, &format!("{mailbox}/test"), json!({})).ok();
        assert_eq!(checks["items"][0]["key"], "mail_out");
    });
}

#[test]
fn every_statement_holds_on_both_engines() {
    on_both_engines(|ground| {
        let problems: Vec<String> = db::check_statements(&ground.db).iter().map(ToString::to_string).collect();
        assert_eq!(problems, Vec::<String>::new());
    });
}
