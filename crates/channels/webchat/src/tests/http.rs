use super::shop::{SECRET, Shop, id};
use crate::identity::signing::sign;
use channel::{ChannelConfig, NoQueue, QueueInfo, QueuePlace};
use domain::limits::CHAT_MESSAGE_CHARS;
use domain::{CaseId, Span, Timestamp, WorkspaceId};
use http::Method;
use serde_json::{Value, json};
use spine::Refusal;
use std::sync::Arc;

#[tokio::test]
async fn a_visitor_writes_and_reads_the_answer_but_no_note() {
    let shop = Shop::open();
    let mut visitor = shop.browser();
    let session = visitor.session(None).await;
    assert_eq!((&session["greeting"], &session["brand"]), (&json!("Hello"), &json!("Qinghe")));
    assert_eq!(
        (&session["identified"], &session["thread"], &session["queue"]),
        (&json!(false), &json!([]), &json!(null))
    );
    let said = visitor.say(100, "Where is\u{7} my kettle?\r\n").await.ok();
    assert_eq!(said["message"]["text"], "Where is my kettle?");
    assert_eq!((&said["message"]["mine"], &said["message"]["seq"]), (&json!(true), &json!(1)));
    let case = shop.cases()[0];
    shop.note(case, 200, "canary: a thief").await;
    shop.answer(case, 201, "On its way.").await;
    assert_eq!(visitor.texts(0).await, ["Where is my kettle?", "On its way."]);
    assert_eq!(visitor.texts(1).await, ["On its way."]);
    let page = visitor.ask(Method::GET, "messages?after=0", None, &[]).await;
    assert!(!page.text().contains("canary"), "{}", page.text());
    let answer = &page.json()["items"][1];
    assert_eq!((&answer["author"], &answer["mine"], &answer["system"]), (&json!("Emma"), &json!(false), &json!(false)));
    // Another visitor sees nothing of it.
    let mut other = shop.browser();
    other.session(None).await;
    assert!(other.texts(0).await.is_empty());
}

#[tokio::test]
async fn the_same_id_is_the_same_message() {
    let shop = Shop::open();
    let (mut visitor, mut other) = (shop.browser(), shop.browser());
    visitor.session(None).await;
    other.session(None).await;
    let body = json!({ "id": id(100), "text": "once" });
    let headers = [("idempotency-key", &*id(100))];
    for _ in 0..3 {
        let _ = visitor.ask(Method::POST, "messages", Some(body.clone()), &headers).await.ok();
        let _ = visitor.say(100, "once").await.ok();
    }
    assert_eq!((shop.cases().len(), visitor.texts(0).await), (1, vec!["once".to_owned()]));
    assert_eq!(visitor.say(100, "twice").await.code(), "idempotency_key_reused");
    // An id that another visitor used tells nothing about what it stands for.
    for answer in [other.say(100, "once").await, other.ask(Method::POST, "messages", Some(body), &headers).await] {
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "idempotency_key_reused".to_owned()));
    }
    assert!(other.texts(0).await.is_empty());
}

#[tokio::test]
async fn after_a_closed_case_a_new_one_goes_on_in_the_same_thread() {
    let shop = Shop::open();
    let mut visitor = shop.browser();
    visitor.session(None).await;
    let _ = visitor.say(100, "one").await.ok();
    shop.close(shop.cases()[0]).await;
    let said = visitor.say(101, "two").await.ok();
    assert_eq!(shop.cases().len(), 2);
    let seq = said["message"]["seq"].as_i64().unwrap();
    assert!(seq > 1);
    shop.answer(shop.cases()[1], 201, "three").await;
    assert_eq!(visitor.texts(0).await, ["one", "two", "three"]);
    assert_eq!(visitor.texts(seq).await, ["three"]);
    assert_eq!(shop.customers()[0], shop.customers()[1]);
    // What the log tells does not put a conversation in the thread twice.
    shop.spine.run_due().await.unwrap();
    assert_eq!(visitor.texts(0).await.len(), 3);
}

