//! Business calendars: when a company works. Weekly hours in a time zone, public holidays and make-up workdays (调休) as
//! data, days of the company's own. From it follow the working time between two instants and the instant at which a
//! promised amount of working time is used up, both exact to the microsecond.
//!
//! Start reading at [`Calendar::worked`] and [`Calendar::due`].

mod holidays;
#[cfg(test)]
mod tests;

use crate::closed::closed;
use crate::{Code, Rejection, Span, Timestamp};
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::collections::BTreeMap;

/// Minutes of a day; the end of a block that lasts until midnight.
pub const DAY_MINUTES: u16 = 1_440;
/// Blocks of one day.
pub const BLOCKS_MAX: usize = 12;
/// Days of a company's own.
pub const DAYS_MAX: usize = 2_000;
/// How far ahead a promise is looked for; a calendar that opens less than that keeps none.
const AHEAD_DAYS: usize = 3_660;

closed! {
    /// A day of the week.
    pub enum Weekday {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
}

closed! {
    /// Whose public holidays and make-up workdays a calendar follows.
    pub enum Holidays { MainlandChina = "mainland_china" }
}

/// Working hours of one day in minutes after midnight: `from` is in, `to` (at most 1,440) is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Block {
    pub from: u16,
    pub to: u16,
}

/// What a date is, whatever its day of the week.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Day {
    Closed,
    Open {
        blocks: Vec<Block>,
    },
    /// Hours like those of another day of the week: a make-up workday.
    Like {
        weekday: Weekday,
    },
}

/// A calendar as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct CalendarPlan {
    /// IANA name, e.g. `Asia/Shanghai`.
    pub time_zone: String,
    /// Days that are missing are closed.
    pub week: BTreeMap<Weekday, Vec<Block>>,
    pub holidays: Option<Holidays>,
    /// By date (`2026-10-10`); they count over holidays.
    pub days: BTreeMap<String, Day>,
}

/// A calendar one can count with.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    week: BTreeMap<Weekday, Vec<Block>>,
    days: BTreeMap<Date, Vec<Block>>,
}

/// A stretch of working time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Stretch {
    #[must_use]
    pub fn length(self) -> Span {
        self.to.since(self.from)
    }
}

impl Calendar {
    /// # Errors
    /// `invalid` for an unknown zone, a date that is none, or blocks that overlap, are empty or out of order;
    /// `too_many` over the limits. The field is named.
    pub fn new(plan: &CalendarPlan) -> Result<Self, Rejection> {
        let zone = TimeZone::get(&plan.time_zone).map_err(|_| Rejection::new(Code::Invalid).on("time_zone"))?;
        for (weekday, blocks) in &plan.week {
            check(blocks).map_err(|refusal| refusal.on(format!("week.{}", weekday.as_str())))?;
        }
        if plan.days.len() > DAYS_MAX {
            return Err(Rejection::new(Code::TooMany).with("max", DAYS_MAX).on("days"));
        }
        let like = |weekday: Weekday| plan.week.get(&weekday).cloned().unwrap_or_default();
        let blocks_of = |day: &Day| match day {
            Day::Closed => Vec::new(),
            Day::Open { blocks } => blocks.clone(),
            Day::Like { weekday } => like(*weekday),
        };
        let mut days: BTreeMap<Date, Vec<Block>> = match plan.holidays {
            Some(whose) => holidays::of(whose).map(|(date, day)| (date, blocks_of(&day))).collect(),
            None => BTreeMap::new(),
        };
        for (text, day) in &plan.days {
            let date = text.parse().map_err(|_| Rejection::new(Code::Invalid).on(format!("days.{text}")))?;
            let blocks = blocks_of(day);
            check(&blocks).map_err(|refusal| refusal.on(format!("days.{text}")))?;
            days.insert(date, blocks);
        }
        Ok(Self { zone, week: plan.week.clone(), days })
    }

    /// Working time from one instant to another; zero when `to` is earlier.
    #[must_use]
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> Span {
        let lengths = self.stretches(from).take_while(|open| open.from < to).map(|open| {
            let end = open.to.min(to);
            end.since(open.from).as_micros()
        });
        Span::from_micros(lengths.sum())
    }

    /// The instant at which `time` of working time is used up, counted from `from`: the end of a block if it comes out
    /// even, never the beginning of the next. `None` if the calendar does not open long enough in the next ten years.
    #[must_use]
    pub fn due(&self, from: Timestamp, time: Span) -> Option<Timestamp> {
        let mut left = time.as_micros();
        if left <= 0 {
            return Some(from);
        }
        for open in self.stretches(from) {
            let length = open.length().as_micros();
            if left <= length {
                return Some(open.from + Span::from_micros(left));
            }
            left -= length;
        }
        None
    }

    /// Whether somebody works at this instant.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.stretches(at).next().is_some_and(|open| open.from <= at)
    }

    /// Working time from an instant on, block by block, for the next ten years.
    pub fn stretches(&self, from: Timestamp) -> impl Iterator<Item = Stretch> + '_ {
        let dates = self.date(from).into_iter().flat_map(|first| first.series(jiff::Span::new().days(1)));
        let blocks = dates.take(AHEAD_DAYS).flat_map(|date| self.blocks(date).iter().map(move |block| (date, *block)));
        blocks.filter_map(move |(date, block)| {
            let open = Stretch { from: self.instant(date, block.from)?.max(from), to: self.instant(date, block.to)? };
            (open.from < open.to).then_some(open)
        })
    }

    fn blocks(&self, date: Date) -> &[Block] {
        if let Some(blocks) = self.days.get(&date) {
            return blocks;
        }
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        Weekday::ALL.get(weekday).and_then(|weekday| self.week.get(weekday)).map_or(&[], Vec::as_slice)
    }

    fn date(&self, at: Timestamp) -> Option<Date> {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
        Some(at.to_zoned(self.zone.clone()).date())
    }

    /// The instant of a wall-clock time. One that comes twice is the first of the two; all that the clocks skip are the
    /// one instant at which they skip, so that blocks never overlap.
    fn instant(&self, date: Date, minute: u16) -> Option<Timestamp> {
        let (date, minute) = if minute >= DAY_MINUTES { (date.tomorrow().ok()?, 0) } else { (date, minute) };
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        let wall = self.zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
        let is_skipped = matches!(wall.offset(), AmbiguousOffset::Gap { .. });
        let earlier = wall.earlier().ok()?;
        let at = if is_skipped { self.zone.following(earlier).next()?.timestamp() } else { earlier };
        Some(Timestamp::from_micros(at.as_microsecond()))
    }
}

/// Blocks must be in order, apart from each other, and within the day.
fn check(blocks: &[Block]) -> Result<(), Rejection> {
    if blocks.len() > BLOCKS_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", BLOCKS_MAX));
    }
    let mut end = 0;
    for block in blocks {
        if block.from < end || block.to <= block.from || block.to > DAY_MINUTES {
            return Err(Code::Invalid.into());
        }
        end = block.to;
    }
    Ok(())
}
