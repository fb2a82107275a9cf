//! A company with a mailbox, a form, a chat and a telephone; and the post that carries its mail.

use crate::channels::Protocols;
use crate::store::{self, ChannelRow};
use crate::{raw, template};
use channel::{
    Bounce, Capabilities, Channel, ChannelConfig, Check, CheckState, Inbound, MailEvidence, Outbound, Participant,
    ParticipantRole, Raw, SendError, Sender, Sending, Sent, Thread, Understood,
};
use db::{FromRow, Query, Value as Sql, params, sql};
use domain::case::{Case, CaseCommand, CaseState, NewMessage, Priority, Route, Then};
use domain::customer::{CustomerIdentity, IdentityKind, Level};
use domain::{
    Actor, AttachmentId, CaseId, ChannelId, ChannelKind, ConversationId, Id, MessageId, Rejection, UserId, WorkspaceId,
};
use serde_json::{Value, json};
use spine::{Order, Spine};
use std::sync::{Arc, Mutex, OnceLock};
use testkit::Ground;
use uuid::Uuid;

sql!(MESSAGES = "SELECT id, case_id, conversation_id, author_kind, delivery, body_text, meta FROM view_message WHERE workspace_id = $1 ORDER BY at, seq, id",
    params: 1, row: Said);
sql!(FROM_INBOX = "SELECT id, case_id, conversation_id, author_kind, delivery, body_text, meta FROM view_message WHERE workspace_id = $1 \
    AND inbox_id = $2", params: 2, row: Said);
sql!(CASES = "SELECT COUNT(*) FROM view_case WHERE workspace_id = $1", params: 1);
sql!(INBOX = "SELECT COUNT(*) FROM inbox WHERE workspace_id = $1", params: 1);
sql!(ADD_VISITOR = "INSERT INTO visitor (workspace_id, id, channel_id, token_hash, customer_id, thread_id, name, locale, claimed_email, \
    last_seen_at, created_at, page_url) VALUES ($1, $2, $3, $4, $5, $2, '', 'en', $6, $7, $7, '')", params: 7);

db::row! {
    #[derive(Debug, Clone)]
    pub struct Said {
        pub id: MessageId,
        pub case_id: CaseId,
        pub conversation_id: ConversationId,
        pub author_kind: String,
        pub delivery: String,
        pub body_text: String,
        pub meta: String,
    }
}

impl Said {
    pub fn fact(&self, name: &str) -> Value {
        let meta: Value = serde_json::from_str(&self.meta).unwrap();
        meta.get(name).cloned().unwrap_or_default()
    }
}

pub fn id<T: Id>(n: u128) -> T {
    T::from_uuid(Uuid::from_u128(n))
}

pub fn block<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let make = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    RUNTIME.get_or_init(make).block_on(future)
}

/// Carries mail: what goes out lies in `sent`, and the next sendings end as `trouble` says.
#[derive(Default)]
pub struct Post {
    pub sent: Mutex<Vec<Outbound>>,
    pub trouble: Mutex<Vec<SendError>>,
}

/// One protocol of the test world. Raw mails are head, empty line, JSON.
pub struct Wire {
    pub kind: ChannelKind,
    pub post: Arc<Post>,
}

impl Channel for Wire {
    fn kind(&self) -> ChannelKind {
        self.kind
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: true, attachments: true, typing: false, manual: false }
    }
    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Queue
    }
    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        if self.kind == ChannelKind::Email && settings.get("address").and_then(Value::as_str).is_none() {
            return Err(Rejection::new(domain::Code::Required).on("settings.address"));
        }
        Ok(settings.clone())
    }
    fn secret_fields(&self) -> &'static [&'static str] {
        match self.kind {
            ChannelKind::Email => &["imap_password", "smtp_password"],
            ChannelKind::Webchat => &["identity_secret"],
            _ => &[],
        }
    }
    fn understand(&self, _: &ChannelConfig, raw: &Raw<'_>, _: &mut dyn FnMut() -> AttachmentId) -> Option<Understood> {
        let text = String::from_utf8_lossy(raw.bytes);
        let body = text.split_once("\r\n\r\n").map_or(&*text, |(_, body)| body);
        Some(understand(raw, body))
    }
    fn send<'a>(&'a self, _: &'a ChannelConfig, message: &'a Outbound) -> Sending<'a> {
        Box::pin(async move {
            if let Some(trouble) = self.post.trouble.lock().unwrap().pop() {
                return Err(trouble);
            }
            self.post.sent.lock().unwrap().push(message.clone());
            Ok(Sent { message_ids: vec![format!("{}@us.test", message.message)], meta: Value::Null })
        })
    }
    fn check<'a>(&'a self, config: &'a ChannelConfig) -> channel::futures::Checking<'a> {
        Box::pin(async move {
            let mut checks = vec![Check::new("mail_out", CheckState::Ok, "sent", Value::Null)];
            if config.settings.get("receive").and_then(Value::as_str) == Some("imap") {
                checks.push(Check::new("mail_in", CheckState::Ok, "connected", json!({ "host": "imap.test" })));
            }
            checks
        })
    }
}

