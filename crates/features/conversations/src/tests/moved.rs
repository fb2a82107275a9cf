//! Messages that landed in the wrong case, and contacts entered by hand, by way of the routes.

use super::administered::Desk;
use super::office::{LI, MAILBOX, Office, PHONE};
use domain::case::{CaseCommand, Route};
use domain::{Actor, Span};
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn a_message_moves_and_later_replies_follow() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let a = office.mail(json!({ "from": "ann@x.test", "subject": "One", "text": "first", "id": "m1@x.test" }));
        let b = office.mail(json!({ "from": "ann@x.test", "subject": "Two", "text": "second", "id": "m2@x.test", "references": ["m1@x.test"] }));
        let other = office.mail(json!({ "from": "bo@x.test", "subject": "Other", "text": "other", "id": "o1@x.test" }));
        assert_eq!(a.case_id, b.case_id);
        let desk = Desk::new(&office);
        let path = format!("/api/messages/{}/move", b.id);

        let number = office.case(other.case_id).number;
        assert_eq!(desk.post(1, &path, json!({ "to": { "case": number } })).code(), "other_customer");
        assert_eq!(desk.post(1, &path, json!({ "to": { "case": a.case_id } })).code(), "same_case");
        assert_eq!(desk.post(1, &path, json!({ "to": { "case": 4_711 } })).status, 404);
        assert_eq!(desk.post(2, &path, json!({ "to": "new" })).status, 404, "no right in this team");
        let moved = desk.post(1, &path, json!({ "to": "new" })).ok();
        assert_eq!(moved["from"], json!(a.case_id));
        let said = office.said().into_iter().find(|m| m.id == b.id).unwrap();
        assert_eq!(json!(said.case_id), moved["to"]);
        assert_eq!(office.case(said.case_id).subject, "Two");

        let later = office
            .mail(json!({ "from": "ann@x.test", "subject": "Re: Two", "text": "third", "in_reply_to": ["m2@x.test"] }));
        assert_eq!((later.case_id, later.fact("sender")), (said.case_id, json!("participant")));
        let first = office
            .mail(json!({ "from": "ann@x.test", "subject": "Re: One", "text": "x", "in_reply_to": ["m1@x.test"] }));
        assert_eq!(first.case_id, a.case_id, "the rest of the thread stays");

        let forced = desk.post(1, &path, json!({ "to": { "case": number }, "force": true })).ok();
        assert_eq!(forced["to"], json!(other.case_id));
        office.does(Actor::Agent(LI), a.case_id, CaseCommand::Solve);
        office.does(Actor::System, a.case_id, CaseCommand::Close);
        assert_eq!(desk.post(1, &path, json!({ "to": { "case": a.case_id }, "force": true })).code(), "case_closed");
    });
}

#[test]
fn a_case_no_longer_waits_for_what_has_left_it() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let mail = |text: &str, refers: &[&str]| {
            office.ground.clock.advance(Span::seconds(60));
            office.mail(json!({ "from": "ann@x.test", "subject": "One", "text": text, "id": format!("{text}@x.test"), "references": refers }))
        };
        let a = mail("a", &[]);
        office.answers(900, (a.case_id, a.conversation_id), "Here it is.", Route::Direct);
        let waits = || office.case(a.case_id).waiting_since;
        assert_eq!(waits(), None);
        let b = mail("b", &["a@x.test"]);
        let first = office.spine.now();
        let c = mail("c", &["a@x.test"]);
        assert_eq!((b.case_id, c.case_id, waits()), (a.case_id, a.case_id, Some(first)));
        let desk = Desk::new(&office);
        desk.post(1, &format!("/api/messages/{}/move", b.id), json!({ "to": "new" })).ok();
        assert_eq!(waits(), Some(office.spine.now()), "the later question is still open");
        desk.post(1, &format!("/api/messages/{}/move", c.id), json!({ "to": "new" })).ok();
        assert_eq!(waits(), None);
    });
}

#[test]
fn a_strangers_message_goes_to_a_case_of_the_strangers() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let asked = office.mail(json!({ "from": "ann@x.test", "subject": "One", "text": "first", "id": "m1@x.test" }));
        let mail = office.mail(json!({ "from": "eve@y.test", "subject": "Mine", "text": "?", "references": ["m1@x.test"], "id": "e1@y.test" }));
        let desk = Desk::new(&office);
        let moved = desk.post(1, &format!("/api/messages/{}/move", mail.id), json!({ "to": "new" })).ok();
        let to: domain::CaseId = serde_json::from_value(moved["to"].clone()).unwrap();
        assert_ne!(office.case(to).customer, office.case(asked.case_id).customer);
        let next =
            office.mail(json!({ "from": "eve@y.test", "subject": "Re", "text": "!", "references": ["e1@y.test"] }));
        assert_eq!((next.case_id, next.fact("sender")), (to, json!("participant")));
    });
}

#[test]
fn contacts_are_entered_by_hand() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let desk = Desk::new(&office);
        let contact = |more: serde_json::Value| {
            let mut body = json!({ "channel_id": PHONE, "customer": { "name": "Ann", "phone": "+86 138 0000" }, "subject": "Call", "text": "Asked", "priority": "high" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let one = desk.post(1, "/api/cases", contact(json!({}))).ok();
        let said = office.said().pop().unwrap();
        assert_eq!((json!(said.case_id), said.author_kind.as_str()), (one["id"].clone(), "customer"));
        assert_eq!(said.fact("entered_by"), json!(Actor::Agent(super::office::id(1)).to_string()));
        let two = desk.post(1, "/api/cases", contact(json!({}))).ok();
        let customer =
            |case: &serde_json::Value| office.case(serde_json::from_value(case["id"].clone()).unwrap()).customer;
        assert_eq!(customer(&one), customer(&two), "the number finds the customer again");
        let known = desk.post(1, "/api/cases", contact(json!({ "customer": { "id": customer(&one) } }))).ok();
        assert_eq!(customer(&known), customer(&one));
        let table = [
            (json!({ "channel_id": MAILBOX }), 422),
            (json!({ "channel_id": LI }), 404),
            (json!({ "text": " " }), 422),
            (json!({ "customer": {} }), 422),
            (json!({ "customer": { "name": "x", "email": "no mail" } }), 422),
            (json!({ "customer": { "id": LI } }), 422),
            (json!({ "reason_id": LI }), 422),
            (json!({ "team_id": LI }), 422),
        ];
        for (more, status) in table {
            assert_eq!(desk.post(1, "/api/cases", contact(more.clone())).status, status, "{more}");
        }
        assert_eq!(desk.post(2, "/api/cases", contact(json!({}))).status, 404);
    });
}
