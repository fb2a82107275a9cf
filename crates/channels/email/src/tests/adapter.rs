//! The channel as the product sees it: settings, a round trip, both ways in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::channel::{
    Acceptor, Channel, ChannelConfig, CheckState, MailThread, MailboxPosition, OutRecipient, Outbound, Raw,
    ReceiveError, Receiver, Receiving, SendError, Sink, Thread, Understood,
};
use domain::case::Route;
use domain::customer::Level;
use domain::{
    AttachmentId, CaseId, ChannelId, ChannelKind, ConversationId, Id, InboxId, MessageId, Timestamp, WorkspaceId,
};
use serde_json::{Value, json};
use spine::{Refusal, Secret, Vault};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::channel::EmailChannel;
use crate::net::Trust;
use crate::parse::parse;
use crate::testing::{Dovecot, Loopback, PASSWORD, SmtpSink};

fn email() -> EmailChannel {
    EmailChannel::new(Vault::new([7; 32]), Arc::new(Loopback), Trust::default(), "our.cn")
}

fn id<T: Id>(number: u128) -> T {
    T::from_uuid(Uuid::from_u128(number))
}

fn config(workspace: u128, settings: &Value) -> ChannelConfig {
    let secrets =
        [("imap_password", PASSWORD), ("smtp_password", "")].map(|(name, text)| (name.to_owned(), Secret::new(text)));
    ChannelConfig {
        workspace: id::<WorkspaceId>(workspace),
        id: id::<ChannelId>(20),
        kind: ChannelKind::Email,
        name: "support".into(),
        brand: String::new(),
        public_key: String::new(),
        settings: email().settings(settings).unwrap(),
        secrets: BTreeMap::from(secrets),
        team: None,
        language: None,
        required_skills: BTreeSet::new(),
        active: true,
    }
}

fn settings(smtp: u16, imap: u16) -> Value {
    json!({"address": "Support@Our.cn", "display_name": "优品客服", "signature": "优品", "trusted_authserv_id": "mx.our.cn",
        "smtp": {"host": "localhost", "port": smtp.max(1), "security": "none", "user": ""},
        "imap": {"host": "localhost", "port": imap.max(1), "security": "none", "user": "support"}})
}

fn understand(config: &ChannelConfig, bytes: &[u8], envelope: Value) -> Understood {
    let raw = Raw {
        inbox: id::<InboxId>(1),
        message: id::<MessageId>(2),
        bytes,
        envelope,
        received_at: Timestamp::from_micros(1_788_220_800_000_000),
    };
    let mut next = 100;
    email()
        .understand(config, &raw, &mut || {
            next += 1;
            id::<AttachmentId>(next)
        })
        .unwrap()
}

fn outbound() -> Outbound {
    Outbound {
        message: id::<MessageId>(3),
        case: id::<CaseId>(42),
        case_number: 12_345,
        conversation: id::<ConversationId>(5),
        thread_key: "k".into(),
        to: OutRecipient { name: "王芳".into(), address: "wang@x.cn".into() },
        subject: "Re: 订单".into(),
        text: "已发货".into(),
        html: Some("<p>已发货 <img src=\"/api/attachments/00000000-0000-0000-0000-000000000009\"></p>".into()),
        author_name: "李伟".into(),
        signature: "李伟".into(),
        attachments: vec![::channel::Attached {
            id: id(9),
            name: "图.png".into(),
            mime: "image/png".into(),
            inline: false,
            content_id: None,
            bytes: vec![1, 2, 3],
        }],
        automatic: false,
        mail: MailThread {
            in_reply_to: Some("abc@x.cn".into()),
            references: vec!["root@x.cn".into(), "abc@x.cn".into(), "AbC@x.cn".into()],
            cc: vec![OutRecipient { name: String::new(), address: "second@x.cn".into() }],
            quoted: Some(("王芳".into(), Timestamp::from_micros(1_788_220_800_000_000), "何时发货？".into())),
        },
        at: Timestamp::from_micros(1_788_224_400_000_000),
        locale: "zh-CN".into(),
    }
}