fn understand(raw: &Raw<'_>, body: &str) -> Understood {
    let mail: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let text = |name: &str| mail.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| -> Vec<String> { serde_json::from_value(mail[name].clone()).unwrap_or_default() };
    let case = |name: &str| text(name).parse::<CaseId>().ok();
    let from = text("from");
    let unparsable = mail.is_null();
    let evidence = MailEvidence {
        reply_token: case("reply_token"),
        subject_token: case("subject_token"),
        subject_number: None,
        in_reply_to: list("in_reply_to"),
        references: list("references"),
        from: from.clone(),
        subject: text("subject"),
    };
    let identity = CustomerIdentity { kind: IdentityKind::Email, address: from.clone(), level: Level::Channel };
    let inbound = Inbound {
        message: raw.message,
        inbox: Some(raw.inbox),
        sender: Sender {
            name: text("name"),
            identities: if unparsable { Vec::new() } else { vec![identity] },
            customer: None,
        },
        thread: Thread::Mail(evidence),
        participants: list("cc")
            .into_iter()
            .map(|address| Participant { address, role: ParticipantRole::Copied })
            .collect(),
        subject: text("subject"),
        text: if unparsable { body.to_owned() } else { text("text") },
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: raw.received_at,
        automatic: mail["automatic"].as_bool().unwrap_or(false),
        language: None,
        priority: Priority::Normal,
        reason: None,
        meta: json!({ "from": from, "subject": text("subject"), "unparsable": unparsable, "authentication": mail.get("authentication") }),
        message_ids: Some(text("id")).filter(|i| !i.is_empty()).into_iter().collect(),
    };
    let bounce = mail.get("bounce").map(|ids| Bounce {
        message_ids: serde_json::from_value(ids.clone()).unwrap(),
        permanent: true,
        detail: String::new(),
    });
    Understood { inbound, raw_files: Vec::new(), bounce }
}

pub struct Office {
    pub ground: Ground,
    pub spine: Spine,
    pub ws: WorkspaceId,
    pub post: Arc<Post>,
    pub protocols: Protocols,
    mails: Mutex<u32>,
}

pub const LI: UserId = UserId(Uuid::from_u128(71));
pub const MAILBOX: ChannelId = ChannelId(Uuid::from_u128(31));
pub const FORM: ChannelId = ChannelId(Uuid::from_u128(32));
pub const CHAT: ChannelId = ChannelId(Uuid::from_u128(33));
pub const PHONE: ChannelId = ChannelId(Uuid::from_u128(34));

impl Office {
    pub fn new(ground: Ground) -> Self {
        Self::at(ground, "support@us.test")
    }

    /// An office with this mail address that answers mails and forms at once.
    pub fn at(ground: Ground, address: &str) -> Self {
        let ws = ground.workspace(1);
        let post = Arc::new(Post::default());
        let wires = ChannelKind::ALL
            .iter()
            .map(|kind| Arc::new(Wire { kind: *kind, post: post.clone() }) as Arc<dyn Channel>)
            .collect();
        let protocols = Protocols::new(wires);
        let spine = ground.spine(vec![crate::feature(&protocols), cases::feature(), customers::feature()]);
        let office = Self { ground, spine, ws, post, protocols, mails: Mutex::default() };
        let receive = json!({ "autoreply": true, "receive": "smtp", "address": address });
        office.channel(MAILBOX, ChannelKind::Email, address, receive);
        office.channel(FORM, ChannelKind::Webform, "form-key", json!({ "autoreply": true }));
        office.channel(CHAT, ChannelKind::Webchat, "chat-key", json!({}));
        office.channel(PHONE, ChannelKind::Phone, "", json!({}));
        office
    }

    fn channel(&self, id: ChannelId, kind: ChannelKind, key: &str, settings: Value) {
        let row = ChannelRow {
            workspace_id: self.ws,
            id,
            kind: kind.as_str().to_owned(),
            name: "Shop".to_owned(),
            brand: String::new(),
            public_key: key.to_owned(),
            settings: settings.to_string(),
            secrets: None,
            team_id: None,
            language: None,
            required_skills: "[]".to_owned(),
            active: true,
        };
        let at = self.spine.now();
        self.ground.db.write_blocking(move |tx| store::configured::insert(tx, &row, at)).unwrap();
    }

    pub fn config(&self, id: ChannelId) -> ChannelConfig {
        block(crate::channels::by_id(&self.spine, self.ws, id)).unwrap()
    }

    /// Everything that is due happens.
    pub fn settle(&self) {
        block(self.spine.run_due()).unwrap();
    }

    /// A raw mail arrives under a key of its own, and is filed.
    pub fn bytes(&self, key: &str, bytes: &[u8]) -> domain::InboxId {
        let config = self.config(MAILBOX);
        let inbox = block(raw::store_raw(&self.spine, &config, key.to_owned(), bytes.to_vec(), json!({}))).unwrap();
        self.settle();
        inbox
    }

