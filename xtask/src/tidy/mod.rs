//! `cargo x tidy`: the rules of DESIGN sections 4 and 5 that a machine can check.
//!
//! Each rule measures something about a file or crate and says how much is allowed. What is above
//! that must stand in `xtask/tidy-exceptions.txt` with exactly its present measure, so that the
//! list can only shrink.

mod crates;
mod exceptions;
mod licences;
mod locales;
mod size;
mod source;
mod words;

use crate::{Outcome, root};

/// One rule broken in one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's short name, as the exceptions file spells it.
    pub rule: &'static str,
    /// A path in the checkout, or a package's name.
    pub subject: String,
    /// How much was found, in the rule's unit (lines, occurrences).
    pub measured: usize,
    /// What is wrong and what to do, for the person who reads it.
    pub message: String,
}

/// A text file of the checkout.
pub struct File {
    /// Relative to the top folder, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn has_ending(&self, endings: &[&str]) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

pub fn run() -> Outcome {
    let files = read_files()?;
    let mut findings = Vec::new();
    findings.extend(size::check(&files));
    findings.extend(words::check(&files, &words::own_hosts()));
    findings.extend(locales::check(&files));
    findings.extend(crates::check(&files)?);
    findings.extend(licences::check(&files)?);
    let problems = exceptions::apply(&findings, &exceptions::read()?);
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} files, {} known exceptions", files.len(), findings.len());
        return Ok(());
    }
    Err(format!("{} rules of DESIGN and STYLE are broken", problems.len()))
}

fn read_files() -> Outcome<Vec<File>> {
    let mut files = Vec::new();
    for path in root::files()? {
        if let Some(text) = root::text(&path)? {
            files.push(File { path, text });
        }
    }
    Ok(files)
}
