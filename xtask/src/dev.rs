//! `cargo x dev`: the server with demo data, and vite's live-reloading pages in front of it.

use std::process::Child;
use std::time::Duration;

use clap::Args;

use crate::{Outcome, node, root, shell};

#[derive(Args)]
pub struct Options {
    /// Where the development database and files live; filled with the demo company when empty.
    #[arg(long, default_value = "./dev-data")]
    data: String,
}

pub fn run(options: &Options) -> Outcome {
    node::install()?;
    node::script("build")?;
    shell::run(shell::cargo(&["build", "--package", "steward"]))?;
    let mut running = Running(Vec::new());
    running.add("the server", shell::program(root::server_binary(), &["demo", "--data", &options.data]))?;
    let pages = ["run", "dev", "--workspace", "ui/desk", "--if-present"];
    running.add("vite", shell::program("npm", &pages))?;
    println!("Pages reload as you save; the address is the one vite prints. Rust changes: stop and start again.");
    running.until_one_ends()
}

/// The children of the loop; all end when one does.
struct Running(Vec<(&'static str, Child)>);

impl Running {
    fn add(&mut self, name: &'static str, mut command: std::process::Command) -> Outcome {
        println!("$ {}", shell::shown(&command));
        let child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        self.0.push((name, child));
        Ok(())
    }

    fn until_one_ends(&mut self) -> Outcome {
        loop {
            for (name, child) in &mut self.0 {
                if let Some(status) = child.try_wait().map_err(|error| format!("{name}: {error}"))? {
                    return Err(format!("{name} ended: {status}"));
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (name, child) in &mut self.0 {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
                eprintln!("x: {name}: {error}");
            }
        }
    }
}
