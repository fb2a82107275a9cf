//! Rate limits by key, as a generic cell rate algorithm (ITU-T I.371): one number per key.

use crate::problem::{Problem, Result};
use domain::{Code, Span, Timestamp};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Keys remembered at once, about 20 MB. Beyond it, the idle ones go first, then any.
const KEYS_MAX: usize = 200_000;

/// A named limit: `burst` calls at once, refilled evenly over `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub burst: u32,
    pub per: Span,
}

impl Limit {
    #[must_use]
    pub const fn new(name: &'static str, burst: u32, per: Span) -> Self {
        Self { name, burst, per }
    }
}

/// Whom a limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// IPv6 is counted by /64: one household has that many addresses.
    Address(IpAddr),
    Id(Uuid),
    Text(String),
}

impl From<IpAddr> for Key {
    fn from(ip: IpAddr) -> Self {
        Self::Address(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & (u128::MAX << 64)).into()),
        })
    }
}
impl From<Uuid> for Key {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}
impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Counts calls in this process.
#[derive(Debug, Default)]
pub struct RateLimiter {
    /// The time at which a key's bucket will be full again, in microseconds.
    full_at: Mutex<HashMap<(&'static str, Key), i64>>,
}

impl RateLimiter {
    /// Takes one call out of the key's bucket.
    ///
    /// # Errors
    /// `rate_limited` with `seconds` and `Retry-After` when the bucket is empty.
    pub fn check(&self, limit: &Limit, key: impl Into<Key>, now: Timestamp) -> Result<()> {
        let now = now.as_micros();
        let one = limit.per.as_micros() / i64::from(limit.burst.max(1));
        let mut map = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= KEYS_MAX {
            make_room(&mut map, now);
        }
        let full_at = map.entry((limit.name, key.into())).or_insert(now);
        let next = (*full_at).max(now) + one;
        let over = next - now - limit.per.as_micros();
        if over > 0 {
            let seconds = u32::try_from(over.div_euclid(1_000_000) + 1).unwrap_or(u32::MAX);
            return Err(Problem::new(Code::RateLimited).with("limit", limit.name).retry_after(seconds));
        }
        *full_at = next;
        Ok(())
    }

    /// Fills the key's bucket again (after a successful sign-in).
    pub fn forgive(&self, limit: &Limit, key: impl Into<Key>) {
        let mut map = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        map.remove(&(limit.name, key.into()));
    }
}

fn make_room(map: &mut HashMap<(&'static str, Key), i64>, now: i64) {
    map.retain(|_, full_at| *full_at > now);
    if map.len() >= KEYS_MAX {
        let some: Vec<_> = map.keys().take(KEYS_MAX / 10).cloned().collect();
        for key in some {
            map.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::new("test", 3, Span::seconds(30));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000) + Span::seconds(seconds)
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let limiter = RateLimiter::default();
        let key = || Key::Text("a".to_owned());
        for _ in 0..3 {
            limiter.check(&LIMIT, key(), at(0)).unwrap();
        }
        let problem = limiter.check(&LIMIT, key(), at(0)).unwrap_err();
        assert_eq!(problem, Problem::new(Code::RateLimited).with("limit", "test").retry_after(11));
        limiter.check(&LIMIT, Key::Text("b".to_owned()), at(0)).unwrap();
        limiter.check(&LIMIT, key(), at(10)).unwrap();
        assert!(limiter.check(&LIMIT, key(), at(10)).is_err());
        limiter.forgive(&LIMIT, key());
        for _ in 0..3 {
            limiter.check(&LIMIT, key(), at(10)).unwrap();
        }
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out_for_long() {
        let limiter = RateLimiter::default();
        let key = || Key::Id(Uuid::nil());
        limiter.check(&LIMIT, key(), at(40)).unwrap();
        assert!(limiter.check(&LIMIT, key(), at(0)).is_err());
        limiter.check(&LIMIT, key(), at(40)).unwrap();
    }

    #[test]
    fn ipv6_counts_by_64() {
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let b: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        let c: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        assert_eq!(Key::from(a), Key::from(b));
        assert_ne!(Key::from(a), Key::from(c));
        let mapped: IpAddr = "::ffff:1.2.3.4".parse().unwrap();
        assert_eq!(Key::from(mapped), Key::Address("1.2.3.4".parse().unwrap()));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = RateLimiter::default();
        for n in 0..(KEYS_MAX as u128 + 10) {
            limiter.check(&LIMIT, Uuid::from_u128(n), at(0)).unwrap();
        }
        assert!(limiter.full_at.lock().unwrap().len() <= KEYS_MAX);
    }
}
