//! Words and names that must not stand in the tree: vague file names, unfinished work, tests that
//! don't run, and anything that only makes sense on one machine.

use std::fs;
use std::path::Path;

use super::size::is_test;
use super::source::{code_only, tests_begin};
use super::{File, Finding};
use crate::root;

const VAGUE: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
const CODE: [&str; 8] = ["rs", "ts", "js", "mjs", "vue", "css", "sql", "sh"];
const SCRIPT: [&str; 4] = ["ts", "js", "mjs", "vue"];

/// This file spells the words it looks for, and so do its tests.
const SELF: &str = "xtask/src/tidy/words.rs";

const UNFINISHED: [&str; 6] = ["TODO", "FIXME", "XXX", "HACK", "todo!", "unimplemented!"];
const NOT_RUN_RUST: [&str; 2] = ["#[ignore", "cfg_attr(not("];
const NOT_RUN_SCRIPT: [&str; 8] =
    [".skip(", ".only(", ".todo(", "xit(", "xdescribe(", "fdescribe(", "skip: true", "only: true"];
const SLEEPS: [&str; 2] = ["thread::sleep(", "time::sleep("];
const MACHINE_PATHS: [&str; 5] = ["/work/", "/root/", "/home/", "/Users/", "C:\\Users"];
const REGISTRIES: [&str; 7] = [
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "registry.npmmirror.com",
    "index.crates.io",
    "static.crates.io",
    "pypi.org",
    "proxy.golang.org",
];

pub fn check(files: &[File], own_hosts: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path != SELF) {
        findings.extend(vague_name(file));
        findings.extend(foreign_text(file, own_hosts));
        if file.has_ending(&CODE) {
            findings.extend(unfinished(file));
            findings.extend(not_run(file));
        }
    }
    findings
}

fn vague_name(file: &File) -> Option<Finding> {
    let vague = file.path.split('/').find(|part| {
        let stem = part.split('.').next().unwrap_or(part).to_lowercase();
        VAGUE
            .iter()
            .any(|word| stem == *word || stem.ends_with(&format!("_{word}")) || stem.ends_with(&format!("-{word}")))
    })?;
    Some(finding("name", file, 1, format!("`{vague}` says nothing: name the file after what it is about")))
}

fn unfinished(file: &File) -> Option<Finding> {
    let (count, line) = occurrences(&file.text, &UNFINISHED, true)?;
    Some(finding("unfinished", file, count, format!("line {line}: finish it or take it out")))
}

fn not_run(file: &File) -> Option<Finding> {
    let (count, line) = if file.has_ending(&["rs"]) {
        let code = code_only(&file.text);
        let first = if is_test(&file.path) { 0 } else { tests_begin(&file.text).unwrap_or(usize::MAX) };
        let tests: String = code.lines().skip(first).flat_map(|line| [line, "\n"]).collect();
        let sleeping = occurrences(&tests, &SLEEPS, false).map(|(count, line)| (count, line + first));
        occurrences(&code, &NOT_RUN_RUST, false).or(sleeping)?
    } else if file.has_ending(&SCRIPT) && (file.path.contains("test") || file.path.contains("spec")) {
        occurrences(&file.text, &NOT_RUN_SCRIPT, false)?
    } else {
        return None;
    };
    Some(finding("test", file, count, format!("line {line}: no ignored and no sleeping tests")))
}

fn foreign_text(file: &File, own_hosts: &[String]) -> Option<Finding> {
    let hosts: Vec<&str> = REGISTRIES.iter().copied().chain(own_hosts.iter().map(String::as_str)).collect();
    if let Some((count, line)) = occurrences(&file.text, &hosts, false) {
        return Some(finding("registry", file, count, format!("line {line}: names a package registry's host")));
    }
    let (count, line) = occurrences(&file.text, &MACHINE_PATHS, false)?;
    Some(finding("path", file, count, format!("line {line}: an absolute path of one machine")))
}

