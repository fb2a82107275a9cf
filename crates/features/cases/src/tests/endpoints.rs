//! The desk's way through a case, over the real router.

use super::office::{
    CHAT, CLOSED_CHANNEL, GONE, LI, MAIL, OLGA, Office, PHONE, REASON, SALES, SKILL, SUPPORT, WANG, ZHAO, id,
};
use domain::{CaseId, Span};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Client, Ground};
use uuid::Uuid;

fn text(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn open() -> (Office, CaseId) {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "Where is my order?");
    (office, case)
}

fn answer(message: u128) -> Value {
    json!({"message_id": text(message), "text": "It left today.", "html": "<p>It left <b>today</b>.</p>",
        "attachments": [], "then": "waiting", "seen": text(30_001), "force": false})
}

async fn timeline(client: &mut Client, case: CaseId) -> Vec<Value> {
    let page = client.get(&format!("/api/cases/{case}/timeline")).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_answer_is_held_taken_back_and_sent() {
    let (office, case) = open();
    let mut li = office.agent(LI);
    assert_eq!(li.get("/api/cases?view=mine").await.ok()["items"], json!([]));
    let list = li.get("/api/cases?view=team").await.ok();
    let row = &list["items"][0];
    assert_eq!(
        (&row["unread"], &row["status"], &row["preview"]),
        (&json!(true), &json!("new"), &json!("Where is my order?"))
    );
    assert_eq!((&row["customer"]["name"], &row["channel"]["kind"]), (&json!("王芳 Fang"), &json!("email")));
    office.ground.clock.advance(Span::seconds(5));
    let path = format!("/api/cases/{case}/reply");
    let after = li.post(&path, answer(90_001)).await.ok();
    assert_eq!((&after["status"], &after["waiting_on"]), (&json!("waiting"), &json!("customer")));
    assert_eq!((&after["assignee"]["name"], &after["unread"]), (&json!("Li"), &json!(false)));
    assert_eq!(after["waiting_since"], Value::Null);
    let entries = timeline(&mut li, case).await;
    let kinds: Vec<&str> = entries.iter().map(|e| e["kind"].as_str().unwrap_or("message")).collect();
    let expected =
        ["case.opened", "case.conversation_joined", "message", "message", "case.assigned", "case.status_changed"];
    assert_eq!(kinds, expected);
    let message = &entries[3]["message"];
    assert_eq!(
        (&message["delivery"], &message["author"]["name"], &message["has_html"]),
        (&json!("held"), &json!("Li"), &json!(true))
    );
    assert!(message["held_until"].is_string());
    let me = Uuid::from_u128(LI).to_string();
    assert_eq!(entries[4]["names"][&me], json!("Li"));

    assert_eq!(
        office.agent(OLGA).post(&format!("/api/messages/{}/undo", text(90_001)), json!({})).await.code(),
        "not_yours"
    );
    let back = li.post(&format!("/api/messages/{}/undo", text(90_001)), json!({})).await.ok();
    assert_eq!(back["status"], "new");
    assert!(back["waiting_since"].is_string());
    let draft = li.get(&format!("/api/cases/{case}/draft")).await.ok();
    assert_eq!((&draft["text"], &draft["html"]), (&json!("It left today."), &json!("<p>It left <b>today</b>.</p>")));

    let _ = li.post(&path, answer(90_002)).await.ok();
    assert_eq!(li.get(&format!("/api/cases/{case}/draft")).await.ok()["updated_at"], Value::Null);
    office.spine.run_due().await.unwrap();
    office.ground.clock.advance(Span::seconds(8));
    office.spine.run_due().await.unwrap();
    assert_eq!(li.post(&format!("/api/messages/{}/undo", text(90_002)), json!({})).await.code(), "undo_too_late");
    assert_eq!(timeline(&mut li, case).await.iter().filter(|e| e["message"]["delivery"] == "queued").count(), 1);
}

#[tokio::test]
async fn a_repeated_request_is_one_answer() {
    let (office, case) = open();
    let mut li = office.agent(LI);
    let key = Some(Uuid::from_u128(77));
    let path = format!("/api/cases/{case}/reply");
    for _ in 0..3 {
        let _ = li.send(Method::POST, &path, Some(answer(90_001)), key).await.ok();
    }
    assert_eq!(timeline(&mut li, case).await.iter().filter(|e| e["message"]["author"]["kind"] == "agent").count(), 1);
    assert_eq!(li.send(Method::POST, &path, Some(answer(90_002)), key).await.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn two_who_answer_are_asked() {
    let (office, case) = open();
    office.ground.clock.advance(Span::seconds(1));
    let _ = office.agent(OLGA).post(&format!("/api/cases/{case}/reply"), answer(90_001)).await.ok();
    office.ground.clock.advance(Span::seconds(3));
    let mut li = office.agent(LI);
    let refused = li.post(&format!("/api/cases/{case}/reply"), answer(90_002)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "answered_meanwhile"));
    assert_eq!(refused.json()["params"], json!({"agent": "Olga", "seconds_ago": 3}));
    let mut forced = answer(90_002);
    forced["force"] = json!(true);
    let _ = li.post(&format!("/api/cases/{case}/reply"), forced).await.ok();
    // Who has seen the other's answer is not asked.
    let mut informed = answer(90_003);
    informed["seen"] = json!(text(90_002));
    let _ = office.agent(OLGA).post(&format!("/api/cases/{case}/reply"), informed).await.ok();
}

#[tokio::test]
async fn nobody_reaches_what_they_may_not_see() {
    let (office, case) = open();
    let _ = office.agent(LI).post(&format!("/api/cases/{case}/reply"), answer(90_001)).await.ok();
    let note = json!({"message_id": text(90_009), "text": "x"});
    let calls = [
        (Method::GET, format!("/api/cases/{case}"), None),
        (Method::PATCH, format!("/api/cases/{case}"), Some(json!({"subject": "x"}))),
        (Method::GET, format!("/api/cases/{case}/timeline"), None),
        (Method::POST, format!("/api/cases/{case}/reply"), Some(answer(90_008))),
        (Method::POST, format!("/api/cases/{case}/note"), Some(note)),
        (Method::POST, format!("/api/cases/{case}/status"), Some(json!({"status": "solved"}))),
        (Method::POST, format!("/api/cases/{case}/snooze"), Some(json!({"until": "2027-01-01T00:00:00Z"}))),
        (Method::POST, format!("/api/cases/{case}/assign"), Some(json!({"assignee": null, "team": null}))),
        (Method::POST, format!("/api/cases/{case}/pick"), Some(json!({}))),
        (Method::GET, format!("/api/cases/{case}/draft"), None),
        (Method::PUT, format!("/api/cases/{case}/draft"), Some(json!({"text": "x"}))),
        (Method::DELETE, format!("/api/cases/{case}/draft"), None),
        (Method::POST, format!("/api/cases/{case}/seen"), Some(json!({}))),
        (Method::POST, format!("/api/cases/{case}/unread"), Some(json!({}))),
        (Method::POST, format!("/api/messages/{}/undo", text(90_001)), Some(json!({}))),
        (Method::POST, format!("/api/messages/{}/retry", text(90_001)), Some(json!({}))),
        (Method::GET, format!("/api/messages/{}/html", text(90_001)), None),
        (Method::GET, format!("/api/messages/{}/raw", text(90_001)), None),
    ];
    // Wang works in another team; the other Li has the same id in another company.
    for mut client in [office.agent(WANG), office.foreigner(LI), office.foreigner(OLGA)] {
        for (method, path, body) in &calls {
            let answer = client.send(method.clone(), path, body.clone(), None).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::NOT_FOUND, "not_found"),
                "{method} {path}"
            );
        }
        assert_eq!(client.get("/api/cases").await.ok()["items"], json!([]));
        assert_eq!(client.get("/api/views/counts").await.ok()["counts"]["all"], 0);
    }
    assert_eq!(office.agent(OLGA).get("/api/cases").await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(office.agent(LI).stranger_status("/api/cases").await, StatusCode::UNAUTHORIZED);
}

trait Stranger {
    async fn stranger_status(&self, path: &str) -> StatusCode;
}

impl Stranger for Client {
    async fn stranger_status(&self, path: &str) -> StatusCode {
        self.stranger().get(path).await.status
    }
}

#[tokio::test]
async fn only_who_could_see_it_gets_a_case() {
    let (office, case) = open();
    let path = format!("/api/cases/{case}/assign");
    let mut olga = office.agent(OLGA);
    let body = |user: Option<u128>, team: Option<u128>| json!({"assignee": user.map(text), "team": team.map(text), "note": "please"});
    assert_eq!(olga.post(&path, body(Some(WANG), Some(SALES))).await.code(), "not_a_member");
    assert_eq!(olga.post(&path, body(Some(GONE), Some(SUPPORT))).await.code(), "agent_inactive");
    assert_eq!(olga.post(&path, body(Some(99), Some(SUPPORT))).await.code(), "unknown_reference");
    assert_eq!(olga.post(&path, body(Some(WANG), Some(99))).await.code(), "unknown_reference");
    // Li gives it to the other team and no longer sees it, but gets the answer of this request.
    let gone = office.agent(LI).post(&path, body(Some(WANG), Some(SUPPORT))).await.ok();
    assert_eq!(
        (&gone["team"]["name"], &gone["assignee"]["name"], &gone["status"]),
        (&json!("Support"), &json!("Wang"), &json!("open"))
    );
    assert_eq!(office.agent(LI).get(&format!("/api/cases/{case}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.agent(ZHAO).post(&format!("/api/cases/{case}/pick"), json!({})).await.code(), "already_assigned");
    let _ = office.agent(WANG).post(&path, body(None, Some(SUPPORT))).await.ok();
    let mine = office.agent(ZHAO).post(&format!("/api/cases/{case}/pick"), json!({})).await.ok();
    assert_eq!(mine["assignee"]["name"], "Zhao");
}

#[tokio::test]
async fn the_server_says_what_is_allowed() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, PHONE, Some(SALES), "called");
    let mut li = office.agent(LI);
    let can = li.get(&format!("/api/cases/{case}")).await.ok()["can"].clone();
    assert_eq!(can["reply"], json!({"allowed": false, "reason": "no_way_to_reply"}));
    assert_eq!(can["pick"], json!({"allowed": true, "reason": null}));
    assert_eq!(can["status"]["closed"], json!({"allowed": false, "reason": "status_not_allowed"}));
    assert_eq!(li.post(&format!("/api/cases/{case}/reply"), answer(90_001)).await.code(), "no_way_to_reply");
    let silent = office.case(2, CLOSED_CHANNEL, Some(SALES), "old");
    assert_eq!(li.get(&format!("/api/cases/{silent}")).await.ok()["can"]["reply"]["reason"], "channel_inactive");
    assert_eq!(li.post(&format!("/api/cases/{silent}/reply"), answer(90_001)).await.code(), "channel_inactive");
    let path = format!("/api/cases/{case}/status");
    for status in ["solved", "closed"] {
        assert_eq!(li.post(&path, json!({"status": status})).await.ok()["status"], status);
    }
    let can = li.get(&format!("/api/cases/{case}")).await.ok()["can"].clone();
    for action in ["reply", "assign", "pick", "snooze", "edit"] {
        assert_eq!(can[action]["reason"], "case_closed", "{action}");
    }
    assert_eq!(can["note"]["allowed"], true);
    assert_eq!(li.post(&path, json!({"status": "open"})).await.code(), "case_closed");
}

#[tokio::test]
async fn status_snooze_and_fields() {
    let (office, case) = open();
    let mut li = office.agent(LI);
    let status = format!("/api/cases/{case}/status");
    assert_eq!(li.post(&status, json!({"status": "waiting"})).await.json()["fields"]["waiting_on"]["code"], "required");
    let waits =
        li.post(&status, json!({"status": "waiting", "waiting_on": "third_party", "reason": "parts"})).await.ok();
    assert_eq!((&waits["status"], &waits["waiting_on"]), (&json!("waiting"), &json!("third_party")));
    let snooze = format!("/api/cases/{case}/snooze");
    assert_eq!(li.post(&snooze, json!({"until": "2020-01-01T00:00:00Z"})).await.code(), "snooze_in_past");
    let asleep = li.post(&snooze, json!({"until": "2026-01-06T00:00:00Z"})).await.ok();
    assert_eq!(asleep["snoozed_until"], "2026-01-06T00:00:00.000000Z");
    let path = format!("/api/cases/{case}");
    let edit = json!({"subject": " Late parcel ", "priority": "urgent", "reason_id": text(REASON), "tags": ["VIP ", "late"],
        "language": "en", "required_skills": [text(SKILL)]});
    let edited = li.patch(&path, edit).await.ok();
    assert_eq!((&edited["subject"], &edited["priority"]), (&json!("Late parcel"), &json!("urgent")));
    assert_eq!((&edited["tags"], &edited["reason"]["name_zh"]), (&json!(["late", "vip"]), &json!("退货")));
    assert_eq!(edited["required_skills"][0]["name"], "Returns");
    assert_eq!(li.patch(&path, json!({"reason_id": null})).await.ok()["reason"], Value::Null);
    for (field, body) in [
        ("reason_id", json!({"reason_id": text(1)})),
        ("required_skills", json!({"required_skills": [text(1)]})),
        ("language", json!({"language": "<b>"})),
        ("subject", json!({"subject": "  "})),
    ] {
        let refused = li.patch(&path, body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(refused.json()["fields"].get(field).is_some(), "{}", refused.text());
    }
}

#[tokio::test]
async fn notes_stay_inside_and_wake_nobody() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, CHAT, Some(SALES), "hi");
    let mut li = office.agent(LI);
    let _ = li.post(&format!("/api/cases/{case}/status"), json!({"status": "solved"})).await.ok();
    let note = |n: u128, who: u128| json!({"message_id": text(n), "text": "look at this", "mentions": [text(who)]});
    let path = format!("/api/cases/{case}/note");
    assert_eq!(li.post(&path, note(90_001, 99)).await.json()["fields"]["mentions"]["code"], "unknown_reference");
    assert_eq!(li.post(&path, note(90_002, WANG)).await.ok()["status"], "solved");
    let entries = timeline(&mut li, case).await;
    let noted = entries.iter().find(|e| e["message"]["note"] == true).unwrap();
    assert_eq!(noted["message"]["delivery"], "none");
    let ws = office.ws;
    use db::Query;
    db::sql!(PUBLIC = "SELECT body_text FROM view_public_message WHERE workspace_id = $1", params: 1);
    let public: Vec<String> = office.ground.db.read_blocking(move |r| r.query(&PUBLIC, db::params![ws])).unwrap();
    assert_eq!(public, ["hi"]);
}

#[tokio::test]
async fn chat_answers_leave_at_once() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, CHAT, Some(SALES), "hi");
    let mut li = office.agent(LI);
    let mut body = answer(90_001);
    body["then"] = json!("stay");
    assert_eq!(li.post(&format!("/api/cases/{case}/reply"), body).await.ok()["status"], "open");
    let entries = timeline(&mut li, case).await;
    assert!(entries.iter().any(|e| e["message"]["delivery"] == "sent"));
    assert_eq!(li.post(&format!("/api/messages/{}/retry", text(90_001)), json!({})).await.code(), "not_failed");
}

