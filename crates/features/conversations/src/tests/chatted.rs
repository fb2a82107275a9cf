//! A visitor leaves the chat and goes on by mail.

use super::office::{CHAT, MAILBOX, Office, block, inbound};
use channel::{SendError, Thread};
use domain::Span;
use domain::case::Route;
use serde_json::json;
use testkit::on_both_engines;

fn chat(office: &Office, n: u128, text: &str) -> crate::Received {
    office.hears(CHAT, inbound(n, Thread::Key("v1".to_owned()), "Bo", None, text))
}

fn wait(office: &Office, span: Span) {
    office.ground.clock.advance(span);
    office.settle();
}

#[test]
fn whoever_has_left_gets_the_answers_once() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let said = chat(&office, 900, "visitor's words");
        let place = (said.case, said.conversation);
        office.visitor(5, said.customer, Some("bo@x.test"), office.spine.now());
        wait(&office, Span::seconds(10));
        office.answers(500, place, "First answer", Route::Direct);
        wait(&office, Span::seconds(90));
        office.answers(501, place, "Second answer", Route::Direct);
        wait(&office, Span::seconds(90));
        assert!(office.outgoing().is_empty(), "each answer starts the wait anew");
        let greylisted = SendError::Retry { code: "connection_failed".to_owned(), detail: String::new() };
        office.post.trouble.lock().unwrap().push(greylisted);
        wait(&office, Span::seconds(31));
        wait(&office, Span::seconds(31));
        let sent = office.outgoing();
        assert_eq!(sent.len(), 1);
        let mail = &sent[0];
        assert!(mail.text.contains("First answer") && mail.text.contains("Second answer"));
        assert!(!mail.text.contains("visitor's words") && mail.mail.quoted.is_none() && mail.automatic);
        assert_eq!((mail.to.address.as_str(), mail.case), ("bo@x.test", said.case));

        office.answers(502, place, "Third answer", Route::Direct);
        wait(&office, Span::minutes(3));
        assert!(office.outgoing().is_empty(), "an address that was only typed gets one mail a day");

        // The visitor answers the mail: proof that they read it, and a mail conversation in the same case.
        let reply =
            office.mail(json!({ "from": "bo@x.test", "subject": "Re", "text": "Thanks", "reply_token": said.case }));
        assert_eq!((reply.case_id, reply.fact("sender")), (said.case, json!("participant")));
        assert_ne!(reply.conversation_id, said.conversation);
        assert_eq!(office.case(said.case).conversations.len(), 2);
        let more = office.mail(json!({ "from": "bo@x.test", "subject": "Re", "text": "And?", "references": [format!("{}@us.test", mail.message)] }));
        assert_eq!(more.conversation_id, reply.conversation_id);
        office.answers(503, (said.case, reply.conversation_id), "By mail", Route::Queue);
        let out = office.outgoing();
        assert_eq!(out.len(), 1);
        assert_eq!((out[0].to.address.as_str(), out[0].automatic), ("bo@x.test", false));
        let stranger =
            office.mail(json!({ "from": "eve@y.test", "subject": "Re", "text": "?", "reply_token": said.case }));
        assert_eq!((stranger.conversation_id, stranger.fact("sender")), (reply.conversation_id, json!("stranger")));
        office.answers(504, place, "Fourth answer", Route::Direct);
        wait(&office, Span::minutes(3));
        let out = office.outgoing().pop().unwrap();
        assert!(out.text.contains("Fourth answer") && !out.text.contains("First answer"), "{}", out.text);
    });
}

#[test]
fn whoever_is_there_or_has_no_address_gets_none() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let said = chat(&office, 900, "Hello");
        let place = (said.case, said.conversation);
        office.answers(500, place, "No address", Route::Direct);
        wait(&office, Span::minutes(3));
        office.answers(501, place, "Seen", Route::Direct);
        wait(&office, Span::seconds(30));
        office.visitor(5, said.customer, Some("bo@x.test"), office.spine.now());
        wait(&office, Span::minutes(3));
        assert!(office.outgoing().is_empty());
        assert_eq!(block(office.spine.unfinished_jobs()).unwrap(), []);
    });
}

#[test]
fn a_stranger_with_a_token_sees_nothing_of_a_chat() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        let said = chat(&office, 900, "Hello");
        let mail = office.mail(json!({ "from": "eve@y.test", "subject": "Re", "text": "?", "reply_token": said.case }));
        assert_eq!((mail.case_id, mail.fact("sender")), (said.case, json!("stranger")));
        assert_ne!(mail.conversation_id, said.conversation, "nothing of a stranger's lands in the visitor's chat");
        let (ws, conversation) = (office.ws, mail.conversation_id);
        assert!(office.read(move |r| crate::store::people::participants(r, ws, conversation)).is_empty());
        assert_eq!(office.config(MAILBOX).id, MAILBOX);
    });
}
