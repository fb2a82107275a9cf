//! The SMTP receiver over real sockets.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::smtp_in::Config;
use crate::testing::SmtpSink;

struct Client(TcpStream);

impl Client {
    async fn connect(sink: &SmtpSink) -> Self {
        let mut client = Self(TcpStream::connect(sink.receiver.address()).await.unwrap());
        assert_eq!(client.answer().await, 220);
        client
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Code of the next complete answer; 0 when the server closed.
    async fn answer(&mut self) -> u16 {
        self.text().await.get(..3).map_or(0, |code| code.parse().unwrap())
    }

    async fn text(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\n") {
                let mut byte = [0];
                match self.0.read(&mut byte).await {
                    Ok(1) => line.push(byte[0]),
                    _ => return String::from_utf8_lossy(&text).into_owned(),
                }
            }
            text.extend_from_slice(&line);
            if line.get(3) == Some(&b' ') {
                return String::from_utf8(text).unwrap();
            }
        }
    }

    async fn say(&mut self, line: &str) -> u16 {
        self.send(format!("{line}\r\n")).await;
        self.answer().await
    }

    /// Up to the point where content may be sent.
    async fn ready(sink: &SmtpSink) -> Self {
        let mut client = Self::connect(sink).await;
        for (line, code) in
            [("EHLO c.test", 250), ("MAIL FROM:<a@x.cn>", 250), ("RCPT TO:<support@our.cn>", 250), ("DATA", 354)]
        {
            assert_eq!(client.say(line).await, code, "{line}");
        }
        client
    }
}

#[tokio::test]
async fn a_mail_is_taken_and_stored_before_250() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    let mut client = Client::ready(&sink).await;
    client.send("Subject: x\r\n\r\n..dot\r\n.\r\n").await;
    assert_eq!(client.answer().await, 250);
    let taken = sink.inboxes.taken();
    assert_eq!(taken.len(), 1);
    let (envelope, bytes) = &taken[0];
    assert_eq!(
        (envelope.from.as_str(), envelope.recipients.as_slice(), envelope.helo.as_str(), envelope.tls),
        ("a@x.cn", ["support@our.cn".to_owned()].as_slice(), "c.test", false)
    );
    assert_eq!(bytes, b"Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(client.say("QUIT").await, 221);
}

#[tokio::test]
async fn never_a_relay_and_never_out_of_order() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    let mut client = Client::connect(&sink).await;
    for (line, code) in [
        ("MAIL FROM:<a@x.cn>", 503),
        ("HELO c", 250),
        ("RCPT TO:<support@our.cn>", 503),
        ("DATA", 503),
        ("MAIL FROM:<a@x.cn> SIZE=99999999999", 552),
        ("MAIL FROM:<>", 250),
        ("MAIL FROM:<b@x.cn>", 503),
        ("RCPT TO:<victim@elsewhere.cn>", 550),
        ("RCPT TO:<victim%elsewhere.cn@our.cn>", 250),
        ("DATA", 354),
    ] {
        assert_eq!(client.say(line).await, code, "{line}");
    }
    client.send("x\r\n.\r\n").await;
    assert_eq!(client.answer().await, 250);
    assert_eq!(sink.inboxes.taken()[0].0.recipients, ["victim%elsewhere.cn@our.cn"]);
    let mut client = Client::connect(&sink).await;
    for (line, code) in [
        ("EHLO c", 250),
        ("NOOP", 250),
        ("VRFY x", 252),
        ("AUTH PLAIN AAAA", 502),
        ("STARTTLS", 502),
        ("FOO", 500),
        ("MAIL FROM:<\"a b\"@x>", 553),
        ("RSET", 250),
        ("QUIT", 221),
    ] {
        assert_eq!(client.say(line).await, code, "{line}");
    }
}

#[tokio::test]
async fn storage_failure_is_451_and_the_next_try_works() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    sink.inboxes.set_full(true);
    let mut client = Client::ready(&sink).await;
    client.send("x\r\n.\r\n").await;
    assert_eq!(client.answer().await, 451);
    sink.inboxes.set_full(false);
    for (line, code) in [("MAIL FROM:<a@x.cn>", 250), ("RCPT TO:<support@our.cn>", 250), ("DATA", 354)] {
        assert_eq!(client.say(line).await, code);
    }
    client.send("x\r\n.\r\n").await;
    assert_eq!(client.answer().await, 250);
    assert_eq!(sink.inboxes.taken().len(), 1);
}

