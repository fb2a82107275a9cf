//! Measures what Steward promises, beside the machine's limit in the same run: durable chat messages per second over
//! HTTP against a bare SQLite loop that writes the same rows in groups; start time and idle memory. Figures are medians
//! of rounds; the machine is shared, so read the ratios. Start reading in `main`.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring program reads the clock and stops at the first surprise"
)]

mod bare;
mod client;
mod server;

use clap::Parser;
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Options {
    /// The steward binary
    #[arg(long)]
    steward: std::path::PathBuf,
    /// Seconds of each round
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Rounds of each measurement
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in(".").unwrap();
    let (start, idle) = start_and_memory(&options, folder.path());
    println!("start to ready            {:>10.0} ms   (promise < 500)", start.as_secs_f64() * 1e3);
    println!("idle memory               {idle:>10.1} MB   (promise < 80)");
    let server = server::Server::start(&options.steward, &folder.path().join("load"));
    let key = server.set_up();
    println!("\ndurable chat messages per second, median of {} rounds of {} s", options.rounds, options.seconds);
    println!("clients   steward/s   p50 ms   p99 ms   CPU us/msg   bare SQLite/s   ratio");
    for clients in [1, 64, 256] {
        let mut rates = (Vec::new(), Vec::new());
        let (mut p50, mut p99, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            let span = Duration::from_secs(options.seconds);
            let visitors = runtime.block_on(client::open(server.address(), &key, clients));
            let before = server.cpu();
            let load = runtime.block_on(client::load(visitors, span));
            let used = server.cpu() - before;
            rates.0.push(load.rate);
            p50.push(load.p50.as_secs_f64() * 1e3);
            p99.push(load.p99.as_secs_f64() * 1e3);
            cpu.push(used.as_secs_f64() * 1e6 / (load.rate * span.as_secs_f64()).max(1.0));
            rates.1.push(bare::rate(&folder.path().join("bare.db"), clients, span));
        }
        let (ours, theirs) = (median(rates.0), median(rates.1));
        println!(
            "{clients:>7} {ours:>11.0} {:>8.1} {:>8.1} {:>12.0} {theirs:>15.0} {:>6.0} %",
            median(p50),
            median(p99),
            median(cpu),
            ours / theirs * 100.0
        );
    }
    println!("memory under load         {:>10.1} MB", server.memory());
}

/// From starting the process to its first "ready", and its resident memory after it has been idle for a while.
fn start_and_memory(options: &Options, folder: &std::path::Path) -> (Duration, f64) {
    let data = folder.join("idle");
    drop(server::Server::start(&options.steward, &data));
    let (mut starts, mut memories) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let begun = Instant::now();
        let server = server::Server::start(&options.steward, &data);
        starts.push(begun.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_secs(2));
        memories.push(server.memory());
    }
    (Duration::from_secs_f64(median(starts)), median(memories))
}
