//! What time does: held answers leave, snoozed cases wake, solved ones close.

use super::office::{LI, MAIL, Office, SALES, id, message_of};
use crate::store::record;
use domain::case::{CaseCommand, CaseState, Delivery, Route, Status, Then};
use domain::{Actor, CaseId, Span};
use testkit::Ground;

fn state(office: &Office, case: CaseId) -> CaseState {
    let ws = office.ws;
    office.ground.db.read_blocking(move |r| record::state(r, ws, case)).unwrap()
}

fn reply(n: u128) -> CaseCommand {
    let message = message_of(n, 20_001, "answer");
    CaseCommand::Reply { message, route: Route::Hold, then: Then::Stay, seen_at: None, force: true }
}

async fn pass(office: &Office, span: Span) {
    office.spine.run_due().await.unwrap();
    office.ground.clock.advance(span);
    office.spine.run_due().await.unwrap();
}

fn open() -> (Office, CaseId) {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "hello");
    (office, case)
}

#[tokio::test]
async fn a_held_answer_leaves_after_the_delay() {
    let (office, case) = open();
    office.give(Actor::Agent(id(LI)), case, reply(80_001)).unwrap();
    let delivery = || state(&office, case).outgoing.get(&id(80_001)).map(|outgoing| outgoing.delivery.clone());
    pass(&office, Span::seconds(7)).await;
    assert!(matches!(delivery(), Some(Delivery::Held { .. })));
    pass(&office, Span::seconds(1)).await;
    assert_eq!(delivery(), Some(Delivery::Queued));
}

#[tokio::test]
async fn what_was_taken_back_never_leaves() {
    let (office, case) = open();
    office.give(Actor::Agent(id(LI)), case, reply(80_001)).unwrap();
    office.spine.run_due().await.unwrap();
    office.give(Actor::Agent(id(LI)), case, CaseCommand::Undo { message: id(80_001) }).unwrap();
    pass(&office, Span::minutes(1)).await;
    assert!(state(&office, case).outgoing.is_empty());
    assert!(office.spine.unfinished_jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_snoozed_case_wakes_in_time() {
    let (office, case) = open();
    let until = |hours| spine::Clock::now(office.ground.clock.as_ref()) + Span::hours(hours);
    office.give(Actor::Agent(id(LI)), case, CaseCommand::Snooze { until: until(2) }).unwrap();
    pass(&office, Span::hours(1)).await;
    assert!(matches!(state(&office, case).status, Status::Snoozed { .. }));
    office.give(Actor::Agent(id(LI)), case, CaseCommand::SetOpen).unwrap();
    office.give(Actor::Agent(id(LI)), case, CaseCommand::Snooze { until: until(3) }).unwrap();
    pass(&office, Span::hours(2)).await;
    assert!(matches!(state(&office, case).status, Status::Snoozed { .. }), "the later time counts");
    pass(&office, Span::hours(1)).await;
    assert_eq!(state(&office, case).status, Status::Open);
}

#[tokio::test]
async fn a_solved_case_closes_unless_it_came_back() {
    let (office, case) = open();
    office.give(Actor::Agent(id(LI)), case, CaseCommand::Solve).unwrap();
    pass(&office, Span::days(6)).await;
    office.say(1, 80_002, "one more thing");
    assert_eq!(state(&office, case).status, Status::Open);
    pass(&office, Span::days(2)).await;
    assert_eq!(state(&office, case).status, Status::Open, "the customer came back");
    office.give(Actor::Agent(id(LI)), case, CaseCommand::Solve).unwrap();
    pass(&office, Span::days(6)).await;
    assert_eq!(state(&office, case).status, Status::Solved);
    pass(&office, Span::days(1)).await;
    assert_eq!(state(&office, case).status, Status::Closed);
}
