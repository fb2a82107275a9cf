//! What we write is read back by two parsers that know nothing of the writer.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::address::Mailbox;
use crate::compose::{ComposeError, Draft, File, Machine, Quoted, compose};
use crate::parse::parse;
use crate::{automatic, limits};

pub fn draft() -> Draft {
    Draft {
        from: Mailbox::named("优品客服", "support@our.cn").unwrap(),
        reply_to: Some("support+token@our.cn".into()),
        to: vec![Mailbox::named("王芳", "wang@x.cn").unwrap()],
        cc: vec![Mailbox::parse("second@x.cn").unwrap()],
        subject: "Re: 订单 42 [#42-abcdefgh]".into(),
        text: "您好，\n\n.\n已发货。".into(),
        html: None,
        signature: "李伟\n优品".into(),
        quoted: Some(Quoted {
            author: "王芳".into(), at: 1_788_220_800_000_000, text: "我的订单呢？\n> 旧".into()
        }),
        files: Vec::new(),
        message_id: "0123.tok@our.cn".into(),
        in_reply_to: Some("C@x.cn".into()),
        references: vec!["A@x.cn".into(), "B@x.cn".into()],
        at: 1_788_224_400_000_000,
        machine: None,
        locale: "zh-CN".into(),
    }
}

#[test]
fn headers_and_bodies() {
    let composed = compose(&draft()).unwrap();
    let mail = parse(&composed.bytes, None);
    assert_eq!((mail.from.clone(), mail.to.clone(), mail.cc.clone()), (Some(draft().from), draft().to, draft().cc));
    assert_eq!(mail.reply_to[0].address, "support+token@our.cn");
    assert_eq!(
        (mail.subject.as_str(), mail.message_id.as_deref(), mail.date),
        ("Re: 订单 42 [#42-abcdefgh]", Some("0123.tok@our.cn"), Some(draft().at))
    );
    assert_eq!(
        (mail.in_reply_to.clone(), mail.references.clone()),
        (vec!["C@x.cn".to_owned()], vec!["A@x.cn".into(), "B@x.cn".into(), "C@x.cn".into()])
    );
    assert_eq!(
        mail.text.trim_end(),
        "您好，\n\n.\n已发货。\n\n-- \n李伟\n优品\n\n在 2026-09-01 00:00 UTC，王芳 写道：\n> 我的订单呢？\n>> 旧"
    );
    assert_eq!((mail.fresh_text(), mail.automatic), ("您好，\n\n.\n已发货。", None));
    let html = mail.html.unwrap();
    let (fresh, quoted) = crate::quote::split_html(&html);
    assert!(fresh.starts_with("<p>您好，</p>") && quoted.contains("我的订单呢"), "{html}");
    assert!(mail.problems.is_empty());
    assert_eq!(composed.envelope.from().unwrap().to_string(), "support@our.cn");
    assert_eq!(composed.envelope.to().len(), 2);
}

#[test]
fn only_crlf_ever_leaves() {
    let mut hostile = draft();
    hostile.text = "a\r.\rb\n.\nc\r\n.\r\nd\0\u{b}e".into();
    hostile.html = Some("<p>a\r\n.\r\nb</p>\n.\n<script>x</script>".into());
    hostile.signature = ".\n.\r\nMAIL FROM:<x@y>".into();
    let bytes = compose(&hostile).unwrap().bytes;
    let bare_lf = bytes.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    let bare_cr = bytes.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n');
    assert!(!bare_lf && !bare_cr && !bytes.contains(&0));
    assert!(!String::from_utf8_lossy(&bytes).contains("<script"));
    assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 998), "RFC 5321 line limit");
}

#[test]
fn machines_are_marked_and_get_no_bounce() {
    let mut machine = draft();
    machine.machine = Some(Machine { mark: "instance-1".into(), answers: true });
    let composed = compose(&machine).unwrap();
    let mail = parse(&composed.bytes, None);
    assert_eq!((mail.automatic, mail.loop_marks), (Some(automatic::Automatic::OwnLoop), vec!["instance-1".to_owned()]));
    assert_eq!(mail.headers.get("auto-submitted"), Some("auto-replied"));
    assert!(composed.envelope.from().is_none());
}

