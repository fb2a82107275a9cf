//! Where the checkout is, and the walk over the files that belong to it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// The checkout's top folder (this crate lives in `<top>/xtask`).
pub fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The folder cargo builds into.
pub fn target() -> PathBuf {
    from_environment("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

/// The server as the dev profile builds it.
pub fn server_binary() -> PathBuf {
    target().join("debug").join("steward")
}

/// The environment is an argument everywhere else; this command is the edge that reads it.
#[allow(clippy::disallowed_methods, reason = "a command-line tool's edge")]
pub fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

const NOT_OURS: [&str; 8] = [".git", "target", "node_modules", "dist", "demo-data", "dev-data", "data", "out"];

/// Every file of the checkout that a person wrote (build results and data folders are left out),
/// as paths relative to [`top`] with `/`, sorted.
pub fn files() -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    walk(&top(), "", &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Outcome {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(|error| format!("{path}: {error}"))?;
        if kind.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&entry.path(), &path, found)?;
            }
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// The text of a file of the checkout; `None` when it is not UTF-8 (pictures, archives).
pub fn text(path: &str) -> Outcome<Option<String>> {
    let bytes = fs::read(top().join(path)).map_err(|error| format!("{path}: {error}"))?;
    Ok(String::from_utf8(bytes).ok())
}
