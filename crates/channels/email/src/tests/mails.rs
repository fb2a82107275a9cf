//! Known mails and what must be read from them.

use crate::automatic::Automatic;
use crate::bounce::Outcome;
use crate::limits;
use crate::parse::{Problem, Unreadable, parse};
use crate::structure::Excess;

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

#[test]
fn plain_mail() {
    let mail = parse(
        &crlf(
            "Message-ID: <a@b>\nIn-Reply-To: <c@d>\nReferences: <x@y> <c@d>\nFrom: \"Wang, Fang\" <Wang@Example.CN>\nTo: support+tok@our.cn, Two <two@our.cn>\nCc: three@x.cn\nReply-To: other@x.cn\nSubject: Hello\nDate: Tue, 1 Sep 2026 08:00:00 +0800\nDelivered-To: support@our.cn\n\nLine one\n\nLine two\n",
        ),
        Some("wang@example.cn"),
    );
    assert_eq!(mail.message_id.as_deref(), Some("a@b"));
    assert_eq!(
        (mail.in_reply_to.as_slice(), mail.references.as_slice()),
        (["c@d".to_owned()].as_slice(), ["x@y".to_owned(), "c@d".to_owned()].as_slice())
    );
    let from = mail.from.clone().unwrap();
    assert_eq!((from.name.as_deref(), from.address.as_str()), (Some("Wang, Fang"), "wang@example.cn"));
    assert_eq!(mail.recipients(), ["support@our.cn", "support+tok@our.cn", "two@our.cn", "three@x.cn"]);
    assert_eq!((mail.subject.as_str(), mail.text.trim_end()), ("Hello", "Line one\n\nLine two"));
    assert_eq!((mail.html, mail.automatic, mail.bounce, mail.unreadable), (None, None, None, None));
    assert!(mail.problems.is_empty() && mail.attachments.is_empty());
}

#[test]
fn multipart_with_everything() {
    let mail = parse(
        &crlf(
            "Message-ID: <1@x>\nFrom: a@x.cn\nContent-Type: multipart/mixed; boundary=\"out er\"\n\npreamble\n--out er\nContent-Type: multipart/related; boundary=rel\n\n--rel\nContent-Type: multipart/alternative; boundary=alt\n\n--alt\nContent-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\nxOO6ww==\n--alt\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>=E4=BD=A0=E5=A5=BD <img src=3D\"cid:pic1\"></p>\n--alt--\n--rel\nContent-Type: image/png\nContent-ID: <pic1>\nContent-Transfer-Encoding: base64\n\niVBORw==\n--rel--\n--out er\nContent-Type: application/pdf; name=\"=?utf-8?B?5Y+R56WoLnBkZg==?=\"\nContent-Disposition: attachment\n\n%PDF\n--out er\nContent-Disposition: attachment; filename*=utf-8''%E5%8D%95.txt\n\nnote\n--out er--\nepilogue\n",
        ),
        None,
    );
    assert_eq!(mail.text.trim(), "你好");
    assert_eq!(mail.html.as_deref(), Some("<p>你好 <img src=\"cid:pic1\"></p>"));
    let names: Vec<_> = mail.attachments.iter().map(|a| (a.name.as_str(), a.mime.as_str(), a.inline)).collect();
    assert_eq!(
        names,
        [
            ("attachment-1.png", "image/png", true),
            ("发票.pdf", "application/pdf", false),
            ("单.txt", "text/plain", false)
        ]
    );
    assert_eq!(mail.attachments[0].content_id.as_deref(), Some("pic1"));
    assert_eq!(mail.attachments[0].bytes, b"\x89PNG");
    assert_eq!(mail.attachments[1].bytes, b"%PDF");
    assert!(mail.problems.is_empty(), "{:?}", mail.problems);
}

#[test]
fn text_comes_from_html_when_missing() {
    let mail = parse(
        &crlf(
            "From: a@x.cn\nMessage-ID: <1@x>\nContent-Type: text/html; charset=big5\nContent-Transfer-Encoding: base64\n\nPHA+sXqmbjwvcD4=\n",
        ),
        None,
    );
    assert_eq!(mail.text, "您好");
    assert!(mail.html.unwrap().contains("您好"));
}

#[test]
fn mixed_text_and_html_parts_are_both_shown() {
    let mail = parse(
        &crlf(
            "From: a@x.cn\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: text/html\n\n<b>second</b>\n--b\nContent-Type: text/plain\n\nthird\n--b--\n",
        ),
        None,
    );
    assert_eq!(mail.text, "first\nsecond\nthird");
    assert_eq!(mail.html.as_deref(), Some("<p>first</p><b>second</b><p>third</p>"));
}

