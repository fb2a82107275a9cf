//! The list of known exceptions, which may only shrink.

use super::Finding;
use crate::{Outcome, root};

/// Where the list lives.
pub const PATH: &str = "xtask/tidy-exceptions.txt";

/// One line of the list: `rule subject measure`.
#[derive(Debug, PartialEq, Eq)]
pub struct Exception {
    pub rule: String,
    pub subject: String,
    pub measure: usize,
}

pub fn read() -> Outcome<Vec<Exception>> {
    parse(&root::text(PATH)?.unwrap_or_default())
}

fn parse(text: &str) -> Outcome<Vec<Exception>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_line(line).ok_or_else(|| format!("{PATH}: not `rule subject number`: {line}"))).collect()
}

fn parse_line(line: &str) -> Option<Exception> {
    let mut words = line.split_whitespace();
    let (rule, subject) = (words.next()?.to_owned(), words.next()?.to_owned());
    let measure = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Exception { rule, subject, measure })
}

/// What is left to complain about: findings that no exception covers, and exceptions that are
/// larger than needed or no longer needed at all.
pub fn apply(findings: &[Finding], exceptions: &[Exception]) -> Vec<String> {
    let mut problems = Vec::new();
    for finding in findings {
        let known = exceptions.iter().find(|known| covers(known, finding));
        if known.is_none_or(|known| known.measure < finding.measured) {
            problems.push(format!("{} [{}] {}", finding.subject, finding.rule, finding.message));
        }
    }
    for known in exceptions {
        let needed = findings.iter().find(|finding| covers(known, finding)).map(|finding| finding.measured);
        match needed {
            None => problems.push(format!("{PATH}: no longer needed, take it out: {} {}", known.rule, known.subject)),
            Some(measured) if measured < known.measure => {
                problems.push(format!("{PATH}: {} {} has shrunk to {measured}, write that", known.rule, known.subject));
            }
            Some(_) => {}
        }
    }
    problems
}

fn covers(known: &Exception, finding: &Finding) -> bool {
    known.rule == finding.rule && known.subject == finding.subject
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(measured: usize) -> Finding {
        Finding { rule: "lines", subject: "a.rs".to_owned(), measured, message: "long".to_owned() }
    }

    #[test]
    fn an_exception_must_fit_exactly() {
        let list = parse("# why\nlines a.rs 700\n").unwrap();
        assert!(apply(&[finding(700)], &list).is_empty());
        assert_eq!(apply(&[finding(701)], &list).len(), 1, "grown");
        assert_eq!(apply(&[finding(699)], &list).len(), 1, "shrunk but not written down");
        assert_eq!(apply(&[], &list).len(), 1, "no longer needed");
        assert_eq!(apply(&[finding(700)], &[]).len(), 1, "not listed");
    }

    #[test]
    fn a_malformed_line_is_refused() {
        for line in ["lines a.rs", "lines a.rs x", "lines a.rs 1 2"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
