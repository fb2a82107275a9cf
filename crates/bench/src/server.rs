//! A steward process under measurement.

use crate::client::Http;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(steward: &Path, data: &Path) -> Self {
        // A port that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(steward)
            .args(["serve", "--no-rate-limits", "true", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .env("STEWARD_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .expect("the steward binary starts");
        let server = Self { child, address };
        let begun = Instant::now();
        while !server.is_ready() {
            assert!(begun.elapsed() < Duration::from_secs(20), "steward does not become ready");
            std::thread::sleep(Duration::from_millis(2));
        }
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn is_ready(&self) -> bool {
        let Some(mut http) = Http::connect(self.address) else { return false };
        http.call("GET", "/health/ready", &[], None).is_some_and(|(status, _)| status == 200)
    }

    /// Resident memory in MB.
    pub(crate) fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
    }

    /// CPU time used so far, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        const TICK_MILLIS: u64 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * TICK_MILLIS)
    }

    /// Creates the owner and a web chat; answers the chat's public key.
    pub(crate) fn set_up(&self) -> String {
        let mut http = Http::connect(self.address).unwrap();
        let origin = format!("http://{}", self.address);
        let owner = json!({"company": "Bench", "name": "Bench", "email": "bench@bench.example",
            "password": "a long enough password 7", "locale": "en", "time_zone": "UTC"});
        let mut headers = vec![("origin", origin.as_str()), ("x-steward-client", "bench")];
        let (status, body) = http.call("POST", "/api/setup", &headers, Some(&owner)).unwrap();
        assert!(status < 300, "set-up: {status} {body}");
        let cookie = http.cookie.clone().unwrap();
        headers.push(("cookie", &cookie));
        let channel = json!({"kind": "webchat", "name": "Bench", "brand": "Bench", "team_id": null, "language": "en",
            "required_skills": [], "active": true,
            "settings": {"origins": [origin], "color": "#0f766e", "greeting_zh": "", "greeting_en": "", "ask_email": false}});
        let (status, body) = http.call("POST", "/api/channels", &headers, Some(&channel)).unwrap();
        assert!(status < 300, "channel: {status} {body}");
        let channel: Value = serde_json::from_str(&body).unwrap();
        channel["public_key"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