#[test]
fn iso_2022_jp_and_headerless_gbk() {
    let (bytes, _, _) = encoding_rs::ISO_2022_JP.encode("こんにちは");
    let mut raw = crlf("From: a@x.jp\nMessage-ID: <1@x>\nContent-Type: text/plain; charset=iso-2022-jp\n\n");
    raw.extend_from_slice(&bytes);
    assert_eq!(parse(&raw, None).text, "こんにちは");
    let (bytes, _, _) = encoding_rs::GBK.encode("我要退货");
    let mut raw = crlf("From: a@x.cn\nMessage-ID: <1@x>\n\n");
    raw.extend_from_slice(&bytes);
    assert_eq!(parse(&raw, None).text, "我要退货");
}

#[test]
fn standard_bounce() {
    let mail = parse(
        &crlf(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.cn\nMessage-ID: <b@mx>\nAuto-Submitted: auto-replied\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.cn\n\nFinal-Recipient: rfc822; Nobody@X.cn\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No such user\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <orig.tok@our.cn>\nFrom: support@our.cn\nSubject: Re: x\n\nbody\n--b--\n",
        ),
        None,
    );
    let bounce = mail.bounce.unwrap();
    assert_eq!(bounce.outcome, Outcome::Failed);
    assert_eq!(bounce.recipients, ["nobody@x.cn"]);
    assert_eq!(
        (bounce.status.as_deref(), bounce.original_message_id.as_deref()),
        (Some("5.1.1"), Some("orig.tok@our.cn"))
    );
    assert_eq!(bounce.diagnostic.as_deref(), Some("550 5.1.1 No such user"));
    assert_eq!(mail.automatic, Some(Automatic::NullReturnPath));
}

#[test]
fn delayed_and_delivered_reports() {
    for (action, expect) in
        [("delayed", Outcome::Delayed), ("delivered", Outcome::Delivered), ("relayed", Outcome::Delivered)]
    {
        let mail = parse(
            &crlf(&format!(
                "From: postmaster@mx.cn\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822;a@b.cn\nAction: {action}\nStatus: 4.4.1\n--b--\n"
            )),
            Some(""),
        );
        assert_eq!(mail.bounce.unwrap().outcome, expect, "{action}");
    }
}

#[test]
fn bounces_that_follow_no_standard() {
    for (raw, recipient, status, original) in [
        // qmail
        (
            "From: MAILER-DAEMON@mx.cn\nTo: support@our.cn\nSubject: failure notice\n\nHi. This is the qmail-send program.\n\n<nobody@x.cn>:\n1.2.3.4 said: 550 5.7.1 rejected\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <orig@our.cn>\n",
            "nobody@x.cn",
            Some("5.7.1"),
            Some("orig@our.cn"),
        ),
        // Exim
        (
            "From: Mail Delivery System <Mailer-Daemon@mx.cn>\nX-Failed-Recipients: gone@x.cn\nSubject: Mail delivery failed: returning message to sender\nIn-Reply-To: <orig@our.cn>\n\nA message could not be delivered.\n",
            "gone@x.cn",
            None,
            Some("orig@our.cn"),
        ),
        // Chinese providers
        (
            "From: postmaster@qq.com\nTo: support@our.cn\nSubject: =?utf-8?B?57O757uf6YCA5L+h?=\n\n收件人（wang@qq.com）邮箱已满，退信代码 552 5.2.2\n",
            "wang@qq.com",
            Some("5.2.2"),
            None,
        ),
    ] {
        let bounce = parse(&crlf(raw), None).bounce.unwrap_or_else(|| panic!("no bounce: {raw}"));
        assert_eq!(bounce.recipients, [recipient], "{raw}");
        assert_eq!(bounce.status.as_deref(), status, "{raw}");
        assert_eq!(bounce.original_message_id.as_deref(), original, "{raw}");
        assert_eq!(bounce.outcome, Outcome::Failed);
    }
    assert_eq!(parse(&crlf("From: wang@x.cn\nSubject: my delivery failure notice?\n\nMy parcel\n"), None).bounce, None);
}

#[test]
fn broken_mail_is_shown_not_lost() {
    let mail = parse(&crlf("From: a@x.cn\nContent-Type: multipart/mixed; boundary=never\n\nthe text\n"), None);
    assert_eq!(mail.text.trim(), "the text");
    assert!(mail.problems.contains(&Problem::BrokenMultipart) && mail.problems.contains(&Problem::NoMessageId));
    let mail = parse(&crlf("From: a@x.cn\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nunterminated"), None);
    assert_eq!(mail.text, "unterminated");
    let mail = parse(b"no header here", None);
    assert_eq!(mail.unreadable, Some(Unreadable::NoHeader));
    assert_eq!(mail.text, "no header here");
    let mail = parse(b"", None);
    assert_eq!((mail.unreadable, mail.text.as_str()), (Some(Unreadable::NoHeader), ""));
    let mail = parse(&crlf("Subject: no sender\n\nx"), None);
    assert!(mail.problems.contains(&Problem::NoSender));
}

