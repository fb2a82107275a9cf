//! IMAP against a real Dovecot.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::imap_in::{Account, Cursor, Failure, Fetcher, NotStored, RawMail, Reason, Sink, State};
use crate::limits;
use crate::net::{BoxFuture, Security, Trust};
use web::outbound::AddressPolicy;

use crate::testing::{Dovecot, Loopback, PASSWORD};

#[derive(Default)]
struct Store {
    cursor: Mutex<Option<Cursor>>,
    mails: Mutex<Vec<RawMail>>,
    states: Mutex<Vec<State>>,
    /// Refuses this many mails before it stores one.
    refuse: Mutex<usize>,
    changed: Notify,
}

impl Sink for Store {
    fn cursor(&self) -> BoxFuture<'_, Result<Option<Cursor>, NotStored>> {
        Box::pin(async { Ok(*self.cursor.lock().unwrap()) })
    }

    fn store(&self, mail: RawMail) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            let mut refuse = self.refuse.lock().unwrap();
            if *refuse > 0 {
                *refuse -= 1;
                return Err(NotStored);
            }
            *self.cursor.lock().unwrap() = Some(Cursor { uidvalidity: mail.uidvalidity, last_uid: mail.uid });
            self.mails.lock().unwrap().push(mail);
            self.changed.notify_waiters();
            Ok(())
        })
    }

    fn start_at(&self, cursor: Cursor) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            *self.cursor.lock().unwrap() = Some(cursor);
            Ok(())
        })
    }

    fn state(&self, state: &State) {
        self.states.lock().unwrap().push(state.clone());
        self.changed.notify_waiters();
    }
}

impl Store {
    async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if done(self) {
                    return;
                }
                changed.await;
            }
        };
        let states = || format!("{:?}", self.states.lock().unwrap());
        assert!(tokio::time::timeout(Duration::from_secs(20), wait).await.is_ok(), "{what}: {}", states());
    }

    fn subjects(&self) -> Vec<String> {
        let mails = self.mails.lock().unwrap();
        mails.iter().map(|mail| crate::parse::parse(&mail.bytes, None).subject).collect()
    }

    fn waiting(&self) -> usize {
        self.states.lock().unwrap().iter().filter(|state| matches!(state, State::Waiting { .. })).count()
    }

    fn failures(&self) -> Vec<Reason> {
        let states = self.states.lock().unwrap();
        states
            .iter()
            .filter_map(|state| {
                if let State::Failed { failure: Failure { reason, .. }, .. } = state { Some(*reason) } else { None }
            })
            .collect()
    }
}

fn account(port: u16) -> Account {
    Account {
        host: "localhost".into(),
        port,
        security: Security::None,
        user: "support".into(),
        password: PASSWORD.into(),
        folder: "INBOX".into(),
        allow_plain_login: false,
        whole_folder: true,
        poll: Duration::from_millis(200),
    }
}

fn fetcher(account: Account) -> Fetcher {
    Fetcher { account, resolve: Arc::new(Loopback), trust: Trust::default() }
}

