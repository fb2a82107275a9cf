//! Pages in every order: nothing twice, nothing left out, in order, also across equal keys.

use super::office::{LI, MAIL, Office, SALES, id};
use crate::store::list::{self, Position};
use crate::store::predicate::Sight;
use crate::store::timeline;
use crate::wire::{CaseRow, Entry, Sort};
use domain::access::Scope;
use domain::case::{CaseCommand, CaseEdit, Priority, Route, Then};
use domain::filter::{Filter, StatusKey, Viewer};
use domain::{Actor, Span, Timestamp};
use std::cmp::Reverse;
use testkit::{Ground, on_both_engines};

fn key(
    sort: Sort,
    row: &CaseRow,
) -> (i64, bool, Timestamp, Reverse<(Timestamp, domain::CaseId)>, Timestamp, domain::CaseId) {
    let waiting = (row.waiting_since.is_none(), row.waiting_since.unwrap_or_default());
    let late = Reverse((row.last_message_at, row.id));
    let nothing = (Timestamp::default(), id(0));
    match sort {
        Sort::Waiting => (0, waiting.0, waiting.1, late, nothing.0, nothing.1),
        Sort::Priority => (-row.priority.rank(), waiting.0, waiting.1, late, nothing.0, nothing.1),
        Sort::Newest => (0, false, nothing.0, late, nothing.0, nothing.1),
        Sort::Oldest => (0, false, nothing.0, Reverse(nothing), row.last_message_at, row.id),
    }
}

#[test]
fn every_order_pages_completely() {
    on_both_engines(|ground| {
        let office = Office::open(ground);
        for n in 1..=40_u128 {
            // Three cases share each instant, so that equal keys occur.
            if n % 3 == 0 {
                office.ground.clock.advance(Span::seconds(7));
            }
            let case = office.case(n, MAIL, Some(SALES), "hello");
            let priority = Priority::from_rank(i64::try_from(n % 4).unwrap());
            let edit = CaseEdit { priority: Some(priority), ..CaseEdit::default() };
            office.give(Actor::System, case, CaseCommand::Edit(edit)).unwrap();
            if n % 2 == 0 {
                let message = super::office::message_of(60_000 + n, 20_000 + n, "answer");
                let (route, then) = (Route::Direct, Then::Stay);
                let reply = CaseCommand::Reply { message, route, then, seen_at: None, force: true };
                office.give(Actor::Agent(id(LI)), case, reply).unwrap();
            }
        }
        for sort in Sort::ALL {
            for filter in [Filter::All(Vec::new()), Filter::Status(vec![StatusKey::New, StatusKey::Open])] {
                walk(&office, sort, &filter);
            }
        }
    });
}

fn walk(office: &Office, sort: Sort, filter: &Filter) {
    let sight = Sight { workspace: office.ws, scope: Scope::Everywhere, viewer: Viewer::default() };
    let mut rows: Vec<CaseRow> = Vec::new();
    let mut after: Option<Position> = None;
    loop {
        let (sight, from) = (sight.clone(), after.clone());
        let filter = filter.clone();
        let read = office.ground.db.read_blocking(move |r| list::page(r, &sight, &filter, (sort, from.as_ref(), 7)));
        let mut page = read.unwrap();
        let more = page.len() > 7;
        page.truncate(7);
        after = page.last().map(|row| Position::of(sort, row));
        rows.extend(page);
        if !more {
            break;
        }
    }
    assert_eq!(rows.len(), 40, "{sort:?}");
    assert!(rows.windows(2).all(|pair| key(sort, &pair[0]) < key(sort, &pair[1])), "{sort:?}");
}

#[test]
fn a_timeline_pages_completely_at_one_instant() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "message 0");
    for n in 1..=20_u128 {
        if n % 8 == 0 {
            office.ground.clock.advance(Span::seconds(1));
        }
        office.say(1, 70_000 + n, &format!("message {n}"));
        office.assign(case, Some(SALES), (n % 2 == 0).then_some(LI));
    }
    let ws = office.ws;
    let read = |before: Option<timeline::Position>, limit: usize| {
        office.ground.db.read_blocking(move |r| timeline::page(r, ws, case, (before.clone(), limit))).unwrap()
    };
    let (whole, none) = read(None, 1_000);
    assert!(none.is_none());
    let (mut parts, mut before) = (Vec::new(), None);
    loop {
        let (page, next) = read(before, 6);
        parts.splice(0..0, page);
        before = next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(parts, whole);
    let said: Vec<&str> = whole
        .iter()
        .filter_map(|entry| match entry {
            Entry::Message { message, .. } => Some(message.text.as_str()),
            Entry::Event { .. } => None,
        })
        .collect();
    let expected: Vec<String> = (0..=20).map(|n| format!("message {n}")).collect();
    assert_eq!(said, expected);
    assert!(matches!(whole.first(), Some(Entry::Event { kind, .. }) if kind == "case.opened"));
}
