//! A small company to test in: teams, agents with rights, channels, customers, cases.

use db::{params, sql};
use domain::access::{Access, Grant};
use domain::case::{AssignedBy, Case, CaseCommand, NewConversation, NewMessage, Priority};
use domain::permission::BuiltinRole;
use domain::{
    Actor, CaseId, ChannelId, ChannelKind, ConversationId, CustomerId, Id, MessageId, Permission, ReasonId, SkillId,
    TeamId, UserId, WorkspaceId,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use spine::{Order, Refusal, Spine};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use testkit::{Client, Ground};
use uuid::Uuid;
use web::{App, Authenticate, Identity, Kit, Locale, SecretHash, Settings};

sql!(ADD_USER = "INSERT INTO app_user (workspace_id, id, email, email_key, name, recovery_codes, locale, time_zone, languages, \
    signature, preferences, is_owner, active, created_at) VALUES ($1, $2, $3, $3, $4, '[]', 'en', 'UTC', '[]', '', '{}', $5, $6, 0)", params: 6);
sql!(ADD_TEAM = "INSERT INTO team (workspace_id, id, name, description) VALUES ($1, $2, $3, '')", params: 3);
sql!(ADD_MEMBER = "INSERT INTO team_member (workspace_id, team_id, user_id) VALUES ($1, $2, $3)", params: 3);
sql!(ADD_ROLE = "INSERT INTO role (workspace_id, id, role_key, name, permissions) VALUES ($1, $2, NULL, $3, $4)", params: 4);
sql!(ADD_GRANT = "INSERT INTO user_role (workspace_id, user_id, role_id, team_id, channel_id, id) VALUES ($1, $2, $3, $4, NULL, $5)", params: 5);
sql!(ADD_SKILL = "INSERT INTO skill (workspace_id, id, name) VALUES ($1, $2, $3)", params: 3);
sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, required_skills, active, created_at) \
    VALUES ($1, $2, $3, $4, '', $4, '{}', '[]', $5, 0)", params: 5);

pub(super) const MAIL: u128 = 100;
pub(super) const CHAT: u128 = 101;
pub(super) const PHONE: u128 = 102;
pub(super) const CLOSED_CHANNEL: u128 = 103;
pub(super) const SALES: u128 = 200;
pub(super) const SUPPORT: u128 = 201;
/// Agents: Li works in Sales, Wang and Zhao in Support, Olga owns everything, Gone has left.
pub(super) const LI: u128 = 1;
pub(super) const WANG: u128 = 2;
pub(super) const ZHAO: u128 = 3;
pub(super) const OLGA: u128 = 4;
pub(super) const GONE: u128 = 5;
pub(super) const SKILL: u128 = 300;
pub(super) const REASON: u128 = 400;

pub(super) fn id<I: Id>(n: u128) -> I {
    I::from_uuid(Uuid::from_u128(n))
}

/// Sessions by token, with the rights written down when the office was opened.
struct Doorman(HashMap<[u8; 32], Identity>);

impl Authenticate for Doorman {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        async { Ok(None) }.boxed()
    }
    fn by_token(&self, secret: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        let found = self.0.get(&secret.bytes()).cloned();
        async move { Ok(found) }.boxed()
    }
}

/// Text of an agent's key to the door.
fn key(workspace: u128, user: u128) -> String {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&workspace.to_be_bytes());
    bytes[16..].copy_from_slice(&user.to_be_bytes());
    web::secret::api_token(bytes)
}

pub(super) struct Office {
    pub(super) ground: Ground,
    pub(super) spine: Spine,
    pub(super) ws: WorkspaceId,
    client: Client,
}

