//! A filter as SQL and a filter in memory say the same about every case, and so do the two forms of a scope
//! (SECURITY row 14), on both engines.

use super::office::{CHAT, CLOSED_CHANNEL, LI, MAIL, OLGA, Office, PHONE, REASON, SALES, SUPPORT, WANG, id};
use crate::store::list;
use crate::store::predicate::Sight;
use crate::store::record;
use crate::wire::Sort;
use domain::access::Scope;
use domain::case::{CaseCommand, CaseEdit, CaseState, Priority, Route, Then, WaitingOn};
use domain::filter::{Facts, Filter, StatusKey, Viewer, Who, Whose, matches};
use domain::{Actor, CaseId, ChannelKind, Span, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use testkit::{SeededRandom, on_both_engines};

const CASES: u128 = 60;
const TEXTS: [&str; 5] = ["50% off_now", "退货 please", "Where is my ORDER", "a\\b", "plain"];

/// Cases of every kind; answers each with the texts that belong to it.
fn fill(office: &Office) -> Vec<(CaseId, CaseState, Vec<String>)> {
    let dice = SeededRandom::new(5);
    let mut pick = |n: u64| usize::try_from(dice.next() % n).unwrap();
    let mut cases = Vec::new();
    for n in 1..=CASES {
        let channel = [MAIL, CHAT, PHONE, CLOSED_CHANNEL][pick(4)];
        let team = [Some(SALES), Some(SUPPORT), None][pick(3)];
        let text = TEXTS[pick(5)];
        office.ground.clock.advance(Span::minutes(1));
        let case = office.case(n, channel, team, text);
        change(office, case, &mut pick);
        cases.push((case, vec!["王芳 Fang".to_owned(), "fang@example.cn".to_owned(), text.to_owned()]));
    }
    let ws = office.ws;
    let read = |case| office.ground.db.read_blocking(move |r| record::state(r, ws, case)).unwrap();
    cases.into_iter().map(|(case, texts)| (case, read(case), texts)).collect()
}

fn change(office: &Office, case: CaseId, pick: &mut impl FnMut(u64) -> usize) {
    let agent = Actor::Agent(id([LI, WANG][pick(2)]));
    let now = spine::Clock::now(office.ground.clock.as_ref());
    let edit = CaseEdit {
        priority: Some(Priority::ALL[pick(4)]),
        tags: Some(
            [vec![], vec!["vip".to_owned()], vec!["vip".to_owned(), "late".to_owned()]][pick(3)]
                .iter()
                .cloned()
                .collect(),
        ),
        reason: Some([None, Some(id(REASON))][pick(2)]),
        language: Some([None, Some("zh".to_owned()), Some("zh-CN".to_owned()), Some("en".to_owned())][pick(4)].clone()),
        ..CaseEdit::default()
    };
    office.give(agent, case, CaseCommand::Edit(edit)).unwrap();
    let number = domain::Id::uuid(case).as_u128();
    let message = super::office::message_of(60_000 + number, 10_000 + number, "answer");
    let command = match pick(7) {
        0 => CaseCommand::Solve,
        1 => CaseCommand::Snooze { until: now + Span::days(1) },
        2 => CaseCommand::SetWaiting { on: WaitingOn::Customer, reason: String::new() },
        3 => CaseCommand::Reply { message, route: Route::Direct, then: Then::Stay, seen_at: None, force: true },
        4 => CaseCommand::Assign {
            team: None,
            assignee: agent.agent(),
            by: domain::case::AssignedBy::Person,
            note: String::new(),
        },
        5 => {
            office.give(agent, case, CaseCommand::Solve).unwrap();
            CaseCommand::Close
        }
        _ => CaseCommand::SetOpen,
    };
    office.give(agent, case, command).unwrap();
}

fn leaf(times: [Timestamp; 2]) -> impl Strategy<Value = Filter> {
    let text = || {
        prop::sample::select(vec![
            "order",
            "退",
            "%",
            "_",
            "\\",
            "fang",
            "#7",
            "12",
            "example.cn",
            "Case 1",
            "x' OR 1=1 --",
        ])
    };
    prop_oneof![
        prop::collection::vec(prop::sample::select(StatusKey::ALL.to_vec()), 1..4).prop_map(Filter::Status),
        prop::sample::select(vec![Who::Me, Who::Nobody, Who::User(id(WANG)), Who::User(id(OLGA))])
            .prop_map(Filter::Assignee),
        prop::sample::select(vec![Whose::Mine, Whose::Nobody, Whose::Team(id(SUPPORT))]).prop_map(Filter::Team),
        prop::collection::vec(prop::sample::select(Priority::ALL.to_vec()), 1..4).prop_map(Filter::Priority),
        prop::collection::vec(prop::sample::select(ChannelKind::ALL.to_vec()), 1..4).prop_map(Filter::ChannelKind),
        prop::sample::select(vec![MAIL, CHAT]).prop_map(|channel| Filter::Channel(id(channel))),
        prop::sample::select(vec![REASON, 999]).prop_map(|reason| Filter::Reason(id(reason))),
        prop::sample::select(vec!["vip", " LATE ", "none"]).prop_map(|tag| Filter::Tag(tag.to_owned())),
        prop::sample::select(vec![500, 999]).prop_map(|customer| Filter::Customer(id(customer))),
        any::<bool>().prop_map(Filter::Unanswered),
        prop::sample::select(vec!["zh", "ZH-cn", "en", "z", "%"])
            .prop_map(|language| Filter::Language(language.to_owned())),
        text().prop_map(|text| Filter::Text(text.to_owned())),
        prop::sample::select(times.to_vec()).prop_map(Filter::OpenedAfter),
        prop::sample::select(times.to_vec()).prop_map(Filter::OpenedBefore),
    ]
}

fn tree(times: [Timestamp; 2]) -> impl Strategy<Value = Filter> {
    leaf(times).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn scopes() -> impl Strategy<Value = Scope> {
    let pair = (
        prop::option::of(prop::sample::select(vec![SALES, SUPPORT])),
        prop::option::of(prop::sample::select(vec![MAIL, CHAT])),
    );
    prop_oneof![
        3 => Just(Scope::Everywhere),
        1 => Just(Scope::Nowhere),
        4 => prop::collection::vec(pair, 1..4)
            .prop_map(|pairs| Scope::Within(pairs.into_iter().map(|(t, c)| (t.map(id), c.map(id))).collect())),
    ]
}

#[test]
fn sql_and_memory_agree() {
    on_both_engines(|ground| {
        let office = Office::open(ground);
        let cases = fill(&office);
        let times = [cases[10].1.opened_at, cases[40].1.opened_at];
        let viewers = prop::sample::select(vec![
            Viewer { user: Some(id(LI)), teams: [id(SALES)].into() },
            Viewer { user: Some(id(OLGA)), teams: BTreeSet::new() },
            Viewer { user: None, teams: BTreeSet::new() },
        ]);
        let mut runner = TestRunner::deterministic();
        let (mut held, mut nothing) = (0, 0);
        for _ in 0..400 {
            let (filter, scope, viewer) =
                (tree(times), scopes(), viewers.clone()).new_tree(&mut runner).unwrap().current();
            let expected: BTreeSet<CaseId> = cases
                .iter()
                .filter(|(_, case, texts)| {
                    scope.covers(&crate::can::place_of(case)) && matches(&filter, &Facts { case, texts }, &viewer)
                })
                .map(|(id, _, _)| *id)
                .collect();
            let sight = Sight { workspace: office.ws, scope, viewer };
            let asked = filter.clone();
            let read = office.ground.db.read_blocking(move |r| {
                let rows = list::page(r, &sight, &asked, (Sort::Newest, None, 100))?;
                Ok::<_, spine::Refusal>((rows, list::count(r, &sight, &asked)?))
            });
            let (rows, count) = read.unwrap();
            let found: BTreeSet<CaseId> = rows.iter().map(|row| row.id).collect();
            assert_eq!(found, expected, "{}", serde_json::to_string(&filter).unwrap());
            assert_eq!(count, i64::try_from(expected.len()).unwrap());
            if expected.is_empty() { nothing += 1 } else { held += 1 }
        }
        // Otherwise the comparison would say little.
        assert!(held > 100 && nothing > 20, "{held} {nothing}");
    });
}
