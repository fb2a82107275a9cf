//! Time and chance under control.

use domain::{Span, Timestamp};
use spine::{Clock, Edges, Randomness};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// 2026-01-05 09:00:00 UTC, a Monday.
const START: i64 = 1_767_603_600_000_000;

/// A clock that stands until it is moved, forwards or backwards.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// SplitMix64: the same seed gives the same bytes.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Randomness for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(word.split_at(chunk.len()).0);
        }
    }
}

/// Edges under control, with a handle on the clock.
#[must_use]
pub fn fake_edges(seed: u64) -> (Edges, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock(AtomicI64::new(START)));
    let edges = Edges { clock: clock.clone(), random: Arc::new(SeededRandom::new(seed)) };
    (edges, clock)
}