struct Running {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(fetcher: &Fetcher, store: &Arc<Store>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (fetcher, store) = (fetcher.clone(), store.clone());
        Self { stop, task: tokio::spawn(async move { fetcher.run(&*store, stopped).await }) }
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

fn mail(subject: &str) -> Vec<u8> {
    format!("From: a@x.cn\r\nSubject: {subject}\r\n\r\nbody\r\n").into_bytes()
}

#[tokio::test]
async fn idle_brings_mail_as_it_arrives_and_nothing_is_fetched_twice() {
    let server = Dovecot::start().unwrap();
    server.deliver("support", &mail("one")).unwrap();
    let store = Arc::new(Store::default());
    let fetcher = fetcher(account(server.port()));
    assert_eq!(fetcher.check().await, Ok(1));
    let running = Running::start(&fetcher, &store);
    store.until("one", |store| store.subjects() == ["one"] && store.waiting() > 0).await;
    assert!(matches!(store.states.lock().unwrap()[0], State::Waiting { idle: true }));
    server.deliver("support", &mail("two")).unwrap();
    store.until("two", |store| store.subjects() == ["one", "two"] && store.waiting() > 1).await;
    running.stop().await;
    server.deliver("support", &mail("three")).unwrap();
    let running = Running::start(&fetcher, &store);
    store.until("three", |store| store.subjects() == ["one", "two", "three"] && store.waiting() > 2).await;
    assert_eq!(server.seen("support").unwrap(), 3);
    running.stop().await;
    assert_eq!(store.failures(), []);
}

#[tokio::test]
async fn a_mail_that_is_not_stored_is_neither_marked_nor_skipped() {
    let server = Dovecot::start().unwrap();
    let store = Arc::new(Store::default());
    *store.refuse.lock().unwrap() = 1;
    server.deliver("support", &mail("one")).unwrap();
    server.deliver("support", &mail("two")).unwrap();
    let running = Running::start(&fetcher(account(server.port())), &store);
    store.until("failure", |store| store.failures() == [Reason::Storage]).await;
    assert_eq!(server.seen("support").unwrap_or(0), 0);
    store.until("again", |store| store.subjects() == ["one", "two"] && store.waiting() == 1).await;
    assert_eq!(server.seen("support").unwrap(), 2);
    running.stop().await;
}

#[tokio::test]
async fn renumbering_reads_the_folder_again() {
    let server = Dovecot::start().unwrap();
    let store = Arc::new(Store::default());
    server.deliver("support", &mail("one")).unwrap();
    let fetcher = fetcher(account(server.port()));
    let running = Running::start(&fetcher, &store);
    store.until("one", |store| store.waiting() == 1).await;
    running.stop().await;
    *store.cursor.lock().unwrap() = Some(Cursor { uidvalidity: 1, last_uid: 900 });
    let running = Running::start(&fetcher, &store);
    store.until("again", |store| store.subjects() == ["one", "one"] && store.waiting() == 2).await;
    running.stop().await;
    let mails = store.mails.lock().unwrap();
    assert_eq!(store.cursor.lock().unwrap().unwrap().uidvalidity, mails[1].uidvalidity);
}

#[tokio::test]
async fn a_folder_in_use_starts_with_what_is_unread() {
    let server = Dovecot::start().unwrap();
    let store = Arc::new(Store::default());
    let fetcher = fetcher(Account { whole_folder: false, ..account(server.port()) });
    for subject in ["old one", "old two"] {
        server.deliver("support", &mail(subject)).unwrap();
    }
    let running = Running::start(&fetcher, &store);
    store.until("unread", |store| store.subjects() == ["old one", "old two"] && store.waiting() == 1).await;
    running.stop().await;
    // Read by now: another instance that starts afresh leaves them and takes only what comes.
    let store = Arc::new(Store::default());
    let running = Running::start(&fetcher, &store);
    store.until("nothing", |store| store.waiting() == 1).await;
    server.deliver("support", &mail("new")).unwrap();
    store.until("new", |store| store.subjects() == ["new"]).await;
    running.stop().await;
}

#[tokio::test]
async fn without_idle_the_folder_is_polled() {
    let server = Dovecot::start_with("imap_capability = IMAP4rev1 LITERAL+").unwrap();
    let store = Arc::new(Store::default());
    let running = Running::start(&fetcher(account(server.port())), &store);
    store.until("first look", |store| store.waiting() > 0).await;
    assert!(matches!(store.states.lock().unwrap()[0], State::Waiting { idle: false }));
    server.deliver("support", &mail("polled")).unwrap();
    store.until("polled", |store| store.subjects() == ["polled"]).await;
    running.stop().await;
}

#[tokio::test]
async fn an_oversize_mail_comes_as_its_start() {
    let server = Dovecot::start().unwrap();
    let store = Arc::new(Store::default());
    let mut big = mail("big");
    big.resize(limits::MAIL_BYTES + 1, b'x');
    server.deliver("support", &big).unwrap();
    server.deliver("support", &mail("small")).unwrap();
    let running = Running::start(&fetcher(account(server.port())), &store);
    store.until("both", |store| store.subjects() == ["big", "small"]).await;
    running.stop().await;
    let mails = store.mails.lock().unwrap();
    assert_eq!(
        (
            mails[0].bytes.len(),
            mails[0].oversize.is_some_and(|size| size > limits::MAIL_BYTES as u64),
            mails[1].oversize
        ),
        (limits::EXCERPT_BYTES, true, None)
    );
}

#[tokio::test]
async fn tls_and_starttls() {
    let server = Dovecot::start().unwrap();
    let trust = Trust { extra: vec![server.certificate().unwrap()] };
    for (port, security) in [(server.tls_port(), Security::Tls), (server.port(), Security::StartTls)] {
        let account = Account { security, ..account(port) };
        let trusting = Fetcher { account: account.clone(), resolve: Arc::new(Loopback), trust: trust.clone() };
        assert_eq!(trusting.check().await, Ok(0), "{security:?} {}", server.log());
        assert_eq!(fetcher(account.clone()).check().await.unwrap_err().reason, Reason::Tls);
        let other_name = Fetcher { account: Account { host: "imap.other.cn".into(), ..account }, ..trusting };
        assert_eq!(other_name.check().await.unwrap_err().reason, Reason::Tls);
    }
}

#[tokio::test]
async fn failures_are_named() {
    let server = Dovecot::start().unwrap();
    let reason = |account: Account| async { fetcher(account).check().await.unwrap_err().reason };
    assert_eq!(reason(Account { password: "wrong".into(), ..account(server.port()) }).await, Reason::Login);
    assert_eq!(reason(Account { folder: "Nowhere".into(), ..account(server.port()) }).await, Reason::Folder);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(reason(account(nobody)).await, Reason::Connection);
    let strict = Fetcher { resolve: Arc::new(AddressPolicy::new([])), ..fetcher(account(server.port())) };
    assert_eq!(strict.check().await.unwrap_err().reason, Reason::AddressNotAllowed);
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = Dovecot::start().unwrap();
    let store = Arc::new(Store::default());
    server.deliver("support", &mail("one")).unwrap();
    let running = Running::start(&fetcher(account(server.port())), &store);
    store.until("one", |store| store.waiting() == 1).await;
    server.disconnect("support").unwrap();
    store.until("lost", |store| store.failures() == [Reason::Connection]).await;
    server.deliver("support", &mail("two")).unwrap();
    store.until("two", |store| store.subjects() == ["one", "two"]).await;
    running.stop().await;
}