#[test]
fn settings_are_checked_field_by_field() {
    let channel = email();
    let stored = channel.settings(&settings(25, 143)).unwrap();
    assert_eq!((stored["address"].as_str(), stored["receive"].as_str()), (Some("support@our.cn"), Some("imap")));
    assert_eq!(channel.settings(&stored).unwrap(), stored, "stored form stays");
    let server = |host: &str, port: u16| json!({"host": host, "port": port, "security": "tls", "user": "u"});
    for (value, field) in [
        (json!({}), "address"),
        (json!({"address": "nobody"}), "address"),
        (json!({"address": "a@b.cn", "smtp": server("", 25)}), "smtp.host"),
        (json!({"address": "a@b.cn", "smtp": server("a b", 25)}), "smtp.host"),
        (json!({"address": "a@b.cn", "imap": server("x.cn", 0)}), "imap.port"),
        (json!({"address": "a@b.cn", "imap": {"host": "x.cn", "port": 993, "security": "tls"}}), "imap.user"),
        (json!({"address": "a@b.cn", "imap": {"host": "x.cn"}}), "imap"),
        (json!({"address": "a@b.cn", "signature": "x".repeat(2_001)}), "signature"),
    ] {
        assert_eq!(channel.settings(&value).unwrap_err().field.as_deref(), Some(field), "{value}");
    }
    assert_eq!(channel.route(&config(10, &settings(25, 143))), Route::Hold);
    assert_eq!(channel.route(&config(10, &json!({"address": "a@b.cn"}))), Route::None);
}

#[tokio::test]
async fn an_answer_goes_out_and_its_reply_finds_the_case() {
    let sink = SmtpSink::start("x.cn").await.unwrap();
    let (channel, ours) = (email(), config(10, &settings(sink.port(), 0)));
    let sent = channel.send(&ours, &outbound()).await.unwrap();
    let again = channel.send(&ours, &outbound()).await.unwrap();
    assert_eq!(sent.message_ids, again.message_ids, "the same message has the same id");
    let taken = sink.inboxes.taken();
    let mail = parse(&taken[0].1, None);
    assert_eq!(mail.from.as_ref().unwrap().name.as_deref(), Some("优品客服"));
    assert_eq!(
        (mail.in_reply_to.as_slice(), mail.references.as_slice()),
        (["AbC@x.cn".to_owned()].as_slice(), ["root@x.cn".to_owned(), "AbC@x.cn".to_owned()].as_slice())
    );
    assert_eq!(sent.message_ids, [mail.message_id.clone().unwrap().to_lowercase()]);
    assert!(
        mail.subject.starts_with("Re: 订单 [#12345-")
            && mail.text.contains("> 何时发货？")
            && mail.text.contains("-- \n李伟")
    );
    assert!(
        mail.attachments[0].inline
            && mail
                .html
                .as_deref()
                .unwrap()
                .contains(&format!("cid:{}", mail.attachments[0].content_id.as_deref().unwrap()))
    );
    // The customer answers, by each of the three tokens alone.
    let reply_to = &mail.reply_to[0].address;
    for (head, reply_token, number) in [
        (format!("To: {reply_to}"), Some(id::<CaseId>(42)), None),
        (
            format!("To: support@our.cn\r\nIn-Reply-To: <{}>", mail.message_id.as_deref().unwrap()),
            Some(id::<CaseId>(42)),
            None,
        ),
        (
            format!(
                "To: support@our.cn\r\nSubject: {}",
                crate::subject::answer("x", mail.subject.rsplit_once(' ').unwrap().1)
            ),
            None,
            Some(12_345),
        ),
    ] {
        let raw = format!("From: wang@x.cn\r\nMessage-ID: <r@x.cn>\r\n{head}\r\n\r\nthanks");
        let Thread::Mail(evidence) = understand(&ours, raw.as_bytes(), json!({})).inbound.thread else { panic!() };
        assert_eq!(
            (evidence.reply_token, evidence.subject_number, evidence.from.as_str()),
            (reply_token, number, "wang@x.cn"),
            "{head}"
        );
        // In another workspace the same tokens prove nothing.
        let Thread::Mail(foreign) = understand(&config(11, &settings(1, 1)), raw.as_bytes(), json!({})).inbound.thread
        else {
            panic!()
        };
        assert_eq!((foreign.reply_token, foreign.subject_number), (None, None));
    }
}

#[tokio::test]
async fn a_mail_about_no_case_keeps_its_subject_and_names_none() {
    let sink = SmtpSink::start("x.cn").await.unwrap();
    let (channel, ours) = (email(), config(10, &settings(sink.port(), 0)));
    let mut message = outbound();
    message.automatic = true;
    message.case = CaseId(uuid::Uuid::nil());
    message.case_number = 0;
    message.mail = MailThread::default();
    message.subject = "Your new password".into();
    channel.send(&ours, &message).await.unwrap();
    let (envelope, bytes) = sink.inboxes.taken().remove(0);
    assert_eq!(parse(&bytes, Some(&envelope.from)).subject, "Your new password");
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    assert!(!text.contains("reply-to:"), "{text}");
}

