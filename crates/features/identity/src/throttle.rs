//! Slows down guessing: after a few wrong tries each further one must wait, twice as long each time.
//! Counted per account and address, and more loosely per account, so that a stranger's guesses
//! hardly delay the person whose account it is.

use domain::{Code, Span, Timestamp};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use web::Problem;

const KEYS_MAX: usize = 100_000;
/// Quiet for this long, and it starts anew.
const FORGET: Span = Span::hours(1);
/// Free tries and the longest wait: of one address at one account, of all addresses at one account.
const OF_ADDRESS: (u32, Span) = (5, Span::minutes(15));
const OF_ACCOUNT: (u32, Span) = (50, Span::seconds(30));

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Counts wrong tries in this process.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<(String, Option<IpAddr>), Failures>>);

impl Throttle {
    /// Whether one more try is allowed now.
    ///
    /// # Errors
    /// `rate_limited` with `Retry-After`. The same whether the account exists or not.
    pub fn check(&self, account: &str, address: IpAddr, now: Timestamp) -> web::Result<()> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [(Some(address), OF_ADDRESS), (None, OF_ACCOUNT)].map(|(address, limits)| {
            let failures = map.get(&(account.to_owned(), address));
            failures.map_or(Span::ZERO, |failures| wait(*failures, limits, now))
        });
        let longest = waits.into_iter().max().unwrap_or(Span::ZERO);
        if longest == Span::ZERO {
            return Ok(());
        }
        let seconds = u32::try_from(longest.as_seconds() + 1).unwrap_or(u32::MAX);
        Err(Problem::new(Code::RateLimited).with("limit", "sign_in").retry_after(seconds))
    }

    /// A wrong try.
    pub fn failed(&self, account: &str, address: IpAddr, now: Timestamp) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= KEYS_MAX {
            map.retain(|_, failures| now.since(failures.last) < FORGET);
            let surplus: Vec<_> = map.keys().take(map.len().saturating_sub(KEYS_MAX / 2)).cloned().collect();
            for key in surplus {
                map.remove(&key);
            }
        }
        for address in [Some(address), None] {
            let failures = map.entry((account.to_owned(), address)).or_insert(Failures { count: 0, last: now });
            let counts_on = now.since(failures.last) < FORGET;
            *failures = Failures { count: if counts_on { failures.count.saturating_add(1) } else { 1 }, last: now };
        }
    }

    /// A right try: the slate of this address is clean.
    pub fn succeeded(&self, account: &str, address: IpAddr) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.remove(&(account.to_owned(), Some(address)));
    }
}

fn wait(failures: Failures, (free, longest): (u32, Span), now: Timestamp) -> Span {
    let Some(over) = failures.count.checked_sub(free) else { return Span::ZERO };
    let full = Span::seconds(1_i64 << over.min(20)).min(longest);
    let passed = now.since(failures.last);
    Span::from_micros((full.as_micros() - passed.as_micros()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1) + Span::seconds(seconds)
    }

    #[test]
    fn five_free_tries_then_ever_longer_waits() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.check("a", HERE, at(0)).unwrap();
            throttle.failed("a", HERE, at(0));
        }
        for (seconds, allowed) in [(0, false), (1, true)] {
            assert_eq!(throttle.check("a", HERE, at(seconds)).is_ok(), allowed);
        }
        throttle.failed("a", HERE, at(1));
        assert!(throttle.check("a", HERE, at(2)).is_err());
        assert!(throttle.check("a", HERE, at(3)).is_ok());
        // Others are not held up.
        assert!(throttle.check("a", ELSEWHERE, at(1)).is_ok());
        assert!(throttle.check("b", HERE, at(1)).is_ok());
        for n in 0..30 {
            throttle.failed("a", HERE, at(n));
        }
        assert!(throttle.check("a", HERE, at(30 + 14 * 60)).is_err());
        assert!(throttle.check("a", HERE, at(30 + 15 * 60)).is_ok());
        throttle.succeeded("a", HERE);
        assert!(throttle.check("a", HERE, at(30)).is_ok());
    }

    #[test]
    fn many_addresses_at_one_account_are_slowed_a_little() {
        let throttle = Throttle::default();
        for n in 0..60_u8 {
            throttle.failed("a", IpAddr::from([10, 0, 0, n]), at(0));
        }
        assert!(throttle.check("a", HERE, at(29)).is_err());
        assert!(throttle.check("a", HERE, at(30)).is_ok());
    }

    #[test]
    fn quiet_time_forgets() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed("a", HERE, at(0));
        }
        throttle.failed("a", HERE, at(3600));
        assert!(throttle.check("a", HERE, at(3600)).is_ok());
    }
}
