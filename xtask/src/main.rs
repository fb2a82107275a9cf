//! `cargo x`: the one developer command.
//!
//! Owns everything between a clean checkout and a running or checked product: demo, dev loop, tests,
//! generated files, layout rules, benchmark, CI. It must never hold business logic and no crate may
//! depend on it. Start reading at [`ci`]: it names every other step in order.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod demo;
mod dev;
mod generate;
mod node;
mod root;
mod scaffold;
mod shell;
mod stories;
mod tally;
mod tests_run;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What every step returns: `Err` carries one sentence for the person at the terminal.
pub type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "cargo x", about = "Steward's one developer command")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, fill a demo company, print the sign-ins, serve.
    Demo(demo::Options),
    /// Serve with live-reloading pages (vite) in front of the server.
    Dev(dev::Options),
    /// Run the tests: Rust (both database engines), then the UI's.
    Test(tests_run::Options),
    /// Write the generated files (openapi.json and the UI's API types).
    Gen(generate::Options),
    /// Check the layout and writing rules of DESIGN and STYLE, and the licences of what we build on.
    Tidy,
    /// Run the load generator in release mode; further arguments go to it.
    Bench(bench::Options),
    /// Everything a change must pass, in order, with the time of each step.
    Ci(ci::Options),
    /// Run the browser stories against the built server.
    E2e(stories::Options),
    /// Scaffold a new feature or channel crate.
    New(scaffold::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Dev(options) => dev::run(&options),
        Command::Test(options) => tests_run::run(&options),
        Command::Gen(options) => generate::run(&options),
        Command::Tidy => tidy::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Ci(options) => ci::run(&options),
        Command::E2e(options) => stories::run(&options).map(|_| ()),
        Command::New(options) => scaffold::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("x: {reason}");
            ExitCode::FAILURE
        }
    }
}
