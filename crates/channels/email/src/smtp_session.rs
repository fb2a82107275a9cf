//! One SMTP connection (RFC 5321), from greeting to goodbye.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use smtp_proto::{Error, MailFrom, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::address;
use crate::net::Wire;
use crate::smtp_data::{DataReader, Progress};
use crate::smtp_in::{Acceptor, Config, Envelope, Recipient};

/// Longest command line, bytes with CRLF (RFC 5321 says 512; parameters may add to it).
const LINE_BYTES: usize = 2_048;
/// Received headers after which a mail is taken for a loop (RFC 5321 section 6.3 says at least 100).
const HOPS: usize = 100;

/// A transaction between MAIL and the end of DATA.
#[derive(Default)]
struct Transaction {
    from: Option<String>,
    recipients: Vec<String>,
}

/// What happens after a command.
enum Next {
    Command,
    StartTls,
    Data,
    Close,
}

pub(crate) struct Session {
    stream: Box<dyn Wire>,
    peer: SocketAddr,
    acceptor: Arc<dyn Acceptor>,
    config: Arc<Config>,
    stopped: watch::Receiver<bool>,
    input: Vec<u8>,
    output: Vec<u8>,
    helo: Option<String>,
    tls: bool,
    transaction: Transaction,
    errors: usize,
}

