#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn office(zone: &str, blocks: &[(u16, u16)], holidays: Option<Holidays>) -> CalendarPlan {
    let blocks: Vec<Block> = blocks.iter().map(|(from, to)| Block { from: from * 60, to: to * 60 }).collect();
    let week = Weekday::ALL.iter().take(5).map(|weekday| (*weekday, blocks.clone())).collect();
    CalendarPlan { time_zone: zone.to_owned(), week, holidays, days: BTreeMap::new() }
}

fn china() -> Calendar {
    Calendar::new(&office("Asia/Shanghai", &[(9, 18)], Some(Holidays::MainlandChina))).unwrap()
}

/// DOMAIN 2.3, F6: three calendars give three answers, and only one is a workday of the customer's.
#[test]
fn a_promise_over_the_national_holiday_ends_on_the_make_up_day() {
    let from = at("2026-09-30T17:00:00+08:00");
    assert_eq!(china().due(from, Span::hours(24)), Some(at("2026-10-10T14:00:00+08:00")));
    let mut plan = office("Asia/Shanghai", &[(9, 18)], None);
    assert_eq!(Calendar::new(&plan).unwrap().due(from, Span::hours(24)), Some(at("2026-10-05T14:00:00+08:00")));
    for day in 1..=7 {
        plan.days.insert(format!("2026-10-0{day}"), Day::Closed);
    }
    assert_eq!(Calendar::new(&plan).unwrap().due(from, Span::hours(24)), Some(at("2026-10-12T14:00:00+08:00")));
}

#[test]
fn both_years_have_248_workdays() {
    for year in [2025, 2026] {
        let (from, to) =
            (at(&format!("{year}-01-01T00:00:00+08:00")), at(&format!("{}-01-01T00:00:00+08:00", year + 1)));
        assert_eq!(china().worked(from, to), Span::hours(9 * 248), "{year}");
    }
}

#[test]
fn several_blocks_a_day_and_the_edges_of_each() {
    let calendar = Calendar::new(&office("Asia/Shanghai", &[(9, 12), (14, 18)], None)).unwrap();
    let monday = |time: &str| at(&format!("2026-11-23T{time}+08:00"));
    for (from, time, due) in [
        ("08:00:00", Span::hours(3), "12:00:00"),
        ("08:00:00", Span::from_micros(3 * 3_600_000_000 + 1), "14:00:00.000001"),
        ("11:59:59", Span::seconds(2), "14:00:01"),
        ("12:00:00", Span::seconds(1), "14:00:01"),
        ("09:00:00", Span::ZERO, "09:00:00"),
        ("07:00:00", Span::ZERO, "07:00:00"),
    ] {
        assert_eq!(calendar.due(monday(from), time), Some(monday(due)), "{from} {time:?}");
    }
    let open = |time: &str| calendar.is_open(monday(time));
    assert_eq!(
        [open("08:59:59"), open("09:00:00"), open("12:00:00"), open("17:59:59"), open("18:00:00")],
        [false, true, false, true, false]
    );
    assert_eq!(calendar.worked(monday("11:00:00"), monday("15:00:00")), Span::hours(2));
    assert_eq!(calendar.worked(monday("15:00:00"), monday("11:00:00")), Span::ZERO);
}

/// In Berlin the night of 2026-03-29 has no 02:00 to 03:00 and that of 2026-10-25 has it twice.
#[test]
fn a_night_shift_is_as_long_as_it_takes() {
    let night = vec![Block { from: 0, to: 6 * 60 }];
    let week = Weekday::ALL.iter().map(|weekday| (*weekday, night.clone())).collect();
    let plan = CalendarPlan { time_zone: "Europe/Berlin".to_owned(), week, holidays: None, days: BTreeMap::new() };
    let calendar = Calendar::new(&plan).unwrap();
    for (day, hours) in [("2026-03-28", 6), ("2026-03-29", 5), ("2026-10-25", 7)] {
        let midnight = day.parse::<Date>().unwrap().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).unwrap();
        let from = Timestamp::from_micros(midnight.timestamp().as_microsecond());
        assert_eq!(calendar.worked(from, from + Span::hours(12)), Span::hours(hours), "{day}");
    }
}

#[test]
fn round_the_clock_has_no_seams() {
    let all_day = vec![Block { from: 0, to: DAY_MINUTES }];
    let week = Weekday::ALL.iter().map(|weekday| (*weekday, all_day.clone())).collect();
    let plan = CalendarPlan { time_zone: "Asia/Shanghai".to_owned(), week, holidays: None, days: BTreeMap::new() };
    let calendar = Calendar::new(&plan).unwrap();
    let from = at("2026-11-22T23:59:30+08:00");
    assert_eq!(calendar.due(from, Span::seconds(60)), Some(from + Span::seconds(60)));
    assert_eq!(calendar.worked(from, from + Span::days(400)), Span::days(400));
}

