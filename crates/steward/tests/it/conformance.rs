//! The same enquiry on every channel: the same case, the same process, the same steps in the audit trail.

use crate::app::TestApp;
use channel::testing::Enquiry;
use channel::{ChannelConfig, Inbound};
use domain::{ChannelId, MessageId};
use serde_json::{Value, json};
use uuid::Uuid;

const SERVER: &str = r#"{"host": "127.0.0.1", "port": 1, "security": "none", "user": ""}"#;

fn settings(kind: &str) -> Value {
    let smtp: Value = serde_json::from_str(SERVER).unwrap();
    match kind {
        "email" => json!({"address": "help@spruce.example", "display_name": "Spruce", "imap": null, "smtp": smtp,
            "receive": "smtp", "signature": "", "autoreply": false}),
        "webchat" => {
            json!({"origins": ["http://steward.test"], "color": "#0f766e", "greeting_zh": "", "greeting_en": "", "ask_email": false})
        }
        "webform" => json!({"title_zh": "联系我们", "title_en": "Contact"}),
        "api" => json!({"outbound_url": null}),
        _ => json!({}),
    }
}

fn inbound(app: &TestApp, kind: &str, config: &ChannelConfig, enquiry: &Enquiry) -> Inbound {
    match kind {
        "email" => {
            let protocol = app.assembled.mail();
            email::enquiry::enquiry(protocol, config, enquiry).unwrap()
        }
        "webchat" => webchat::testing::enquiry(config, enquiry),
        "webform" => webform::testing::enquiry(config, enquiry),
        "api" => api::testing::enquiry(config, enquiry),
        _ => manual::testing::enquiry(config, enquiry),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_enquiry_gives_the_same_case_and_the_same_steps_on_every_channel() {
    let mut app = TestApp::new().await;
    let mut told: Vec<(&str, Value)> = Vec::new();
    for (n, kind) in ["webchat", "email", "webform", "api", "phone", "counter"].into_iter().enumerate() {
        let made = app.channel(kind, settings(kind)).await;
        let id: ChannelId = made["id"].as_str().unwrap().parse().unwrap();
        let config = conversations::channels::by_id(app.spine(), app.workspace, id).await.unwrap();
        let enquiry = Enquiry {
            name: "Ann Customer".to_owned(),
            address: format!("ann{n}@mail.example"),
            subject: "Where is my parcel?".to_owned(),
            text: "I ordered ten days ago.\nWhere is it?".to_owned(),
            message: MessageId(Uuid::from_u128(100 + n as u128)),
            at: app.spine().now(),
        };
        let message = inbound(&app, kind, &config, &enquiry);
        let received = conversations::receive(app.spine(), &config, message.clone()).await.unwrap();
        let again = conversations::receive(app.spine(), &config, message).await.unwrap();
        assert_eq!((received.case, received.message), (again.case, again.message), "{kind}");
        app.settle().await;
        told.push((kind, story(&mut app, &received.case.to_string()).await));
    }
    let (_, first) = told[0].clone();
    for (kind, story) in &told {
        assert_eq!(*story, first, "{kind} differs from webchat");
    }
}

/// What the desk shows of a case, without what must differ (ids, times, the channel itself).
async fn story(app: &mut TestApp, case: &str) -> Value {
    let shown = app.owner.get(&format!("/api/cases/{case}")).await.ok();
    let timeline = app.owner.get(&format!("/api/cases/{case}/timeline")).await.ok();
    let steps: Vec<Value> = timeline["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| match entry["type"].as_str() {
            Some("message") => {
                json!({"author": entry["message"]["author"]["kind"], "name": entry["message"]["author"]["name"],
                "text": entry["message"]["text"].as_str().unwrap().trim(), "note": entry["message"]["note"]})
            }
            _ => json!({"kind": entry["kind"], "by": entry["actor"]["kind"]}),
        })
        .collect();
    json!({"status": shown["status"], "priority": shown["priority"], "customer": shown["customer"]["name"],
        "assignee": shown["assignee"], "reopened": shown["reopened"], "language": shown["language"], "steps": steps})
}
