//! Keeps one receiver running per mailbox that is fetched from, and takes in what is brought.
//!
//! A receiver that fails is started again after a growing pause; a changed channel restarts its receiver at once.
//! How each stands is kept beside the mailbox's position, for the check page.

use crate::{channels, raw, store};
use channel::{Acceptor, ChannelConfig, Check, CheckState, MailboxPosition, ReceiveError, Receiver, Receiving, Sink};
use domain::customer::{IdentityKind, normalise_address};
use domain::{Actor, ChannelId, ChannelKind, InboxId, WorkspaceId};
use serde_json::{Value, json};
use spine::{ContentHash, Notice, Order, Refusal, Spine};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

/// Another process may have changed a channel: looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// How long receivers may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// The supervisor; the program runs one.
pub struct Receivers {
    spine: Spine,
    receivers: Vec<Arc<dyn Receiver>>,
    running: HashMap<(WorkspaceId, ChannelId), Running>,
}

struct Running {
    /// Hash of the settings it runs with.
    settings: ContentHash,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Receivers {
    #[must_use]
    pub fn new(spine: Spine, receivers: Vec<Arc<dyn Receiver>>) -> Self {
        Self { spine, receivers, running: HashMap::new() }
    }

    /// Runs until `stop` becomes true, then ends all receivers.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut notices = self.spine.hub().subscribe();
        while !*stop.borrow() {
            if let Err(error) = self.reconcile().await {
                tracing::error!(%error, "mailboxes can't be looked up");
            }
            tokio::select! {
                () = config_changed(&mut notices) => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                _ = stop.changed() => {}
            }
        }
        for (_, running) in self.running.drain() {
            let _ = running.stop.send(true);
            if tokio::time::timeout(GOODBYE, running.task).await.is_err() {
                tracing::warn!("a mailbox did not say goodbye in time");
            }
        }
    }

    /// Starts what should run and stops what should not, or runs with old settings.
    async fn reconcile(&mut self) -> Result<(), Refusal> {
        let mut wanted = HashMap::new();
        for config in channels::all_active(&self.spine).await? {
            let receiver = self.receivers.iter().find(|r| r.kind() == config.kind && r.wanted(&config)).cloned();
            if let Some(receiver) = receiver {
                wanted.insert((config.workspace, config.id), (fingerprint(&config), receiver, config));
            }
        }
        self.running.retain(|place, running| {
            let keep = wanted.get(place).is_some_and(|(settings, _, _)| *settings == running.settings)
                && !running.task.is_finished();
            if !keep {
                let _ = running.stop.send(true);
            }
            keep
        });
        for (place, (settings, receiver, config)) in wanted {
            let spine = &self.spine;
            self.running.entry(place).or_insert_with(|| {
                let (stop, stopped) = watch::channel(false);
                Running { settings, stop, task: tokio::spawn(keep_receiving(spine.clone(), receiver, config, stopped)) }
            });
        }
        Ok(())
    }
}

