//! What we build on: licences, banned packages and packages that must not come twice.
//!
//! `deny.toml` is the list, written so that cargo-deny reads it too. This check needs nothing
//! installed and takes a second; cargo-deny would have to be compiled first on every fresh machine.
//! Known advisories are not looked at: their database is not in a package registry.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{File, Finding};
use crate::{Outcome, shell};

/// The lists of deny.toml.
#[derive(Debug, Default, PartialEq, Eq)]
struct Policy {
    allowed: Vec<String>,
    banned: Vec<String>,
    /// Packages of which two major versions in one tree are a mistake.
    single: Vec<String>,
}

struct Package {
    name: String,
    version: String,
    licence: String,
}

pub fn check(files: &[File]) -> Outcome<Vec<Finding>> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let policy = policy(text("deny.toml").ok_or("deny.toml is missing")?);
    let mut findings = judge(&policy, &crates_built()?);
    if let Some(lock) = text("package-lock.json") {
        findings.extend(judge(&policy, &packages_shipped(lock)?));
    }
    Ok(findings)
}

fn judge(policy: &Policy, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut majors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let mut complain = |rule, message: String| {
            findings.push(Finding { rule, subject: package.name.clone(), measured: 1, message });
        };
        if policy.banned.contains(&package.name) {
            complain("banned", format!("is banned by deny.toml (version {})", package.version));
        }
        if !acceptable(&package.licence, &policy.allowed) {
            complain("licence", format!("{} has the licence `{}`, not in deny.toml", package.version, package.licence));
        }
        majors.entry(&package.name).or_default().push(major(&package.version));
    }
    for name in &policy.single {
        let mut seen = majors.remove(name.as_str()).unwrap_or_default();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() > 1 {
            let message = format!("comes in {} incompatible versions: {}", seen.len(), seen.join(", "));
            findings.push(Finding { rule: "double", subject: name.clone(), measured: seen.len(), message });
        }
    }
    findings
}

/// The part of a version that must be equal for two to be compatible: `1`, or `0.8`.
fn major(version: &str) -> &str {
    let dots: Vec<usize> = version.match_indices('.').map(|(at, _)| at).collect();
    let end = if version.starts_with("0.") { dots.get(1) } else { dots.first() };
    end.and_then(|at| version.get(..*at)).unwrap_or(version)
}

/// Whether an SPDX expression can be met with allowed licences only. `A/B` is the old way to write
/// `A OR B`. AND binds tighter than OR.
fn acceptable(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "~");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest, allowed) && rest.is_empty() && !words.is_empty()
}

fn any(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut good = all(words, allowed);
    while let Some((&"OR", rest)) = words.split_first() {
        *words = rest;
        good |= all(words, allowed);
    }
    good
}

fn all(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut good = one(words, allowed);
    while let Some((&"AND", rest)) = words.split_first() {
        *words = rest;
        good &= one(words, allowed);
    }
    good
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let Some((word, rest)) = words.split_first() else { return false };
    *words = rest;
    if *word != "(" {
        return allowed.iter().any(|licence| *licence == word.replace('~', " WITH "));
    }
    let good = any(words, allowed);
    if let Some((&")", rest)) = words.split_first() {
        *words = rest;
    }
    good
}

/// Reads the three lists; entries are quoted strings, one or more a line.
fn policy(text: &str) -> Policy {
    let mut policy = Policy::default();
    let (mut section, mut key) = ("", "");
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if let Some(name) =
            line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).filter(|_| !line.contains('"'))
        {
            (section, key) = (name, "");
            continue;
        }
        if let Some((name, _)) = line.split_once('=').filter(|_| !line.starts_with('{')) {
            key = name.trim();
        }
        let list = match (section, key) {
            ("licenses", "allow") => &mut policy.allowed,
            // cargo-deny's way to say "at most one version of it", instead of "none".
            ("bans", "deny") if line.contains("deny-multiple-versions") => &mut policy.single,
            ("bans", "deny") => &mut policy.banned,
            _ => continue,
        };
        list.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    policy
}

/// The crates that are compiled for the platform we ship on, from the lock file's resolution.
fn crates_built() -> Outcome<Vec<Package>> {
    let platform = "x86_64-unknown-linux-gnu";
    let arguments = ["metadata", "--format-version", "1", "--all-features", "--locked", "--filter-platform", platform];
    let metadata = parse(&shell::read(shell::cargo(&arguments))?, "cargo metadata")?;
    let foreign = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    let foreign = foreign.filter(|package| package.get("source").is_some_and(Value::is_string));
    Ok(foreign
        .map(|package| Package {
            name: string(package, "name"),
            version: string(package, "version"),
            licence: string(package, "license"),
        })
        .collect())
}

/// The npm packages that end up in what we ship: everything that is not only for development.
fn packages_shipped(lock: &str) -> Outcome<Vec<Package>> {
    let lock = parse(lock, "package-lock.json")?;
    let all = lock.get("packages").and_then(Value::as_object).into_iter().flatten();
    let shipped = all.filter(|(path, package)| {
        path.contains("node_modules/")
            && !is_true(package, "dev")
            && !is_true(package, "link")
            && !is_true(package, "devOptional")
    });
    Ok(shipped
        .map(|(path, package)| Package {
            name: path.rsplit("node_modules/").next().unwrap_or(path).to_owned(),
            version: string(package, "version"),
            licence: string(package, "license"),
        })
        .collect())
}

fn parse(text: &str, what: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|error| format!("{what}: {error}"))
}

fn string(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions() {
        let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
        let cases = [
            ("MIT", true),
            ("MIT/GPL-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(GPL-3.0 OR MIT) AND Apache-2.0", true),
            ("(GPL-3.0 AND MIT) OR GPL-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH other", false),
            ("", false),
        ];
        for (expression, good) in cases {
            assert_eq!(acceptable(expression, &allowed), good, "{expression}");
        }
    }

    #[test]
    fn the_lists_are_read() {
        let text = "[licenses]\nallow = [\n  \"MIT\", # why\n  \"ISC\",\n]\nconfidence-threshold = 0.9\n[bans]\ndeny = [\n  { crate = \"sqlx\" },\n  { crate = \"axum\", deny-multiple-versions = true },\n]\n[sources]\n# \"c\"\n";
        let expected = Policy {
            allowed: vec!["MIT".to_owned(), "ISC".to_owned()],
            banned: vec!["sqlx".to_owned()],
            single: vec!["axum".to_owned()],
        };
        assert_eq!(policy(text), expected);
    }

    #[test]
    fn two_majors_of_one_crate_are_found() {
        let package =
            |version: &str| Package { name: "axum".to_owned(), version: version.to_owned(), licence: "MIT".to_owned() };
        let policy = Policy { allowed: vec!["MIT".to_owned()], banned: Vec::new(), single: vec!["axum".to_owned()] };
        assert!(judge(&policy, &[package("0.8.1"), package("0.8.9")]).is_empty());
        assert_eq!(judge(&policy, &[package("0.7.1"), package("0.8.9")]).len(), 1);
        assert!(judge(&policy, &[package("1.2.0"), package("1.9.0")]).is_empty());
    }

    #[test]
    fn only_shipped_npm_packages_count() {
        let lock = r#"{"packages":{"":{},"ui/kit":{},"node_modules/a":{"version":"1.0.0","license":"MIT"},"node_modules/b":{"version":"1.0.0","license":"X","dev":true},"node_modules/@steward/kit":{"link":true}}}"#;
        let names: Vec<String> = packages_shipped(lock).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["a"]);
    }
}
