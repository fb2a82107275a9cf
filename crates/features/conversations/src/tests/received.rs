//! Where a mail goes, and as whose.

use super::office::{CHAT, MAILBOX, Office, inbound};
use channel::{Acceptor, Thread};
use domain::Actor;
use domain::case::{CaseCommand, Route};
use serde_json::{Value, json};
use testkit::on_both_engines;

const ASK: &str = "Where is my parcel?";

fn first(office: &Office) -> super::office::Said {
    office.mail(json!({ "from": "ann@x.test", "name": "Ann", "subject": ASK, "text": "Hello", "id": "m1@x.test" }))
}

#[test]
fn the_same_mail_is_one_message_whichever_way_it_comes() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let smtp = "Received: a\r\nMessage-ID: <M1@x.test>\r\n\r\n{\"from\":\"ann@x.test\",\"subject\":\"Hi\",\"text\":\"Hi\"}";
        let imap = smtp.replace("Received: a", "Received: b").replace("M1@", "m1@");
        office.bytes("smtp:1", smtp.as_bytes());
        office.bytes("smtp:1", smtp.as_bytes());
        office.bytes("imap:1:7", imap.as_bytes());
        assert_eq!((office.cases(), office.inbox()), (1, 1));
        office.bytes("imap:1:8", imap.replace("\"Hi\"}", "\"Bye\"}").as_bytes());
        assert_eq!(office.inbox(), 2, "the same id over another body is another mail");

        let door = crate::Doorkeeper::new(office.spine.clone());
        let config = super::office::block(door.recipient("Support+token@US.test")).unwrap().unwrap();
        assert_eq!(config.id, MAILBOX);
        assert!(super::office::block(door.recipient("other@us.test")).unwrap().is_none());
        for _ in 0..2 {
            super::office::block(door.accept(&config, "support@us.test", json!({}), b"raw".to_vec())).unwrap();
        }
        assert_eq!(office.inbox(), 3);

        let again = inbound(900, Thread::Key("v1".to_owned()), "Bo", None, "Hello");
        let one = office.hears(CHAT, again.clone());
        let two = office.hears(CHAT, again);
        assert_eq!((one.case, one.message, two.new_case), (two.case, two.message, false));
    });
}

#[test]
fn tokens_and_senders() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let asked = first(&office);
        let case = asked.case_id;
        let customer = office.case(case).customer;
        assert_eq!(asked.fact("match_reason"), "new_case");
        office.answers(500, (case, asked.conversation_id), "On its way", Route::Queue);
        let ours = "00000000-0000-0000-0000-0000000001f4@us.test";
        let token = case.to_string();
        let mail = |from: &str, more: Value| {
            let mut mail = json!({ "from": from, "subject": "other words", "text": "more" });
            mail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            mail
        };
        let same_subject = format!("{}  ", ASK.to_uppercase());
        // sender, evidence; same case?, reason, sender shown as
        let table = [
            ("ann@x.test", json!({ "reply_token": token }), true, "reply_token", "participant"),
            ("ann@x.test", json!({ "in_reply_to": [ours] }), true, "in_reply_to", "participant"),
            ("ann@x.test", json!({ "references": ["x", "m1@x.test"] }), true, "references", "participant"),
            ("ann@x.test", json!({ "subject_token": token }), true, "subject_token", "participant"),
            ("ann@x.test", json!({ "subject": same_subject.trim() }), true, "participants", "participant"),
            ("eve@y.test", json!({ "reply_token": token }), true, "reply_token", "stranger"),
            ("eve@y.test", json!({ "in_reply_to": [ours] }), true, "in_reply_to", "stranger"),
            ("eve@y.test", json!({ "subject": ASK }), false, "new_case", "participant"),
            (
                "ann@x.test",
                json!({ "reply_token": token, "authentication": "failed" }),
                true,
                "reply_token",
                "stranger",
            ),
            (
                "ann@x.test",
                json!({ "reply_token": "ffffffff-0000-7000-8000-000000000000" }),
                false,
                "new_case",
                "participant",
            ),
            ("eve@y.test", json!({ "in_reply_to": ["forged@us.test"] }), false, "new_case", "participant"),
        ];
        for (from, more, same, reason, sender) in table {
            let said = office.mail(mail(from, more.clone()));
            assert_eq!(said.case_id == case, same, "{from} {more}");
            assert_eq!(
                (said.fact("match_reason"), said.fact("sender")),
                (json!(reason), json!(sender)),
                "{from} {more}"
            );
        }
        let state = office.case(case);
        assert_eq!(state.customer, customer, "nobody took the case over");
        office.outgoing();
        office.answers(501, (case, asked.conversation_id), "Still", Route::Queue);
        let out = office.outgoing().pop().unwrap();
        assert_eq!(out.to.address, "ann@x.test");
        assert_eq!(out.mail.quoted.unwrap().2, "more", "what the customer said last");
    });
}

