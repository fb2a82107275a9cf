//! `cargo x demo`: from a clean checkout to a running demo company.

use std::os::unix::process::CommandExt;

use clap::Args;

use crate::{Outcome, node, root, shell};

#[derive(Args)]
pub struct Options {
    /// Where the demo company's database and files live; filled when empty.
    #[arg(long, default_value = "./demo-data")]
    data: String,
    /// Build with all optimisations (several minutes longer the first time).
    #[arg(long)]
    release: bool,
    /// Further arguments for `steward demo`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub fn run(options: &Options) -> Outcome {
    node::install()?;
    node::script("build")?;
    let mut build = vec!["build", "--package", "steward"];
    if options.release {
        build.push("--release");
    }
    shell::run(shell::cargo(&build))?;
    let binary = if options.release { root::target().join("release").join("steward") } else { root::server_binary() };
    let mut serve = shell::program(binary, &["demo", "--data", &options.data]);
    serve.args(&options.rest);
    println!("$ {}", shell::shown(&serve));
    // Become the server, so that Ctrl-C and signals reach it and nothing else.
    Err(format!("steward demo: {}", serve.exec()))
}
