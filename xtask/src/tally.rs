//! Counting tests in the closing lines of the runners we use, so that CI can print one honest total.

use std::fmt;
use std::ops::AddAssign;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// Adds up the closing lines of nextest, libtest, vitest and node's test runner.
    pub fn of(lines: &[String]) -> Self {
        let mut total = Self::default();
        for line in lines {
            total += Self::of_line(line.trim()).unwrap_or_default();
        }
        total
    }

    fn of_line(line: &str) -> Option<Self> {
        if line.starts_with("Summary [") || line.starts_with("test result:") || line.starts_with("Tests ") {
            return Some(Self::before_words(line));
        }
        let (name, number) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split_once(' ')?;
        let number = number.parse().ok()?;
        match name {
            "pass" => Some(Self { passed: number, failed: 0 }),
            "fail" | "cancelled" => Some(Self { passed: 0, failed: number }),
            _ => None,
        }
    }

    /// `12 passed`, `3 failed`, `1 timed out`, `1 exec failed`, in any order.
    fn before_words(line: &str) -> Self {
        let words: Vec<&str> =
            line.split([' ', ',', ';', '|', '(', ')', ':']).filter(|word| !word.is_empty()).collect();
        let mut tally = Self::default();
        for pair in words.windows(2) {
            let [number, word] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match *word {
                "passed" => tally.passed += number,
                "failed" | "timed" | "exec" => tally.failed += number,
                _ => {}
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runner_is_understood() {
        let cases = [
            ("     Summary [   1.204s] 12 tests run: 11 passed (1 slow), 1 failed, 4 skipped", 11, 1),
            ("     Summary [   1.204s] 5 tests run: 3 passed, 1 timed out, 1 exec failed, 0 skipped", 3, 2),
            ("test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s", 7, 0),
            ("      Tests  2 failed | 12 passed (14)", 12, 2),
            ("ℹ pass 5", 5, 0),
            ("# fail 2", 0, 2),
            ("# tests 9", 0, 0),
            (" Test Files  1 passed (1)", 0, 0),
            ("some text: 5 passed by", 0, 0),
        ];
        for (line, passed, failed) in cases {
            assert_eq!(Tally::of(&[line.to_owned()]), Tally { passed, failed }, "{line}");
        }
    }
}