#[tokio::test]
async fn drafts_and_unread_are_ones_own() {
    let (office, case) = open();
    let (mut li, mut olga) = (office.agent(LI), office.agent(OLGA));
    let draft = format!("/api/cases/{case}/draft");
    assert_eq!(
        li.put(&draft, json!({"text": "Dear", "html": null, "note": false, "attachments": []})).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(li.get(&draft).await.ok()["text"], "Dear");
    assert_eq!(olga.get(&draft).await.ok()["updated_at"], Value::Null);
    assert_eq!(li.delete(&draft).await.status, StatusCode::NO_CONTENT);
    assert_eq!(li.get(&draft).await.ok()["text"], "");
    let case_path = format!("/api/cases/{case}");
    assert_eq!(li.get(&case_path).await.ok()["unread"], true);
    li.post(&format!("{case_path}/seen"), json!({})).await;
    assert_eq!(li.get(&case_path).await.ok()["unread"], false);
    assert_eq!(olga.get(&case_path).await.ok()["unread"], true);
    office.ground.clock.advance(Span::seconds(1));
    office.say(1, 90_005, "again");
    assert_eq!(li.get(&case_path).await.ok()["unread"], true);
    li.post(&format!("{case_path}/seen"), json!({})).await;
    li.post(&format!("{case_path}/unread"), json!({})).await;
    assert_eq!(li.get(&case_path).await.ok()["unread"], true);
    let large = "x".repeat(domain::limits::MESSAGE_BYTES + 1);
    assert_eq!(li.put(&draft, json!({"text": large})).await.code(), "too_large");
}

/// PostgreSQL stores no NUL; nobody's words are refused for one.
#[test]
fn no_text_holds_nul() {
    testkit::on_both_engines(|ground| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open(ground);
            let case = office.case(1, MAIL, Some(SALES), "Where is my order?");
            let mut olga = office.agent(OLGA);
            let path = format!("/api/cases/{case}");
            let (bad, good) = ("a\0b", "a\u{fffd}b");
            let edited = olga.patch(&path, json!({"subject": bad, "tags": [bad]})).await.ok();
            assert_eq!((&edited["subject"], &edited["tags"]), (&json!(good), &json!([good])));
            assert_eq!(olga.put(&format!("{path}/draft"), json!({"text": bad, "html": bad})).await.status, 204);
            assert_eq!(olga.get(&format!("{path}/draft")).await.ok()["text"], good);
            let note = json!({"message_id": text(90_001), "text": bad});
            assert_eq!(olga.post(&format!("{path}/note"), note).await.status, 200);
            let reply = json!({"message_id": text(90_002), "text": bad, "html": format!("<p>{bad}</p>"), "attachments": [],
                "then": "stay", "seen": text(30_001), "force": true});
            assert_eq!(olga.post(&format!("{path}/reply"), reply).await.ok()["preview"], good);
            let said = timeline(&mut olga, case).await;
            assert_eq!(said.iter().filter(|entry| entry["message"]["text"] == good).count(), 2);
            let canned = json!({"shortcut": "nul", "title": bad, "body": bad});
            assert_eq!(olga.post("/api/canned", canned).await.ok()["title"], good);
            let view = json!({"name": bad, "scope": "mine", "filter": {"all": []}, "sort": "newest"});
            assert_eq!(olga.post("/api/views", view).await.ok()["name"], good);
            assert_eq!(olga.get("/api/cases?q=a%00b").await.ok()["items"].as_array().unwrap().len(), 1);
            assert_eq!(olga.get("/api/cases/%00").await.code(), "not_found");
        });
    });
}

#[tokio::test]
async fn lists_refuse_nonsense() {
    let (office, _) = open();
    let mut li = office.agent(LI);
    for (query, field) in [
        ("sort=random", "sort"),
        ("view=nothing", "view"),
        ("filter=%7B%22sql%22%3A1%7D", "filter"),
        ("limit=0", "limit"),
        ("cursor=abc", "cursor"),
    ] {
        let refused = li.get(&format!("/api/cases?{query}")).await;
        assert!(refused.json()["fields"].get(field).is_some(), "{query}: {}", refused.text());
    }
    let found =
        li.get("/api/cases?q=ORDER&filter=%7B%22unanswered%22%3Atrue%7D&view=all&sort=priority&limit=1").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let _: CaseId = id(1);
}
