use super::{House, PASSWORD, credentials, items, setup_body};
use domain::Span;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Client;

#[tokio::test]
async fn set_up_works_once() {
    let house = House::sqlite();
    let mut client = house.stranger();
    assert_eq!(client.get("/api/setup").await.ok()["needed"], true);
    let cases = [
        ("company", json!(" "), "company", "required"),
        ("name", json!("x".repeat(201)), "name", "too_long"),
        ("email", json!("nobody"), "email", "invalid_address"),
        ("password", json!("short"), "password", "too_short"),
        ("password", json!("password123"), "password", "password_too_common"),
        ("locale", json!("de"), "locale", "invalid"),
        ("time_zone", json!("Mars/Phobos"), "time_zone", "invalid"),
        ("email", Value::Null, "email", "invalid"),
    ];
    for (key, value, field, code) in cases {
        let mut body = setup_body();
        body[key] = value;
        let answer = client.post("/api/setup", body).await;
        assert_eq!(answer.json()["fields"][field]["code"], code, "{}", answer.text());
    }
    let answer = client.post("/api/setup", setup_body()).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("steward=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"),
        "{cookie}"
    );
    let me = answer.ok();
    insta::assert_json_snapshot!(me);
    assert_eq!(client.get("/api/me").await.ok(), me);
    assert_eq!(client.get("/api/setup").await.ok()["needed"], false);
    let again = house.stranger().post("/api/setup", setup_body()).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "already_set_up"));
    assert!(again.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn failures_look_the_same() {
    let (house, mut owner) = House::with_owner().await;
    let (_, id) = house.hire(&mut owner, "gone", &["agent"]).await;
    owner.patch(&format!("/api/users/{id}"), json!({ "active": false })).await.ok();
    owner.post("/api/invitations", json!({ "email": "invited@example.com", "name": "I" })).await.ok();
    let mut seen = Vec::new();
    for (email, password) in [
        ("owner@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("invited@example.com", PASSWORD),
        ("", ""),
        ("owner@example.com\0", PASSWORD),
    ] {
        let answer = house.stranger().post("/api/session", credentials(email, password)).await;
        assert!(answer.headers.get("set-cookie").is_none());
        seen.push((answer.status, answer.json()));
    }
    assert_eq!(seen[0].1["code"], "wrong_credentials");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    // The address is found whatever its case.
    house.sign_in(" Owner@EXAMPLE.com ").await;
}

#[tokio::test]
async fn guessing_is_slowed_alike_for_known_and_unknown() {
    let (house, _) = House::with_owner().await;
    for email in ["owner@example.com", "nobody@example.com"] {
        let mut client = house.stranger();
        for _ in 0..5 {
            assert_eq!(
                client.post("/api/session", credentials(email, "wrong password")).await.code(),
                "wrong_credentials"
            );
        }
        let refused = client.post("/api/session", credentials(email, PASSWORD)).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
        assert_eq!(refused.headers["retry-after"], "2");
    }
    house.advance(Span::seconds(1));
    house.sign_in("owner@example.com").await;
}

#[tokio::test]
async fn sessions_end() {
    let (house, mut first) = House::with_owner().await;
    let mut second = house.sign_in("owner@example.com").await;
    let list = second.get("/api/sessions").await.ok();
    let current: Vec<bool> = items(&list).iter().map(|s| s["current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().filter(|c| **c).count(), 1);
    assert_eq!(current.len(), 2);
    // Signing out ends this session only, at once, also for a copy of the cookie.
    let mut copy = second.clone();
    assert_eq!(second.delete("/api/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(copy.get("/api/me").await.code(), "unauthenticated");
    first.get("/api/me").await.ok();
    // Everywhere is everywhere.
    let mut third = house.sign_in("owner@example.com").await;
    let mut copy = first.clone();
    assert_eq!(first.delete("/api/sessions").await.status, StatusCode::NO_CONTENT);
    assert_eq!(copy.get("/api/me").await.code(), "unauthenticated");
    assert_eq!(third.get("/api/me").await.code(), "unauthenticated");
}

#[tokio::test]
async fn sessions_expire() {
    let (house, mut used) = House::with_owner().await;
    let mut idle = house.sign_in("owner@example.com").await;
    for day in 1..=29 {
        house.advance(Span::days(1));
        used.get("/api/me").await.ok();
        if day == 6 {
            idle.clone().get("/api/me").await.ok();
        }
        if day == 13 {
            assert_eq!(idle.get("/api/me").await.code(), "unauthenticated", "not used for seven days");
        }
    }
    house.advance(Span::days(1));
    assert_eq!(used.get("/api/me").await.code(), "unauthenticated", "thirty days old");
}

async fn challenge(house: &House, client: &mut Client) -> String {
    let answer = client.post("/api/session", credentials("owner@example.com", PASSWORD)).await.ok();
    assert_eq!(answer["status"], "totp_required", "{answer}");
    assert_eq!(client.clone().get("/api/me").await.code(), "unauthenticated");
    let _ = house;
    answer["challenge"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_second_factor_is_asked_for() {
    let (house, mut owner) = House::with_owner().await;
    let wrong = owner.post("/api/me/totp", json!({ "password": "wrong password" })).await;
    assert_eq!(
        (wrong.status, wrong.json()["fields"]["password"]["code"].clone()),
        (StatusCode::UNPROCESSABLE_ENTITY, json!("wrong_credentials"))
    );
    let begun = owner.post("/api/me/totp", json!({ "password": PASSWORD })).await.ok();
    assert!(
        begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Guanghua%20%26%20Co:owner%40example.com?secret=")
    );
    // Not confirmed yet: nothing is asked for.
    house.sign_in("owner@example.com").await;
    assert_eq!(owner.post("/api/me/totp/confirm", json!({ "code": "000000" })).await.code(), "wrong_code");
    let (secret, recovery) = house.enroll(&mut owner).await;
    assert_eq!(owner.get("/api/me").await.ok()["totp_enabled"], true);
    assert_eq!(owner.post("/api/me/totp", json!({ "password": PASSWORD })).await.code(), "already_exists");

    let mut client = house.stranger();
    let one = challenge(&house, &mut client).await;
    // The code that confirmed the enrolment is used up.
    let used = json!({ "challenge": one, "code": house.code(&secret, 0) });
    assert_eq!(client.post("/api/session/totp", used).await.code(), "wrong_code");
    house.advance(Span::seconds(30));
    let right = json!({ "challenge": one, "code": house.code(&secret, 0) });
    let answer = client.post("/api/session/totp", right.clone()).await.ok();
    assert_eq!((answer["status"].clone(), answer["me"]["totp_enabled"].clone()), (json!("signed_in"), json!(true)));
    client.get("/api/me").await.ok();
    assert_eq!(house.stranger().post("/api/session/totp", right).await.code(), "link_expired");

    // A recovery code works once.
    for expected in ["", "wrong_code"] {
        let mut client = house.stranger();
        let two = challenge(&house, &mut client).await;
        let body = json!({ "challenge": two, "code": recovery[0] });
        assert_eq!(client.post("/api/session/totp", body).await.code(), expected);
    }
    // Taking it away needs the password.
    assert_eq!(
        owner.send(http::Method::DELETE, "/api/me/totp", Some(json!({ "password": "x" })), None).await.code(),
        "wrong_credentials"
    );
    let gone = owner.send(http::Method::DELETE, "/api/me/totp", Some(json!({ "password": PASSWORD })), None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    house.sign_in("owner@example.com").await;
}

#[tokio::test]
async fn a_challenge_allows_five_codes_and_ten_minutes() {
    let (house, mut owner) = House::with_owner().await;
    let (secret, _) = house.enroll(&mut owner).await;
    house.advance(Span::seconds(60));
    let mut client = house.stranger();
    let one = challenge(&house, &mut client).await;
    for _ in 0..5 {
        let body = json!({ "challenge": one, "code": "abcdef" });
        assert_eq!(client.post("/api/session/totp", body).await.code(), "wrong_code");
    }
    let right = json!({ "challenge": one, "code": house.code(&secret, 0) });
    assert_eq!(client.post("/api/session/totp", right).await.code(), "link_expired");
    house.advance(Span::minutes(16));
    let two = challenge(&house, &mut client).await;
    house.advance(Span::minutes(10));
    let late = json!({ "challenge": two, "code": house.code(&secret, 0) });
    assert_eq!(client.post("/api/session/totp", late).await.code(), "link_expired");
    for nonsense in ["", "null", "\0", "undefined", "AAAA"] {
        let body = json!({ "challenge": nonsense, "code": house.code(&secret, 0) });
        assert_eq!(client.post("/api/session/totp", body).await.code(), "link_expired", "{nonsense:?}");
    }
    // A challenge is no session and no other kind of link.
    let three = challenge(&house, &mut client).await;
    let body = json!({ "token": three, "password": "another horse battery" });
    assert_eq!(client.post("/api/password/reset", body).await.code(), "link_expired");
}

#[tokio::test]
async fn the_owner_can_demand_a_second_factor() {
    let (house, mut owner) = House::with_owner().await;
    let (mut admin, _) = house.hire(&mut owner, "admin", &["administrator"]).await;
    assert_eq!(admin.patch("/api/workspace", json!({ "require_totp": true })).await.code(), "not_yours");
    owner.patch("/api/workspace", json!({ "require_totp": true })).await.ok();
    for client in [&mut owner, &mut admin] {
        assert_eq!(client.get("/api/me").await.ok()["must_enroll_totp"], true);
        for path in ["/api/users", "/api/sessions", "/api/audit", "/api/workspace", "/api/teams"] {
            assert_eq!(client.get(path).await.code(), "totp_enrollment_required", "{path}");
        }
    }
    house.enroll(&mut admin).await;
    admin.get("/api/users").await.ok();
    assert_eq!(admin.get("/api/me").await.ok()["must_enroll_totp"], false);
}

#[tokio::test]
async fn forgotten_passwords() {
    let (house, mut owner) = House::with_owner().await;
    let ask = async |email: &str| {
        let answer = house.stranger().post("/api/password/forgot", json!({ "email": email })).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::ACCEPTED, String::new()));
    };
    ask("nobody@example.com").await;
    ask("owner@example.com").await;
    let first = house.mails_when(1).await;
    assert_eq!(first.len(), 1);
    assert_eq!(
        (&first[0]["to"], &first[0]["template"], &first[0]["locale"]),
        (&json!("owner@example.com"), &json!("password_reset"), &json!("zh-CN"))
    );
    let link = first[0]["params"]["link"].as_str().unwrap();
    assert!(link.starts_with("http://steward.test/reset/"), "{link}");
    let token = link.rsplit('/').next().unwrap().to_owned();

    // An attacker's Host header does not get into the mail.
    let request = http::Request::post("/api/password/forgot")
        .header("host", "evil.example")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(r#"{"email":"owner@example.com"}"#));
    assert_eq!(house.stranger().raw(request.unwrap()).await.status, StatusCode::ACCEPTED);
    let second = loop {
        let mails = house.mails().await;
        if mails != first {
            break mails;
        }
        tokio::task::yield_now().await;
    };
    assert!(!second[0].to_string().contains("evil"), "{second:?}");
    let newer = second[0]["params"]["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();

    let body = |token: &str, password: &str| json!({ "token": token, "password": password });
    let mut stranger = house.stranger();
    assert_eq!(
        stranger.post("/api/password/reset", body(&token, "another horse battery")).await.code(),
        "link_expired",
        "a newer link voids it"
    );
    assert_eq!(stranger.post("/api/password/reset", body(&newer, "password123")).await.code(), "password_too_common");
    assert_eq!(
        stranger
            .post(
                "/api/invitations/accept",
                json!({ "token": newer, "name": "x", "password": "another horse battery" })
            )
            .await
            .code(),
        "link_expired"
    );
    assert_eq!(
        stranger.post("/api/password/reset", body(&newer, "another horse battery")).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        stranger.post("/api/password/reset", body(&newer, "a third horse battery")).await.code(),
        "link_expired"
    );
    assert_eq!(owner.get("/api/me").await.code(), "unauthenticated", "all sessions ended");
    assert_eq!(
        stranger.post("/api/session", credentials("owner@example.com", PASSWORD)).await.code(),
        "wrong_credentials"
    );
    assert_eq!(
        stranger.post("/api/session", credentials("owner@example.com", "another horse battery")).await.ok()["status"],
        "signed_in"
    );
}

#[tokio::test]
async fn changing_the_password_ends_other_sessions() {
    let (house, mut owner) = House::with_owner().await;
    let mut other = house.sign_in("owner@example.com").await;
    let mut stolen = owner.clone();
    let body = |current: &str, new: &str| json!({ "current": current, "new": new });
    let wrong = owner.post("/api/me/password", body("wrong password", "another horse battery")).await;
    assert_eq!(wrong.json()["fields"]["current"]["code"], "wrong_credentials");
    let weak = owner.post("/api/me/password", body(PASSWORD, "short")).await;
    assert_eq!(weak.json()["fields"]["new"]["code"], "too_short");
    owner.post("/api/me/password", body(PASSWORD, "another horse battery")).await.ok();
    owner.get("/api/me").await.ok();
    assert_eq!(other.get("/api/me").await.code(), "unauthenticated");
    assert_eq!(stolen.get("/api/me").await.code(), "unauthenticated", "the cookie from before is worth nothing");
}
