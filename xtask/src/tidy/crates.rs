//! Which crate may depend on which, and what every crate must have.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{File, Finding};
use crate::{Outcome, root, shell};

/// A crate of ours as `cargo metadata` describes it.
struct Package {
    name: String,
    /// Its folder, relative to the top.
    folder: String,
    /// Names of crates of ours it depends on, with whether only for tests.
    uses: Vec<(String, bool)>,
}

pub fn check(files: &[File]) -> Outcome<Vec<Finding>> {
    let packages = packages()?;
    let folders: BTreeMap<&str, &str> =
        packages.iter().map(|package| (package.name.as_str(), package.folder.as_str())).collect();
    let mut findings = Vec::new();
    for package in &packages {
        for (used, only_tests) in &package.uses {
            let Some(target) = folders.get(used.as_str()) else { continue };
            if !may_use(&package.folder, target, *only_tests) {
                findings.push(Finding {
                    rule: "layer",
                    subject: format!("{}->{used}", package.name),
                    measured: 1,
                    message: format!("{} must not depend on {target} (DESIGN 4, I7)", package.folder),
                });
            }
        }
        findings.extend(front_page(package, files));
    }
    Ok(findings)
}

/// The directions of DESIGN section 4. Tests may in addition use the test kit, and a crate itself
/// with other features.
fn may_use(from: &str, to: &str, only_tests: bool) -> bool {
    // Tests stand on the real pieces, not on mocks of them; what ships stays apart.
    if only_tests && (to == "crates/testkit" || to == from || to.starts_with("crates/features/")) {
        return true;
    }
    let base: &[&str] = match from {
        "crates/domain" | "crates/config" | "xtask" => &[],
        "crates/db" => &["crates/domain"],
        "crates/spine" => &["crates/domain", "crates/db"],
        "crates/web" => &["crates/domain", "crates/db", "crates/spine", "crates/config"],
        "crates/channels/channel" => &["crates/domain", "crates/db", "crates/spine", "crates/web"],
        // The binary knows everything it ships; checks, loads and kits know the binary too.
        "crates/steward" => return !is_one_of(to, &["crates/testkit", "crates/sim", "crates/bench", "xtask"]),
        "crates/testkit" | "crates/sim" | "crates/bench" => return to != "xtask",
        _ => &["crates/domain", "crates/db", "crates/spine", "crates/web", "crates/channels/channel"],
    };
    is_one_of(to, base)
}

fn is_one_of(folder: &str, allowed: &[&str]) -> bool {
    allowed.contains(&folder)
}

/// `//!` at the top of the crate, and unsafe code forbidden.
fn front_page(package: &Package, files: &[File]) -> Vec<Finding> {
    let read = |path: String| files.iter().find(|file| file.path == path);
    let Some(main) =
        read(format!("{}/src/lib.rs", package.folder)).or_else(|| read(format!("{}/src/main.rs", package.folder)))
    else {
        return Vec::new();
    };
    let manifest = read(format!("{}/Cargo.toml", package.folder)).map(|file| file.text.as_str()).unwrap_or_default();
    let mut findings = Vec::new();
    let mut missing = |what: &str| {
        findings.push(Finding { rule: "crate", subject: main.path.clone(), measured: 1, message: what.to_owned() });
    };
    if main.text.lines().take_while(|line| line.starts_with("//!")).count() < 3 {
        missing("starts with a `//!` paragraph: what it owns, what it must never do, where to start reading");
    }
    if !main.text.contains("#![forbid(unsafe_code)]") || !manifest.contains("[lints]\nworkspace = true") {
        missing("has `#![forbid(unsafe_code)]`, and `[lints] workspace = true` in its Cargo.toml");
    }
    findings
}

fn packages() -> Outcome<Vec<Package>> {
    let text = shell::read(shell::cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let list = metadata.get("packages").and_then(Value::as_array);
    Ok(list.into_iter().flatten().filter_map(package).collect())
}

fn package(value: &Value) -> Option<Package> {
    let top = root::top();
    let manifest = value.get("manifest_path")?.as_str()?;
    let folder = manifest.strip_prefix(&format!("{}/", top.display()))?.strip_suffix("/Cargo.toml")?;
    let ours = |used: &&Value| used.get("path").is_some_and(Value::is_string);
    let uses = value.get("dependencies")?.as_array()?.iter().filter(ours).filter_map(|used| {
        let only_tests = used.get("kind").and_then(Value::as_str) == Some("dev");
        Some((used.get("name")?.as_str()?.to_owned(), only_tests))
    });
    Some(Package { name: value.get("name")?.as_str()?.to_owned(), folder: folder.to_owned(), uses: uses.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_are_those_of_the_design() {
        let cases = [
            ("crates/domain", "crates/db", false, false),
            ("crates/db", "crates/domain", false, true),
            ("crates/db", "crates/spine", false, false),
            ("crates/web", "crates/spine", false, true),
            ("crates/features/cases", "crates/web", false, true),
            ("crates/features/cases", "crates/features/routing", false, false),
            ("crates/features/cases", "crates/features/routing", true, true),
            ("crates/features/cases", "crates/testkit", true, true),
            ("crates/features/cases", "crates/testkit", false, false),
            ("crates/channels/email", "crates/channels/channel", false, true),
            ("crates/channels/email", "crates/channels/webchat", false, false),
            ("crates/channels/email", "crates/channels/email", true, true),
            ("crates/steward", "crates/features/cases", false, true),
            ("crates/steward", "crates/testkit", false, false),
            ("crates/steward", "crates/testkit", true, true),
        ];
        for (from, to, only_tests, allowed) in cases {
            assert_eq!(may_use(from, to, only_tests), allowed, "{from} -> {to}");
        }
    }

    #[test]
    fn every_crate_of_the_workspace_is_seen() {
        let names: Vec<String> = packages().unwrap().into_iter().map(|package| package.name).collect();
        for name in ["domain", "db", "spine", "web", "cases", "email", "steward", "xtask"] {
            assert!(names.iter().any(|found| found == name), "{name}");
        }
    }
}
