//! One simulated company: what can happen, chosen by the seed.

use crate::invariants;
use crate::peer::{Peer, Reached};
use channel::{ChannelConfig, Inbound, Sender, Thread};
use conversations::Protocols;
use db::{CrashPoint, Db, Query, Settings, params, sql};
use domain::case::{AssignedBy, Case, CaseCommand, CaseEdit, CaseState, NewMessage, Priority, Route, Then, WaitingOn};
use domain::customer::{CustomerIdentity, IdentityKind, Level};
use domain::{Actor, CaseId, ChannelId, ChannelKind, Id, MessageId, Policies, Span, TeamId, UserId, WorkspaceId};
use serde_json::{Value, json};
use spine::{Clock, Edges, Files, Order, Refusal, Spine, Vault};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use testkit::{FakeClock, SeededRandom, fake_edges};
use tokio::runtime::Runtime;
use uuid::Uuid;

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
const TEAM: TeamId = TeamId(Uuid::from_u128(9));
const AGENTS: u128 = 4;

sql!(ADD_WORKSPACE = "INSERT INTO workspace (workspace_id, name, slug, locale, time_zone, settings, secret, created_at) \
    VALUES ($1, 'Sim', 'sim', 'en', 'UTC', $2, $3, 0)", params: 3);
sql!(ADD_TEAM = "INSERT INTO team (workspace_id, id, name, description) VALUES ($1, $2, 'Sim', '')", params: 2);
sql!(ADD_USER = "INSERT INTO app_user (workspace_id, id, email, email_key, name, recovery_codes, locale, time_zone, languages, \
    signature, preferences, is_owner, active, created_at) VALUES ($1, $2, $3, $3, $3, '[]', 'en', 'UTC', '[\"en\"]', '', '{}', TRUE, TRUE, 0)", params: 3);
sql!(ADD_MEMBER = "INSERT INTO team_member (workspace_id, team_id, user_id) VALUES ($1, $2, $3)", params: 3);
sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, team_id, required_skills, active, created_at) \
    VALUES ($1, $2, $3, $3, '', $3, '{}', $4, '[]', TRUE, 0)", params: 4);
sql!(CASES = "SELECT id FROM case_record WHERE workspace_id = $1 ORDER BY number", params: 1);

/// What one seed did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    /// SHA-256 of the whole event log, hexadecimal.
    pub log: String,
    pub events: i64,
    pub crashes: u32,
    pub broken: Vec<String>,
}

/// Runs `steps` random steps and checks what must hold.
#[must_use]
pub fn simulate(seed: u64, steps: u32) -> Report {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step();
    }
    world.settle();
    let broken =
        invariants::check(&world.db, WORKSPACE, world.clock.now(), &world.acknowledged, &world.reached.lock().unwrap());
    let (log, events) = invariants::log_hash(&world.db, WORKSPACE);
    Report { seed, log, events, crashes: world.crashes, broken }
}