#[test]
fn file_names_are_tamed() {
    for (header, expect) in [
        ("filename=\"../../etc/passwd\"", "passwd"),
        ("filename=\"C:\\\\x\\\\y.txt\"", "y.txt"),
        ("filename=\".htaccess\"", "htaccess"),
        ("filename=\"\"", "attachment-1.bin"),
        ("filename=\"a<b>.png\"", "ab.png"),
    ] {
        let raw = crlf(&format!(
            "From: a@x.cn\nContent-Type: application/octet-stream\nContent-Disposition: attachment; {header}\n\nx"
        ));
        assert_eq!(parse(&raw, None).attachments[0].name, expect, "{header}");
    }
    let name = crate::parse::file_name(Some(&format!("{}.xlsx", "长".repeat(400))), "a", "b", 1);
    assert!(name.ends_with(".xlsx") && name.chars().count() == limits::FILE_NAME_CHARS);
}

#[test]
fn caps_hold_at_the_limit_and_break_one_past() {
    let headers = |count: usize| crlf(&format!("From: a@x.cn\n{}\ntext", "X: y\n".repeat(count - 1)));
    assert_eq!(parse(&headers(limits::HEADERS), None).unreadable, None);
    let past = parse(&headers(limits::HEADERS + 1), None);
    assert_eq!(past.unreadable, Some(Unreadable::Excess(Excess::Headers)));
    assert_eq!(past.from.unwrap().address, "a@x.cn");
    let long = |bytes: usize| format!("From: a@x.cn\r\nX:{}\r\n\r\ntext", "y".repeat(bytes - 2)).into_bytes();
    assert_eq!(parse(&long(limits::HEADER_BYTES), None).unreadable, None);
    assert_eq!(parse(&long(limits::HEADER_BYTES + 1), None).unreadable, Some(Unreadable::Excess(Excess::HeaderBytes)));
    let parts = |count: usize| {
        let mut raw = "From: a@x.cn\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned();
        (1..count).for_each(|n| raw.push_str(&format!("--b\n\npart {n}\n")));
        crlf(&(raw + "--b--\n"))
    };
    assert_eq!(parse(&parts(limits::PARTS), None).unreadable, None);
    assert_eq!(parse(&parts(limits::PARTS + 1), None).unreadable, Some(Unreadable::Excess(Excess::Parts)));
    let deep = |depth: usize| {
        let mut raw = "From: a@x.cn\n".to_owned();
        (0..depth).for_each(|n| raw.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}x\n\n--b{n}x\n")));
        crlf(&(raw + "\ninnermost"))
    };
    assert_eq!(parse(&deep(limits::MIME_DEPTH), None).text, "innermost");
    assert_eq!(parse(&deep(limits::MIME_DEPTH + 1), None).unreadable, Some(Unreadable::Excess(Excess::Depth)));
}

#[test]
fn attachment_and_address_caps() {
    let mut raw = "From: a@x.cn\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned();
    (0..limits::ATTACHMENTS + 1).for_each(|n| {
        raw.push_str(&format!(
            "--b\nContent-Type: application/x\nContent-Disposition: attachment; filename=f{n}\n\nx\n"
        ))
    });
    let mail = parse(&crlf(&raw), None);
    assert_eq!(mail.attachments.len(), limits::ATTACHMENTS);
    assert_eq!(mail.problems, [Problem::Attachments { kept: limits::ATTACHMENTS, total: limits::ATTACHMENTS + 1 }]);
    let to: Vec<String> = (0..limits::ADDRESSES + 1).map(|n| format!("u{n}@x.cn")).collect();
    let mail = parse(&crlf(&format!("From: a@x.cn\nMessage-ID: <1@x>\nTo: {}\n\nx", to.join(",\n "))), None);
    assert_eq!(mail.to.len(), limits::ADDRESSES);
    assert!(matches!(mail.problems.as_slice(), [Problem::Addresses { .. }]));
    let mail =
        parse(&crlf(&format!("From: a@x.cn\nMessage-ID: <1@x>\n\n{}", "y".repeat(limits::TEXT_BYTES + 1))), None);
    assert_eq!(
        (mail.text.len(), mail.problems),
        (limits::TEXT_BYTES, vec![Problem::TextCut { limit: limits::TEXT_BYTES }])
    );
}
