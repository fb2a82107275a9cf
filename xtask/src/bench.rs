//! `cargo x bench`: the load generator, built in release mode.

use std::process::Command;

use clap::Args;

use crate::{Outcome, root, shell};

#[derive(Args)]
pub struct Options {
    /// Arguments for the load generator.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn run(options: &Options) -> Outcome {
    // The server under load is measured as shipped, so both are built with the same profile.
    shell::run(shell::cargo(&["build", "--release", "--package", "steward", "--package", "bench"]))?;
    let mut command: Command = shell::cargo(&["run", "--quiet", "--release", "--package", "bench", "--"]);
    command.arg("--steward").arg(root::target().join("release").join("steward"));
    command.args(&options.rest);
    shell::run(command)
}
