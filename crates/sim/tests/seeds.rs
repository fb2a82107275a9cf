//! The quick tier: 300 seeds in every run of CI. More by hand: `STEWARD_SEEDS=10000 cargo x test seeds`.

use sim::simulate;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const STEPS: u32 = 80;

#[expect(clippy::disallowed_methods, reason = "how many seeds is the caller's choice")]
fn seeds() -> u64 {
    std::env::var("STEWARD_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

#[test]
fn every_seed_keeps_the_invariants() {
    let (next, broken, crashes) = (AtomicU64::new(1), Mutex::new(Vec::new()), AtomicU64::new(0));
    let seeds = seeds();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        return;
                    }
                    let report = simulate(seed, STEPS);
                    crashes.fetch_add(u64::from(report.crashes), Ordering::Relaxed);
                    if !report.broken.is_empty() {
                        broken.lock().unwrap().push(report);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{} of {seeds} seeds: {:#?}", broken.len(), broken.first());
    assert!(crashes.load(Ordering::Relaxed) > seeds / 10, "the simulation crashed too seldom to prove anything");
}

#[test]
fn the_same_seed_gives_the_same_log() {
    let (first, second) = (simulate(7, STEPS), simulate(7, STEPS));
    assert!(first.events > 50, "{first:?}");
    assert_eq!(first, second);
}
