//! What goes out, and what becomes of it.

use super::office::{LI, Office, block, id};
use crate::SystemMail;
use channel::SendError;
use domain::case::{CaseCommand, Route};
use domain::{Actor, Span};
use serde_json::json;
use spine::{NewJob, Order};
use testkit::on_both_engines;

fn asked(office: &Office) -> (domain::CaseId, domain::ConversationId) {
    let said = office
        .mail(json!({ "from": "ann@x.test", "name": "Ann", "subject": "Hi", "text": "Hello", "id": "m1@x.test" }));
    office.outgoing();
    (said.case_id, said.conversation_id)
}

fn trouble(permanent: bool) -> SendError {
    let (code, detail) = ("delivery_rejected".to_owned(), String::new());
    if permanent { SendError::Permanent { code, detail } } else { SendError::Retry { code, detail } }
}

#[test]
fn an_answer_threads_and_is_retried() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let place = asked(&office);
        office.post.trouble.lock().unwrap().extend([trouble(false), trouble(false)]);
        let message = office.answers(500, place, "Answer", Route::Queue);
        for _ in 0..2 {
            assert_eq!((office.delivery(message).as_str(), office.outgoing().len()), ("queued", 0));
            office.ground.clock.advance(Span::minutes(2));
            office.settle();
        }
        let sent = office.outgoing();
        assert_eq!((sent.len(), office.delivery(message).as_str()), (1, "sent"));
        assert_eq!(
            (sent[0].to.address.as_str(), sent[0].subject.as_str(), sent[0].message),
            ("ann@x.test", "Hi", message)
        );
        assert_eq!(sent[0].mail.references.first().map(String::as_str), Some("m1@x.test"));

        office.post.trouble.lock().unwrap().push(trouble(true));
        let refused = office.answers(501, place, "Refused", Route::Queue);
        assert_eq!(office.delivery(refused), "failed");
        office.does(Actor::Agent(LI), place.0, CaseCommand::Retry { message: refused });
        office.settle();
        assert_eq!((office.delivery(refused).as_str(), office.outgoing().len()), ("sent", 1));

        office.post.trouble.lock().unwrap().extend((0..20).map(|_| trouble(false)));
        let lost = office.answers(502, place, "Lost", Route::Queue);
        for _ in 0..20 {
            office.ground.clock.advance(Span::hours(2));
            office.settle();
        }
        assert_eq!(office.delivery(lost), "failed", "it gives up and says so");
    });
}

#[test]
fn a_bounce_marks_the_message_and_opens_no_case() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let place = asked(&office);
        let message = office.answers(500, place, "Answer", Route::Queue);
        let cases = office.cases();
        let bounce =
            json!({ "from": "mailer-daemon@x.test", "automatic": true, "bounce": [format!("{message}@us.test")] });
        office.bytes("bounce", format!("X: y\r\n\r\n{bounce}").as_bytes());
        assert_eq!((office.delivery(message).as_str(), office.cases()), ("failed", cases));
        let foreign =
            json!({ "from": "mailer-daemon@x.test", "text": "?", "automatic": true, "bounce": ["nothing@of.ours"] });
        office.outgoing();
        office.bytes("foreign", format!("X: y\r\n\r\n{foreign}").as_bytes());
        assert_eq!((office.cases(), office.outgoing().len()), (cases + 1, 0), "kept, but not answered");
    });
}

#[test]
fn nothing_leaves_while_it_can_be_taken_back() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let place = asked(&office);
        let held = office.answers(500, place, "Oops", Route::Hold);
        assert_eq!((office.delivery(held).as_str(), office.outgoing().len()), ("held", 0));
        office.does(Actor::Agent(LI), place.0, CaseCommand::Undo { message: held });
        office.ground.clock.advance(Span::hours(1));
        office.settle();
        assert_eq!((office.delivery(held).as_str(), office.outgoing().len()), ("cancelled", 0));
        let kept = office.answers(501, place, "Better", Route::Hold);
        office.ground.clock.advance(Span::seconds(9));
        office.settle();
        assert_eq!((office.delivery(kept).as_str(), office.outgoing().len()), ("sent", 1));
    });
}

#[test]
fn the_program_writes_to_its_people() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let mail = SystemMail {
            to: "new@us.test".to_owned(),
            locale: "zh-CN".to_owned(),
            template: "invitation".to_owned(),
            params: [("company", "店铺"), ("name", "小李"), ("link", "https://us.test/i/x")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
        };
        office.post.trouble.lock().unwrap().push(trouble(false));
        let job =
            NewJob { queue: crate::SYSTEM_MAIL, key: "1".to_owned(), payload: json!(mail), run_at: office.spine.now() };
        block(office.spine.execute(Order::new(office.ws, Actor::System), move |unit| unit.job(job.clone()))).unwrap();
        office.settle();
        assert!(office.outgoing().is_empty());
        office.ground.clock.advance(Span::minutes(5));
        office.settle();
        let out = office.outgoing().pop().unwrap();
        assert_eq!((out.to.address.as_str(), out.subject.as_str()), ("new@us.test", "邀请您加入 店铺 的客服工作台"));
        assert!(out.text.contains("https://us.test/i/x") && out.case == id(0), "about no case");
        assert_eq!(block(office.spine.unfinished_jobs()).unwrap(), []);
    });
}
