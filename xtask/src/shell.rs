//! Running other programs: loudly, with their output passed through, and with a time for each.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, root};

/// A program to be run in the checkout's top folder.
pub fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root::top());
    command
}

/// `cargo` as it was when it started us (the same toolchain), in the checkout's top folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(root::from_environment("CARGO").unwrap_or_else(|| "cargo".to_owned()), arguments);
    // `cargo run` tells its child about the crate it ran; a nested build script must not see that.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME").env_remove("CARGO_MANIFEST_PATH");
    command
}

/// The program's name and arguments as a person would type them.
pub fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(name, |line, word| format!("{line} {}", word.to_string_lossy()))
}

/// Runs to the end with output passed through.
///
/// # Errors
/// When the program can't be started or ends with another code than 0.
pub fn run(mut command: Command) -> Outcome {
    let line = shown(&command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("{line}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// Runs to the end quietly and returns what it printed on standard output.
///
/// # Errors
/// When the program can't be started or fails; the text then holds its standard error.
pub fn read(mut command: Command) -> Outcome<String> {
    let line = shown(&command);
    let output = command.output().map_err(|error| format!("{line}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Runs to the end; passes each line of both output streams through and also gives them back.
/// The flag says whether the program ended with 0.
///
/// # Errors
/// When the program can't be started.
pub fn tee(mut command: Command) -> Outcome<(bool, Vec<String>)> {
    let line = shown(&command);
    println!("$ {line}");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| format!("{line}: {error}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || err.map(|stream| pass(stream, std::io::stderr())).unwrap_or_default());
    let mut lines = out.map(|stream| pass(stream, std::io::stdout())).unwrap_or_default();
    lines.extend(errors.join().unwrap_or_default());
    let status = child.wait().map_err(|error| format!("{line}: {error}"))?;
    Ok((status.success(), lines))
}

fn pass(from: impl std::io::Read, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(from);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        // A closed terminal must not end the run: the lines are counted all the same.
        let _ = to.write_all(&bytes);
        lines.push(without_colours(&String::from_utf8_lossy(&bytes)));
        bytes.clear();
    }
    lines
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            for code in characters.by_ref() {
                if code.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain.trim_end().to_owned()
}

/// Whether a program of this name is on the path.
pub fn has(name: &str) -> bool {
    let path = root::from_environment("PATH").unwrap_or_default();
    path.split(':').any(|folder| Path::new(folder).join(name).is_file())
}

/// A stop-watch for the step times that CI prints.
pub struct Watch(Instant);

impl Watch {
    #[allow(clippy::disallowed_methods, reason = "CI prints how long its steps took")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(without_colours("\u{1b}[32;1mPASS\u{1b}[0m 3 passed\n"), "PASS 3 passed");
    }

    #[test]
    fn tee_returns_both_streams_and_the_outcome() {
        let (good, lines) = tee(program("sh", &["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert!(!good);
        assert_eq!(lines, ["out", "err"]);
    }

    #[test]
    fn read_reports_standard_error() {
        let reason = read(program("sh", &["-c", "echo why >&2; exit 1"])).unwrap_err();
        assert!(reason.contains("why"), "{reason}");
    }
}
