//! Telling consumers that something was committed, so that they look at once instead of at the next tick.
//! It is a hint, never the truth: consumers read their cursors.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config};
use tokio::sync::watch;

use crate::Error;

/// How long a commit may wait before other processes hear of it. One NOTIFY for all commits of that time: a NOTIFY
/// inside every transaction would make them commit one after the other.
const SPREAD: Duration = Duration::from_millis(50);
/// Wait before a lost connection is opened again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Rung after each commit that changed rows.
#[derive(Clone)]
pub(crate) struct Bell {
    sender: watch::Sender<u64>,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self { sender: watch::Sender::new(0) }
    }

    pub(crate) fn ring(&self) {
        self.sender.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.sender.subscribe()
    }
}

/// Starts the thread that carries the bell between processes on one PostgreSQL, until `alive` is gone.
/// Set the returned flag after a commit. Fails if the server can't be reached, which makes it the check at start.
pub(crate) fn start(config: &Config, bell: Bell, alive: Weak<()>) -> Result<Arc<AtomicBool>, Error> {
    let committed = Arc::new(AtomicBool::new(false));
    let (ready, first) = mpsc::sync_channel(1);
    let (config, flag) = (config.clone(), Arc::clone(&committed));
    crate::spawn("db-wake", move || {
        let mut client = listen(&config);
        let reached = client.as_ref().map(drop).map_err(Clone::clone);
        let failed = reached.is_err();
        let _ = ready.send(reached);
        while !failed && alive.strong_count() > 0 {
            match client.as_mut().map(|(client, own)| exchange(client, *own, &bell, &flag)) {
                Ok(Ok(())) => {}
                _ => {
                    thread::sleep(RECONNECT);
                    client = listen(&config);
                    // Whatever was said while nobody listened.
                    bell.ring();
                }
            }
        }
    })?;
    match first.recv() {
        Ok(Ok(())) => Ok(committed),
        Ok(Err(error)) => Err(Error::Settings(error.to_string())),
        Err(_) => Err(Error::Settings("the wake-up thread ended".to_owned())),
    }
}

/// A listening connection and its process number at the server.
fn listen(config: &Config) -> Result<(Client, i32), Error> {
    let mut client = crate::postgres::connect(config)?;
    let lost = |error: postgres::Error| Error::ConnectionLost(error.to_string());
    client.batch_execute("LISTEN steward_commit").map_err(lost)?;
    let own = client.query_one("SELECT pg_backend_pid()", &[]).map_err(lost)?.try_get(0).map_err(lost)?;
    Ok((client, own))
}

fn exchange(client: &mut Client, own: i32, bell: &Bell, committed: &AtomicBool) -> Result<(), postgres::Error> {
    if committed.swap(false, Ordering::AcqRel) {
        client.batch_execute("NOTIFY steward_commit")?;
    }
    let heard = client.notifications().timeout_iter(SPREAD).next()?;
    if heard.is_some_and(|notification| notification.process_id() != own) {
        bell.ring();
    }
    if client.is_closed() { client.batch_execute("SELECT 1") } else { Ok(()) }
}
