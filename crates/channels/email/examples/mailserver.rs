//! A real mail server for the browser stories: Dovecot for what comes in, an SMTP sink for what goes out.
//!
//! `mailserver <folder>` prints one JSON line `{imap, imap_tls, smtp, password}` and serves until its input ends.
//! Lines on standard input: `deliver <user> <file>` puts a mail into the user's INBOX and answers `delivered`.
//! Each mail the sink takes becomes `<folder>/<number>.eml`, numbered from 1, complete when the file appears.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use email::net::BoxFuture;
use email::smtp_in::{Acceptor, Config, Envelope, NotStored, Receiver, Recipient};
use email::testing::{Dovecot, PASSWORD};

/// Takes mail for everybody and writes it to files: only ever listens on 127.0.0.1.
struct Folder(PathBuf, AtomicUsize);

impl Acceptor for Folder {
    fn recipient<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Recipient> {
        Box::pin(async { Recipient::Ours })
    }

    fn accept(&self, _: Envelope, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), NotStored>> {
        Box::pin(async move {
            let number = self.1.fetch_add(1, Ordering::SeqCst) + 1;
            let staged = self.0.join(format!("{number}.part"));
            std::fs::write(&staged, bytes).map_err(|_| NotStored)?;
            std::fs::rename(staged, self.0.join(format!("{number}.eml"))).map_err(|_| NotStored)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: mailserver <folder>"))?);
    std::fs::create_dir_all(&folder)?;
    let dovecot = Dovecot::start()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let sink = Receiver::start(listener, Arc::new(Folder(folder, AtomicUsize::new(0))), Config::new("sink.test"))?;
    let ports = serde_json::json!({
        "imap": dovecot.port(), "imap_tls": dovecot.tls_port(), "smtp": sink.address().port(), "password": PASSWORD,
    });
    println!("{ports}");
    // Reading standard input blocks, so it has a thread of its own.
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || io::stdin().lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
    while let Some(line) = lines.recv().await {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("deliver"), Some(user), Some(file)) => {
                dovecot.deliver(user, &std::fs::read(Path::new(file))?)?;
                println!("delivered");
            }
            _ => eprintln!("not understood: {line}"),
        }
    }
    Ok(())
}
