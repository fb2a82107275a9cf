//! `cargo x ci`: everything a change must pass, cheapest first, each step with its time.
//!
//! A failed step does not stop the ones after it (one run should tell everything), except those that
//! need what it makes. The last line is the total that CI reads.

use std::time::Duration;

use clap::Args;

use crate::generate;
use crate::tally::Tally;
use crate::{Outcome, node, shell, stories, tests_run, tidy};

#[derive(Args)]
pub struct Options {
    /// Only these steps (for working on one of them); all when none is named.
    only: Vec<String>,
}

struct Step {
    name: &'static str,
    /// Another step without whose result this one can't say anything.
    needs: Option<&'static str>,
    run: fn() -> Outcome<Tally>,
}

/// Rust is compiled three times at most: clippy's metadata of everything, the code of everything
/// with test features (tests, server, generators and stories share it), and nothing else.
const STEPS: [Step; 12] = [
    Step { name: "install", needs: None, run: || plain(node::install()) },
    Step { name: "fmt", needs: None, run: || plain(shell::run(shell::cargo(&["fmt", "--all", "--check"]))) },
    Step { name: "tidy", needs: Some("install"), run: || plain(tidy::run()) },
    Step { name: "ui-lint", needs: Some("install"), run: || plain(node::script("lint")) },
    Step { name: "ui-types", needs: Some("install"), run: || plain(node::script("typecheck")) },
    Step { name: "ui-test", needs: Some("install"), run: tests_run::ui },
    Step { name: "ui-build", needs: Some("install"), run: || plain(node::script("build")) },
    Step { name: "clippy", needs: Some("ui-build"), run: || plain(shell::run(shell::cargo(&CLIPPY))) },
    Step { name: "build", needs: Some("ui-build"), run: || plain(shell::run(shell::cargo(&BUILD))) },
    Step { name: "generated", needs: Some("build"), run: || plain(generate::with_built_server(true)) },
    Step { name: "test", needs: Some("build"), run: || tests_run::rust(None) },
    Step { name: "stories", needs: Some("build"), run: || stories::with_built_server(None) },
];

const CLIPPY: [&str; 7] = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
const BUILD: [&str; 5] = ["build", "--workspace", "--all-features", "--bins", "--tests"];

struct Record {
    name: &'static str,
    took: Duration,
    outcome: Outcome<Tally>,
}

impl Record {
    fn good(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|tally| tally.failed == 0)
    }
}

pub fn run(options: &Options) -> Outcome {
    if let Some(unknown) = options.only.iter().find(|name| !STEPS.iter().any(|step| step.name == name.as_str())) {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step {unknown}; there are {}", names.join(", ")));
    }
    let mut records: Vec<Record> = Vec::new();
    for step in STEPS.iter().filter(|step| options.only.is_empty() || options.only.iter().any(|name| name == step.name))
    {
        let record = carry_out(step, &records);
        records.push(record);
    }
    report(&records)
}

fn carry_out(step: &Step, before: &[Record]) -> Record {
    println!("\n== {}", step.name);
    let watch = shell::Watch::start();
    let broken = before.iter().find(|record| Some(record.name) == step.needs && !record.good());
    let outcome = broken.map_or_else(step.run, |record| Err(format!("not run: {} failed", record.name)));
    if let Err(reason) = &outcome {
        println!("{}: {reason}", step.name);
    }
    let record = Record { name: step.name, took: watch.elapsed(), outcome };
    println!("== {} {} in {:.1} s", record.name, word(record.good()), record.took.as_secs_f64());
    record
}

fn report(records: &[Record]) -> Outcome {
    println!("\nstep          seconds  outcome");
    let mut total = Tally::default();
    for record in records {
        let detail = match &record.outcome {
            Ok(tally) if *tally == Tally::default() => word(record.good()).to_owned(),
            Ok(tally) => tally.to_string(),
            Err(reason) => format!("FAILED {}", reason.lines().next().unwrap_or_default()),
        };
        println!("{:<12} {:>8.1}  {detail}", record.name, record.took.as_secs_f64());
        // A step that counts no tests is one check; one that broke is one failure.
        total += match &record.outcome {
            Ok(tally) if *tally == Tally::default() => Tally { passed: 1, failed: 0 },
            Ok(tally) => *tally,
            Err(_) => Tally { passed: 0, failed: 1 },
        };
    }
    let took: Duration = records.iter().map(|record| record.took).sum();
    println!("{:<12} {:>8.1}", "all", took.as_secs_f64());
    println!("ci: {total}");
    if total.failed == 0 { Ok(()) } else { Err("ci failed".to_owned()) }
}

fn word(good: bool) -> &'static str {
    if good { "ok" } else { "FAILED" }
}

fn plain(outcome: Outcome) -> Outcome<Tally> {
    outcome.map(|()| Tally::default())
}