    /// A mail arrives; answers the message it became.
    pub fn mail(&self, mail: Value) -> Said {
        let count = {
            let mut count = self.mails.lock().unwrap();
            *count += 1;
            *count
        };
        let inbox = self.bytes(&format!("mail-{count}"), format!("X: {count}\r\n\r\n{mail}").as_bytes());
        self.rows(&FROM_INBOX, params![self.ws, inbox]).into_iter().next().expect("the mail became a message")
    }

    /// Something comes by a structured channel.
    pub fn hears(&self, channel: ChannelId, inbound: Inbound) -> crate::Received {
        let received = block(crate::receive(&self.spine, &self.config(channel), inbound)).unwrap();
        self.settle();
        received
    }

    pub fn said(&self) -> Vec<Said> {
        self.rows(&MESSAGES, params![self.ws])
    }

    pub fn cases(&self) -> i64 {
        self.rows(&CASES, params![self.ws])[0]
    }

    pub fn inbox(&self) -> i64 {
        self.rows(&INBOX, params![self.ws])[0]
    }

    pub fn rows<R: FromRow + Send + 'static>(&self, statement: &'static db::Statement, values: &[Sql]) -> Vec<R> {
        let values = values.to_vec();
        self.ground.db.read_blocking::<_, db::Error, _>(move |r| r.query(statement, &values)).unwrap()
    }

    pub fn read<T: Send + 'static>(&self, f: impl Fn(&mut db::Read<'_>) -> Result<T, db::Error> + Send + 'static) -> T {
        self.ground.db.read_blocking(move |r| f(r)).unwrap()
    }

    pub fn case(&self, id: CaseId) -> CaseState {
        let order = Order::new(self.ws, Actor::System);
        self.spine.execute_blocking(order, move |unit| Ok(unit.load::<Case>(id)?.unwrap())).unwrap()
    }

    pub fn does(&self, actor: Actor, case: CaseId, command: CaseCommand) {
        let order = Order::new(self.ws, actor);
        self.spine.execute_blocking(order, move |unit| unit.decide::<Case>(case, command.clone()).map(|_| ())).unwrap();
    }

    /// An agent answers.
    pub fn answers(
        &self,
        n: u128,
        (case, conversation): (CaseId, ConversationId),
        text: &str,
        route: Route,
    ) -> MessageId {
        let message = NewMessage {
            id: id(n),
            conversation,
            sent_at: self.spine.now(),
            author_name: "Li".to_owned(),
            automatic: false,
            text: text.to_owned(),
            html: None,
            quoted: String::new(),
            meta: json!({}),
            attachments: Vec::new(),
            inbox: None,
            references: Vec::new(),
        };
        let reply = CaseCommand::Reply { message, route, then: Then::Stay, seen_at: None, force: true };
        self.does(Actor::Agent(LI), case, reply);
        self.settle();
        id(n)
    }

    pub fn delivery(&self, message: MessageId) -> String {
        self.said().into_iter().find(|m| m.id == message).unwrap().delivery
    }

    /// Mails that went out since the last look.
    pub fn outgoing(&self) -> Vec<Outbound> {
        std::mem::take(&mut *self.post.sent.lock().unwrap())
    }

    /// A visitor whom the widget knows, seen last at `seen`.
    pub fn visitor(&self, n: u128, customer: domain::CustomerId, email: Option<&'static str>, seen: domain::Timestamp) {
        let ws = self.ws;
        let hash = vec![u8::try_from(n).unwrap(); 32];
        self.ground
            .db
            .write_blocking(move |tx| {
                let row = params![ws, Uuid::from_u128(n), CHAT, hash.clone(), customer, email, seen];
                tx.execute(&ADD_VISITOR, row)
            })
            .unwrap();
    }
}

/// Something said on a structured channel.
pub fn inbound(n: u128, thread: Thread, name: &str, email: Option<(&str, Level)>, text: &str) -> Inbound {
    Inbound {
        message: id(n),
        inbox: None,
        sender: Sender {
            name: name.to_owned(),
            identities: email
                .into_iter()
                .map(|(address, level)| CustomerIdentity {
                    kind: IdentityKind::Email,
                    address: address.to_owned(),
                    level,
                })
                .collect(),
            customer: None,
        },
        thread,
        participants: Vec::new(),
        subject: text.to_owned(),
        text: text.to_owned(),
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: domain::Timestamp::from_micros(0),
        automatic: false,
        language: None,
        priority: Priority::Normal,
        reason: None,
        meta: json!({}),
        message_ids: Vec::new(),
    }
}

/// The subject of an acknowledgement, to tell them from answers.
pub fn is_acknowledgement(mail: &Outbound) -> bool {
    let params = template::Params::from([("number".to_owned(), mail.case_number.to_string())]);
    ["en", "zh"].iter().any(|l| template::render("acknowledgement", l, &params).unwrap().subject == mail.subject)
}
