//! Forms sent through the routes, on the real intake.

use crate::proof::{Challenge, solve};
use crate::{Webform, WebformChannel};
use axum::Router;
use axum::body::Body;
use conversations::{Handle, Protocols};
use db::{Query, params, sql};
use domain::{ChannelId, Span, WorkspaceId};
use futures_util::future::BoxFuture;
use http::{Method, Request};
use serde_json::{Value, json};
use spine::{Refusal, Spine};
use std::sync::Arc;
use testkit::{Answer, Client, Ground};
use uuid::Uuid;
use web::{App, Authenticate, Identity, Kit, SecretHash, Settings};

sql!(ADD_CHANNEL = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, required_skills, active, created_at) \
    VALUES ($1, $2, 'webform', 'Form', $3, 'contact', '{}', '[]', TRUE, 0)", params: 3);
sql!(CASES = "SELECT subject, customer_id FROM view_case WHERE workspace_id = $1 ORDER BY number", params: 1);
sql!(PARTICIPANTS = "SELECT address, role FROM participant WHERE workspace_id = $1", params: 1);
sql!(LEVELS = "SELECT address, level FROM view_customer_address WHERE workspace_id = $1 ORDER BY address", params: 1);
sql!(FILES = "SELECT name, mime FROM view_attachment WHERE workspace_id = $1 AND message_id IS NOT NULL ORDER BY name", params: 1);

struct Nobody;
impl Authenticate for Nobody {
    fn by_session(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
    fn by_token(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<Identity>, Refusal>> {
        Box::pin(async { Ok(None) })
    }
}

struct Office {
    ground: Ground,
    #[expect(dead_code, reason = "kept alive as long as the routes")]
    spine: Spine,
    ws: WorkspaceId,
    client: Client,
}

impl Office {
    fn open() -> Self {
        let ground = Ground::sqlite();
        let protocols = Protocols::new(vec![Arc::new(WebformChannel)]);
        let features = vec![cases::feature(), customers::feature(), conversations::feature(&protocols)];
        let spine = ground.spine(features);
        let ws = ground.workspace(1);
        let channel = ChannelId(Uuid::from_u128(70));
        let brand = "A <b>&\"brand\"";
        ground.db.write_blocking(move |tx| tx.execute(&ADD_CHANNEL, params![ws, channel, brand])).unwrap();
        let clock = spine.clone();
        let kit = Kit::new(Settings::default(), move || clock.now(), Arc::new(Nobody));
        let app = App::new(&kit).routes(Webform::new(spine.clone(), &kit, Arc::new(Handle)).routes());
        let router: Router = app.build();
        Self { ground, spine, ws, client: Client::new(router) }
    }

    async fn challenge(&mut self) -> Challenge {
        let got = self.client.get("/api/form/contact").await.ok();
        let task = &got["challenge"];
        Challenge {
            salt: task["salt"].as_str().unwrap().to_owned(),
            difficulty_bits: u32::try_from(task["difficulty_bits"].as_u64().unwrap()).unwrap(),
            expires: task["expires"].as_i64().unwrap(),
            signature: task["signature"].as_str().unwrap().to_owned(),
        }
    }

    async fn form(&mut self, n: u128) -> Value {
        let proof = solve(&self.challenge().await);
        json!({
            "id": Uuid::from_u128(n), "name": "Li Na", "email": "Li@Example.com", "subject": "Broken kettle",
            "text": "It leaks.\r\nBadly.", "attachments": [],
            "proof": { "salt": proof.salt, "nonce": proof.nonce, "expires": proof.expires, "signature": proof.signature },
        })
    }

    async fn send(&mut self, form: &Value) -> Answer {
        self.client.post("/api/form/contact", form.clone()).await
    }

    fn cases(&self) -> Vec<(String, Uuid)> {
        let ws = self.ws;
        self.ground.db.read_blocking(move |r| r.query(&CASES, params![ws])).unwrap()
    }
}

#[tokio::test]
async fn a_form_becomes_a_case_of_somebody_unproven() {
    let mut office = Office::open();
    let form = office.form(100).await;
    let number = office.send(&form).await.ok()["number"].clone();
    assert_eq!(number, "1");
    let ws = office.ws;
    type Rows<T> = Vec<(String, T)>;
    let (participants, levels): (Rows<String>, Rows<i64>) = office
        .ground
        .db
        .read_blocking(move |r| {
            Ok::<_, db::Error>((r.query(&PARTICIPANTS, params![ws])?, r.query(&LEVELS, params![ws])?))
        })
        .unwrap();
    assert_eq!(participants, [("li@example.com".to_owned(), "requester".to_owned())]);
    assert_eq!(levels, [("li@example.com".to_owned(), 0)]);
    // The same address again is another unproven somebody: a claim finds nobody.
    let second = office.form(101).await;
    let _ = office.send(&second).await.ok();
    let cases = office.cases();
    assert_eq!(cases.len(), 2);
    assert_ne!(cases[0].1, cases[1].1);
}

#[tokio::test]
async fn the_same_form_is_taken_once_even_with_another_proof() {
    let mut office = Office::open();
    let form = office.form(100).await;
    let first = office.send(&form).await.ok();
    assert_eq!(office.send(&form).await.ok(), first);
    let again = office.form(100).await;
    assert_ne!(again["proof"], form["proof"]);
    assert_eq!(office.send(&again).await.ok(), first);
    let mut other = office.form(100).await;
    other["text"] = json!("Something else");
    assert_eq!(office.send(&other).await.code(), "idempotency_key_reused");
    assert_eq!(office.cases().len(), 1);
}

#[tokio::test]
async fn a_proof_is_asked_for_and_counts_once() {
    let mut office = Office::open();
    let form = office.form(100).await;
    let mut without = form.clone();
    without.as_object_mut().unwrap().remove("proof");
    let mut wrong = form.clone();
    wrong["proof"]["signature"] = json!("x");
    for refused in [&without, &wrong] {
        let answer = office.send(refused).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "proof_required".to_owned()));
    }
    let _ = office.send(&form).await.ok();
    let mut second = form.clone();
    second["id"] = json!(Uuid::from_u128(101));
    assert_eq!(office.send(&second).await.code(), "proof_required");
    let late = office.form(102).await;
    office.ground.clock.advance(Span::hours(3));
    assert_eq!(office.send(&late).await.code(), "proof_required");
    assert_eq!(office.cases().len(), 1);
}

