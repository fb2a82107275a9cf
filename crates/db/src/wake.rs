//! Telling consumers that something was committed, so that they look at once instead of at the next tick.
//! It is a hint, never the truth: consumers read their cursors.

use tokio::sync::watch;

/// Rung after each commit that may have changed rows.
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
