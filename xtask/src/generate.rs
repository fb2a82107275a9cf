//! `cargo x gen`: the files that are made from the code, `openapi.json` and the UI's API types.

use std::fs;

use clap::Args;

use crate::{Outcome, node, root, shell};

#[derive(Args)]
pub struct Options {
    /// Change nothing; fail when a generated file is not what it would become.
    #[arg(long)]
    check: bool,
}

/// What `gen` writes, relative to the top folder.
const GENERATED: [&str; 2] = ["openapi.json", "ui/api/src/schema.gen.ts"];

pub fn run(options: &Options) -> Outcome {
    shell::run(shell::cargo(&["build", "--package", "steward"]))?;
    node::install()?;
    with_built_server(options.check)
}

/// The same without building: CI has built the server with its own feature set already.
///
/// # Errors
/// When a generator fails or, for `check`, when the tree would change (it is put back as it was).
pub fn with_built_server(check: bool) -> Outcome {
    let before = GENERATED.map(|path| fs::read(root::top().join(path)).ok());
    write_all()?;
    if !check {
        return Ok(());
    }
    let mut stale = Vec::new();
    for (path, old) in GENERATED.iter().zip(before) {
        let full = root::top().join(path);
        if fs::read(&full).ok() == old {
            continue;
        }
        stale.push(*path);
        match old {
            Some(bytes) => fs::write(&full, bytes),
            None => fs::remove_file(&full),
        }
        .map_err(|error| format!("{path}: {error}"))?;
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not what the code generates: {} (run `cargo x gen` and commit)", stale.join(", ")))
}

fn write_all() -> Outcome {
    let document = shell::read(shell::program(root::server_binary(), &["openapi"]))?;
    let mut document = document.trim_end().to_owned();
    document.push('\n');
    fs::write(root::top().join("openapi.json"), document).map_err(|error| format!("openapi.json: {error}"))?;
    node::script("gen:api")
}