struct World {
    folder: tempfile::TempDir,
    runtime: Runtime,
    dice: Arc<SeededRandom>,
    clock: Arc<FakeClock>,
    edges: Edges,
    db: Db,
    spine: Spine,
    channels: Vec<ChannelConfig>,
    reached: Reached,
    /// Messages whose storing was acknowledged to whoever sent them.
    acknowledged: BTreeSet<MessageId>,
    /// The latest message each customer sent, to send again as a weak network would.
    sent: Vec<(usize, Inbound)>,
    crashes: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        // Memory, where there is some: what a crash keeps is decided by SQLite's journal, not by the disk.
        let folder = match std::path::Path::new("/dev/shm") {
            shm if shm.is_dir() => tempfile::tempdir_in(shm).unwrap(),
            _ => tempfile::tempdir().unwrap(),
        };
        let (edges, clock) = fake_edges(seed);
        let dice = Arc::new(SeededRandom::new(seed ^ 0xD1CE));
        let reached: Reached = Arc::new(Mutex::new(BTreeMap::new().into_iter().collect()));
        let db = open(&folder);
        db.migrate(0).unwrap();
        found(&db);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let spine = spine(&db, &folder, &edges, &dice, &reached);
        let kinds = [ChannelKind::Webchat, ChannelKind::Email, ChannelKind::Webform, ChannelKind::Phone];
        let channels = kinds.into_iter().enumerate().map(|(n, kind)| config(n, kind)).collect();
        Self {
            folder,
            runtime,
            dice,
            clock,
            edges,
            db,
            spine,
            channels,
            reached,
            acknowledged: BTreeSet::new(),
            sent: Vec::new(),
            crashes: 0,
        }
    }

    fn roll(&self, sides: u64) -> u64 {
        self.dice.next() % sides
    }

    fn step(&mut self) {
        if self.roll(40) == 0 {
            let point = if self.roll(2) == 0 { CrashPoint::BeforeCommit } else { CrashPoint::AfterCommit };
            self.db.arm(point);
        }
        match self.roll(10) {
            0..=3 => self.customer_writes(),
            4 => self.weak_network_repeats(),
            5..=8 => self.agent_acts(),
            _ => self.time_passes(),
        }
        if self.roll(3) == 0 {
            let ran = self.runtime.block_on(self.spine.run_due());
            self.survive(ran.err());
        }
    }

    /// A lost outcome means that the process died: it starts again on what is on disk.
    fn survive(&mut self, error: Option<Refusal>) {
        match error {
            None | Some(Refusal::Rejected(_) | Refusal::NotFound) => {}
            Some(Refusal::Storage(_)) => {
                self.crashes += 1;
                self.db = open(&self.folder);
                self.spine = spine(&self.db, &self.folder, &self.edges, &self.dice, &self.reached);
            }
            Some(Refusal::Internal(text)) => panic!("internal: {text}"),
        }
    }

    fn customer_writes(&mut self) {
        let channel = usize::try_from(self.roll(4)).unwrap();
        let customer = self.roll(6);
        let kind = self.channels[channel].kind;
        let (identity, address) = match kind {
            ChannelKind::Email | ChannelKind::Webform => (IdentityKind::Email, format!("c{customer}@sim.example")),
            ChannelKind::Phone => (IdentityKind::Phone, format!("+86138{customer:08}")),
            _ => (IdentityKind::Visitor, format!("visitor-{customer}")),
        };
        let identities = vec![CustomerIdentity { kind: identity, address, level: Level::Channel }];
        let thread = if kind == ChannelKind::Webform { Thread::New } else { Thread::Key(format!("{customer}")) };
        let inbound = Inbound {
            message: MessageId(self.edges.uuid()),
            inbox: None,
            sender: Sender { name: format!("Customer {customer}"), identities, customer: None },
            thread,
            participants: Vec::new(),
            subject: "About my order".to_owned(),
            text: format!("Message {}", self.roll(1_000_000)),
            html: None,
            quoted: String::new(),
            files: Vec::new(),
            uploads: Vec::new(),
            sent_at: self.clock.now(),
            automatic: self.roll(8) == 0,
            language: Some("en".to_owned()),
            priority: Priority::Normal,
            reason: None,
            meta: json!({}),
            message_ids: Vec::new(),
        };
        self.take(channel, inbound);
    }

    fn take(&mut self, channel: usize, inbound: Inbound) {
        let config = self.channels[channel].clone();
        let message = inbound.message;
        self.sent.push((channel, inbound.clone()));
        let order = Order::new(WORKSPACE, Actor::System);
        let taken = self.spine.execute_blocking(order, move |unit| conversations::receive_in(unit, &config, &inbound));
        match taken {
            Ok(_) => {
                self.acknowledged.insert(message);
            }
            Err(error) => self.survive(Some(error)),
        }
    }

    /// The client got no answer, or believes so, and sends the same message again.
    fn weak_network_repeats(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let index = usize::try_from(self.roll(self.sent.len() as u64)).unwrap();
        let (channel, inbound) = self.sent[index].clone();
        self.take(channel, inbound);
    }

    fn time_passes(&mut self) {
        let span = match self.roll(12) {
            0 => Span::days(3),
            1 => Span::days(8),
            // A clock that was corrected.
            2 => Span::minutes(-10),
            3..=6 => Span::minutes(i64::try_from(self.roll(300)).unwrap()),
            _ => Span::seconds(i64::try_from(self.roll(30)).unwrap()),
        };
        self.clock.advance(span);
    }

    fn agent_acts(&mut self) {
        let cases: Vec<CaseId> = self.db.read_blocking(|r| r.query(&CASES, params![WORKSPACE])).unwrap();
        if cases.is_empty() {
            return;
        }
        let case = cases[usize::try_from(self.roll(cases.len() as u64)).unwrap()];
        let agent = UserId(Uuid::from_u128(100 + u128::from(self.roll(AGENTS as u64))));
        let order = Order::new(WORKSPACE, Actor::Agent(agent));
        let choice = self.roll(14);
        let (message, extra, until) = (MessageId(self.edges.uuid()), self.roll(4), self.clock.now() + Span::hours(2));
        let sent = matches!(choice, 0..=3);
        let done = self.spine.execute_blocking(order, move |unit| {
            let state = unit.load::<Case>(case)?.ok_or(Refusal::NotFound)?;
            let Some(command) = command(&state, (choice, extra), (message, agent), until) else { return Ok(false) };
            unit.decide::<Case>(case, command).map(|_| true)
        });
        match done {
            Ok(true) if sent => {
                self.acknowledged.insert(message);
            }
            Ok(_) => {}
            Err(error) => self.survive(Some(error)),
        }
    }

    /// Lets everything that is due happen, however long the far server was away.
    fn settle(&mut self) {
        for _ in 0..60 {
            let ran = self.runtime.block_on(self.spine.run_due());
            self.survive(ran.err());
            self.clock.advance(Span::minutes(30));
        }
    }
}