#[test]
fn injection_is_refused() {
    type Spoil = Box<dyn Fn(&mut Draft)>;
    let cases: Vec<(&str, Spoil, ComposeError)> = vec![
        ("name", Box::new(|d| d.to[0].name = Some("x\r\nBcc: evil@x.cn".into())), ComposeError::Control("name")),
        ("from name", Box::new(|d| d.from.name = Some("x\ny".into())), ComposeError::Control("name")),
        ("address", Box::new(|d| d.to[0].address = "a@b.c>\r\nBcc: x".into()), ComposeError::Control("name")),
        ("address", Box::new(|d| d.to[0].address = "a@b.c>, x@y.z".into()), ComposeError::Address("to")),
        ("cc", Box::new(|d| d.cc[0].address = "nobody".into()), ComposeError::Address("cc")),
        ("reply", Box::new(|d| d.reply_to = Some("a b@c".into())), ComposeError::Address("reply_to")),
        ("subject", Box::new(|d| d.subject = "a\r\nX: y".into()), ComposeError::Control("subject")),
        ("subject nul", Box::new(|d| d.subject = "a\0".into()), ComposeError::Control("subject")),
        ("id", Box::new(|d| d.message_id = "a>\r\nX: y".into()), ComposeError::MessageId),
        ("no one", Box::new(|d| d.to.clear()), ComposeError::NoRecipient),
        (
            "file",
            Box::new(|d| d.files.push(File { name: "a\r\nb".into(), mime: "a/b".into(), bytes: vec![], inline: None })),
            ComposeError::Control("file"),
        ),
        (
            "cid",
            Box::new(|d| {
                d.files.push(File {
                    name: "a".into(),
                    mime: "a/b".into(),
                    bytes: vec![],
                    inline: Some("x>\r\n".into()),
                })
            }),
            ComposeError::Control("file"),
        ),
        (
            "crowd",
            Box::new(|d| d.cc = vec![Mailbox::parse("a@b.cn").unwrap(); limits::OUT_RECIPIENTS]),
            ComposeError::TooManyRecipients(limits::OUT_RECIPIENTS + 1),
        ),
        (
            "bulk",
            Box::new(|d| {
                d.files.push(File {
                    name: "a".into(),
                    mime: "a/b".into(),
                    bytes: vec![0; limits::OUT_BYTES],
                    inline: None,
                })
            }),
            ComposeError::TooLarge(0),
        ),
    ];
    for (what, spoil, expect) in cases {
        let mut bad = draft();
        spoil(&mut bad);
        let error = compose(&bad).unwrap_err();
        let same =
            matches!((&error, &expect), (ComposeError::TooLarge(_), ComposeError::TooLarge(_))) || error == expect;
        assert!(same, "{what}: {error}");
    }
    // Foreign references with odd bytes are left out, the mail still goes.
    let mut odd = draft();
    odd.references = vec!["a b@c".into(), "d>\r\nX: y".into(), "ok@x".into()];
    odd.in_reply_to = Some("中@x".into());
    assert_eq!(parse(&compose(&odd).unwrap().bytes, None).references, ["ok@x"]);
}

#[test]
fn references_keep_root_and_end() {
    let mut long = draft();
    long.references = (0..60).map(|n| format!("{n}@x.cn")).collect();
    let references = parse(&compose(&long).unwrap().bytes, None).references;
    assert_eq!(references.len(), limits::OUT_REFERENCES);
    assert_eq!(
        (references[0].as_str(), references[1].as_str(), references.last().unwrap().as_str()),
        ("0@x.cn", "42@x.cn", "C@x.cn")
    );
}

#[test]
fn files_and_inline_images() {
    let mut with_files = draft();
    with_files.html = Some("<p>见图 <img src=\"cid:p1@our\"></p>".into());
    with_files.files = vec![
        File {
            name: "图 片.png".into(),
            mime: "image/png".into(),
            bytes: b"\x89PNG".to_vec(),
            inline: Some("p1@our".into()),
        },
        File {
            name: "发票 2026 \"正式\".pdf".into(),
            mime: "application/pdf".into(),
            bytes: vec![7; 3_000],
            inline: None,
        },
        File {
            name: "mail.eml".into(),
            mime: "message/rfc822".into(),
            bytes: b"From: x\n\n.\n".to_vec(),
            inline: None,
        },
        File { name: "odd".into(), mime: "not a type".into(), bytes: vec![1], inline: None },
    ];
    let mail = parse(&compose(&with_files).unwrap().bytes, None);
    let files: Vec<_> =
        mail.attachments.iter().map(|a| (a.name.as_str(), a.mime.as_str(), a.inline, a.bytes.len())).collect();
    assert_eq!(
        files,
        [
            ("图 片.png", "image/png", true, 4),
            ("发票 2026 正式.pdf", "application/pdf", false, 3_000),
            ("mail.eml", "application/octet-stream", false, 11),
            ("odd", "application/octet-stream", false, 1)
        ]
    );
    assert_eq!(mail.attachments[0].content_id.as_deref(), Some("p1@our"));
    assert!(mail.html.unwrap().contains("src=\"cid:p1@our\""));
}

