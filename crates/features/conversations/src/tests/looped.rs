//! Mail loops are bounded by counting alone: no peer here sends a single header that would give it away (SECURITY P14).

use super::office::{FORM, Office, inbound, is_acknowledgement};
use channel::Thread;
use domain::Span;
use domain::automatic::{PER_ADDRESS_HOUR, PER_CONVERSATION_DAY, PER_UNVERIFIED_DAY};
use domain::customer::Level;
use serde_json::json;
use std::collections::BTreeMap;
use testkit::{Ground, on_both_engines};

#[test]
fn fifty_auto_responders_that_ignore_every_header() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        for n in 0..50 {
            office.mail(json!({ "from": format!("r{n}@x.test"), "subject": "Hi", "text": "Away", "authentication": "verified" }));
        }
        let mut sent: BTreeMap<String, u32> = BTreeMap::new();
        // Each answers every mail at once, half of them by a new thread that proves its sender.
        for round in 0..6 {
            let outgoing = office.outgoing();
            if outgoing.is_empty() {
                break;
            }
            for mail in outgoing {
                *sent.entry(mail.to.address.clone()).or_default() += 1;
                let mut reply = json!({ "from": mail.to.address, "subject": format!("Away {round}"), "text": "Away", "authentication": "verified" });
                if mail.case_number % 2 == 0 {
                    reply["reply_token"] = json!(mail.case);
                }
                office.mail(reply);
            }
        }
        let most = sent.values().max().copied().unwrap_or_default();
        assert_eq!(sent.len(), 50, "everybody had one acknowledgement");
        assert!(most <= PER_CONVERSATION_DAY.max(PER_ADDRESS_HOUR), "{most}");
    });
}

#[test]
fn one_address_is_bounded_by_the_hour_and_unproven_by_the_day() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        for (hour, expected) in [(0, PER_UNVERIFIED_DAY), (1, 0), (25, PER_UNVERIFIED_DAY)] {
            office.ground.clock.advance(Span::hours(hour));
            for n in 0..15 {
                office.mail(
                    json!({ "from": "victim@x.test", "subject": format!("Buy pills {hour} {n}"), "text": "Buy pills" }),
                );
            }
            let sent = office.outgoing();
            assert_eq!(u32::try_from(sent.len()).unwrap(), expected, "after {hour} h");
            for mail in sent {
                assert!(
                    is_acknowledgement(&mail)
                        && mail.automatic
                        && mail.mail.quoted.is_none()
                        && mail.to.name.is_empty()
                );
                assert!(!format!("{}{}", mail.subject, mail.text).contains("pills"), "no word of the attacker's");
            }
        }
        for n in 0..30 {
            let form =
                inbound(7_000 + n, Thread::New, "Buy pills", Some(("Other@x.test", Level::Claimed)), "Buy pills");
            office.hears(FORM, form);
        }
        let sent = office.outgoing();
        assert_eq!(sent.len(), 1, "an address in a form");
        assert!(!format!("{:?}{}{}", sent[0].to, sent[0].subject, sent[0].text).contains("pills"));
    });
}

#[test]
fn two_stewards_facing_each_other_fall_silent() {
    on_both_engines(|ground| {
        let engine = ground.db.engine();
        let here = Office::at(ground, "support@here.test");
        let there = Office::at(Ground::new(engine), "support@there.test");
        here.mail(json!({ "from": "support@there.test", "subject": "Hi", "text": "Hi", "authentication": "verified" }));
        let mut carried = 0;
        for _ in 0..100 {
            let (from_here, from_there) = (here.outgoing(), there.outgoing());
            if from_here.is_empty() && from_there.is_empty() {
                break;
            }
            for mail in from_here {
                carried += 1;
                there.mail(json!({ "from": "support@here.test", "subject": mail.subject, "text": mail.text, "authentication": "verified" }));
            }
            for mail in from_there {
                carried += 1;
                here.mail(json!({ "from": "support@there.test", "subject": mail.subject, "text": mail.text, "authentication": "verified" }));
            }
        }
        assert!((1..=2 * PER_ADDRESS_HOUR).contains(&carried), "{carried}");
    });
}

#[test]
fn a_forwarder_to_ourselves_gets_no_answer() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        for n in 0..5 {
            office.mail(json!({ "from": "support@us.test", "subject": format!("Fwd {n}"), "text": "x", "authentication": "verified" }));
        }
        office.mail(json!({ "from": "list@x.test", "subject": "News", "text": "x", "automatic": true }));
        assert!(office.outgoing().is_empty());
    });
}
