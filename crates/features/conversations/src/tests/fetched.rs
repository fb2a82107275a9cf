//! The supervisor of mailboxes that are fetched from.

use super::office::{MAILBOX, Office, block};
use crate::receivers::standing;
use crate::{Receivers, check_mail};
use channel::{ChannelConfig, CheckState, MailboxPosition, ReceiveError, Receiver, Receiving, Sink};
use domain::event::{ConfigAction, ConfigChanged};
use domain::{Actor, ChannelKind, Event};
use serde_json::{Value, json};
use spine::Order;
use std::sync::Arc;
use testkit::on_both_engines;
use tokio::sync::{mpsc, watch};

/// A mail server: every connection brings the next mail; where a channel is called "broken", there is none.
struct Server(mpsc::UnboundedSender<MailboxPosition>);

impl Receiver for Server {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }
    fn wanted(&self, config: &ChannelConfig) -> bool {
        config.settings.get("receive").and_then(Value::as_str) == Some("imap")
    }
    fn run(
        &self,
        config: ChannelConfig,
        sink: Arc<dyn Sink>,
        mut stop: watch::Receiver<bool>,
    ) -> Receiving<'static, Result<(), ReceiveError>> {
        let connected = self.0.clone();
        Box::pin(async move {
            if config.settings.get("broken").is_some() {
                return Err(ReceiveError { code: "login_failed".to_owned(), detail: "no such user".to_owned() });
            }
            sink.connected().await;
            let before = sink.position().await?;
            let next = MailboxPosition { uid_validity: 9, last_uid: before.last_uid + 1 };
            sink.take(next, json!({ "from": "ann@x.test", "text": next.last_uid }).to_string().into_bytes()).await?;
            // Fetched again, as after a crash: nothing twice, and the position does not go back.
            sink.take(next, b"again".to_vec()).await?;
            sink.skip(MailboxPosition { uid_validity: 9, last_uid: 0 }).await?;
            connected.send(sink.position().await?).unwrap();
            while !*stop.borrow() {
                stop.changed()
                    .await
                    .map_err(|e| ReceiveError { code: "internal".to_owned(), detail: e.to_string() })?;
            }
            Ok(())
        })
    }
}

fn set(office: &Office, settings: Value) {
    let ws = office.ws;
    let order = Order::new(ws, Actor::System);
    block(office.spine.execute(order, move |unit| {
        let mut row = crate::store::configured::one(unit.tx(), ws, MAILBOX)?.unwrap();
        row.settings = settings.to_string();
        crate::store::configured::update(unit.tx(), &row)?;
        let (before, after) = (Value::Null, settings.clone());
        let changed =
            ConfigChanged { object: "channel".to_owned(), id: MAILBOX.0, action: ConfigAction::Changed, before, after };
        unit.record(Event::Config(changed), "channel", MAILBOX.0)
    }))
    .unwrap();
}

#[test]
fn a_mailbox_is_fetched_restarted_when_changed_and_its_trouble_is_known() {
    on_both_engines(|ground| {
        let office = Office::new(ground);
        set(&office, json!({ "receive": "imap" }));
        let (sender, mut connected) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let supervisor = Receivers::new(office.spine.clone(), vec![Arc::new(Server(sender))]);
        let (spine, halt) = (office.spine.clone(), stopped.clone());
        block(async move {
            let running = (tokio::spawn(async move { spine.run(halt).await }), tokio::spawn(supervisor.run(stopped)));
            tokio::task::spawn_blocking(move || {
                let mut next = || block_on(connected.recv()).unwrap().last_uid;
                assert_eq!(next(), 1);
                set(&office, json!({ "receive": "imap", "changed": true }));
                assert_eq!(next(), 2);
                assert_eq!(office.inbox(), 2);
                let standing = || {
                    let config = block_on(crate::channels::by_id(&office.spine, office.ws, MAILBOX)).unwrap();
                    block_on(standing(&office.spine, &config)).unwrap().unwrap()
                };
                let lines = || {
                    let checks = block_on(check_mail(&office.spine, &office.protocols, office.ws));
                    checks.into_iter().map(|check| (check.key, check.code, check.params)).collect::<Vec<_>>()
                };
                assert_eq!(standing().state, CheckState::Ok);
                let well = lines();
                assert_eq!(well.len(), 2, "{well:?}");
                assert_eq!((well[1].0.as_str(), well[1].1.as_str()), ("mail_in", "connected"));
                let mut committed = office.ground.db.committed();
                set(&office, json!({ "receive": "imap", "broken": true }));
                while standing().state == CheckState::Ok {
                    block_on(committed.changed()).unwrap();
                }
                assert_eq!(
                    (standing().code.as_str(), standing().params["detail"].as_str()),
                    ("login_failed", Some("no such user"))
                );
                // The server answers, so the try goes well; but nothing comes in, and that is what counts.
                let ill = lines();
                assert_eq!(ill.len(), 2, "one line for each direction: {ill:?}");
                assert_eq!((ill[1].0.as_str(), ill[1].1.as_str()), ("mail_in", "login_failed"));
                assert_eq!(
                    (&ill[1].2["host"], &ill[1].2["detail"], &ill[1].2["channel"]),
                    (&json!("imap.test"), &json!("no such user"), &json!("Shop"))
                );
                stop.send(true).unwrap();
                office
            })
            .await
            .unwrap();
            running.0.await.unwrap();
            running.1.await.unwrap();
        });
    });
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(future)
}
