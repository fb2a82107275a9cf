//! Folding a case's events gives its row (I2), whatever happened to it.

use super::office::{CHAT, MAIL, Office, SALES, SKILL, SUPPORT, WANG, id, message_of};
use crate::store::record;
use db::{Query, params, sql};
use domain::case::{Case, CaseCommand, CaseEdit, CaseState, Delivery, DeliveryKey, Priority, Route, Then, WaitingOn};
use domain::{Actor, Aggregate, CaseId, Happened, Span};
use testkit::{Ground, SeededRandom, on_both_engines};

sql!(COLUMNS = "SELECT status, status_rank, priority, tags, version, preview, CAST((SELECT COUNT(*) FROM case_tag g \
    WHERE g.workspace_id = c.workspace_id AND g.case_id = c.id) AS BIGINT) FROM case_record c WHERE c.workspace_id = $1 AND c.id = $2", params: 2);
sql!(DELIVERIES = "SELECT id, delivery FROM message WHERE workspace_id = $1 AND case_id = $2 AND author_kind <> 'customer' AND note = FALSE", params: 2);

fn random_command(dice: &SeededRandom, office: &Office, step: u128) -> (Actor, CaseCommand) {
    let agent = Actor::Agent(id(1 + u128::from(dice.next() % 3)));
    let now = spine::Clock::now(office.ground.clock.as_ref());
    let conversation = 20_001;
    let message = message_of(40_000 + step, conversation, &format!("words {step}"));
    let then = [Then::Stay, Then::Waiting, Then::Solved][usize::try_from(dice.next() % 3).unwrap()];
    let route = [Route::Hold, Route::Queue, Route::Direct][usize::try_from(dice.next() % 3).unwrap()];
    let earlier = id(40_000 + u128::from(dice.next() % u64::try_from(step + 1).unwrap()));
    match dice.next() % 14 {
        0 | 1 => (Actor::Customer(id(500)), CaseCommand::Receive { message }),
        2 | 3 => (agent, CaseCommand::Reply { message, route, then, seen_at: Some(now), force: true }),
        4 => (agent, CaseCommand::Note { message, mentions: vec![id(WANG)] }),
        5 => (agent, CaseCommand::Undo { message: earlier }),
        6 => (Actor::System, CaseCommand::Release { message: earlier }),
        7 => {
            let delivery = if dice.next().is_multiple_of(2) {
                Delivery::Sent
            } else {
                Delivery::Failed { code: "delivery_rejected".to_owned() }
            };
            (Actor::System, CaseCommand::Delivery { message: earlier, delivery })
        }
        8 => (agent, CaseCommand::Snooze { until: now + Span::hours(2) }),
        9 => (agent, CaseCommand::SetWaiting { on: WaitingOn::ThirdParty, reason: "warehouse".to_owned() }),
        10 => (agent, CaseCommand::SetOpen),
        11 => {
            let team = [Some(id(SALES)), Some(id(SUPPORT)), None][usize::try_from(dice.next() % 3).unwrap()];
            let by = domain::case::AssignedBy::Person;
            (agent, CaseCommand::Assign { team, assignee: agent.agent(), by, note: "please".to_owned() })
        }
        12 => (agent, CaseCommand::Retry { message: earlier }),
        _ => {
            let tags = (0..dice.next() % 4).map(|n| format!("tag{n}")).collect();
            let edit = CaseEdit {
                priority: Some(Priority::from_rank(i64::try_from(dice.next() % 4).unwrap())),
                tags: Some(tags),
                reason: Some(dice.next().is_multiple_of(2).then(|| id(super::office::REASON))),
                language: Some(None),
                required_skills: Some([id(SKILL)].into()),
                ..CaseEdit::default()
            };
            (agent, CaseCommand::Edit(edit))
        }
    }
}

