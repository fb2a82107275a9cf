//! How long files and functions may be.

use super::source::{code_only, functions, tests_begin};
use super::{File, Finding};

const RUST_LINES: usize = 600;
const VUE_LINES: usize = 200;
const FUNCTION_LINES: usize = 70;

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let limit = if file.has_ending(&["rs"]) {
            RUST_LINES
        } else if file.has_ending(&["vue"]) {
            VUE_LINES
        } else {
            continue;
        };
        findings.extend(long_file(file, limit));
        if limit == RUST_LINES {
            findings.extend(long_functions(file));
        }
    }
    findings
}

fn long_file(file: &File, limit: usize) -> Option<Finding> {
    let measured = file.text.lines().count();
    (measured > limit).then(|| Finding {
        rule: "lines",
        subject: file.path.clone(),
        measured,
        message: format!("{measured} lines, at most {limit}: split it by what it is about"),
    })
}

/// The longest function of the file, when it is too long; tests are tables and may be longer.
fn long_functions(file: &File) -> Option<Finding> {
    if is_test(&file.path) {
        return None;
    }
    let end = tests_begin(&file.text).unwrap_or(usize::MAX);
    let all = functions(&code_only(&file.text));
    let longest = all.iter().filter(|function| function.line <= end).max_by_key(|function| function.length)?;
    (longest.length > FUNCTION_LINES).then(|| Finding {
        rule: "function",
        subject: file.path.clone(),
        measured: longest.length,
        message: format!(
            "line {}: fn {} has {} lines, at most {FUNCTION_LINES} (aim at 40)",
            longest.line, longest.name, longest.length
        ),
    })
}

/// Whether a Rust file holds only tests.
pub fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(lines: usize) -> File {
        File { path: "crates/a/src/b.rs".to_owned(), text: "\n".repeat(lines) }
    }

    #[test]
    fn files_at_the_limit_pass_and_one_line_more_fails() {
        assert!(check(&[rust(600)]).is_empty());
        assert_eq!(check(&[rust(601)]).len(), 1);
    }

    #[test]
    fn functions_at_the_limit_pass_and_one_line_more_fails() {
        let of =
            |lines: usize| File { path: "a.rs".to_owned(), text: format!("fn f() {{{}}}\n", "\n".repeat(lines - 1)) };
        assert!(check(&[of(70)]).is_empty());
        assert_eq!(check(&[of(71)]).first().map(|finding| finding.measured), Some(71));
    }

    #[test]
    fn test_functions_may_be_tables() {
        let text = format!("#[cfg(test)]\nmod tests {{\nfn table() {{{}}}\n}}\n", "\n".repeat(100));
        assert!(check(&[File { path: "a.rs".to_owned(), text }]).is_empty());
    }
}
