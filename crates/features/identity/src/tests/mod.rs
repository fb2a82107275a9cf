//! The feature through its own endpoints, on real storage.
#![allow(unused_must_use, reason = "`Answer::ok` is also the assertion that it went well")]

mod people;
mod rights;
mod sign_in;
mod store;

use crate::store::text;
use crate::{Authenticator, People, feature, routes};
use db::{Query, params, sql};
use domain::{Span, Timestamp};
use serde_json::{Value, json};
use spine::{Clock, Spine};
use std::sync::Arc;
use testkit::{Client, Ground};
use web::{App, Entry, Kit, Settings};

pub const PASSWORD: &str = "correct horse battery";

sql!(JOB_PAYLOADS = "SELECT payload FROM job WHERE queue = $1 ORDER BY id", params: 1, global);
sql!(EVENT_TEXTS = "SELECT kind, data FROM event ORDER BY at, id", params: 0, global);

/// A server with this feature alone.
pub struct House {
    pub ground: Ground,
    pub spine: Spine,
    pub table: Vec<Entry>,
    pub client: Client,
}

impl House {
    pub fn new(ground: Ground) -> Self {
        let spine = ground.spine(vec![feature()]);
        let clock = ground.clock.clone();
        let authenticator = Arc::new(Authenticator::new(spine.clone()));
        let kit = Kit::new(Settings::default(), move || clock.now(), authenticator);
        let app = App::new(&kit).routes(routes(People::new(spine.clone(), kit.clone(), Vec::new()).unwrap()));
        assert!(app.conflicts().is_empty(), "{:?}", app.conflicts());
        let table = app.table().to_vec();
        Self { ground, spine, table, client: Client::new(app.build()) }
    }

    pub fn sqlite() -> Self {
        Self::new(Ground::sqlite())
    }

    /// A house with a workspace, and its owner signed in.
    pub async fn with_owner() -> (Self, Client) {
        let house = Self::sqlite();
        let owner = house.set_up().await;
        (house, owner)
    }

    pub async fn set_up(&self) -> Client {
        let mut owner = self.stranger();
        let answer = owner.post("/api/setup", setup_body()).await.ok();
        assert_eq!(answer["is_owner"], true);
        owner
    }

    pub fn stranger(&self) -> Client {
        self.client.stranger()
    }

    pub fn advance(&self, span: Span) {
        self.ground.clock.advance(span);
    }

    pub fn now(&self) -> Timestamp {
        self.ground.clock.now()
    }

    /// Invites somebody with built-in roles and lets them accept; answers their client and id.
    pub async fn hire(&self, owner: &mut Client, name: &str, roles: &[&str]) -> (Client, String) {
        let all = owner.get("/api/roles").await.ok();
        let role = |key: &str| {
            let found = all["items"].as_array().unwrap().iter().find(|role| role["key"] == key || role["name"] == key);
            json!({ "role": found.unwrap()["id"] })
        };
        let roles: Vec<Value> = roles.iter().map(|key| role(key)).collect();
        let body = json!({ "email": format!("{name}@example.com"), "name": name, "roles": roles });
        let link = owner.post("/api/invitations", body).await.ok()["link"].as_str().unwrap().to_owned();
        let token = link.rsplit('/').next().unwrap();
        let mut client = self.stranger();
        let body = json!({ "token": token, "name": name, "password": PASSWORD });
        let me = client.post("/api/invitations/accept", body).await.ok();
        (client, me["id"].as_str().unwrap().to_owned())
    }

    /// Signs in with the password that everybody has.
    pub async fn sign_in(&self, email: &str) -> Client {
        let mut client = self.stranger();
        let answer = client.post("/api/session", credentials(email, PASSWORD)).await.ok();
        assert_eq!(answer["status"], "signed_in");
        client
    }

    pub async fn mails(&self) -> Vec<Value> {
        let texts: Vec<String> =
            self.spine.db().read::<_, db::Error, _>(|q| q.query(&JOB_PAYLOADS, params!["system_mail"])).await.unwrap();
        texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// Waits for mails that are written beside the answer.
    pub async fn mails_when(&self, count: usize) -> Vec<Value> {
        loop {
            let mails = self.mails().await;
            if mails.len() >= count {
                return mails;
            }
            tokio::task::yield_now().await;
        }
    }

    pub async fn events(&self) -> Vec<(String, String)> {
        self.spine.db().read::<_, db::Error, _>(|q| q.query(&EVENT_TEXTS, &[])).await.unwrap()
    }

    /// Enrols a second factor; answers the secret and the recovery codes.
    pub async fn enroll(&self, client: &mut Client) -> (Vec<u8>, Vec<String>) {
        let begun = client.post("/api/me/totp", json!({ "password": PASSWORD })).await.ok();
        let secret = unbase32(begun["secret"].as_str().unwrap());
        let code = self.code(&secret, 0);
        let done = client.post("/api/me/totp/confirm", json!({ "code": code })).await.ok();
        let codes = done["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
        (secret, codes)
    }

    /// The code of now, or of `steps` later.
    pub fn code(&self, secret: &[u8], steps: i64) -> String {
        let at = self.now() + Span::seconds(steps * 30);
        let totp = totp_rs::Builder::new().with_secret(secret.to_vec()).build().unwrap();
        totp.generate(u64::try_from(at.as_micros() / 1_000_000).unwrap()).to_string()
    }
}

fn unbase32(text: &str) -> Vec<u8> {
    totp_rs::Secret::try_from_base32(text).unwrap().as_ref().to_vec()
}

pub fn setup_body() -> Value {
    json!({
        "company": "Guanghua & Co", "name": "Wang Fang", "email": "owner@example.com", "password": PASSWORD,
        "locale": "zh-CN", "time_zone": "Asia/Shanghai",
    })
}

pub fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

pub fn items(answer: &Value) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

#[test]
fn json_is_written_plainly() {
    assert_eq!(text(&["a", "b"]), r#"["a","b"]"#);
}