fn finding(rule: &'static str, file: &File, measured: usize, message: String) -> Finding {
    Finding { rule, subject: file.path.clone(), measured, message }
}

/// How many lines hold one of the words, and the first such line (from 1).
fn occurrences(text: &str, words: &[&str], whole: bool) -> Option<(usize, usize)> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| holds(line, word, whole)));
    let (first, _) = lines.next()?;
    Some((lines.count() + 1, first + 1))
}

/// A path such as `/home/` must not be the middle of a longer one (`example.com/home/`).
fn holds(line: &str, word: &str, whole: bool) -> bool {
    let inside = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '}' | '$');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let joined_before = (whole || word.starts_with('/') || word.starts_with('x')) && before.is_some_and(inside);
        let joined_after = whole && after.is_some_and(char::is_alphanumeric);
        !joined_before && !joined_after
    })
}

/// The hosts this machine fetches packages from, read from its own settings so that they need not
/// be written here.
pub fn own_hosts() -> Vec<String> {
    let home = root::from_environment("HOME").unwrap_or_default();
    let cargo = root::from_environment("CARGO_HOME").unwrap_or_else(|| format!("{home}/.cargo"));
    let settings = [
        format!("{cargo}/config.toml"),
        format!("{home}/.npmrc"),
        "/etc/pip.conf".to_owned(),
        format!("{home}/.pip/pip.conf"),
    ];
    let mut hosts: Vec<String> = settings
        .iter()
        .filter_map(|path| fs::read_to_string(Path::new(path)).ok())
        .flat_map(|text| hosts_in(&text))
        .chain(
            ["NPM_CONFIG_REGISTRY", "npm_config_registry", "PIP_INDEX_URL"]
                .iter()
                .flat_map(|name| hosts_in(&root::from_environment(name).unwrap_or_default())),
        )
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn hosts_in(text: &str) -> Vec<String> {
    let after_scheme = text.split("://").skip(1);
    let hosts = after_scheme.filter_map(|rest| rest.split(['/', ':', '"', '\'', ' ', '\n']).next());
    let host_only = hosts.map(|host| host.rsplit('@').next().unwrap_or(host).to_owned());
    host_only.filter(|host| host.contains('.') && host != "github.com" && !host.starts_with("127.")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&[file], &["mirror.example".to_owned()]).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_rule_finds_its_case_and_nothing_else() {
        let cases: [(&str, &str, &[&str]); 17] = [
            ("crates/a/src/utils.rs", "", &["name"]),
            ("ui/kit/src/date-helpers.ts", "", &["name"]),
            ("ui/kit/src/commonplace.ts", "", &[]),
            ("crates/a/src/b.rs", "// TODO later", &["unfinished"]),
            ("crates/a/src/b.rs", "let todos = TODOS;", &[]),
            ("crates/a/src/b.rs", "todo!()", &["unfinished"]),
            ("crates/a/src/tests.rs", "#[ignore = \"slow\"]", &["test"]),
            ("crates/a/src/tests.rs", "thread::sleep(x)", &["test"]),
            ("crates/a/src/b.rs", "thread::sleep(x)", &[]),
            ("crates/a/src/b.rs", "list.iter().skip(1)", &[]),
            ("ui/kit/test/a.test.ts", "it.only('x')", &["test"]),
            ("ui/kit/test/a.test.ts", "process.exit(1)", &[]),
            ("docs/a.md", "open /home/li/x", &["path"]),
            ("docs/a.md", "https://example.com/home/x", &[]),
            ("docs/a.md", "from mirror.example", &["registry"]),
            ("package-lock.json", "https://registry.npmjs.org/a", &["registry"]),
            ("docs/a.md", "nothing", &[]),
        ];
        for (path, text, expected) in cases {
            assert_eq!(rules(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn hosts_are_read_from_settings() {
        let text = "index = \"sparse+https://user@mirror.example:8443/index\"\nx = \"https://github.com/a\"";
        assert_eq!(hosts_in(text), ["mirror.example"]);
    }
}
