//! Public holidays and make-up workdays, as published. A new year is a new line of data.

use super::{Day, Holidays, Weekday};
use jiff::civil::{Date, date};

/// A year's days off and make-up workdays, each as (month, day).
struct Year {
    year: i16,
    off: &'static [(i8, i8)],
    /// They have the hours of a Monday.
    worked: &'static [(i8, i8)],
}

/// General Office of the State Council, 国办发明电〔2024〕12号 and 〔2025〕7号; weekend days within a holiday are named
/// too, for companies that work on weekends.
const MAINLAND_CHINA: [Year; 2] = [
    Year {
        year: 2025,
        off: &[
            (1, 1),
            (1, 28),
            (1, 29),
            (1, 30),
            (1, 31),
            (2, 1),
            (2, 2),
            (2, 3),
            (2, 4),
            (4, 4),
            (4, 5),
            (4, 6),
            (5, 1),
            (5, 2),
            (5, 3),
            (5, 4),
            (5, 5),
            (5, 31),
            (6, 1),
            (6, 2),
            (10, 1),
            (10, 2),
            (10, 3),
            (10, 4),
            (10, 5),
            (10, 6),
            (10, 7),
            (10, 8),
        ],
        worked: &[(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)],
    },
    Year {
        year: 2026,
        off: &[
            (1, 1),
            (1, 2),
            (1, 3),
            (2, 15),
            (2, 16),
            (2, 17),
            (2, 18),
            (2, 19),
            (2, 20),
            (2, 21),
            (2, 22),
            (2, 23),
            (4, 4),
            (4, 5),
            (4, 6),
            (5, 1),
            (5, 2),
            (5, 3),
            (5, 4),
            (5, 5),
            (6, 19),
            (6, 20),
            (6, 21),
            (9, 25),
            (9, 26),
            (9, 27),
            (10, 1),
            (10, 2),
            (10, 3),
            (10, 4),
            (10, 5),
            (10, 6),
            (10, 7),
        ],
        worked: &[(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)],
    },
];

/// All days that are not what their day of the week says.
pub(super) fn of(whose: Holidays) -> impl Iterator<Item = (Date, Day)> {
    let years = match whose {
        Holidays::MainlandChina => MAINLAND_CHINA.iter(),
    };
    years.flat_map(|of| {
        let off = of.off.iter().map(|(month, day)| (date(of.year, *month, *day), Day::Closed));
        let worked = of.worked.iter().map(|(month, day)| (date(of.year, *month, *day), make_up()));
        off.chain(worked)
    })
}

fn make_up() -> Day {
    Day::Like { weekday: Weekday::Monday }
}
