//! `cargo x new feature|channel <name>`: a crate with the shape every other one has.

use std::fs;

use clap::{Args, ValueEnum};

use crate::{Outcome, root, shell};

#[derive(Args)]
pub struct Options {
    kind: Kind,
    /// The crate's name: one lower-case noun, such as `surveys`.
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Feature,
    Channel,
}

pub fn run(options: &Options) -> Outcome {
    let name = options.name.as_str();
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_lowercase()) {
        return Err(format!("`{name}`: a crate's name is one lower-case noun"));
    }
    let folder = match options.kind {
        Kind::Feature => format!("crates/features/{name}"),
        Kind::Channel => format!("crates/channels/{name}"),
    };
    if root::top().join(&folder).exists() {
        return Err(format!("{folder} exists"));
    }
    for (path, text) in files(options.kind, name) {
        write(&format!("{folder}/{path}"), &text)?;
    }
    list_in_workspace(name, &folder)?;
    shell::run(shell::cargo(&["check", "--package", name]))?;
    println!("Next: the checklist in CONTRIBUTING.md.");
    Ok(())
}

fn files(kind: Kind, name: &str) -> Vec<(&'static str, String)> {
    let (library, used) = match kind {
        Kind::Feature => (FEATURE, &["db", "domain", "spine", "web"][..]),
        Kind::Channel => (CHANNEL, &["channel", "domain", "spine"][..]),
    };
    let dependencies: String = used.iter().map(|used| format!("{used}.workspace = true\n")).collect();
    vec![
        ("Cargo.toml", MANIFEST.replace("NAME", name).replace("DEPENDENCIES", &dependencies)),
        ("src/lib.rs", library.replace("NAME", name)),
    ]
}

fn write(path: &str, text: &str) -> Outcome {
    let full = root::top().join(path);
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    println!("+ {path}");
    fs::write(&full, text).map_err(|error| format!("{path}: {error}"))
}

/// The workspace's members are globs; only the short name for `x.workspace = true` is added.
fn list_in_workspace(name: &str, folder: &str) -> Outcome {
    let path = root::top().join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("Cargo.toml: {error}"))?;
    let anchor = "[workspace.dependencies]\n# ours\n";
    let line = format!("{name} = {{ path = \"{folder}\" }}\n");
    if !text.contains(anchor) {
        return Err(format!("Cargo.toml: add by hand under [workspace.dependencies]: {line}"));
    }
    fs::write(&path, text.replacen(anchor, &format!("{anchor}{line}"), 1))
        .map_err(|error| format!("Cargo.toml: {error}"))
}

const MANIFEST: &str = r#"[package]
name = "NAME"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
DEPENDENCIES
[lints]
workspace = true
"#;

const FEATURE: &str = r#"//! Feature `NAME`.
//!
//! Owns: say which tables, routes, consumers and jobs.
//! Must never: depend on another feature; meet them in commands, events and read-only views.
//! Start reading at [`feature`].
#![forbid(unsafe_code)]

use spine::Feature;

/// What this slice adds to the product: its stores, consumers and jobs.
pub fn feature() -> Feature {
    Feature::new("NAME")
}
"#;

const CHANNEL: &str = r#"//! Channel `NAME`.
//!
//! Owns: the protocol, from bytes to what `channel` calls inbound and back.
//! Must never: decide anything about cases, or drop what a customer sent; what can't be parsed is
//! handed on raw. Start reading at the type that implements `channel::Channel`.
#![forbid(unsafe_code)]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_placeholder_is_left_over() {
        for kind in [Kind::Feature, Kind::Channel] {
            for (path, text) in files(kind, "surveys") {
                assert!(!text.contains("NAME") && !text.contains("DEPENDENCIES"), "{path}");
            }
        }
    }

    #[test]
    fn names_are_one_noun() {
        for name in ["", "Surveys", "a-b", "a_b", "../x"] {
            let options = Options { kind: Kind::Feature, name: name.to_owned() };
            assert!(run(&options).is_err(), "{name}");
        }
    }
}
