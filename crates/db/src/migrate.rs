//! The schema's history: numbered files, one statement per step, each step recorded in the transaction that ran it.
//! A kill in the middle resumes at the next step. A database that is newer than the program, or whose recorded text
//! differs from the embedded one, is refused: guessing there loses data.

use sha2::{Digest, Sha256};

use crate::{Backend, Db, Error, Query, Statement, Tx, Value, params};

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// One migration file.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The number in front of the file name, from 1.
    pub version: i64,
    /// The rest of the file name.
    pub name: String,
    /// The whole SQL text.
    pub text: String,
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_steps (version BIGINT NOT NULL, step BIGINT NOT NULL, \
    steps BIGINT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (version, step))";
const RECORDED: &str = "SELECT version, step, steps, checksum FROM schema_steps ORDER BY version, step";
const RECORD: &str =
    "INSERT INTO schema_steps (version, step, steps, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5, $6)";

/// How often a step is tried again when another process migrates at the same time.
const ATTEMPTS: usize = 20;

type Recorded = (i64, i64, i64, String);

impl Migration {
    /// Parses `NNNN_name` and keeps the text with line ends unified (a checkout may have changed them).
    ///
    /// # Errors
    /// [`Error::Migration`] if the file name has no number.
    pub fn new(stem: &str, text: &str) -> Result<Self, Error> {
        let (number, name) = stem.split_once('_').unwrap_or((stem, ""));
        let version = number.parse().map_err(|_| Error::Migration(format!("{stem}: name files NNNN_name.sql")))?;
        Ok(Self { version, name: name.to_owned(), text: text.replace("\r\n", "\n") })
    }

    /// The set embedded in this program, by number.
    ///
    /// # Errors
    /// [`Error::Migration`] if two files have one number, or one has none.
    pub fn embedded() -> Result<Vec<Self>, Error> {
        let mut all = FILES.iter().map(|(stem, text)| Self::new(stem, text)).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|migration| migration.version);
        let twin = all.windows(2).find_map(|pair| match pair {
            [a, b] if a.version == b.version => Some(a.version),
            _ => None,
        });
        twin.map_or(Ok(all), |version| Err(Error::Migration(format!("two files are numbered {version}"))))
    }

    /// SHA-256 of the text, hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The statements of the file: split at semicolons outside quotes and comments, comments removed.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        split(&self.text)
    }
}

impl Db {
    /// Brings the schema to the embedded version. Answers the names of the migrations that did something.
    ///
    /// # Errors
    /// [`Error::Migration`] if the database is newer or was migrated with another text; otherwise the engine's error,
    /// with the step that failed.
    pub fn migrate(&self, now_micros: i64) -> Result<Vec<String>, Error> {
        self.migrate_with(&Migration::embedded()?, now_micros)
    }

    /// [`Db::migrate`] with another set (tests).
    ///
    /// # Errors
    /// As [`Db::migrate`].
    pub fn migrate_with(&self, set: &[Migration], now_micros: i64) -> Result<Vec<String>, Error> {
        self.apply(0, CREATE, Vec::new())?;
        check(set, &self.recorded()?)?;
        let mut applied = Vec::new();
        for migration in set {
            if self.run_migration(migration, now_micros)? {
                applied.push(format!("{:04}_{}", migration.version, migration.name));
            }
        }
        if let (Backend::Sqlite(pool), false) = (&self.inner.backend, applied.is_empty()) {
            crate::planner::assume(&pool.path)?;
        }
        Ok(applied)
    }

    fn recorded(&self) -> Result<Vec<Recorded>, Error> {
        self.read_blocking(|read| read.query(&Statement::internal("schema_steps", RECORDED, 0), &[]))
    }

    fn run_migration(&self, migration: &Migration, now: i64) -> Result<bool, Error> {
        let (steps, checksum) = (migration.steps(), migration.checksum());
        let mut worked = false;
        for (step, text) in (1_i64..).zip(&steps) {
            let done =
                self.recorded()?.iter().any(|(version, done, ..)| (*version, *done) == (migration.version, step));
            if done {
                continue;
            }
            let total = i64::try_from(steps.len()).unwrap_or(i64::MAX);
            let record = params![migration.version, step, total, &migration.name, &checksum, now].to_vec();
            worked |= self.apply(migration.version, text, record)?;
        }
        Ok(worked)
    }

    /// Runs one step and its record in one transaction. False if another process was faster.
    fn apply(&self, version: i64, text: &str, record: Vec<Value>) -> Result<bool, Error> {
        let mut attempt = 0;
        loop {
            let (text, record) = (text.to_owned(), record.clone());
            let result = self.write_blocking(move |tx: &mut Tx<'_>| {
                // The record first: a second process waits here, then finds the step taken.
                if !record.is_empty() {
                    tx.execute(&Statement::internal("schema_steps", RECORD, 6), &record)?;
                }
                tx.execute(&Statement::internal(format!("migration {version}"), text.clone(), 0), &[]).map(drop)
            });
            attempt += 1;
            match result {
                Ok(()) => return Ok(true),
                Err(Error::Unique { statement, .. }) if statement == "schema_steps" => return Ok(false),
                // Two processes that create the first table at once: one of them is told so by a catalogue key.
                Err(Error::Unique { .. } | Error::Serialization(_)) if version == 0 && attempt < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn check(set: &[Migration], recorded: &[Recorded]) -> Result<(), Error> {
    for (version, _, steps, checksum) in recorded {
        let Some(known) = set.iter().find(|migration| migration.version == *version) else {
            return Err(Error::Migration(format!(
                "the database has migration {version}, which this program does not know; run a newer program"
            )));
        };
        if known.checksum() != *checksum || i64::try_from(known.steps().len()) != Ok(*steps) {
            return Err(Error::Migration(format!(
                "migration {version} was applied with another text than this program has"
            )));
        }
    }
    Ok(())
}

/// Splits at semicolons outside `'..'`, `".."`, `--` and `/* */`; drops comments.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut step = String::new();
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c, chars.peek()) {
            (Some(open), _, _) => {
                step.push(c);
                if c == open {
                    quote = None;
                }
            }
            (None, '\'' | '"', _) => {
                quote = Some(c);
                step.push(c);
            }
            (None, '-', Some('-')) => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            (None, '/', Some('*')) => {
                chars.next();
                while let Some(c) = chars.next() {
                    if c == '*' && chars.peek() == Some(&'/') {
                        chars.next();
                        break;
                    }
                }
            }
            (None, ';', _) => finish_step(&mut step, &mut steps),
            (None, ..) => step.push(c),
        }
    }
    finish_step(&mut step, &mut steps);
    steps
}

fn finish_step(step: &mut String, steps: &mut Vec<String>) {
    let text = std::mem::take(step);
    let text = text.trim();
    if !text.is_empty() {
        steps.push(text.to_owned());
    }
}
