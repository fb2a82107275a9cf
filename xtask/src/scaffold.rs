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
    let templates: &[(&'static str, &str)] = match kind {
        Kind::Feature => &[
            ("Cargo.toml", FEATURE_MANIFEST),
            ("src/lib.rs", FEATURE),
            ("src/http.rs", FEATURE_HTTP),
            ("src/http/list.rs", FEATURE_LIST),
            ("src/store.rs", FEATURE_STORE),
            ("src/tests.rs", FEATURE_TESTS),
        ],
        Kind::Channel => &[("Cargo.toml", CHANNEL_MANIFEST), ("src/lib.rs", CHANNEL)],
    };
    templates.iter().map(|(path, text)| (*path, text.replace("NAME", name))).collect()
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

const FEATURE_MANIFEST: &str = r#"[package]
name = "NAME"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
axum.workspace = true
db.workspace = true
domain.workspace = true
serde.workspace = true
spine.workspace = true
utoipa.workspace = true
utoipa-axum.workspace = true
web.workspace = true

[dev-dependencies]
testkit.workspace = true

[lints]
workspace = true
"#;

const FEATURE: &str = r#"//! Feature `NAME`: say in one sentence what it does for whom.
//!
//! Owns: name its tables. It must never depend on another feature; they meet in commands, events and read-only views.
//! Start reading in `http.rs` (its routes), then `store.rs`.
#![forbid(unsafe_code)]

mod http;
mod store;
#[cfg(test)]
mod tests;

pub use http::routes;

/// What this feature brings to the spine: `.store(..)`, `.consumer(..)` and `.job(..)` are added here.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new()
}
"#;

const FEATURE_HTTP: &str = r#"//! The routes of this feature, each with its gate.

mod list;

pub(crate) use list::Line;

use spine::Spine;
use utoipa_axum::routes;
use web::{Gate, Kit, Routes};

/// All routes under `/api/NAME`. A route that not everybody may use has `Gate::Needs(Permission::..)`.
pub fn routes(kit: &Kit, spine: Spine) -> Routes {
    Routes::new(kit).add(Gate::SignedIn, routes!(list::list_NAME)).with_state(spine)
}
"#;

/// It lists the teams, which every workspace has, so that it runs before there is a table of its own.
const FEATURE_LIST: &str = r#"//! `GET /api/NAME`: say what it answers.

use crate::store;
use axum::extract::State;
use domain::TeamId;
use serde::Serialize;
use spine::Spine;
use utoipa::ToSchema;
use web::{Caller, Items, Json, Result};

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NAME_line)]
pub(crate) struct Line {
    pub(crate) id: TeamId,
    pub(crate) name: String,
}

#[utoipa::path(get, path = "/api/NAME", tag = "NAME", responses((status = 200, body = Items<Line>)))]
pub(crate) async fn list_NAME(State(spine): State<Spine>, caller: Caller) -> Result<Json<Items<Line>>> {
    let lines = spine.db().read(move |r| store::all(r, caller.workspace)).await?;
    Ok(Json(lines.into()))
}
"#;

const FEATURE_STORE: &str = r#"//! All SQL of this feature: each statement once, for both engines, with the workspace in it.

use crate::http::Line;
use db::{Connection, Query, params, row, sql};
use domain::{TeamId, WorkspaceId};
use spine::Refusal;

row! {
    struct Row {
        id: TeamId,
        name: String,
    }
}

sql!(ALL = "SELECT id, name FROM view_team WHERE workspace_id = $1 ORDER BY name, id", params: 1, row: Row);

pub(crate) fn all(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<Line>, Refusal> {
    let rows: Vec<Row> = q.query(&ALL, params![ws])?;
    Ok(rows.into_iter().map(|row| Line { id: row.id, name: row.name }).collect())
}
"#;

const FEATURE_TESTS: &str = r#"//! This feature on both engines.

use crate::store;
use testkit::on_both_engines;

#[test]
fn every_statement_prepares() {
    on_both_engines(|ground| {
        let problems = db::check_statements(&ground.db);
        assert!(problems.is_empty(), "{problems:#?}");
    });
}

#[test]
fn a_new_workspace_has_none() {
    on_both_engines(|ground| {
        let (_spine, ws) = (ground.spine(vec![crate::feature()]), ground.workspace(1));
        assert_eq!(ground.db.read_blocking(move |r| store::all(r, ws)).unwrap(), []);
    });
}
"#;

const CHANNEL_MANIFEST: &str = r#"[package]
name = "NAME"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
channel.workspace = true
domain.workspace = true
serde_json.workspace = true

[lints]
workspace = true
"#;

/// It says honestly that it can't send yet; `Api` stands in until the new kind is added to the domain.
const CHANNEL: &str = r#"//! Channel `NAME`: the protocol, from bytes to what `channel` calls inbound and back.
//!
//! It must never decide anything about cases, or drop what a customer sent: what can't be parsed is handed on raw.
//! Start reading at [`Protocol`].
#![forbid(unsafe_code)]

use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Outbound, SendError, Sending};
use domain::case::Route;
use domain::{ChannelKind, Code, Rejection};
use serde_json::{Value, json};

/// The protocol.
#[derive(Debug, Clone, Copy)]
pub struct Protocol;

impl Channel for Protocol {
    /// Add a kind of its own to `domain::ChannelKind` and name it here; the compiler then shows who must know it.
    fn kind(&self) -> ChannelKind {
        ChannelKind::Api
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: false, html: false, attachments: false, typing: false, manual: false }
    }

    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Queue
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        match settings {
            Value::Null => Ok(json!({})),
            Value::Object(fields) if fields.is_empty() => Ok(json!({})),
            _ => Err(Rejection::new(Code::Invalid).on("settings")),
        }
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn send<'a>(&'a self, _: &'a ChannelConfig, _: &'a Outbound) -> Sending<'a> {
        Box::pin(async {
            let code = Code::NoWayToReply.as_str().to_owned();
            Err(SendError::Permanent { code, detail: "this channel only takes in".to_owned() })
        })
    }

    fn check<'a>(&'a self, _: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_to_set() {
        for (given, fine) in [(json!({}), true), (Value::Null, true), (json!({ "a": 1 }), false), (json!([]), false)] {
            assert_eq!(Protocol.settings(&given).is_ok(), fine, "{given}");
        }
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_placeholder_is_left_over() {
        for kind in [Kind::Feature, Kind::Channel] {
            for (path, text) in files(kind, "surveys") {
                assert!(!text.contains("NAME"), "{path}");
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
