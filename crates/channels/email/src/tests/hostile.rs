//! Bombs, mutations and random bytes (SECURITY P11): no panic, no loss, bounded work.

use proptest::prelude::*;

use crate::parse::parse;
use crate::sanitize::{Remote, sanitize};
use crate::{limits, plain, quote, structure};

const SEEDS: [&str; 4] = [
    "From: =?gb2312?B?zfW3vA==?= <w@x.cn>\r\nTo: s+tok@our.cn\r\nMessage-ID: <a@b>\r\nReferences: <c@d> <e@f>\r\nSubject: =?utf-8?Q?=E4=BD=A0?=\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\nxOO6ww==\r\n--c\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p style=3D\"color:red\">x</p>\r\n--c--\r\n--b\r\nContent-Disposition: attachment; filename*0=\"a\"; filename*1=\"b.txt\"\r\n\r\nx\r\n--b--\r\n",
    "Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\r\nfailed\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.c\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <o@p>\r\n\r\nx\r\n--r--\r\n",
    "From: a@b.c\r\nContent-Type: text/html; charset=utf-7\r\n\r\n<table><b><td><a href=javascript:x>+ADw-</table>&#x110000;&nbsp",
    "From: a@b.c (comment (nested) \\) <x@y.z>, group: m@n.o, \"q\\\"\" <p@q.r>;\r\nDate: Mon, 99 Foo 0000 99:99:99 +9999\r\nContent-Type: text/plain; charset=\r\n\r\nOn x@y 2026 wrote:\r\n> q\r\n",
];

#[test]
fn structure_bombs_cost_one_pass() {
    let head = "From: a@x.cn\r\n";
    let nested: String =
        (0..5_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(200_000);
    let cyclic = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(50_000);
    let missing: String = (0..900)
        .map(|n| format!("--b\r\nContent-Type: multipart/mixed; boundary=never{n}\r\n\r\n{}", "x\r\n".repeat(200)))
        .collect();
    let almost = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--bx\r\n".repeat(300_000));
    let digest: String = "--b\r\n\r\n".repeat(900);
    for (name, body) in [
        ("nested", nested),
        ("messages", messages),
        ("cyclic", cyclic),
        ("missing", format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{missing}")),
        ("almost", almost),
        ("digest", format!("Content-Type: multipart/digest; boundary=b\r\n\r\n{digest}")),
        ("header", "X".repeat(5 << 20)),
        ("headers", "X: y\r\n".repeat(500_000)),
        ("folded", format!("X: y\r\n{}", " z\r\n".repeat(500_000))),
        ("words", format!("Subject: {}\r\n\r\nx", "=?utf-8?B?QQ==?= ".repeat(3_000))),
        ("addresses", format!("To: {}\r\n\r\nx", "<a@b.c>,".repeat(7_000))),
        ("comments", format!("To: {}\r\n\r\nx", "(".repeat(60_000))),
    ] {
        let raw = format!("{head}{body}").into_bytes();
        if let Ok(found) = structure::scan(&raw) {
            assert!(found.work <= 66 * raw.len() as u64, "{name}: {}", found.work);
            let kept: usize = found.leaves.iter().map(|leaf| leaf.body.len()).sum();
            assert!(kept <= raw.len(), "{name}");
        }
        let mail = parse(&raw, None);
        assert!(mail.text.len() <= limits::TEXT_BYTES && mail.attachments.len() <= limits::ATTACHMENTS, "{name}");
    }
}

#[test]
fn one_byte_past_the_mail_cap_is_kept_as_text() {
    let mut raw = b"From: a@x.cn\r\n\r\n".to_vec();
    raw.resize(limits::MAIL_BYTES, b'x');
    assert_eq!(parse(&raw, None).unreadable, None);
    raw.push(b'x');
    let mail = parse(&raw, None);
    assert_eq!(mail.unreadable, Some(crate::parse::Unreadable::Excess(structure::Excess::MailBytes)));
    assert!(mail.text.starts_with("From: a@x.cn") && mail.from.is_some());
}

/// Inserts, deletes, doubles and flips pieces of a seed.
fn mutate(seed: &str, edits: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for (place, kind, value) in edits {
        let at = place % (bytes.len() + 1);
        match kind % 5 {
            0 => bytes.insert(at, *value),
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            2 if at < bytes.len() => bytes[at] ^= value,
            3 => {
                let piece: Vec<u8> = bytes[at..(at + usize::from(*value)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(at.max(8)),
        }
    }
    bytes
}

// As many as a debug build does in a few seconds for each property.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn mutated_mail_never_panics(seed in 0..SEEDS.len(), edits in prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 0..24)) {
        let mail = parse(&mutate(SEEDS[seed], &edits), None);
        let _ = mail.fresh_text();
        if let Some(html) = &mail.html {
            let safe = sanitize(html, Remote::Blocked, &|_| None);
            prop_assert!(safe.work <= limits::HTML_NODES as u64 || safe.fallback.is_some());
        }
    }

    #[test]
    fn splitting_keeps_every_word(text in "[a-z> \n:@1-9一-三-]{0,300}") {
        let parts = quote::split(&text);
        let words = |text: &str| text.split_whitespace().count();
        prop_assert_eq!(words(parts.fresh) + words(parts.signature) + words(parts.quoted), words(&text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mail = parse(&bytes, None);
        prop_assert!(mail.unreadable.is_some() || !mail.headers.is_empty());
    }

    #[test]
    fn any_markup_is_made_safe(pieces in prop::collection::vec(prop::sample::select(vec![
        "<b>", "</b>", "<p>", "</p>", "<div>", "</div>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<a href=x>", "</a>", "<li>", "<ul>", "</ul>", "text ", "<img src=//x.cn/y onerror=z>",
        "<script>", "</script>", "<svg>", "<style>", "</style>", "<!--", "-->", "<h1>", "</h2>", "<caption>", "<font title=\"a", "\">", "<blockquote>", "&lt;", "<br>", "</br>", "<tbody>", "<span>", "</span>", "<math>", "<select>", "<template>", "<i", " x='", "'",
    ]), 0..120)) {
        let html: String = pieces.concat();
        let safe = sanitize(&html, Remote::Allowed, &|_| None);
        let again = sanitize(&safe.html, Remote::Allowed, &|_| None);
        prop_assert_eq!(plain::to_text(&again.html), plain::to_text(&safe.html), "sanitising twice changes nothing visible");
        let lower = safe.html.to_lowercase();
        prop_assert!(!lower.contains("<script") && !lower.contains("<svg") && !lower.contains("<style") && !lower.contains("<select"));
        let _ = quote::split_html(&html);
    }
}
