//! `cargo x e2e`: user stories in a real browser against the built server.

use std::fs;

use clap::Args;

use crate::tally::Tally;
use crate::{Outcome, node, root, shell, tests_run};

#[derive(Args)]
pub struct Options {
    /// Only story files whose name contains this.
    filter: Option<String>,
    /// Use the server and pages as they were last built.
    #[arg(long)]
    built: bool,
}

pub fn run(options: &Options) -> Outcome<Tally> {
    if !options.built {
        node::install()?;
        node::script("build")?;
        shell::run(shell::cargo(&["build", "--package", "steward"]))?;
    }
    let tally = with_built_server(options.filter.as_deref())?;
    println!("{tally}");
    if tally.failed == 0 { Ok(tally) } else { Err("stories failed".to_owned()) }
}

/// Runs the stories one file after the other (each starts its own server and browser; two cores
/// would only make the time-outs lie).
///
/// # Errors
/// When there is no story to run or node can't be started; failed stories are in the tally.
pub fn with_built_server(filter: Option<&str>) -> Outcome<Tally> {
    let files = story_files(filter)?;
    let mut command = shell::program("node", &["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    command.args(&files).env("STEWARD_BINARY", root::server_binary());
    tests_run::counted(shell::tee(command)?, "the stories")
}

fn story_files(filter: Option<&str>) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["e2e/harness", "e2e/stories"] {
        let entries = fs::read_dir(root::top().join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".test.js") && filter.is_none_or(|part| name.contains(part)) {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    if files.is_empty() { Err("no story has that name".to_owned()) } else { Ok(files) }
}
