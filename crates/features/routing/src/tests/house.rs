//! A company with agents, teams and cases to route.

use super::keeper::Keeper;
use crate::store;
use db::{Query, params, sql};
use domain::case::{AssignedBy, Case, CaseCommand, CaseEdit, CaseState, NewConversation, NewMessage, Priority};
use domain::event::{ConfigAction, ConfigChanged};
use domain::routing::{Explanation, TeamPolicy};
use domain::{Actor, CaseId, ChannelKind, Event, Id, Span, UserId, WorkspaceId};
use spine::{Feature, Order, Refusal, Spine};
use std::collections::BTreeSet;
use testkit::Ground;
use uuid::Uuid;

sql!(ADD_USER = "INSERT INTO app_user (workspace_id, id, email, email_key, name, recovery_codes, locale, time_zone, languages, \
    signature, preferences, is_owner, active, created_at) \
    VALUES ($1, $2, $3, $3, $4, '[]', 'en', 'UTC', $5, '', '{}', FALSE, TRUE, 0)", params: 5);
sql!(DEACTIVATE = "UPDATE app_user SET active = FALSE WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(ADD_ROLE = "INSERT INTO role (workspace_id, id, name, permissions) VALUES ($1, $2, 'Agent', $3)", params: 3);
sql!(GIVE_ROLE = "INSERT INTO user_role (workspace_id, id, user_id, role_id) VALUES ($1, $2, $2, $3)", params: 3);
sql!(ADD_TEAM = "INSERT INTO team (workspace_id, id, name, description) VALUES ($1, $2, $3, '')", params: 3);
sql!(ADD_MEMBER = "INSERT INTO team_member (workspace_id, team_id, user_id) VALUES ($1, $2, $3)", params: 3);
sql!(ADD_SKILL = "INSERT INTO skill (workspace_id, id, name) VALUES ($1, $2, $3)", params: 3);
sql!(GIVE_SKILL = "INSERT INTO user_skill (workspace_id, user_id, skill_id) VALUES ($1, $2, $3)", params: 3);
sql!(COUNT_QUEUE = "SELECT COUNT(*) FROM routing_queue WHERE workspace_id = $1", params: 1);

pub(super) fn id<T: Id>(n: u128) -> T {
    T::from_uuid(Uuid::from_u128(n))
}

pub(super) fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// What a new case asks for.
#[derive(Clone)]
pub(super) struct Wish {
    pub kind: ChannelKind,
    pub customer: u128,
    pub team: Option<u128>,
    pub language: Option<&'static str>,
    pub skills: &'static [u128],
    pub priority: Priority,
}

pub(super) const CHAT: Wish = Wish {
    kind: ChannelKind::Webchat,
    customer: 1,
    team: None,
    language: None,
    skills: &[],
    priority: Priority::Normal,
};
pub(super) const MAIL: Wish = Wish { kind: ChannelKind::Email, ..CHAT };

pub(super) struct House {
    pub ground: Ground,
    pub spine: Spine,
    pub ws: WorkspaceId,
    pub attendance: crate::Attendance,
}

impl House {
    /// A workspace with a role that answers and team 80.
    pub(super) fn new(ground: Ground) -> Self {
        let ws = ground.workspace(1);
        let spine = ground.spine(vec![crate::feature(), Feature::new().store::<Case>(Keeper)]);
        let house = Self { ground, spine, ws, attendance: crate::Attendance::default() };
        house.write(move |tx| {
            tx.execute(&ADD_ROLE, params![ws, id::<domain::RoleId>(70), r#"["case.read","case.reply"]"#])?;
            tx.execute(&ADD_TEAM, params![ws, id::<domain::TeamId>(80), "Orders"])?;
            tx.execute(&ADD_SKILL, params![ws, id::<domain::SkillId>(90), "Returns"])
        });
        house
    }

    fn write(&self, closure: impl Fn(&mut db::Tx<'_>) -> Result<u64, db::Error> + Send + 'static) {
        self.ground.db.write_blocking(move |tx| closure(tx)).unwrap();
    }

    /// An agent who is not there yet.
    pub(super) fn agent(&self, n: u128) {
        self.agent_speaking(n, "[]");
    }

    pub(super) fn agent_speaking(&self, n: u128, languages: &'static str) {
        let ws = self.ws;
        self.write(move |tx| {
            let (email, name) = (format!("a{n}@x.test"), format!("Agent {n}"));
            tx.execute(&ADD_USER, params![ws, id::<UserId>(n), email, name, languages])?;
            tx.execute(&GIVE_ROLE, params![ws, id::<UserId>(n), id::<domain::RoleId>(70)])
        });
    }

    pub(super) fn join_team(&self, n: u128) {
        let ws = self.ws;
        self.write(move |tx| tx.execute(&ADD_MEMBER, params![ws, id::<domain::TeamId>(80), id::<UserId>(n)]));
        self.config_changed("team", 80);
    }

    pub(super) fn learn(&self, n: u128) {
        let ws = self.ws;
        self.write(move |tx| tx.execute(&GIVE_SKILL, params![ws, id::<UserId>(n), id::<domain::SkillId>(90)]));
        self.config_changed("user", n);
    }

    pub(super) fn leave_company(&self, n: u128) {
        let ws = self.ws;
        self.write(move |tx| tx.execute(&DEACTIVATE, params![ws, id::<UserId>(n)]));
        self.config_changed("user", n);
    }

    pub(super) fn policy(&self, policy: TeamPolicy) {
        let ws = self.ws;
        self.ground.db.write_blocking(move |tx| store::set_policy(tx, ws, None, &policy)).unwrap();
        self.config_changed("routing_policy", 0);
    }

    pub(super) fn capacity(&self, n: u128, kind: ChannelKind, capacity: u32) {
        let ws = self.ws;
        self.write(move |tx| store::set_capacity(tx, ws, id(n), kind, capacity).map(|()| 1));
        self.config_changed("capacity", n);
    }

    fn config_changed(&self, object: &'static str, n: u128) {
        let change = ConfigChanged {
            object: object.to_owned(),
            id: Uuid::from_u128(n),
            action: ConfigAction::Changed,
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
        };
        self.execute(Actor::System, move |unit| unit.record(Event::Config(change.clone()), object, change.id));
    }

    pub(super) fn execute<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static>(
        &self,
        actor: Actor,
        closure: impl FnMut(&mut spine::Unit<'_, '_>) -> Result<T, Refusal> + Send + 'static,
    ) -> T {
        self.spine.execute_blocking(Order::new(self.ws, actor), closure).unwrap()
    }

    /// The agent opens the desk.
    pub(super) fn arrives(&self, n: u128) {
        block(self.attendance.connected(&self.spine, self.ws, id(n)));
    }

    pub(super) fn drops_out(&self, n: u128) {
        block(self.attendance.disconnected(&self.spine, self.ws, id(n)));
    }

    /// A customer opens a case and writes; routing has not heard of it yet.
    pub(super) fn opens(&self, n: u128, wish: &Wish) {
        let wish = wish.clone();
        self.execute(Actor::Customer(id(wish.customer)), move |unit| {
            let conversation = NewConversation {
                id: id(1_000_000 + n),
                channel: id(60),
                channel_kind: wish.kind,
                customer: id(wish.customer),
                thread_key: n.to_string(),
            };
            let open = CaseCommand::Open {
                number: i64::try_from(n).unwrap(),
                conversation,
                subject: "Parcel".to_owned(),
                priority: wish.priority,
                team: wish.team.map(id),
                reason: None,
                language: wish.language.map(str::to_owned),
                required_skills: wish.skills.iter().map(|n| id(*n)).collect::<BTreeSet<_>>(),
            };
            unit.decide::<Case>(id(n), open)?;
            unit.decide::<Case>(id(n), CaseCommand::Receive { message: message(n, 1) }).map(drop)
        });
    }

    pub(super) fn obey(&self, n: u128, agent: u128, command: CaseCommand) {
        self.execute(Actor::Agent(id(agent)), move |unit| unit.decide::<Case>(id(n), command.clone()).map(drop));
    }

    pub(super) fn says_again(&self, n: u128) {
        let command = CaseCommand::Receive { message: message(n, 2) };
        self.execute(Actor::Customer(id(1)), move |unit| unit.decide::<Case>(id(n), command.clone()).map(drop));
    }

    pub(super) fn edits(&self, n: u128, edit: CaseEdit) {
        self.obey(n, 1, CaseCommand::Edit(edit));
    }

    pub(super) fn assigns(&self, n: u128, agent: Option<u128>) {
        let by = AssignedBy::Person;
        self.obey(n, 1, CaseCommand::Assign { team: None, assignee: agent.map(id), by, note: String::new() });
    }

    /// Everything that follows, without time passing.
    pub(super) fn settle(&self) {
        block(self.spine.run_due()).unwrap();
        assert_eq!(block(self.spine.unfinished_jobs()).unwrap(), vec![]);
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.ground.clock.advance(Span::seconds(seconds));
        self.settle();
    }

    pub(super) fn case(&self, n: u128) -> CaseState {
        self.execute(Actor::System, move |unit| unit.load::<Case>(id(n))).unwrap()
    }

    /// Number of the agent who has the case.
    pub(super) fn holder(&self, n: u128) -> Option<u128> {
        self.case(n).assignee.map(|u| u.0.as_u128())
    }

    pub(super) fn queue_length(&self) -> i64 {
        let ws = self.ws;
        self.ground.db.read_blocking(move |r| r.query_one(&COUNT_QUEUE, params![ws])).unwrap()
    }

    /// Stored explanations, newest first.
    pub(super) fn explanations(&self, n: u128) -> Vec<Explanation> {
        let ws = self.ws;
        let rows =
            self.ground.db.read_blocking(move |r| store::assignments(r, ws, CaseId(Uuid::from_u128(n)), 100)).unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.explanation).unwrap()).collect()
    }
}

pub(super) fn message(n: u128, index: u128) -> NewMessage {
    NewMessage {
        id: id(2_000_000 + n * 10 + index),
        conversation: id(1_000_000 + n),
        sent_at: domain::Timestamp::default(),
        author_name: String::new(),
        automatic: false,
        text: "hello".to_owned(),
        html: None,
        quoted: String::new(),
        meta: serde_json::Value::Null,
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    }
}