fn check(office: &Office, case: CaseId) {
    let ws = office.ws;
    let read = office.ground.db.read_blocking(move |r| {
        let events = spine::events_of(r, ws, Case::KIND, domain::Id::uuid(case))?;
        let state = record::state(r, ws, case)?;
        let columns: (String, i64, i64, String, i64, String, i64) = r.query_one(&COLUMNS, params![ws, case])?;
        let deliveries: Vec<(domain::MessageId, DeliveryKey)> = r.query(&DELIVERIES, params![ws, case])?;
        Ok::<_, spine::Refusal>((events, state, columns, deliveries))
    });
    let (events, state, columns, deliveries) = read.unwrap();
    let last = events.last().map(|event| event.version).unwrap();
    let mut folded: Option<CaseState> = None;
    for event in events {
        let happened = Happened { at: event.at, actor: event.actor };
        folded = Case::apply(folded, &Case::unwrap(event.event).unwrap(), happened);
    }
    assert_eq!(folded.as_ref(), Some(&state));
    let tags: Vec<String> = serde_json::from_str(&columns.3).unwrap();
    assert_eq!(
        (columns.0.as_str(), columns.1, columns.2),
        (state.status.key(), state.status.rank(), state.priority.rank())
    );
    assert_eq!((tags.len(), columns.6), (state.tags.len(), i64::try_from(state.tags.len()).unwrap()));
    assert_eq!((columns.4, &columns.5), (last, &state.preview));
    for (message, delivery) in deliveries {
        let expected = state.outgoing.get(&message).map(|outgoing| outgoing.delivery.key());
        let done = matches!(delivery, DeliveryKey::Sent | DeliveryKey::Cancelled | DeliveryKey::None);
        assert!(expected == Some(delivery) || (expected.is_none() && done), "{message} {delivery:?} {expected:?}");
    }
}

fn random_life(ground: Ground, seed: u64) {
    let office = Office::open(ground);
    let case = office.case(1, MAIL, Some(SALES), "你好");
    let dice = SeededRandom::new(seed);
    for step in 0..150 {
        office.ground.clock.advance(Span::seconds(i64::try_from(dice.next() % 20).unwrap()));
        let (actor, command) = random_command(&dice, &office, step);
        // What the rules refuse changes nothing; what storage refuses is a defect.
        match office.give(actor, case, command) {
            Ok(()) | Err(spine::Refusal::Rejected(_)) => {}
            Err(other) => panic!("{other}"),
        }
        if step % 10 == 9 {
            check(&office, case);
        }
    }
    check(&office, case);
}

#[test]
fn folded_events_are_the_row() {
    on_both_engines(|ground| random_life(ground, 11));
    for seed in 1..5 {
        random_life(Ground::sqlite(), seed);
    }
}

#[test]
fn a_moved_message_takes_its_rows_along() {
    on_both_engines(|ground| {
        let office = Office::open(ground);
        let from = office.case(1, MAIL, Some(SALES), "first");
        let to = office.case(2, CHAT, Some(SALES), "second");
        let (message, target) = (id(30_001), id(20_002));
        office
            .give(
                Actor::System,
                from,
                CaseCommand::MoveOut { message, conversation: id(20_001), to, waiting_since: None },
            )
            .unwrap();
        let preview = "first".to_owned();
        let arrive = CaseCommand::MoveIn { message, conversation: target, from, preview, from_customer: true };
        office.give(Actor::System, to, arrive).unwrap();
        let ws = office.ws;
        let (there, entries) = office
            .ground
            .db
            .read_blocking(move |r| {
                let at = record::message_at(r, ws, to, message)?;
                let (entries, _) = crate::store::timeline::page(r, ws, to, (None, 50))?;
                Ok::<_, spine::Refusal>((at.is_some(), entries.len()))
            })
            .unwrap();
        assert!(there);
        // opened, joined, its own message, the moved message, the move itself
        assert_eq!(entries, 5);
        check(&office, to);
        check(&office, from);
    });
}

#[test]
fn nobody_sends_anothers_upload() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "hello");
    let ws = office.ws;
    office
        .ground
        .db
        .write_blocking(move |tx| {
            let upload = crate::store::attachment::Upload {
                id: id(900),
                hash: [1; 32],
                size: 3,
                name: "a.txt".to_owned(),
                mime: "text/plain".to_owned(),
                pixels: None,
                owner: Actor::Agent(id(super::office::LI)).to_string(),
            };
            crate::store::attachment::add(tx, ws, &upload, domain::Timestamp::from_micros(1))
        })
        .unwrap();
    let note = |n: u128| {
        let mut message = message_of(n, 20_001, "see file");
        message.attachments = vec![id(900)];
        CaseCommand::Note { message, mentions: Vec::new() }
    };
    assert!(office.give(Actor::Agent(id(WANG)), case, note(50_001)).is_err());
    office.give(Actor::Agent(id(super::office::LI)), case, note(50_002)).unwrap();
    assert!(office.give(Actor::Agent(id(super::office::LI)), case, note(50_003)).is_err(), "it is sent already");
}