#[test]
fn what_never_opens_keeps_no_promise() {
    let plan = CalendarPlan { week: BTreeMap::new(), ..office("Asia/Shanghai", &[], None) };
    let calendar = Calendar::new(&plan).unwrap();
    assert_eq!(calendar.due(at("2026-01-01T00:00:00Z"), Span::seconds(1)), None);
    assert!(!calendar.is_open(at("2026-01-01T00:00:00Z")));
}

#[test]
fn a_calendar_that_makes_no_sense_is_refused_at_its_field() {
    let good = || office("Asia/Shanghai", &[(9, 18)], None);
    let refused = |change: &dyn Fn(&mut CalendarPlan)| {
        let mut plan = good();
        change(&mut plan);
        let refusal = Calendar::new(&plan).unwrap_err();
        (refusal.code, refusal.field.unwrap())
    };
    let monday = |blocks: &[(u16, u16)]| {
        let blocks: Vec<Block> = blocks.iter().map(|(from, to)| Block { from: *from, to: *to }).collect();
        refused(&|plan| drop(plan.week.insert(Weekday::Monday, blocks.clone())))
    };
    for blocks in
        [&[(600, 600)][..], &[(600, 540)], &[(600, 1_441)], &[(540, 700), (699, 800)], &[(700, 800), (540, 600)]]
    {
        assert_eq!(monday(blocks), (Code::Invalid, "week.monday".to_owned()), "{blocks:?}");
    }
    let many: Vec<(u16, u16)> = (0..13).map(|n| (n * 60, n * 60 + 30)).collect();
    assert_eq!(monday(&many).0, Code::TooMany);
    assert!(
        Calendar::new(&CalendarPlan { week: [(Weekday::Monday, vec![Block { from: 0, to: 1_440 }])].into(), ..good() })
            .is_ok()
    );
    assert_eq!(refused(&|plan| plan.time_zone = "Moon/Base".to_owned()), (Code::Invalid, "time_zone".to_owned()));
    let day = |text: &str| refused(&|plan| drop(plan.days.insert(text.to_owned(), Day::Closed)));
    assert_eq!(day("2026-02-30"), (Code::Invalid, "days.2026-02-30".to_owned()));
}

fn plans() -> impl Strategy<Value = CalendarPlan> {
    let cuts = proptest::collection::btree_set(0..=DAY_MINUTES, 0..8);
    let blocks = cuts.prop_map(|cuts| {
        let cuts: Vec<u16> = cuts.into_iter().collect();
        cuts.chunks_exact(2).map(|pair| Block { from: pair[0], to: pair[1] }).collect::<Vec<_>>()
    });
    let zones = prop_oneof![
        Just("Asia/Shanghai"),
        Just("Europe/Berlin"),
        Just("America/New_York"),
        Just("Australia/Lord_Howe")
    ];
    (zones, proptest::collection::vec(blocks, 7), any::<bool>()).prop_map(|(zone, week, china)| CalendarPlan {
        time_zone: zone.to_owned(),
        week: Weekday::ALL.iter().copied().zip(week).collect(),
        holidays: china.then_some(Holidays::MainlandChina),
        days: BTreeMap::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A promise is due exactly when its time has been worked, and not a microsecond earlier.
    #[test]
    fn due_is_the_inverse_of_worked(plan in plans(), start in 0_i64..31_536_000, seconds in 1_i64..400_000) {
        let calendar = Calendar::new(&plan).unwrap();
        let from = at("2026-01-01T00:00:00Z") + Span::seconds(start);
        let time = Span::seconds(seconds);
        if let Some(due) = calendar.due(from, time) {
            prop_assert_eq!(calendar.worked(from, due), time);
            prop_assert!(calendar.worked(from, due - Span::from_micros(1)) < time);
        }
    }

    /// Counting in two parts gives what counting at once gives.
    #[test]
    fn working_time_adds_up(plan in plans(), start in 0_i64..31_536_000, first in 0_i64..2_000_000, second in 0_i64..2_000_000) {
        let calendar = Calendar::new(&plan).unwrap();
        let from = at("2026-01-01T00:00:00Z") + Span::seconds(start);
        let (middle, to) = (from + Span::seconds(first), from + Span::seconds(first + second));
        let parts = calendar.worked(from, middle).as_micros() + calendar.worked(middle, to).as_micros();
        prop_assert_eq!(calendar.worked(from, to).as_micros(), parts);
        prop_assert!(parts <= (first + second) * 1_000_000);
        let open: Vec<Stretch> = calendar.stretches(from).take(400).collect();
        prop_assert!(open.windows(2).all(|pair| pair[0].to <= pair[1].from));
    }
}
