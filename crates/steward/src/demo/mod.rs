//! The demo company: a shop with customers in China and elsewhere, its people, channels and two months of cases.
//! Everything is made through the same commands and routes that people use, at the times it "happened".

mod company;
mod history;
mod local;
mod port;
mod sink;

use crate::assemble::{Assembled, assemble};
use crate::folder::Folder;
use config::Settings;
use db::{Query, sql};
use domain::{Span, Timestamp};
use spine::{Clock, Edges, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub use company::{PASSWORD, sign_ins};
pub use sink::{MailSink, mail_sink};

/// How far back the demo company's history goes.
const DAYS: i64 = 60;

sql!(WORKSPACES = "SELECT COUNT(*) FROM workspace", params: 0, global);

/// Why the demo company could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("{path} answered {status}: {body}")]
    Answer { path: String, status: u16, body: String },
    #[error("the demo script is broken: {0}")]
    Script(String),
    #[error(transparent)]
    Assemble(#[from] crate::assemble::Error),
}

/// A clock that stands in the past and is moved from event to event.
pub(crate) struct ReplayClock(AtomicI64);

impl ReplayClock {
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ReplayClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Where the demo company receives mail, unless a setting says otherwise or another demo is there already.
const MAIL_PORT: u16 = 7025;

/// The demo company receives mail on this machine and may send to it.
///
/// # Errors
/// When no port is free.
pub fn prepare(settings: &mut Settings) -> std::io::Result<()> {
    const LOOPBACK: &str = "127.0.0.0/8";
    if settings.smtp_listen.is_none() {
        settings.smtp_listen = Some(port::listen(MAIL_PORT)?.local_addr()?);
    }
    if !settings.allowed_networks.iter().any(|n| n == LOOPBACK) {
        settings.allowed_networks.push(LOOPBACK.to_owned());
    }
    Ok(())
}

/// Fills an empty data folder; one with a workspace in it is left alone. Tells whether it was filled.
///
/// # Errors
/// When a route or command refuses what the demo asks for.
pub async fn fill(folder: &Folder, settings: &Settings, sink: &MailSink) -> Result<bool, Error> {
    sink.settle(&folder.db).await?;
    let existing: i64 = folder.db.read(|r| Ok::<_, Refusal>(r.query_one(&WORKSPACES, &[])?)).await?;
    if existing > 0 {
        return Ok(false);
    }
    let real = Edges::real();
    let now = real.clock.now();
    let clock = Arc::new(ReplayClock(AtomicI64::new((now - Span::days(DAYS + 1)).as_micros())));
    let edges = Edges { clock: clock.clone(), random: real.random };
    let settings = Settings { no_rate_limits: true, ..settings.clone() };
    let assembled: Assembled = assemble(folder, &settings, edges)?;
    let company = company::found(&assembled, &settings, sink.port()).await?;
    history::play(&assembled, &company, &clock, now).await?;
    clock.set(now);
    assembled.spine.run_due().await?;
    Ok(true)
}