#[tokio::test]
async fn one_address_is_not_flooded() {
    let mut office = Office::open();
    let mut codes = Vec::new();
    for n in 0..12 {
        let form = office.form(200 + n).await;
        codes.push(office.send(&form).await.code());
    }
    assert!(codes[..10].iter().all(String::is_empty), "{codes:?}");
    assert_eq!(codes[10..], ["rate_limited", "rate_limited"]);
}

#[tokio::test]
async fn fields_are_named_when_wrong() {
    let mut office = Office::open();
    let table = [
        ("name", json!(" "), "required"),
        ("name", json!("x".repeat(201)), "too_long"),
        ("email", json!("nobody"), "invalid_address"),
        ("email", json!("a@b\r\nBcc: c@d"), "invalid_address"),
        ("subject", json!("x".repeat(301)), "too_long"),
        ("text", json!("x".repeat(20_001)), "too_long"),
        ("text", json!("\u{7}"), "required"),
        ("attachments", json!([Uuid::from_u128(9)]), "unknown_reference"),
    ];
    let form = office.form(100).await;
    for (field, value, code) in table {
        let mut wrong = form.clone();
        wrong[field] = value;
        let answer = office.send(&wrong).await;
        assert_eq!(answer.json()["fields"][field]["code"], code, "{field}");
    }
    let _ = office.send(&form).await.ok();
}

#[tokio::test]
async fn files_come_along() {
    let mut office = Office::open();
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.html\"\r\nContent-Type: text/html\r\n\r\n<b>\r\n--b--\r\n";
    let request = Request::post("/api/form/contact/attachments")
        .header("host", "steward.test")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let file = office.client.raw(request).await.ok();
    let mut form = office.form(100).await;
    form["attachments"] = json!([file["id"]]);
    let _ = office.send(&form).await.ok();
    let ws = office.ws;
    let files: Vec<(String, String)> = office.ground.db.read_blocking(move |r| r.query(&FILES, params![ws])).unwrap();
    assert_eq!(files, [("a.html".to_owned(), "application/octet-stream".to_owned())]);
}

#[tokio::test]
async fn other_sites_scripts_stay_out() {
    let mut office = Office::open();
    let form = office.form(100).await;
    let request = Request::post("/api/form/contact")
        .header("host", "steward.test")
        .header("origin", "https://evil.example")
        .header("content-type", "application/json")
        .body(Body::from(form.to_string()))
        .unwrap();
    assert_eq!(office.client.raw(request).await.code(), "cross_site");
}

#[tokio::test]
async fn the_page_is_safe_and_works_without_a_script() {
    let mut office = Office::open();
    for (accept, word) in [("en", "Contact us"), ("zh-CN", "联系我们")] {
        let request = Request::get("/form/contact").header("accept-language", accept).body(Body::empty()).unwrap();
        let page = office.client.raw(request).await;
        let text = page.text();
        assert!(text.contains(word) && text.contains("A &lt;b&gt;&amp;&quot;brand&quot;"), "{text}");
        assert!(!text.contains("{{") && !text.contains(" style=") && !text.contains("javascript:"), "{text}");
        assert!(!text.contains("<script>"));
    }
    let send = async |client: &mut Client, body: &'static str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/form/contact")
            .header("host", "steward.test")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        client.raw(request).await
    };
    let good = "name=Li&email=li%40example.com&subject=%3Cscript%3E&text=hello";
    let page = send(&mut office.client, good).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.text().contains("Your reference is 1.") && !page.text().contains("script"), "{}", page.text());
    assert_eq!(send(&mut office.client, "name=Li&email=x&subject=a&text=b").await.status.as_u16(), 422);
    assert_eq!(send(&mut office.client, good).await.status.as_u16(), 200);
    // Three an hour without proof.
    assert_eq!(send(&mut office.client, good).await.status.as_u16(), 429);
    assert_eq!(office.cases().len(), 2);
}

#[test]
fn statements_fit_both_engines() {
    testkit::on_both_engines(|ground| {
        let mut problems = db::check_statements(&ground.db);
        problems.retain(|problem| problem.place.contains("channels"));
        assert!(problems.is_empty(), "{problems:?}");
    });
}