impl Office {
    pub(super) fn open(ground: Ground) -> Self {
        let spine = ground.spine(vec![crate::feature(), customers::feature()]);
        let mut doors = HashMap::new();
        // The second company has the same ids throughout: nothing may leak between them (SECURITY P13).
        for n in [1, 2] {
            let ws = ground.workspace(n);
            furnish(&ground, ws);
            for (user, access) in staff() {
                doors.insert(SecretHash::of(&key(n, user)).unwrap().bytes(), identity(ws, user, access));
            }
        }
        let clock = ground.clock.clone();
        let settings = Settings { public_url: Some("http://steward.test".to_owned()), ..Settings::default() };
        let kit = Kit::new(settings, move || spine::Clock::now(clock.as_ref()), Arc::new(Doorman(doors)));
        let app = App::new(&kit).routes(crate::routes(&kit, spine.clone()));
        assert!(app.conflicts().is_empty(), "{:?}", app.conflicts());
        let client = Client::new(app.build());
        Self { ground, spine, ws: id(1), client }
    }

    /// A client signed in as an agent of the first company.
    pub(super) fn agent(&self, user: u128) -> Client {
        self.client.with_token(&key(1, user))
    }

    /// The same agent's namesake in the second company.
    pub(super) fn foreigner(&self, user: u128) -> Client {
        self.client.with_token(&key(2, user))
    }

    pub(super) fn give(&self, actor: Actor, case: CaseId, command: CaseCommand) -> Result<(), Refusal> {
        self.spine.execute_blocking(Order::new(self.ws, actor), move |unit| {
            unit.decide::<Case>(case, command.clone())?;
            Ok(())
        })
    }

    /// Opens case `n` (its id, number, conversation and first message all follow from `n`).
    pub(super) fn case(&self, n: u128, channel: u128, team: Option<u128>, text: &str) -> CaseId {
        let case: CaseId = id(10_000 + n);
        let customer: CustomerId = id(500);
        let conversation = NewConversation {
            id: id(20_000 + n),
            channel: id(channel),
            channel_kind: kind_of(channel),
            customer,
            thread_key: format!("t{n}"),
        };
        let open = CaseCommand::Open {
            number: i64::try_from(n).unwrap(),
            conversation,
            subject: format!("Case {n}"),
            priority: Priority::Normal,
            team: team.map(id),
            reason: None,
            language: Some("zh-CN".to_owned()),
            required_skills: BTreeSet::new(),
        };
        self.give(Actor::System, case, open).unwrap();
        self.say(n, 30_000 + n, text);
        case
    }

    /// The customer of case `n` says something.
    pub(super) fn say(&self, n: u128, message: u128, text: &str) {
        let receive = CaseCommand::Receive { message: message_of(message, 20_000 + n, text) };
        self.give(Actor::Customer(id(500)), id(10_000 + n), receive).unwrap();
    }

    pub(super) fn assign(&self, case: CaseId, team: Option<u128>, user: Option<u128>) {
        let command = CaseCommand::Assign {
            team: team.map(id),
            assignee: user.map(id),
            by: AssignedBy::Person,
            note: String::new(),
        };
        self.give(Actor::System, case, command).unwrap();
    }
}

pub(super) fn kind_of(channel: u128) -> ChannelKind {
    match channel {
        CHAT => ChannelKind::Webchat,
        PHONE => ChannelKind::Phone,
        _ => ChannelKind::Email,
    }
}

pub(super) fn message_of(message: u128, conversation: u128, text: &str) -> NewMessage {
    NewMessage {
        id: id::<MessageId>(message),
        conversation: id::<ConversationId>(conversation),
        sent_at: domain::Timestamp::from_micros(0),
        author_name: "王芳".to_owned(),
        automatic: false,
        text: text.to_owned(),
        html: None,
        quoted: String::new(),
        meta: json!({}),
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    }
}

fn identity(workspace: WorkspaceId, user: u128, access: Access) -> Identity {
    let user: UserId = id(user);
    Identity {
        workspace,
        user: Some(user),
        actor: Actor::Agent(user),
        access,
        session: None,
        locale: Locale::En,
        must_enroll: false,
    }
}