#[tokio::test]
async fn automatic_mail_repeats_nobody() {
    let sink = SmtpSink::start("x.cn").await.unwrap();
    let (channel, ours) = (email(), config(10, &settings(sink.port(), 0)));
    let mut message = outbound();
    message.automatic = true;
    message.subject = "BUY NOW http://spam".into();
    channel.send(&ours, &message).await.unwrap();
    let (envelope, bytes) = sink.inboxes.taken().remove(0);
    let mail = parse(&bytes, Some(&envelope.from));
    assert_eq!((envelope.from.as_str(), envelope.recipients.len()), ("", 1));
    assert!(
        mail.subject.starts_with("关于您的来信 [#12345-")
            && !mail.text.contains("何时发货")
            && !String::from_utf8_lossy(&bytes).contains("spam")
    );
    // Coming back to us, it is known for our own.
    let back = understand(&ours, &bytes, json!({"from": "", "recipients": ["support@our.cn"]}));
    assert!(back.inbound.automatic && back.inbound.meta["automatic"] == "own_loop");
}

#[tokio::test]
async fn failures_carry_codes_of_the_product() {
    let sink = SmtpSink::start("elsewhere.cn").await.unwrap();
    let channel = email();
    let refused = channel.send(&config(10, &settings(sink.port(), 0)), &outbound()).await.unwrap_err();
    assert!(matches!(refused, SendError::Permanent { code, .. } if code == "delivery_rejected"));
    let down = channel.send(&config(10, &settings(1, 0)), &outbound()).await.unwrap_err();
    assert!(matches!(down, SendError::Retry { code, .. } if code == "connection_failed"));
    let none = channel.send(&config(10, &json!({"address": "a@b.cn"})), &outbound()).await.unwrap_err();
    assert!(matches!(none, SendError::Permanent { code, .. } if code == "no_way_to_reply"));
    let mut bad = outbound();
    bad.to.address = "x\r\nRCPT TO:<y@z>".into();
    assert!(
        matches!(channel.send(&config(10, &settings(sink.port(), 0)), &bad).await.unwrap_err(), SendError::Permanent { code, .. } if code == "invalid_address")
    );
    let checks = channel.check(&config(10, &settings(sink.port(), 0))).await;
    let states: Vec<_> = checks.iter().map(|check| (check.key.as_str(), check.state, check.code.as_str())).collect();
    assert_eq!(states, [("mail_in", CheckState::Fail, "connection_failed"), ("mail_out", CheckState::Ok, "connected")]);
}

#[test]
fn what_the_intake_gets_of_a_mail() {
    let ours = config(10, &settings(1, 1));
    let raw = "Authentication-Results: mx.our.cn; dmarc=pass header.from=x.cn\r\nFrom: =?utf-8?B?546L6Iqz?= <Wang@x.cn>\r\nTo: Support@our.cn, Two <two@x.cn>\r\nCc: three@x.cn\r\nSubject: Re: =?utf-8?B?6K6i5Y2V?=\r\nMessage-ID: <AbC@x.cn>\r\nDate: Mon, 31 Aug 2026 23:00:00 +0000\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>您好<img src=cid:p@1><img src=https://t.cn/x.gif></p><blockquote type=cite>旧</blockquote>\r\n--b\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <p@1>\r\n\r\nPNG\r\n--b--\r\n";
    let Understood { inbound, raw_files, bounce } = understand(&ours, raw.as_bytes(), json!({}));
    assert!(bounce.is_none() && !inbound.automatic && inbound.files.is_empty());
    assert_eq!(
        (
            inbound.sender.name.as_str(),
            inbound.sender.identities[0].address.as_str(),
            inbound.sender.identities[0].level
        ),
        ("王芳", "wang@x.cn", Level::Channel)
    );
    assert_eq!(inbound.message_ids, ["abc@x.cn", "AbC@x.cn"]);
    let copied: Vec<_> = inbound.participants.iter().map(|p| p.address.as_str()).collect();
    assert_eq!(copied, ["two@x.cn", "three@x.cn"]);
    assert_eq!(
        (inbound.subject.as_str(), inbound.text.as_str(), inbound.quoted.as_str(), inbound.language.as_deref()),
        ("Re: 订单", "您好", "> 旧", Some("zh"))
    );
    let file = &raw_files[0];
    assert_eq!((file.name.as_str(), file.inline, file.bytes.as_slice()), ("p.png", true, &b"PNG"[..]));
    assert_eq!(
        inbound.html.as_deref(),
        Some(
            format!(
                "<p>您好<img src=\"/api/attachments/{}\"><img data-remote-src=\"https://t.cn/x.gif\"></p>",
                file.id
            )
            .as_str()
        )
    );
    assert_eq!(inbound.sent_at, Timestamp::from_micros(1_788_217_200_000_000));
    assert_eq!(
        (inbound.meta["from"].as_str(), inbound.meta["authentication"].as_str(), inbound.meta["unparsable"].as_bool()),
        (Some("王芳 <wang@x.cn>"), Some("verified"), Some(false))
    );
}