fn command(
    state: &CaseState,
    (choice, extra): (u64, u64),
    (id, agent): (MessageId, UserId),
    until: domain::Timestamp,
) -> Option<CaseCommand> {
    let conversation = *state.conversations.last()?;
    let message = NewMessage {
        id,
        conversation,
        sent_at: until,
        author_name: "Agent".to_owned(),
        automatic: false,
        text: format!("Answer {extra}"),
        html: None,
        quoted: String::new(),
        meta: Value::Object(serde_json::Map::new()),
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    };
    let route = if state.channel_kind.holds_replies() { Route::Hold } else { Route::Direct };
    let then = [Then::Stay, Then::Waiting, Then::Solved, Then::Stay][usize::try_from(extra).ok()?];
    Some(match choice {
        0..=2 => CaseCommand::Reply { message, route, then, seen_at: None, force: extra == 0 },
        3 => CaseCommand::Note { message, mentions: Vec::new() },
        4 => CaseCommand::Undo { message: *state.outgoing.keys().next()? },
        5 => CaseCommand::Retry { message: *state.outgoing.keys().next()? },
        6 => CaseCommand::SetOpen,
        7 => CaseCommand::SetWaiting { on: WaitingOn::ThirdParty, reason: "carrier".to_owned() },
        8 => CaseCommand::Snooze { until },
        9 => CaseCommand::Solve,
        10 => CaseCommand::Close,
        11 => CaseCommand::Assign {
            team: Some(TEAM),
            assignee: (extra > 0).then_some(agent),
            by: AssignedBy::Person,
            note: String::new(),
        },
        12 => {
            CaseCommand::Assign { team: state.team, assignee: Some(agent), by: AssignedBy::Pick, note: String::new() }
        }
        _ => CaseCommand::Edit(CaseEdit {
            priority: Some(Priority::ALL[usize::try_from(extra).ok()?]),
            tags: Some([format!("tag{extra}")].into()),
            ..CaseEdit::default()
        }),
    })
}

fn open(folder: &tempfile::TempDir) -> Db {
    // One reader: two would answer in an order that no seed decides.
    Db::open(&Settings::Sqlite { path: folder.path().join("sim.db"), readers: 1 }).unwrap()
}

fn spine(db: &Db, folder: &tempfile::TempDir, edges: &Edges, dice: &Arc<SeededRandom>, reached: &Reached) -> Spine {
    let kinds = [ChannelKind::Webchat, ChannelKind::Email, ChannelKind::Webform, ChannelKind::Phone];
    let peers = kinds
        .map(|kind| Arc::new(Peer { kind, dice: dice.clone(), reached: reached.clone() }) as Arc<dyn channel::Channel>);
    let protocols = Protocols::new(peers.into());
    let features = vec![customers::feature(), cases::feature(), conversations::feature(&protocols), routing::feature()];
    let files = Files::open(&folder.path().join("files")).unwrap();
    Spine::new(db.clone(), edges.clone(), files, Vault::new([3; 32]), features)
}

fn found(db: &Db) {
    let settings = serde_json::to_string(&Policies::default()).unwrap();
    db.write_blocking(move |tx| {
        let secret = [0_u8; 32];
        tx.execute(&ADD_WORKSPACE, params![WORKSPACE, settings.as_str(), secret.as_slice()])?;
        tx.execute(&ADD_TEAM, params![WORKSPACE, TEAM])?;
        for n in 0..AGENTS {
            let id = UserId(Uuid::from_u128(100 + n));
            tx.execute(&ADD_USER, params![WORKSPACE, id, format!("agent{n}@sim.example")])?;
            tx.execute(&ADD_MEMBER, params![WORKSPACE, TEAM, id])?;
        }
        for (n, kind) in
            [ChannelKind::Webchat, ChannelKind::Email, ChannelKind::Webform, ChannelKind::Phone].into_iter().enumerate()
        {
            tx.execute(&ADD_CHANNEL, params![WORKSPACE, config(n, kind).id, kind.as_str(), TEAM])?;
        }
        Ok::<_, db::Error>(())
    })
    .unwrap();
}

fn config(n: usize, kind: ChannelKind) -> ChannelConfig {
    ChannelConfig {
        workspace: WORKSPACE,
        id: ChannelId::from_uuid(Uuid::from_u128(50 + n as u128)),
        kind,
        name: kind.as_str().to_owned(),
        brand: String::new(),
        public_key: kind.as_str().to_owned(),
        settings: json!({}),
        secrets: BTreeMap::new(),
        team: Some(TEAM),
        language: None,
        required_skills: BTreeSet::new(),
        active: true,
    }
}
