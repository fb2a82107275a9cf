//! The quick tier: 300 seeds in every run of CI, in parts that run side by side. More by hand:
//! `STEWARD_SEEDS=10000 cargo x test seeds`.

use sim::simulate;

const STEPS: u32 = 80;
const PARTS: u64 = 10;

#[expect(clippy::disallowed_methods, reason = "how many seeds is the caller's choice")]
fn seeds() -> u64 {
    std::env::var("STEWARD_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Every tenth seed, beginning with `part`.
fn keep_the_invariants(part: u64) {
    let (mut ran, mut crashes, mut broken) = (0, 0, Vec::new());
    for seed in (1..=seeds()).filter(|seed| seed % PARTS == part) {
        let report = simulate(seed, STEPS);
        ran += 1;
        crashes += u64::from(report.crashes);
        if !report.broken.is_empty() {
            broken.push(report);
        }
    }
    assert!(broken.is_empty(), "{} of {ran} seeds: {:#?}", broken.len(), broken.first());
    assert!(crashes > ran / 10, "the simulation crashed too seldom to prove anything");
}

macro_rules! parts {
    ($($name:ident: $part:literal),+ $(,)?) => {$(
        #[test]
        fn $name() {
            keep_the_invariants($part);
        }
    )+};
}

parts! {
    seeds_ending_in_0: 0, seeds_ending_in_1: 1, seeds_ending_in_2: 2, seeds_ending_in_3: 3, seeds_ending_in_4: 4,
    seeds_ending_in_5: 5, seeds_ending_in_6: 6, seeds_ending_in_7: 7, seeds_ending_in_8: 8, seeds_ending_in_9: 9,
}

#[test]
fn the_same_seed_gives_the_same_log() {
    let (first, second) = (simulate(7, STEPS), simulate(7, STEPS));
    assert!(first.events > 50, "{first:?}");
    assert_eq!(first, second);
}