async fn config_changed(notices: &mut broadcast::Receiver<Notice>) {
    loop {
        match notices.recv().await {
            Ok(Notice::Event(event)) if event.kind.starts_with("config.channel.") => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => return tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Settings and secrets, hashed: the secrets themselves are not kept.
fn fingerprint(config: &ChannelConfig) -> ContentHash {
    let mut text = config.settings.to_string();
    for (name, secret) in &config.secrets {
        text.push_str(&format!("\0{name}\0{}", secret.expose()));
    }
    ContentHash::of(text.as_bytes())
}

async fn keep_receiving(
    spine: Spine,
    receiver: Arc<dyn Receiver>,
    config: ChannelConfig,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = PAUSE_MIN;
    while !*stop.borrow() {
        let mailbox = Arc::new(Mailbox { spine: spine.clone(), config: config.clone() });
        let before = spine.now();
        let Err(error) = receiver.run(config.clone(), mailbox.clone(), stop.clone()).await else { return };
        tracing::warn!(channel = %config.id, code = error.code, detail = error.detail, "a mailbox stopped");
        mailbox.failed(&error).await;
        // It had run well for a while: this is a new trouble, not the old one.
        let ran = spine.now().since(before).as_seconds();
        if u64::try_from(ran).unwrap_or(0) > PAUSE_MAX.as_secs() {
            pause = PAUSE_MIN;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// One mailbox's sink and memory.
struct Mailbox {
    spine: Spine,
    config: ChannelConfig,
}

impl Mailbox {
    async fn failed(&self, error: &ReceiveError) {
        self.note(json!({ "ok": false, "code": error.code, "detail": error.detail })).await;
    }

    /// How the connection stands is worth nothing if the database is in trouble: then it is only logged.
    async fn note(&self, mut state: Value) {
        let place = (self.config.workspace, self.config.id);
        let noted = self
            .spine
            .execute(Order::new(self.config.workspace, Actor::System), move |unit| {
                let at = unit.now();
                if let Value::Object(fields) = &mut state {
                    fields.insert("at".to_owned(), json!(at));
                }
                Ok(store::mailbox::set_state(unit.tx(), place, &state.to_string(), at)?)
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, channel = %self.config.id, "the state of a mailbox was not noted");
        }
    }

    async fn step(&self, to: MailboxPosition) -> Result<(), Refusal> {
        let place = (self.config.workspace, self.config.id);
        self.spine
            .execute(Order::new(self.config.workspace, Actor::System), move |unit| {
                let at = unit.now();
                Ok(store::mailbox::move_cursor(unit.tx(), place, (to.uid_validity, to.last_uid), at)?)
            })
            .await
    }
}

impl Sink for Mailbox {
    fn position(&self) -> Receiving<'_, Result<MailboxPosition, Refusal>> {
        let (ws, channel) = (self.config.workspace, self.config.id);
        Box::pin(async move {
            let row = self.spine.db().read(move |r| Ok::<_, Refusal>(store::mailbox::cursor(r, ws, channel)?)).await?;
            Ok(row.map_or_else(MailboxPosition::default, |row| MailboxPosition {
                uid_validity: row.uid_validity,
                last_uid: row.last_uid,
            }))
        })
    }

    fn take(&self, at: MailboxPosition, bytes: Vec<u8>) -> Receiving<'_, Result<InboxId, Refusal>> {
        Box::pin(async move {
            let key = format!("imap:{}:{}", at.uid_validity, at.last_uid);
            let envelope = json!({ "by": "imap", "uid_validity": at.uid_validity, "uid": at.last_uid });
            let inbox = raw::store_raw(&self.spine, &self.config, key, bytes, envelope).await?;
            // Only now: a crash in between fetches the message again, and the key knows it.
            self.step(at).await?;
            Ok(inbox)
        })
    }

    fn skip(&self, to: MailboxPosition) -> Receiving<'_, Result<(), Refusal>> {
        Box::pin(self.step(to))
    }

    fn connected(&self) -> Receiving<'_, ()> {
        Box::pin(self.note(json!({ "ok": true })))
    }
}

/// How the mailbox of a channel stands, for the check page; `None` when nothing fetches it (any more).
///
/// # Errors
/// Those of the database.
pub async fn standing(spine: &Spine, config: &ChannelConfig) -> Result<Option<Check>, Refusal> {
    if is_brought(config) {
        return Ok(None);
    }
    let (workspace, channel) = (config.workspace, config.id);
    let row = spine.db().read(move |r| Ok::<_, Refusal>(store::mailbox::cursor(r, workspace, channel)?)).await?;
    let Some(row) = row else { return Ok(None) };
    let state: Value = serde_json::from_str(&row.state).unwrap_or_default();
    let code = state.get("code").and_then(Value::as_str).unwrap_or("receiving");
    let ok = state.get("ok").and_then(Value::as_bool).unwrap_or(true);
    let params = json!({ "since": row.updated_at, "detail": state.get("detail") });
    Ok(Some(Check::new("mail_in", if ok { CheckState::Ok } else { CheckState::Fail }, code, params)))
}

/// Mail comes to us by SMTP; nobody fetches it.
fn is_brought(config: &ChannelConfig) -> bool {
    config.settings.get("receive").and_then(Value::as_str) == Some("smtp")
}

/// Takes in what is brought by SMTP.
#[derive(Clone)]
pub struct Doorkeeper {
    spine: Spine,
}

impl Doorkeeper {
    #[must_use]
    pub fn new(spine: Spine) -> Self {
        Self { spine }
    }

    async fn find(&self, address: &str) -> Result<Option<ChannelConfig>, Refusal> {
        let address = normalise_address(IdentityKind::Email, address);
        for key in [Some(address.clone()), without_tag(&address)].into_iter().flatten() {
            match channels::by_key(&self.spine, ChannelKind::Email, &key).await {
                Ok(config) if is_brought(&config) => return Ok(Some(config)),
                Ok(_) | Err(Refusal::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }
}

/// `support+x@example.com` is `support@example.com`.
fn without_tag(address: &str) -> Option<String> {
    let (local, host) = address.rsplit_once('@')?;
    let (base, _) = local.split_once('+')?;
    (!base.is_empty()).then(|| format!("{base}@{host}"))
}

impl Acceptor for Doorkeeper {
    fn recipient<'a>(&'a self, address: &'a str) -> Receiving<'a, Result<Option<ChannelConfig>, Refusal>> {
        Box::pin(self.find(address))
    }

    fn accept<'a>(
        &'a self,
        config: &'a ChannelConfig,
        recipient: &'a str,
        envelope: Value,
        bytes: Vec<u8>,
    ) -> Receiving<'a, Result<InboxId, Refusal>> {
        Box::pin(async move {
            let recipient = normalise_address(IdentityKind::Email, recipient);
            let key = format!("smtp:{recipient}:{}", ContentHash::of(&bytes).hex());
            raw::store_raw(&self.spine, config, key, bytes, envelope).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_addresses() {
        for (address, expected) in [
            ("support+abc@x.cn", Some("support@x.cn")),
            ("support+a+b@x.cn", Some("support@x.cn")),
            ("support@x.cn", None),
            ("+a@x.cn", None),
            ("nothing", None),
        ] {
            assert_eq!(without_tag(address).as_deref(), expected, "{address}");
        }
    }
}