#[test]
fn forged_unreadable_and_returned_mail() {
    let ours = config(10, &settings(1, 1));
    let forged = understand(&ours, b"Authentication-Results: mx.our.cn; dmarc=fail header.from=x.cn\r\nFrom: boss@x.cn\r\nCc: evil@y.cn\r\nDate: Fri, 1 Jan 2100 00:00:00 +0000\r\n\r\nx", json!({})).inbound;
    assert_eq!(
        (forged.sender.identities[0].level, forged.participants.len(), forged.message_ids.len()),
        (Level::Claimed, 0, 0)
    );
    assert_eq!(forged.sent_at, Timestamp::from_micros(1_788_220_800_000_000), "a date to come is not believed");
    let garbage = understand(&ours, b"\x00\xff not a mail at all", json!({"from": "a@b.cn"})).inbound;
    assert!(
        garbage.meta["unparsable"].as_bool().unwrap()
            && garbage.text.contains("not a mail")
            && garbage.sender.identities.is_empty()
    );
    let oversize =
        understand(&ours, b"X-Steward-Oversize: 99999999\r\nFrom: a@b.cn\r\nSubject: big\r\n\r\nstart", json!({}))
            .inbound;
    assert_eq!(
        (
            oversize.meta["problems"][0]["code"].as_str(),
            oversize.meta["problems"][0]["bytes"].as_u64(),
            oversize.text.as_str()
        ),
        (Some("oversize"), Some(99_999_999), "start")
    );
    let report = |action: &str, status: &str| {
        let raw = format!(
            "From: MAILER-DAEMON@mx.cn\r\nMessage-ID: <b@mx>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; m\r\n\r\nFinal-Recipient: rfc822; a@b.cn\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <Orig@our.cn>\r\n\r\nx\r\n--b--\r\n"
        );
        understand(&ours, raw.as_bytes(), json!({"from": ""}))
    };
    let bounce = report("failed", "5.1.1").bounce.unwrap();
    assert_eq!(
        (bounce.permanent, bounce.message_ids.as_slice(), bounce.detail.as_str()),
        (true, ["orig@our.cn".to_owned()].as_slice(), "5.1.1")
    );
    assert!(!report("delayed", "4.4.1").bounce.unwrap().permanent);
    assert!(!report("failed", "4.7.1").bounce.unwrap().permanent);
    let delivered = report("delivered", "2.0.0");
    assert!(delivered.bounce.is_none() && delivered.inbound.automatic);
}

#[derive(Default)]
struct Shelf {
    position: Mutex<MailboxPosition>,
    taken: Mutex<Vec<Vec<u8>>>,
    connected: Mutex<usize>,
    changed: Notify,
}

impl Sink for Shelf {
    fn position(&self) -> Receiving<'_, Result<MailboxPosition, Refusal>> {
        Box::pin(async { Ok(*self.position.lock().unwrap()) })
    }

    fn take(&self, at: MailboxPosition, bytes: Vec<u8>) -> Receiving<'_, Result<InboxId, Refusal>> {
        Box::pin(async move {
            *self.position.lock().unwrap() = at;
            self.taken.lock().unwrap().push(bytes);
            self.changed.notify_one();
            Ok(id(1))
        })
    }

    fn skip(&self, to: MailboxPosition) -> Receiving<'_, Result<(), Refusal>> {
        Box::pin(async move {
            *self.position.lock().unwrap() = to;
            Ok(())
        })
    }

    fn connected(&self) -> Receiving<'_, ()> {
        Box::pin(async {
            *self.connected.lock().unwrap() += 1;
            self.changed.notify_one();
        })
    }
}

