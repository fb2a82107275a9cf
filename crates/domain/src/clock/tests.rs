#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use crate::calendar::{Block, CalendarPlan, Holidays, Weekday};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// 9 to 12 and 13 to 18 on workdays in Shanghai.
fn calendar() -> Calendar {
    let blocks = vec![Block { from: 540, to: 720 }, Block { from: 780, to: 1_080 }];
    let week = Weekday::ALL.iter().take(5).map(|weekday| (*weekday, blocks.clone())).collect();
    let holidays = Some(Holidays::MainlandChina);
    let plan = CalendarPlan { time_zone: "Asia/Shanghai".to_owned(), week, holidays, days: BTreeMap::new() };
    Calendar::new(&plan).unwrap()
}

/// A time of the week that begins on Monday, 2026-11-23: `day` 0 is that Monday.
fn on(day: u32, time: &str) -> Timestamp {
    let text = format!("2026-11-{}T{time}:00+08:00", 23 + day);
    Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn clock(started: Timestamp, hours: i64, pauses: &[(Timestamp, Option<Timestamp>)]) -> Clock {
    let pauses = pauses.iter().map(|(from, to)| Pause { from: *from, to: *to, on: WaitingOn::Customer }).collect();
    Clock { started, promise: Span::hours(hours), pauses, stopped: None }
}

#[test]
fn a_promise_runs_in_working_time_and_waits_in_pauses() {
    for (name, clock, due) in [
        ("within a block", clock(on(0, "09:30"), 2, &[]), Some(on(0, "11:30"))),
        ("over lunch", clock(on(0, "11:00"), 2, &[]), Some(on(0, "14:00"))),
        ("over the night", clock(on(0, "17:00"), 2, &[]), Some(on(1, "10:00"))),
        ("over the weekend", clock(on(4, "17:30"), 1, &[]), Some(on(7, "09:30"))),
        ("begun at night", clock(on(0, "22:00"), 1, &[]), Some(on(1, "10:00"))),
        ("paused an hour", clock(on(0, "09:00"), 2, &[(on(0, "10:00"), Some(on(0, "11:00")))]), Some(on(0, "12:00"))),
        (
            "paused at night only",
            clock(on(0, "17:00"), 2, &[(on(0, "20:00"), Some(on(1, "08:00")))]),
            Some(on(1, "10:00")),
        ),
        (
            "paused twice",
            clock(on(0, "09:00"), 4, &[(on(0, "10:00"), Some(on(0, "11:00"))), (on(0, "17:00"), Some(on(1, "11:00")))]),
            Some(on(0, "15:00")),
        ),
        ("paused still", clock(on(0, "09:00"), 2, &[(on(0, "10:00"), None)]), None),
        ("paused too late", clock(on(0, "09:00"), 1, &[(on(0, "10:30"), None)]), Some(on(0, "10:00"))),
        (
            "paused from the start",
            clock(on(0, "09:00"), 1, &[(on(0, "09:00"), Some(on(0, "15:00")))]),
            Some(on(0, "16:00")),
        ),
    ] {
        assert_eq!(clock.due(&calendar()), due, "{name}");
    }
}

#[test]
fn how_a_promise_stands() {
    let calendar = calendar();
    let running = clock(on(0, "09:00"), 2, &[]);
    let due = on(0, "11:00");
    assert_eq!(running.standing(&calendar, on(0, "10:00")), Standing::Running { due });
    assert_eq!(running.standing(&calendar, due), Standing::Running { due });
    assert_eq!(running.standing(&calendar, due + Span::from_micros(1)), Standing::Broken { due });
    for (stopped, standing) in [(due, Standing::Kept), (due + Span::from_micros(1), Standing::Broken { due })] {
        let stopped = Clock { stopped: Some(stopped), ..running.clone() };
        assert_eq!(stopped.standing(&calendar, on(3, "09:00")), standing);
    }
    let paused = clock(on(0, "09:00"), 2, &[(on(0, "09:30"), None)]);
    assert_eq!(paused.standing(&calendar, on(2, "09:00")), Standing::Paused { left: Span::minutes(90) });
    // An answer while the clock stands still is in time.
    let answered = Clock { stopped: Some(on(2, "09:00")), ..paused };
    assert_eq!(answered.standing(&calendar, on(3, "09:00")), Standing::Kept);
    let broken_then_paused = clock(on(0, "09:00"), 1, &[(on(0, "11:00"), None)]);
    assert_eq!(broken_then_paused.standing(&calendar, on(0, "12:00")), Standing::Broken { due: on(0, "10:00") });
}

#[test]
fn a_timeline_explains_every_stretch() {
    let pauses = [(on(0, "17:00"), Some(on(1, "10:00")))];
    let clock = Clock { stopped: Some(on(1, "14:00")), ..clock(on(0, "11:00"), 8, &pauses) };
    let parts = clock.timeline(&calendar(), on(3, "09:00"));
    let expected = [
        (on(0, "11:00"), Cause::Running),
        (on(0, "12:00"), Cause::OutsideHours),
        (on(0, "13:00"), Cause::Running),
        (on(0, "17:00"), Cause::Paused(WaitingOn::Customer)),
        (on(1, "10:00"), Cause::Running),
        (on(1, "12:00"), Cause::OutsideHours),
        (on(1, "13:00"), Cause::Running),
    ];
    assert_eq!(parts.iter().map(|part| (part.from, part.cause)).collect::<Vec<_>>(), expected);
    assert_eq!(parts.last().unwrap().to, on(1, "14:00"));
    assert_eq!(clock.used(&calendar(), on(3, "09:00")), Span::hours(8));
}

fn clocks() -> impl Strategy<Value = Clock> {
    let cuts = proptest::collection::btree_set(0_i64..1_209_600, 0..6);
    (0_i64..604_800, 1_i64..200_000, cuts, any::<bool>()).prop_map(|(start, promise, cuts, open)| {
        let started = on(0, "00:00") + Span::seconds(start);
        let cuts: Vec<Timestamp> = cuts.into_iter().map(|cut| started + Span::seconds(cut)).collect();
        let pause = |pair: &[Timestamp]| Pause { from: pair[0], to: pair.get(1).copied(), on: WaitingOn::ThirdParty };
        let pauses = cuts.chunks(2).filter(|pair| open || pair.len() == 2).map(pause).collect();
        Clock { started, promise: Span::seconds(promise), pauses, stopped: None }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Seen at any later instant, the parts follow each other from the start to that instant.
    #[test]
    fn a_timeline_has_no_gaps(clock in clocks(), seconds in 1_i64..2_000_000) {
        let until = clock.started + Span::seconds(seconds);
        let parts = clock.timeline(&calendar(), until);
        prop_assert_eq!(parts[0].from, clock.started);
        prop_assert_eq!(parts.last().unwrap().to, until);
        prop_assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].cause != pair[1].cause));
    }

    /// When a promise is due its time is used up, and a microsecond earlier it is not.
    #[test]
    fn due_is_when_the_time_is_used_up(clock in clocks()) {
        if let Some(due) = clock.due(&calendar()) {
            prop_assert_eq!(clock.used(&calendar(), due), clock.promise);
            prop_assert!(clock.used(&calendar(), due - Span::from_micros(1)) < clock.promise);
        }
    }
}
