//! Files and HTML as a browser gets them.

use super::office::{LI, MAIL, OLGA, Office, SALES, WANG};
use axum::body::Body;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::io::Cursor;
use testkit::{Answer, Client, Ground};
use uuid::Uuid;

fn png() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(4, 2).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// The key of an agent of the first company, as the office cut it.
fn bearer(user: u128) -> String {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&1_u128.to_be_bytes());
    bytes[16..].copy_from_slice(&user.to_be_bytes());
    format!("Bearer {}", web::secret::api_token(bytes))
}

async fn upload(client: &mut Client, user: u128, (name, mime, content): (&str, &str, &[u8])) -> Answer {
    let mut body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {mime}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = Request::post("/api/attachments")
        .header("host", "steward.test")
        .header("authorization", bearer(user))
        .header(CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap();
    client.raw(request).await
}

fn header(answer: &Answer, name: http::HeaderName) -> String {
    answer.headers.get(name).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn uploads_are_private_until_sent_and_never_run() {
    let office = Office::open(Ground::sqlite());
    let case = office.case(1, MAIL, Some(SALES), "hello");
    let (mut li, mut wang, mut olga) = (office.agent(LI), office.agent(WANG), office.agent(OLGA));
    let picture = upload(&mut li, LI, ("../猫.png", "text/html", &png())).await.ok();
    assert_eq!(
        (&picture["mime"], &picture["width"], &picture["name"]),
        (&json!("image/png"), &json!(4), &json!("猫.png"))
    );
    let page = upload(&mut li, LI, ("a.html", "text/html", b"<script>alert(1)</script>")).await.ok();
    let url = |file: &Value| file["url"].as_str().unwrap().to_owned();
    let shown = li.get(&url(&picture)).await;
    assert_eq!((header(&shown, CONTENT_TYPE).as_str(), shown.bytes.len()), ("image/png", png().len()));
    assert!(header(&shown, CONTENT_DISPOSITION).starts_with("inline"));
    let kept = li.get(&url(&page)).await;
    assert_eq!(header(&kept, CONTENT_TYPE), "application/octet-stream");
    assert!(header(&kept, CONTENT_DISPOSITION).starts_with("attachment"));
    assert!(header(&kept, CONTENT_SECURITY_POLICY).contains("sandbox"));
    assert_eq!(olga.get(&url(&page)).await.status, StatusCode::NOT_FOUND, "not sent yet: not even for the owner");

    let html = format!("<p>See <img src=\"{}\" onerror=\"x()\"></p>", url(&picture));
    let message = Uuid::from_u128(90_001).to_string();
    let body = json!({"message_id": message, "text": "See", "html": html, "attachments": [picture["id"], page["id"]],
        "then": "stay", "seen": null, "force": false});
    let path = format!("/api/cases/{case}/reply");
    let mut stolen = body.clone();
    stolen["message_id"] = json!(Uuid::from_u128(90_002));
    assert_eq!(olga.post(&path, stolen).await.json()["fields"]["attachments"]["code"], "unknown_reference");
    let _ = li.post(&path, body).await.ok();
    assert_eq!(olga.get(&url(&page)).await.status, StatusCode::OK);
    assert_eq!(wang.get(&url(&page)).await.status, StatusCode::NOT_FOUND);
    let entries = li.get(&format!("/api/cases/{case}/timeline")).await.ok();
    let sent = entries["items"].as_array().unwrap().iter().find(|e| e["message"]["id"] == json!(message)).unwrap();
    let files = sent["message"]["attachments"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|file| file["inline"] == json!(file["id"] == picture["id"])), "{files:?}");

    let frame = li.get(&format!("/api/messages/{message}/html?remote=0")).await;
    assert!(frame.text().contains("<img src=\"data:image/png;base64,"), "{}", frame.text());
    assert!(!frame.text().contains("onerror"));
    let policy = header(&frame, CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("sandbox allow-popups") && policy.contains("img-src data:;"), "{policy}");
    assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"));
    let remote = li.get(&format!("/api/messages/{message}/html?remote=1")).await;
    assert!(header(&remote, CONTENT_SECURITY_POLICY).contains("img-src data: https:"));
    assert_eq!(li.get(&format!("/api/messages/{message}/raw")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn uploads_have_limits() {
    let office = Office::open(Ground::sqlite());
    let mut li = office.agent(LI);
    assert_eq!(upload(&mut li, LI, ("a.txt", "text/plain", b"")).await.json()["fields"]["file"]["code"], "required");
    let most = vec![b'x'; domain::limits::ATTACHMENT_BYTES];
    assert_eq!(upload(&mut li, LI, ("a.txt", "text/plain", &most)).await.status, StatusCode::CREATED);
    let more = vec![b'x'; domain::limits::ATTACHMENT_BYTES + 1];
    let refused = upload(&mut li, LI, ("a.txt", "text/plain", &more)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
}