impl Shelf {
    async fn until(&self, done: impl Fn(&Self) -> bool) {
        let wait = async {
            while !done(self) {
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time");
    }
}

#[tokio::test]
async fn imap_feeds_the_sink_and_stops_when_told() {
    let server = Dovecot::start().unwrap();
    let (channel, ours) = (email(), config(10, &settings(0, server.port())));
    assert!(channel.wanted(&ours) && !channel.wanted(&ChannelConfig { active: false, ..ours.clone() }));
    let smtp_only = config(10, &json!({"address": "a@b.cn", "receive": "smtp", "imap": settings(1, 1)["imap"]}));
    assert!(!channel.wanted(&smtp_only));
    server.deliver("support", b"From: a@x.cn\r\nSubject: one\r\n\r\nx\r\n").unwrap();
    let shelf = Arc::new(Shelf::default());
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(channel.run(ours.clone(), shelf.clone(), stopped));
    shelf.until(|shelf| shelf.taken.lock().unwrap().len() == 1 && *shelf.connected.lock().unwrap() > 0).await;
    server.deliver("support", b"From: a@x.cn\r\nSubject: two\r\n\r\nx\r\n").unwrap();
    shelf.until(|shelf| shelf.taken.lock().unwrap().len() == 2).await;
    stop.send(true).unwrap();
    assert_eq!(running.await.unwrap(), Ok(()));
    let position = *shelf.position.lock().unwrap();
    assert!(position.uid_validity > 0 && position.last_uid == 2);
    let wrong = ChannelConfig { secrets: BTreeMap::new(), ..ours };
    let (_stop, stopped) = watch::channel(false);
    let failed = channel.run(wrong, shelf, stopped).await.unwrap_err();
    assert!(matches!(failed, ReceiveError { code, .. } if code == "login_failed"));
}

#[tokio::test]
async fn smtp_brings_a_mail_once_per_channel() {
    struct Desk(ChannelConfig, Mutex<Vec<(String, Value)>>);
    impl Acceptor for Desk {
        fn recipient<'a>(&'a self, address: &'a str) -> Receiving<'a, Result<Option<ChannelConfig>, Refusal>> {
            Box::pin(async move {
                match address {
                    "later@our.cn" => Err(Refusal::Internal("database".into())),
                    _ => Ok((crate::address::split_plus(address).0 == "support@our.cn").then(|| self.0.clone())),
                }
            })
        }

        fn accept<'a>(
            &'a self,
            _: &'a ChannelConfig,
            recipient: &'a str,
            envelope: Value,
            _: Vec<u8>,
        ) -> Receiving<'a, Result<InboxId, Refusal>> {
            Box::pin(async move {
                self.1.lock().unwrap().push((recipient.to_owned(), envelope));
                Ok(id(1))
            })
        }
    }
    let desk = Arc::new(Desk(config(10, &settings(1, 1)), Mutex::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = crate::receiver::serve_smtp(listener, desk.clone(), crate::smtp_in::Config::new("our.cn")).unwrap();
    let mailer = crate::smtp_out::Mailer::new(Arc::new(Loopback), Trust::default(), "x.cn");
    let relay = crate::smtp_out::Relay {
        host: "localhost".into(),
        port: receiver.address().port(),
        security: crate::net::Security::None,
        login: None,
        allow_plain_login: false,
    };
    let deliver = |to: &[&str]| {
        let mut draft = crate::tests::composing::draft();
        draft.cc.clear();
        draft.to = to.iter().map(|to| crate::address::Mailbox::parse(to).unwrap()).collect();
        crate::compose::compose(&draft).unwrap()
    };
    mailer.deliver(&relay, &deliver(&["support@our.cn", "support+tok@our.cn"])).await.unwrap();
    assert_eq!(mailer.deliver(&relay, &deliver(&["nobody@our.cn"])).await.unwrap_err().code, Some(550));
    assert_eq!(mailer.deliver(&relay, &deliver(&["later@our.cn"])).await.unwrap_err().code, Some(451));
    let accepted = desk.1.lock().unwrap();
    assert_eq!(accepted.len(), 1);
    assert_eq!(
        (accepted[0].0.as_str(), accepted[0].1["recipients"][1].as_str(), accepted[0].1["via"].as_str()),
        ("support@our.cn", Some("support+tok@our.cn"), Some("smtp"))
    );
}