#[tokio::test]
async fn only_listed_sites_get_in() {
    let shop = Shop::open();
    for (origin, status) in [
        (Some("https://shop.example"), 200),
        (Some("http://steward.test"), 200),
        (Some("https://evil.example"), 403),
        (Some("https://shop.example.evil.example"), 403),
        (Some("http://shop.example"), 403),
        (Some("null"), 403),
        (None, 403),
    ] {
        let mut browser = shop.browser();
        browser.origin = origin.map(str::to_owned);
        let answer = browser.post("session", json!({})).await;
        assert_eq!(answer.status.as_u16(), status, "{origin:?}");
        let shared = answer.headers.get("access-control-allow-origin").and_then(|v| v.to_str().ok());
        assert_eq!(shared, origin.filter(|_| status == 200), "{origin:?}");
        let ask = [("access-control-request-method", "POST")];
        let preflight = browser.ask(Method::OPTIONS, "messages", None, &ask).await;
        let expected = if status == 200 { 204 } else { 403 };
        assert_eq!(preflight.status.as_u16(), expected, "{origin:?}");
        assert_eq!(preflight.headers.contains_key("access-control-allow-headers"), status == 200);
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
    let mut nowhere = shop.browser();
    nowhere.key = "nowhere";
    assert_eq!(nowhere.post("session", json!({})).await.status.as_u16(), 404);
    // A refusal inside the door is readable for the site too.
    let refused = shop.browser().say(1, "x").await;
    assert_eq!(refused.code(), "unauthenticated");
    assert!(refused.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_token_is_good_on_its_channel_only_and_nothing_else_is_one() {
    let shop = Shop::open();
    let mut visitor = shop.browser();
    visitor.session(None).await;
    let token = visitor.token.clone().unwrap();
    for token in
        ["", "null", "st_", &token.to_lowercase(), &token[1..], &format!("{token}x"), &web::secret::text([0; 32])]
    {
        let mut wrong = visitor.clone();
        wrong.token = Some(token.to_owned());
        assert_eq!(wrong.ask(Method::GET, "messages", None, &[]).await.status.as_u16(), 401, "{token:?}");
    }
    let mut elsewhere = visitor.clone();
    elsewhere.key = "other";
    assert_eq!(elsewhere.ask(Method::GET, "messages", None, &[]).await.status.as_u16(), 401);
    shop.switch_off();
    assert_eq!(visitor.ask(Method::GET, "messages", None, &[]).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_signed_person_finds_their_thread_on_another_device() {
    let shop = Shop::open();
    let (mut laptop, mut phone) = (shop.browser(), shop.browser());
    let session = laptop.session(Some(&shop.identity(json!({})))).await;
    assert_eq!(session["identified"], true);
    let _ = laptop.say(100, "from the laptop").await.ok();
    let session = phone.session(Some(&shop.identity(json!({})))).await;
    assert_eq!(session["thread"][0]["text"], "from the laptop");
    assert_ne!(laptop.token, phone.token);
    let _ = phone.say(101, "from the phone").await.ok();
    assert_eq!(shop.cases().len(), 1);
    assert_eq!(laptop.texts(0).await, ["from the laptop", "from the phone"]);
    // Somebody else signed on the same channel, and the same name on another channel, are strangers.
    let mut stranger = shop.browser();
    assert_eq!(stranger.session(Some(&shop.identity(json!({ "sub": "u2" })))).await["thread"], json!([]));
    let mut other = shop.browser();
    other.key = "other";
    assert_eq!(other.session(Some(&shop.identity(json!({ "aud": "other" })))).await["thread"], json!([]));
}

#[test]
fn what_was_said_before_signing_in_goes_along() {
    testkit::on_both_engines(|ground| {
        let shop = Shop::on(ground, Arc::new(NoQueue));
        tokio::runtime::Runtime::new().unwrap().block_on(signs_in_later(&shop));
    });
}

async fn signs_in_later(shop: &Shop) {
    let (mut laptop, mut phone) = (shop.browser(), shop.browser());
    laptop.session(Some(&shop.identity(json!({})))).await;
    let _ = laptop.say(100, "old").await.ok();
    phone.session(None).await;
    let _ = phone.say(101, "anonymous").await.ok();
    let before = phone.token.clone();
    let session = phone.session(Some(&shop.identity(json!({})))).await;
    let texts: Vec<&str> = session["thread"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["old", "anonymous"]);
    assert_ne!(phone.token, before, "the token changes with what it may see");
    let customers = shop.customers();
    assert_eq!((customers.len(), customers[0]), (2, customers[1]));
    let _ = phone.say(102, "and more").await.ok();
    shop.answer(shop.cases()[1], 201, "answer").await;
    assert_eq!(laptop.texts(0).await, ["old", "anonymous", "and more", "answer"]);
    let mut dead = phone.clone();
    dead.token = before;
    assert_eq!(dead.ask(Method::GET, "messages", None, &[]).await.status.as_u16(), 401);
    // Another person signing in on this browser gets nothing of this one's.
    let session = phone.session(Some(&shop.identity(json!({ "sub": "u2" })))).await;
    assert_eq!(session["thread"], json!([]));
}

#[tokio::test]
async fn a_wrong_statement_is_refused_and_a_nonce_counts_once() {
    let shop = Shop::open();
    let mut victim = shop.browser();
    victim.session(Some(&shop.identity(json!({})))).await;
    let _ = victim.say(100, "private").await.ok();
    let exp = shop.spine.now().as_micros() / 1_000_000 + 600;
    let body = json!({ "sub": "u1", "aud": "shop", "exp": exp });
    let table: Vec<(String, &str)> = vec![
        (sign(&json!({ "alg": "HS256" }), &body, "forged-forged-forged-forged-forged"), "signature"),
        (sign(&json!({ "alg": "none" }), &body, SECRET), "algorithm"),
        (shop.identity(json!({ "aud": "other" })), "audience"),
        (shop.identity(json!({ "exp": exp - 601 })), "expired"),
        (sign(&json!({ "alg": "HS256" }), &json!({ "aud": "shop", "exp": exp }), SECRET), "subject"),
    ];
    for (identity, reason) in table {
        let answer = shop.browser().post("session", json!({ "identity": identity })).await;
        assert_eq!(
            (answer.code(), &answer.json()["params"]["reason"]),
            ("invalid_identity".to_owned(), &json!(reason))
        );
        assert!(!answer.text().contains("private"));
    }
    let once = shop.identity(json!({ "nonce": "n1" }));
    let mut device = shop.browser();
    assert_eq!(device.session(Some(&once)).await["thread"][0]["text"], "private");
    // The browser that used it may show it again; a thief may not.
    device.session(Some(&once)).await;
    let replay = shop.browser().post("session", json!({ "identity": once })).await;
    assert_eq!(replay.json()["params"]["reason"], "replayed");
}

#[tokio::test]
async fn a_typed_address_finds_nobody() {
    let shop = Shop::open();
    let mut owner = shop.browser();
    let identity = shop.identity(json!({ "email": "li@example.com", "email_verified": true }));
    owner.session(Some(&identity)).await;
    let _ = owner.say(100, "private").await.ok();
    let mut thief = shop.browser();
    thief.session(None).await;
    let _ = thief.post("email", json!({ "email": "Li@Example.com" })).await.ok();
    let _ = thief.say(101, "it is me").await.ok();
    let _ = thief.post("email", json!({ "email": "li@example.com" })).await.ok();
    let session = thief.session(None).await;
    assert_eq!((&session["claimed_email"], &session["identified"]), (&json!("li@example.com"), &json!(false)));
    assert_eq!(thief.texts(0).await, ["it is me"]);
    let customers = shop.customers();
    assert_ne!(customers[0], customers[1]);
    for wrong in ["", "a", "a@b@c", "a@b\r\nBcc: c@d", "<a@b>"] {
        assert_eq!(
            thief.post("email", json!({ "email": wrong })).await.json()["fields"]["email"]["code"],
            "invalid_address"
        );
        shop.ground.clock.advance(Span::minutes(3));
    }
}

#[tokio::test]
async fn limits_hold_at_the_edge() {
    let shop = Shop::open();
    let mut visitor = shop.browser();
    visitor.session(None).await;
    let _ = visitor.say(1, &"好".repeat(CHAT_MESSAGE_CHARS)).await.ok();
    assert_eq!(visitor.say(2, &"好".repeat(CHAT_MESSAGE_CHARS + 1)).await.json()["fields"]["text"]["code"], "too_long");
    assert_eq!(visitor.say(3, " \n\u{7} ").await.code(), "empty_message");
    let six: Vec<String> = (0..6).map(id).collect();
    let many = visitor.post("messages", json!({ "id": id(4), "text": "x", "attachments": six })).await;
    assert_eq!(many.json()["fields"]["attachments"]["code"], "too_many");
    let mut last = None;
    for n in 10..60 {
        last = Some(visitor.say(n, "spam").await);
    }
    let last = last.unwrap();
    assert_eq!(last.code(), "rate_limited");
    assert!(last.headers.contains_key("retry-after"));
}

fn png() -> Vec<u8> {
    // 1 x 1 pixel.
    use base64::Engine as _;
    let text = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[tokio::test]
async fn files_go_with_the_message_of_whoever_sent_them() {
    let shop = Shop::open();
    let (mut visitor, mut thief) = (shop.browser(), shop.browser());
    visitor.session(None).await;
    thief.session(None).await;
    let picture = visitor.upload("../../a b\".png", "text/html", &png()).await.ok();
    assert_eq!(
        (&picture["mime"], &picture["width"], &picture["name"]),
        (&json!("image/png"), &json!(1), &json!("a b"))
    );
    let page = visitor.upload("x.html", "text/html", b"<script>alert(1)</script>").await.ok();
    assert_eq!(page["mime"], "application/octet-stream");
    let body = json!({ "id": id(100), "text": "", "attachments": [picture["id"], page["id"]] });
    let stolen = thief.post("messages", body.clone()).await;
    assert_eq!(stolen.json()["fields"]["attachments"]["code"], "unknown_reference");
    let sent = visitor.post("messages", body.clone()).await.ok();
    let _ = visitor.post("messages", body).await.ok();
    let files = sent["message"]["attachments"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(visitor.upload("empty", "text/plain", b"").await.json()["fields"]["file"]["code"], "required");
    for file in files {
        let url = file["url"].as_str().unwrap().strip_prefix("/api/widget/shop/").unwrap();
        // A picture is fetched without origin and without token.
        let mut nobody = shop.browser();
        nobody.origin = None;
        let got = nobody.ask(Method::GET, url, None, &[]).await;
        assert_eq!(got.status.as_u16(), 200);
        let inline = file["mime"] == "image/png";
        let disposition = got.headers["content-disposition"].to_str().unwrap();
        assert_eq!(disposition.starts_with("inline"), inline, "{disposition}");
        assert_eq!(got.headers["x-content-type-options"], "nosniff");
        assert!(got.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
        assert_eq!(got.headers["cross-origin-resource-policy"], "cross-origin");
        let (path, permission) = url.split_once("?t=").unwrap();
        let (day, mac) = permission.split_once('.').unwrap();
        let later = (day.parse::<i64>().unwrap() + 1).to_string();
        for wrong in
            [path.to_owned(), format!("{path}?t="), format!("{path}?t={later}.{mac}"), format!("{path}?t={day}.")]
        {
            assert_eq!(nobody.ask(Method::GET, &wrong, None, &[]).await.status.as_u16(), 404, "{wrong}");
        }
        shop.ground.clock.advance(Span::days(9));
        assert_eq!(nobody.ask(Method::GET, url, None, &[]).await.status.as_u16(), 404);
        shop.ground.clock.advance(Span::days(-9));
    }
}

struct ThirdInLine;
impl QueueInfo for ThirdInLine {
    fn place(
        &self,
        _: &mut db::Read<'_>,
        _: WorkspaceId,
        _: CaseId,
        _: Timestamp,
    ) -> Result<Option<QueuePlace>, Refusal> {
        Ok(Some(QueuePlace { position: 3, expected_wait: Some(Span::minutes(2)) }))
    }
    fn online(&self, _: &mut db::Read<'_>, _: &ChannelConfig) -> Result<bool, Refusal> {
        Ok(false)
    }
}

#[tokio::test]
async fn the_visitor_learns_the_place_in_the_queue() {
    let shop = Shop::with(Arc::new(ThirdInLine));
    let mut visitor = shop.browser();
    let session: Value = visitor.session(None).await;
    assert_eq!((&session["queue"], &session["online"]), (&json!(null), &json!(false)));
    let _ = visitor.say(1, "hello").await.ok();
    let page = visitor.ask(Method::GET, "messages?after=0", None, &[]).await.ok();
    assert_eq!(page["queue"], json!({ "position": 3, "expected_wait_seconds": 120 }));
}

#[tokio::test]
async fn the_test_page_embeds_the_widget() {
    let shop = Shop::open();
    let page = shop.browser().client.get("/widget/test/shop").await;
    assert!(page.text().contains("data-channel=\"shop\""));
    assert_eq!(shop.browser().client.get("/widget/test/%22%3E%3Cscript%3E").await.status.as_u16(), 404);
}

#[test]
fn statements_fit_both_engines() {
    testkit::on_both_engines(|ground| {
        let mut problems = db::check_statements(&ground.db);
        problems.retain(|problem| problem.place.contains("channels"));
        assert!(problems.is_empty(), "{problems:?}");
    });
}