fn staff() -> [(u128, Access); 5] {
    let permissions: BTreeSet<Permission> = BuiltinRole::Agent.permissions().into_iter().collect();
    let supervisor: BTreeSet<Permission> = BuiltinRole::Supervisor.permissions().into_iter().collect();
    let within = |permissions: &BTreeSet<Permission>, team: u128| Access {
        owner: false,
        grants: vec![Grant { permissions: permissions.clone(), team: Some(id(team)), channel: None }],
    };
    [
        (LI, within(&permissions, SALES)),
        (WANG, within(&permissions, SUPPORT)),
        (ZHAO, within(&supervisor, SUPPORT)),
        (OLGA, Access::owner()),
        (GONE, within(&permissions, SUPPORT)),
    ]
}

fn furnish(ground: &Ground, ws: WorkspaceId) {
    let run = ground.db.write_blocking(move |tx| {
        for (user, name, owner) in [
            (LI, "Li", false),
            (WANG, "Wang", false),
            (ZHAO, "Zhao", false),
            (OLGA, "Olga", true),
            (GONE, "Gone", false),
        ] {
            let mail = format!("{name}@example.com");
            tx.execute(&ADD_USER, params![ws, id::<UserId>(user), mail, name, owner, user != GONE])?;
        }
        let names: Vec<&str> = BuiltinRole::Agent.permissions().iter().map(|p| p.as_str()).collect();
        let role: domain::RoleId = id(600);
        tx.execute(&ADD_ROLE, params![ws, role, "Agent", serde_json::to_string(&names).unwrap()])?;
        for (team, name) in [(SALES, "Sales"), (SUPPORT, "Support")] {
            tx.execute(&ADD_TEAM, params![ws, id::<TeamId>(team), name])?;
        }
        for (user, team) in [(LI, SALES), (WANG, SUPPORT), (ZHAO, SUPPORT), (GONE, SUPPORT)] {
            tx.execute(&ADD_MEMBER, params![ws, id::<TeamId>(team), id::<UserId>(user)])?;
            let row = Uuid::from_u128(700 + user);
            tx.execute(&ADD_GRANT, params![ws, id::<UserId>(user), role, id::<TeamId>(team), row])?;
        }
        tx.execute(&ADD_SKILL, params![ws, id::<SkillId>(SKILL), "Returns"])?;
        for (channel, name, active) in
            [(MAIL, "Mail", true), (CHAT, "Chat", true), (PHONE, "Phone", true), (CLOSED_CHANNEL, "Old mail", false)]
        {
            let kind = kind_of(channel).as_str();
            tx.execute(&ADD_CHANNEL, params![ws, id::<ChannelId>(channel), kind, name, active])?;
        }
        Ok::<_, db::Error>(())
    });
    run.unwrap();
    people(ground, ws);
}

/// A customer and a reason.
fn people(ground: &Ground, ws: WorkspaceId) {
    let spine = ground.spine(vec![crate::feature(), customers::feature()]);
    spine
        .execute_blocking(Order::new(ws, Actor::System), move |unit| {
            let create = domain::customer::CustomerCommand::Create {
                name: "王芳 Fang".to_owned(),
                language: Some("zh-CN".to_owned()),
                identities: vec![domain::customer::CustomerIdentity {
                    kind: domain::customer::IdentityKind::Email,
                    address: "fang@example.cn".to_owned(),
                    level: domain::customer::Level::Channel,
                }],
            };
            unit.decide::<domain::customer::Customer>(id(500), create)?;
            let reason = crate::wire::Reason {
                id: id::<ReasonId>(REASON),
                parent_id: None,
                name_zh: "退货".to_owned(),
                name_en: "Return".to_owned(),
                required_skills: Vec::new(),
                active: true,
                position: 0,
            };
            crate::store::reason::save(unit.tx(), ws, &reason)
        })
        .unwrap();
}