impl Session {
    pub(crate) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        acceptor: Arc<dyn Acceptor>,
        config: Arc<Config>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            stream: Box::new(stream),
            peer,
            acceptor,
            config,
            stopped,
            input: Vec::new(),
            output: Vec::new(),
            helo: None,
            tls: false,
            transaction: Transaction::default(),
            errors: 0,
        }
    }

    pub(crate) async fn run(mut self) -> io::Result<()> {
        let greeting = format!("220 {} ESMTP", self.config.hostname);
        self.say(&greeting);
        for _ in 0..self.config.commands {
            let Some(line) = self.line().await? else { return self.flush().await };
            match self.command(&line).await {
                Next::Command => {}
                Next::Close => return self.flush().await,
                Next::StartTls => self.start_tls().await?,
                Next::Data => {
                    if !self.data().await? {
                        return self.flush().await;
                    }
                }
            }
            if self.errors > self.config.errors {
                self.say("421 4.7.0 Too many errors");
                return self.flush().await;
            }
        }
        self.say("421 4.7.0 Too many commands");
        self.flush().await
    }

    fn say(&mut self, answer: &str) {
        self.output.extend_from_slice(answer.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    fn refuse(&mut self, answer: &str) -> Next {
        self.errors += 1;
        self.say(answer);
        Next::Command
    }

    async fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        let write = async {
            self.stream.write_all(&output).await?;
            self.stream.flush().await
        };
        tokio::time::timeout(self.config.command_time, write)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// The next command line with its CRLF; `None` when the connection is to be closed.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                let clean = line.strip_suffix(b"\r\n").is_some_and(|text| !text.contains(&b'\r') && !text.contains(&0));
                if clean && line.len() <= LINE_BYTES {
                    return Ok(Some(line));
                }
                // The rest may be content meant for another server's eyes.
                self.say("500 5.5.2 Line refused");
                return Ok(None);
            }
            if self.input.len() > LINE_BYTES {
                self.say("500 5.5.2 Line too long");
                return Ok(None);
            }
            // Answers wait until the client has nothing more to say (PIPELINING).
            self.flush().await?;
            let idle = self.transaction.from.is_none();
            let mut stopped = self.stopped.clone();
            let read = tokio::select! {
                read = tokio::time::timeout(self.config.command_time, self.stream.read_buf(&mut self.input)) => read,
                _ = stopped.wait_for(|stop| *stop), if idle => {
                    self.say("421 4.3.2 Shutting down");
                    return Ok(None);
                }
            };
            match read {
                Ok(Ok(0)) => return Ok(None),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    self.say("421 4.4.2 Timeout");
                    return Ok(None);
                }
            }
        }
    }

    async fn command(&mut self, line: &[u8]) -> Next {
        match Request::parse(&mut line.iter()) {
            Ok(Request::Ehlo { host }) => self.hello(&host, true),
            Ok(Request::Helo { host }) => self.hello(&host, false),
            Ok(Request::StartTls) => self.offer_tls(),
            Ok(Request::Mail { from }) => self.mail(&from),
            Ok(Request::Rcpt { to }) => self.recipient(&to.address).await,
            Ok(Request::Data) if self.transaction.recipients.is_empty() => self.refuse("503 5.5.1 Recipients first"),
            Ok(Request::Data) => {
                self.say("354 End with CRLF.CRLF");
                Next::Data
            }
            Ok(Request::Rset) => {
                self.transaction = Transaction::default();
                self.say("250 2.0.0 Ok");
                Next::Command
            }
            Ok(Request::Noop { .. }) => {
                self.say("250 2.0.0 Ok");
                Next::Command
            }
            Ok(Request::Vrfy { .. }) => {
                self.say("252 2.5.2 Send it and see");
                Next::Command
            }
            Ok(Request::Help { .. }) => {
                self.say("214 2.0.0 RFC 5321");
                Next::Command
            }
            Ok(Request::Quit) => {
                self.say("221 2.0.0 Bye");
                Next::Close
            }
            Ok(_) => self.refuse("502 5.5.1 Not implemented"),
            Err(Error::UnknownCommand) => self.refuse("500 5.5.1 Unknown command"),
            Err(Error::InvalidSenderAddress) => self.refuse("553 5.1.7 Bad sender address"),
            Err(Error::InvalidRecipientAddress) => self.refuse("553 5.1.3 Bad recipient address"),
            Err(Error::UnsupportedParameter { .. } | Error::InvalidParameter { .. }) => {
                self.refuse("555 5.5.4 Unsupported parameter")
            }
            Err(_) => self.refuse("501 5.5.2 Syntax error"),
        }
    }

    fn hello(&mut self, host: &str, extended: bool) -> Next {
        let helo: String = host.chars().filter(|c| !c.is_control()).take(255).collect();
        self.helo = Some(helo);
        self.transaction = Transaction::default();
        if !extended {
            let answer = format!("250 {}", self.config.hostname);
            self.say(&answer);
            return Next::Command;
        }
        let mut lines = vec![
            self.config.hostname.clone(),
            "PIPELINING".into(),
            format!("SIZE {}", self.config.size),
            "8BITMIME".into(),
            "SMTPUTF8".into(),
            "ENHANCEDSTATUSCODES".into(),
        ];
        if self.config.tls.is_some() && !self.tls {
            lines.push("STARTTLS".into());
        }
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let answer = format!("250{}{line}", if at == last { ' ' } else { '-' });
            self.say(&answer);
        }
        Next::Command
    }

    fn offer_tls(&mut self) -> Next {
        if self.config.tls.is_none() || self.tls {
            return self.refuse("502 5.5.1 TLS not available");
        }
        if !self.input.is_empty() {
            // Text sent before the handshake would be taken as said inside it.
            self.say("503 5.5.1 No pipelining before TLS");
            return Next::Close;
        }
        self.say("220 2.0.0 Go ahead");
        Next::StartTls
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        self.flush().await?;
        let Some(config) = self.config.tls.clone() else { return Ok(()) };
        let (plain, _) = tokio::io::duplex(1);
        let stream = std::mem::replace(&mut self.stream, Box::new(plain));
        let handshake = tokio_rustls::TlsAcceptor::from(config).accept(stream);
        let secured = tokio::time::timeout(self.config.command_time, handshake)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.stream = Box::new(secured);
        (self.tls, self.helo, self.transaction) = (true, None, Transaction::default());
        self.input.clear();
        Ok(())
    }

    fn mail(&mut self, from: &MailFrom<Cow<'_, str>>) -> Next {
        if self.helo.is_none() {
            return self.refuse("503 5.5.1 EHLO first");
        }
        if self.transaction.from.is_some() {
            return self.refuse("503 5.5.1 One sender is enough");
        }
        if from.size > self.config.size {
            return self.refuse("552 5.3.4 Mail too large");
        }
        if !from.address.is_empty() && address::normalise(&from.address).is_none() {
            return self.refuse("553 5.1.7 Bad sender address");
        }
        self.transaction.from = Some(from.address.to_string());
        self.say("250 2.1.0 Ok");
        Next::Command
    }

    async fn recipient(&mut self, to: &str) -> Next {
        if self.transaction.from.is_none() {
            return self.refuse("503 5.5.1 MAIL first");
        }
        if self.transaction.recipients.len() >= self.config.recipients {
            return self.refuse("452 4.5.3 Too many recipients");
        }
        let Some(known) = address::normalise(to) else { return self.refuse("553 5.1.3 Bad recipient address") };
        match self.acceptor.recipient(&known).await {
            Recipient::Ours => {
                if !self.transaction.recipients.contains(&known) {
                    self.transaction.recipients.push(known);
                }
                self.say("250 2.1.5 Ok");
                Next::Command
            }
            Recipient::Unknown => self.refuse("550 5.1.1 No such mailbox here"),
            Recipient::TryLater => {
                self.say("451 4.3.0 Try again later");
                Next::Command
            }
        }
    }

    /// Reads and stores one mail; false when the connection must be closed.
    async fn data(&mut self) -> io::Result<bool> {
        self.flush().await?;
        let mut reader = DataReader::new(self.config.size);
        let time = self.config.data_time;
        let progress = match tokio::time::timeout(time, self.content(&mut reader)).await {
            Ok(progress) => progress?,
            Err(_) => {
                self.say("421 4.4.2 Timeout");
                return Ok(false);
            }
        };
        if progress == Progress::Bare {
            self.say("521 5.5.2 Bare CR or LF refused");
            return Ok(false);
        }
        if progress == Progress::More {
            return Ok(false);
        }
        let over = reader.is_over();
        let transaction = std::mem::take(&mut self.transaction);
        let envelope = Envelope {
            from: transaction.from.unwrap_or_default(),
            recipients: transaction.recipients,
            helo: self.helo.clone().unwrap_or_default(),
            peer: self.peer,
            tls: self.tls,
        };
        let bytes = reader.into_bytes();
        if over {
            self.refuse("552 5.3.4 Mail too large");
        } else if hops(&bytes) > HOPS {
            self.refuse("554 5.4.6 Mail loop");
        } else if self.acceptor.accept(envelope, bytes).await.is_ok() {
            self.say("250 2.0.0 Stored");
        } else {
            self.say("451 4.3.0 Not stored, try again later");
        }
        Ok(true)
    }

    async fn content(&mut self, reader: &mut DataReader) -> io::Result<Progress> {
        loop {
            let (used, progress) = reader.feed(&self.input);
            self.input.drain(..used);
            // A client that goes on long after the limit is cut off.
            let flood = reader.seen() > self.config.size.saturating_mul(2);
            if progress != Progress::More || flood {
                return Ok(progress);
            }
            let read = tokio::time::timeout(self.config.command_time, self.stream.read_buf(&mut self.input)).await;
            if read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
                return Ok(Progress::More);
            }
        }
    }
}

/// Received headers at the top of a mail.
fn hops(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty()).take(20_000);
    lines.filter(|line| line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"received:"))).count()
}
