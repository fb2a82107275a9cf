//! A whole Steward for one test: temporary folder, fake clock, seeded chance, nothing left running.

use config::{Flags, Settings};
use domain::{Span, WorkspaceId};
use serde_json::{Value, json};
use spine::Spine;
use std::sync::Arc;
use steward::assemble::{Assembled, assemble};
use steward::folder::Folder;
use testkit::{Client, FakeClock, fake_edges};

pub const PASSWORD: &str = "correct horse battery staple";

pub struct TestApp {
    pub assembled: Assembled,
    pub clock: Arc<FakeClock>,
    pub owner: Client,
    pub workspace: WorkspaceId,
    _folder: Folder,
    _data: tempfile::TempDir,
}

impl TestApp {
    /// A company with its owner signed in.
    pub async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let flags = Flags {
            data: Some(data.path().to_owned()),
            allowed_networks: Some("127.0.0.0/8".to_owned()),
            ..Flags::default()
        };
        let settings: Settings = flags.settle().unwrap();
        let settings = Settings { no_rate_limits: true, ..settings };
        let (edges, clock) = fake_edges(11);
        let folder = Folder::open(&settings, edges.clock.now()).unwrap();
        let assembled = assemble(&folder, &settings, edges).unwrap();
        let mut owner = Client::new(assembled.router.clone());
        let setup = json!({"company": "Spruce", "name": "Owner", "email": "owner@spruce.example", "password": PASSWORD,
            "locale": "en", "time_zone": "Europe/London"});
        let me = owner.post("/api/setup", setup).await.ok();
        let workspace = me["workspace"]["id"].as_str().unwrap().parse().unwrap();
        Self { assembled, clock, owner, workspace, _folder: folder, _data: data }
    }

    pub fn spine(&self) -> &Spine {
        &self.assembled.spine
    }

    /// Lets everything happen that is due.
    pub async fn settle(&self) {
        self.spine().run_due().await.unwrap();
    }

    pub async fn pass(&self, span: Span) {
        self.clock.advance(span);
        self.settle().await;
    }

    /// Invites somebody with a built-in role and accepts for them.
    pub async fn person(&mut self, name: &str, role: &str, teams: &[&str]) -> Client {
        let roles = self.owner.get("/api/roles").await.ok();
        let role = roles["items"].as_array().unwrap().iter().find(|r| r["key"] == role).unwrap()["id"].clone();
        let email = format!("{}@spruce.example", name.to_lowercase());
        let invitation =
            json!({"email": email, "name": name, "roles": [{"role": role}], "teams": teams, "languages": ["en"]});
        let invited = self.owner.post("/api/invitations", invitation).await.ok();
        let token = invited["link"].as_str().unwrap().rsplit(['/', '=']).next().unwrap().to_owned();
        let mut client = self.owner.stranger();
        client.post("/api/invitations/accept", json!({"token": token, "name": name, "password": PASSWORD})).await.ok();
        client
    }

    pub async fn channel(&mut self, kind: &str, settings: Value) -> Value {
        let channel = json!({"kind": kind, "name": format!("Test {kind}"), "brand": "Spruce", "team_id": null, "language": "en",
            "required_skills": [], "settings": settings, "active": true});
        self.owner.post("/api/channels", channel).await.ok()
    }

    pub async fn webchat(&mut self) -> Value {
        let settings = json!({"origins": ["http://steward.test"], "color": "#0f766e", "greeting_zh": "您好", "greeting_en": "Hello", "ask_email": true});
        self.channel("webchat", settings).await
    }
}