/// Python's standard library reads mails from standard input and prints what it understood.
const PYTHON: &str = r#"
import sys, json, email, email.policy
out = []
for raw in sys.stdin.buffer.read().split(b"\x00END\x00"):
    if not raw: continue
    m = email.message_from_bytes(raw, policy=email.policy.default)
    def addresses(name):
        h = m[name]
        return [[a.display_name, a.addr_spec] for a in h.addresses] if h else []
    text = m.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n")
    files = [[p.get_filename(), len(p.get_payload(decode=True))] for p in m.walk() if p.get_content_disposition() in ("attachment", "inline")]
    out.append({"from": addresses("from"), "to": addresses("to"), "subject": m["subject"], "id": m["message-id"], "references": (m["references"] or "").split(), "text": text, "files": files, "headers": len(m.keys())})
json.dump(out, sys.stdout)
"#;

fn python(mails: &[Vec<u8>]) -> Vec<serde_json::Value> {
    let mut child = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    child.stdin.take().unwrap().write_all(&mails.join(&b"\0END\0"[..])).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_independent_parser_agrees() {
    let name = "[ -~]{0,40}|[ a-z一-龥é\"\\\\(),:;<>@.]{0,60}";
    let strategy =
        (name, name, "[ -~一-龥😀]{0,120}", "[ -~一-龥\n.]{0,300}", "[a-zA-Z0-9 一-龥'()\\[\\].,;=%*_-]{1,60}");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let drafts: Vec<Draft> = (0..150)
        .map(|_| {
            let (from, to, subject, text, file) = strategy.new_tree(&mut runner).unwrap().current();
            let mut draft = draft();
            draft.from.name = Some(crate::address::clean_name(&from)).filter(|n| !n.is_empty());
            draft.to[0].name = Some(crate::address::clean_name(&to)).filter(|n| !n.is_empty());
            (draft.subject, draft.text, draft.signature, draft.quoted) = (subject, text, String::new(), None);
            draft.files = vec![File {
                name: file.trim().to_owned() + "x",
                mime: "application/x-test".into(),
                bytes: vec![1, 2, 3],
                inline: None,
            }];
            draft
        })
        .collect();
    let mails: Vec<Vec<u8>> = drafts.iter().map(|draft| compose(draft).unwrap().bytes).collect();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for ((draft, raw), python) in drafts.iter().zip(&mails).zip(python(&mails)) {
        let ours = parse(raw, None);
        let shown = String::from_utf8_lossy(raw);
        assert_eq!(ours.from.as_ref().unwrap(), &draft.from, "{shown}");
        assert_eq!(ours.to, draft.to, "{shown}");
        assert_eq!(words(&ours.subject), words(&draft.subject), "{shown}");
        assert_eq!(words(&ours.text), words(&draft.text), "{shown}");
        // Python keeps the folding space between two encoded words of a name (RFC 2047 6.2 says not to).
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        for (found, wanted) in [(&python["from"], &draft.from), (&python["to"], &draft.to[0])] {
            assert_eq!(found.as_array().unwrap().len(), 1, "{shown}");
            assert_eq!(
                bare(found[0][0].as_str().unwrap()),
                bare(wanted.name.as_deref().unwrap_or_default()),
                "{shown}"
            );
            assert_eq!(found[0][1], wanted.address, "{shown}");
        }
        assert_eq!(words(python["subject"].as_str().unwrap()), words(&draft.subject), "{shown}");
        assert_eq!(words(python["text"].as_str().unwrap()), words(&draft.text), "{shown}");
        assert_eq!(python["id"], "<0123.tok@our.cn>");
        assert_eq!(python["references"], serde_json::json!(["<A@x.cn>", "<B@x.cn>", "<C@x.cn>"]));
        assert_eq!(python["files"], serde_json::json!([[draft.files[0].name, 3]]), "{shown}");
        assert_eq!(python["headers"], 11, "{shown}");
    }
}
