//! Public holidays and make-up workdays, as published. A new year is a new line of data.

use super::{Day, Holidays, Weekday};
use jiff::civil::{Date, date};

/// A date as (month, day).
type MonthDay = (i8, i8);

struct Year {
    year: i16,
    /// Days off, each stretch from its first to its last.
    off: &'static [(MonthDay, MonthDay)],
    /// Make-up workdays. They have the hours of a Monday.
    worked: &'static [MonthDay],
}

/// General Office of the State Council, 国办发明电〔2024〕12号 and 〔2025〕7号; weekend days within a holiday are in it
/// too, for companies that work on weekends.
const MAINLAND_CHINA: [Year; 2] = [
    Year {
        year: 2025,
        off: &[
            ((1, 1), (1, 1)),
            ((1, 28), (2, 4)),
            ((4, 4), (4, 6)),
            ((5, 1), (5, 5)),
            ((5, 31), (6, 2)),
            ((10, 1), (10, 8)),
        ],
        worked: &[(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)],
    },
    Year {
        year: 2026,
        off: &[
            ((1, 1), (1, 3)),
            ((2, 15), (2, 23)),
            ((4, 4), (4, 6)),
            ((5, 1), (5, 5)),
            ((6, 19), (6, 21)),
            ((9, 25), (9, 27)),
            ((10, 1), (10, 7)),
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
        let on = |(month, day): MonthDay| date(of.year, month, day);
        let stretch = move |(first, last): &(MonthDay, MonthDay)| {
            let (first, last) = (on(*first), on(*last));
            first.series(jiff::Span::new().days(1)).take_while(move |day| *day <= last)
        };
        let off = of.off.iter().flat_map(stretch).map(|day| (day, Day::Closed));
        let worked = of.worked.iter().map(move |day| (on(*day), Day::Like { weekday: Weekday::Monday }));
        off.chain(worked)
    })
}
