//! `cargo x test`: the Rust tests on both database engines, then the UI's.

use clap::Args;

use crate::tally::Tally;
use crate::{Outcome, node, shell};

#[derive(Args)]
pub struct Options {
    /// Only Rust tests whose name contains this; leaves the UI's tests out.
    filter: Option<String>,
}

pub fn run(options: &Options) -> Outcome {
    // The pages are embedded in the server, so they are built before the Rust tests compile.
    node::install()?;
    node::script("build")?;
    let mut total = rust(options.filter.as_deref())?;
    if options.filter.is_none() {
        total += ui()?;
    }
    println!("{total}");
    if total.failed == 0 { Ok(()) } else { Err("tests failed".to_owned()) }
}

/// All Rust tests of the workspace with every feature on, against SQLite and PostgreSQL
/// (crate `db` starts a private cluster when the first test asks, unless `STEWARD_TEST_PG_URL` names one).
///
/// # Errors
/// When the tests don't compile; failed tests are in the tally.
pub fn rust(filter: Option<&str>) -> Outcome<Tally> {
    let mut command = if shell::has("cargo-nextest") {
        shell::cargo(&["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"])
    } else {
        shell::cargo(&["test", "--workspace", "--all-features", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    command.args(filter);
    counted(shell::tee(command)?, "the Rust tests")
}

/// The unit tests of the UI packages.
///
/// # Errors
/// When they can't be run at all; failed tests are in the tally.
pub fn ui() -> Outcome<Tally> {
    let mut command = shell::program("npm", &["run", "--silent", "test"]);
    command.env("CI", "true").env("NO_COLOR", "1");
    counted(shell::tee(command)?, "the UI tests")
}

/// A run that failed without counting a failed test (it did not compile, it crashed) is an error.
pub fn counted((good, lines): (bool, Vec<String>), what: &str) -> Outcome<Tally> {
    let tally = Tally::of(&lines);
    if !good && tally.failed == 0 {
        return Err(format!("{what} did not run to the end"));
    }
    Ok(tally)
}
