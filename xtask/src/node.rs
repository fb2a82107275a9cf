//! The UI's tool chain: npm by the lock file, and the root package's scripts.

use std::fs;

use crate::{Outcome, root, shell};

/// Installs by the lock file when `node_modules` is missing or was installed from another lock file.
pub fn install() -> Outcome {
    if !shell::has("npm") {
        return Err("npm is missing: install Node.js 20 or newer".to_owned());
    }
    let lock =
        fs::read(root::top().join("package-lock.json")).map_err(|error| format!("package-lock.json: {error}"))?;
    let stamp = root::top().join("node_modules").join(".installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    shell::run(shell::program("npm", &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, lock).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Runs one script of the root package.json.
pub fn script(name: &str) -> Outcome {
    shell::run(shell::program("npm", &["run", "--silent", name]))
}