#[tokio::test]
async fn no_smuggling() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    let ends: [&[u8]; 8] =
        [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\x00.\r\n", b"\n\n.\r\n\r\n"];
    for end in ends {
        let mut client = Client::ready(&sink).await;
        let mut bytes = b"Subject: outer\r\n\r\ntext".to_vec();
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(
            b"MAIL FROM:<admin@our.cn>\r\nRCPT TO:<support@our.cn>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\n",
        );
        client.send(bytes).await;
        let code = client.answer().await;
        assert!(code == 521 || (code == 250 && end == b"\r\n\x00.\r\n"), "{end:?}: {code}");
        if code == 521 {
            assert_eq!(client.answer().await, 0, "closed after {end:?}");
        }
    }
    let taken = sink.inboxes.taken();
    assert!(taken.iter().all(|(envelope, bytes)| envelope.from == "a@x.cn" && bytes.starts_with(b"Subject: outer")));
    assert_eq!(taken.len(), 1, "only the one whose end is a real one");
    // Bare line ends in commands are refused too.
    for line in [&b"EHLO c\n"[..], b"EHLO c\rMAIL FROM:<a@b.cn>\r\n", b"EHLO \0\r\n"] {
        let mut client = Client::connect(&sink).await;
        client.send(line).await;
        assert_eq!(client.answer().await, 500);
        assert_eq!(client.answer().await, 0);
    }
}

#[tokio::test]
async fn pipelining_and_size() {
    let mut config = Config::new("sink.test");
    config.size = 100;
    let sink = SmtpSink::start_with("our.cn", config).await.unwrap();
    let mut client = Client::connect(&sink).await;
    client.send("EHLO c\r\nMAIL FROM:<a@x.cn> BODY=8BITMIME SIZE=90\r\nRCPT TO:<a@our.cn>\r\nRCPT TO:<b@y.cn>\r\nRCPT TO:<c@our.cn>\r\nDATA\r\n").await;
    let hello = client.text().await;
    assert!(
        hello.contains("SIZE 100")
            && hello.contains("PIPELINING")
            && hello.contains("SMTPUTF8")
            && !hello.contains("STARTTLS")
    );
    for code in [250, 250, 550, 250, 354] {
        assert_eq!(client.answer().await, code);
    }
    client.send(format!("{}\r\n.\r\nNOOP\r\n", "x".repeat(98))).await;
    assert_eq!(client.answer().await, 250, "exactly the limit");
    assert_eq!(client.answer().await, 250);
    assert_eq!(sink.inboxes.taken()[0].0.recipients.len(), 2);
    for line in ["MAIL FROM:<a@x.cn>", "RCPT TO:<a@our.cn>"] {
        assert_eq!(client.say(line).await, 250);
    }
    assert_eq!(client.say("DATA").await, 354);
    client.send(format!("{}\r\n.\r\n", "x".repeat(99))).await;
    assert_eq!(client.answer().await, 552, "one past the limit");
    assert_eq!(client.say("MAIL FROM:<a@x.cn> SIZE=101").await, 552);
}

#[tokio::test]
async fn limits_of_a_connection() {
    let mut config = Config::new("sink.test");
    (config.per_address, config.errors, config.recipients, config.command_time) = (2, 3, 1, Duration::from_millis(300));
    let sink = SmtpSink::start_with("our.cn", config).await.unwrap();
    let mut first = Client::connect(&sink).await;
    let _second = Client::connect(&sink).await;
    let mut third = Client(TcpStream::connect(sink.receiver.address()).await.unwrap());
    assert_eq!(third.answer().await, 421, "too many from one address");
    for line in ["FOO", "BAR", "BAZ"] {
        assert_eq!(first.say(line).await, 500);
    }
    first.send("QUX\r\n").await;
    assert_eq!((first.answer().await, first.answer().await, first.answer().await), (500, 421, 0));
    // The place is free again.
    let mut slow = Client::connect(&sink).await;
    for (line, code) in
        [("EHLO c", 250), ("MAIL FROM:<a@x.cn>", 250), ("RCPT TO:<a@our.cn>", 250), ("RCPT TO:<b@our.cn>", 452)]
    {
        assert_eq!(slow.say(line).await, code);
    }
    assert_eq!((slow.answer().await, slow.answer().await), (421, 0), "idle too long");
    let mut long = Client::connect(&sink).await;
    long.send("x".repeat(5_000)).await;
    assert_eq!(long.answer().await, 500);
}

#[tokio::test]
async fn loops_are_cut() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    let mut client = Client::ready(&sink).await;
    client.send(format!("{}\r\nbody\r\n.\r\n", "Received: from x by y\r\n".repeat(101))).await;
    assert_eq!(client.answer().await, 554);
    assert!(sink.inboxes.taken().is_empty());
}

#[tokio::test]
async fn shutting_down_lets_a_mail_finish() {
    let sink = SmtpSink::start("our.cn").await.unwrap();
    let mut idle = Client::connect(&sink).await;
    let mut busy = Client::ready(&sink).await;
    busy.send("half").await;
    let address = sink.receiver.address();
    let down = tokio::spawn(sink.receiver.shutdown(Duration::from_secs(10)));
    assert_eq!((idle.answer().await, idle.answer().await), (421, 0));
    busy.send(" a mail\r\n.\r\nQUIT\r\n").await;
    assert_eq!(busy.answer().await, 250);
    drop(busy);
    down.await.unwrap();
    assert_eq!(sink.inboxes.taken()[0].1, b"half a mail\r\n");
    assert!(TcpStream::connect(address).await.is_err());
}