#[test]
fn a_forged_sender_finds_nobody() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let victim = office.case(first(&office).case_id).customer;
        let forged = office
            .mail(json!({ "from": "ann@x.test", "subject": "Refund me", "text": "x", "authentication": "failed" }));
        assert_ne!(office.case(forged.case_id).customer, victim);
        let next = office.mail(json!({ "from": "ann@x.test", "subject": "New matter", "text": "x" }));
        assert_eq!(office.case(next.case_id).customer, victim, "a forger's claim does not come before the true owner");
    });
}

#[test]
fn a_closed_case_is_followed_up() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let asked = first(&office);
        office.does(Actor::System, asked.case_id, CaseCommand::Solve);
        office.does(Actor::System, asked.case_id, CaseCommand::Close);
        let next =
            office.mail(json!({ "from": "ann@x.test", "subject": "Re", "text": "again", "references": ["m1@x.test"] }));
        assert_ne!(next.case_id, asked.case_id);
        assert_eq!(next.fact("match_reason"), "follow_up");
        assert_eq!(office.case(next.case_id).customer, office.case(asked.case_id).customer);
    });
}

#[test]
fn copied_people_wait_for_approval_and_get_no_history() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let asked = office.mail(json!({ "from": "ann@x.test", "subject": ASK, "text": "my secret", "id": "m1@x.test", "cc": ["eve@y.test"] }));
        let place = (asked.case_id, asked.conversation_id);
        office.outgoing();
        office.answers(500, place, "First", Route::Queue);
        let out = office.outgoing().pop().unwrap();
        assert!(out.mail.cc.is_empty() && out.mail.quoted.is_some());
        let early =
            office.mail(json!({ "from": "eve@y.test", "subject": "x", "text": "me", "references": ["m1@x.test"] }));
        assert_eq!((early.case_id, early.fact("sender")), (asked.case_id, json!("stranger")));

        office.ground.clock.advance(domain::Span::minutes(1));
        let (ws, at) = (office.ws, office.spine.now());
        office
            .ground
            .db
            .write_blocking(move |tx| crate::store::people::approve(tx, (ws, place.1), ("eve@y.test", true), at))
            .unwrap();
        office.answers(501, place, "Second", Route::Queue);
        let out = office.outgoing().pop().unwrap();
        assert_eq!(out.mail.cc[0].address, "eve@y.test");
        assert!(out.mail.quoted.is_none(), "nothing from before the approval is quoted");
        office.ground.clock.advance(domain::Span::minutes(1));
        office.mail(json!({ "from": "ann@x.test", "subject": "x", "text": "for both", "references": ["m1@x.test"] }));
        office.answers(502, place, "Third", Route::Queue);
        assert_eq!(office.outgoing().pop().unwrap().mail.quoted.unwrap().2, "for both");
    });
}

#[test]
fn what_nobody_can_read_becomes_a_case_all_the_same() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        office.bytes("k", b"\x00\xffgarbage");
        let said = office.said().pop().unwrap();
        assert_eq!(said.fact("unparsable"), true);
        let ws = office.ws;
        let from = (domain::Timestamp::from_micros(i64::MAX), domain::InboxId(uuid::Uuid::max()));
        let failed = office.read(move |r| crate::store::mailbox::failed(r, ws, from, 10));
        assert_eq!(
            (failed.len(), failed[0].outcome.as_str(), failed[0].case_id),
            (1, "unparsable", Some(said.case_id))
        );
        assert!(office.outgoing().is_empty(), "and is not answered by a machine");
    });
}
