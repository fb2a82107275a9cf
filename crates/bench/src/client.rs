//! Load: many visitors, each with one connection, each sending its next message when the last one was accepted.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

pub(crate) struct Load {
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// A plain blocking HTTP connection, for setting up.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    pub(crate) cookie: Option<String>,
}

impl Http {
    pub(crate) fn connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        Some(Self { stream: BufReader::new(stream), cookie: None })
    }

    pub(crate) fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(u16, String)> {
        let host = self.stream.get_ref().peer_addr().ok()?;
        let request = request((method, path), host, headers, body.map(Value::to_string).as_deref());
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        let status = line.split_whitespace().nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "set-cookie" => self.cookie = value.trim().split(';').next().map(str::to_owned),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn request((method, path): (&str, &str), host: SocketAddr, headers: &[(&str, &str)], body: Option<&str>) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text
}

/// Visitors whose conversations have begun.
pub(crate) async fn open(address: SocketAddr, key: &str, clients: usize) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for _ in 0..clients {
        let mut visitor = Visitor::open(address, key).await;
        visitor.say().await;
        visitors.push(visitor);
    }
    visitors
}

/// Lets all of them write for `span`.
pub(crate) async fn load(visitors: Vec<Visitor>, span: Duration) -> Load {
    let begun = Instant::now();
    let tasks: Vec<_> = visitors.into_iter().map(|visitor| tokio::spawn(visitor.write_until(begun + span))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    Load { rate: f64::from(u32::try_from(times.len()).unwrap()) / seconds, p50: at(50), p99: at(99) }
}

pub(crate) struct Visitor {
    stream: tokio::io::BufReader<tokio::net::TcpStream>,
    path: String,
    origin: String,
    authorization: String,
}

impl Visitor {
    async fn open(address: SocketAddr, key: &str) -> Self {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut visitor = Self {
            stream: tokio::io::BufReader::new(stream),
            path: format!("/api/widget/{key}/messages"),
            origin: format!("http://{address}"),
            authorization: String::new(),
        };
        let session = json!({"locale": "en", "page": "http://bench/"}).to_string();
        let (status, body) = visitor.call(&format!("/api/widget/{key}/session"), &session).await;
        assert!(status < 300, "session: {status} {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        visitor.authorization = format!("Visitor {}", body["visitor_token"].as_str().unwrap());
        visitor
    }

    async fn write_until(mut self, end: Instant) -> Vec<Duration> {
        let mut times = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            self.say().await;
            times.push(begun.elapsed());
        }
        times
    }

    async fn say(&mut self) {
        let text = "Hello, where is my parcel? It has been three days.";
        let message = json!({"id": Uuid::now_v7(), "text": text, "attachments": []});
        let path = self.path.clone();
        let (status, body) = self.call(&path, &message.to_string()).await;
        assert!(status < 300, "message: {status} {body}");
    }

    async fn call(&mut self, path: &str, body: &str) -> (u16, String) {
        let mut headers = vec![("origin", self.origin.as_str())];
        if !self.authorization.is_empty() {
            headers.push(("authorization", self.authorization.as_str()));
        }
        let host = self.stream.get_ref().peer_addr().unwrap();
        let text = request(("POST", path), host, &headers, Some(body));
        self.stream.get_mut().write_all(text.as_bytes()).await.unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.unwrap();
            if status == 0 {
                status = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}
