use super::shop::{SITE, Shop};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use spine::{Notice, Signal};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn serve(shop: &Shop) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = shop.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

async fn connect(address: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let mut request = format!("ws://{address}/api/widget/shop/live").into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    Ok(connect_async(request).await?.0)
}

async fn hello(address: &str, token: &str, after: i64) -> Socket {
    let mut socket = connect(address, Some(SITE)).await.unwrap();
    say(&mut socket, &json!({ "t": "hello", "token": token, "after": after })).await;
    socket
}

async fn say(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next frame that is one of ours; `None` when the connection has ended.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[tokio::test]
async fn answers_come_by_themselves_and_nothing_is_missed_or_doubled() {
    let shop = Shop::open();
    let address = serve(&shop).await;
    let mut visitor = shop.browser();
    visitor.session(None).await;
    let token = visitor.token.clone().unwrap();
    shop.spine.run_due().await.unwrap();
    let mut hub = shop.spine.hub().subscribe();
    let mut socket = hello(&address, &token, 0).await;
    assert_eq!(next(&mut socket).await.unwrap()["t"], "ready");
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "t": "queue", "queue": null }));
    // The first message makes the case; the connection learns of it.
    let _ = visitor.say(100, "hello").await.ok();
    shop.spine.run_due().await.unwrap();
    let first = next(&mut socket).await.unwrap();
    assert_eq!((&first["t"], &first["items"][0]["text"]), (&json!("messages"), &json!("hello")));
    let case = shop.cases()[0];
    let viewing = loop {
        if let Notice::Signal(signal) = hub.recv().await.unwrap() {
            break signal;
        }
    };
    assert_eq!((viewing.kind, viewing.who_kind, viewing.case), ("viewing", "customer", Some(case)));
    // Typing, both ways.
    let typing = Signal {
        workspace: shop.ws,
        kind: "typing",
        case: Some(case),
        who_kind: "agent",
        who: uuid::Uuid::from_u128(5),
        name: "Emma".to_owned(),
    };
    shop.spine.hub().signal(Signal { kind: "composing", name: "a note".to_owned(), ..typing.clone() });
    shop.spine.hub().signal(typing);
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "t": "typing", "name": "Emma" }));
    say(&mut socket, &json!({ "t": "typing" })).await;
    let heard = loop {
        match hub.recv().await.unwrap() {
            Notice::Signal(signal) if signal.who_kind == "customer" => break signal,
            _ => {}
        }
    };
    assert_eq!(heard.kind, "typing");
    // A note is no news; an answer is.
    shop.note(case, 200, "canary").await;
    shop.answer(case, 201, "welcome").await;
    shop.spine.run_due().await.unwrap();
    let second = next(&mut socket).await.unwrap();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["items"][0]["text"], "welcome");
    // The network goes; meanwhile somebody answers; the connection comes back and gets exactly that.
    let seen = second["items"][0]["seq"].as_i64().unwrap();
    drop(socket);
    let left = loop {
        match hub.recv().await.unwrap() {
            Notice::Signal(signal) if signal.kind == "left" => break signal,
            _ => {}
        }
    };
    assert_eq!(left.case, Some(case));
    shop.answer(case, 202, "still there?").await;
    let mut socket = hello(&address, &token, seen).await;
    assert_eq!(next(&mut socket).await.unwrap()["t"], "ready");
    let third = next(&mut socket).await.unwrap();
    assert_eq!(third["items"].as_array().unwrap().len(), 1);
    assert_eq!(third["items"][0]["text"], "still there?");
}

#[tokio::test]
async fn a_foreign_page_and_a_wrong_token_get_nothing() {
    let shop = Shop::open();
    let address = serve(&shop).await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        match connect(&address, origin).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 403, "{origin:?}"),
            other => panic!("{origin:?}: {other:?}"),
        }
    }
    let wrong = web::secret::text([9; 32]);
    for frame in [
        json!({ "t": "hello", "token": wrong }),
        json!({ "t": "hello", "token": "" }),
        json!({ "t": "hello" }),
        json!({ "t": "typing" }),
        json!({ "t": "become_admin" }),
        json!([]),
    ] {
        let mut socket = connect(&address, Some(SITE)).await.unwrap();
        say(&mut socket, &frame).await;
        assert_eq!(next(&mut socket).await, None, "{frame}");
    }
}

#[tokio::test]
async fn a_replaced_token_and_a_switched_off_channel_end_the_connection() {
    for switch_off in [false, true] {
        let shop = Shop::open();
        let address = serve(&shop).await;
        let mut visitor = shop.browser();
        visitor.session(None).await;
        let _ = visitor.say(100, "hello").await.ok();
        shop.spine.run_due().await.unwrap();
        let mut socket = hello(&address, &visitor.token.clone().unwrap(), 0).await;
        assert_eq!(next(&mut socket).await.unwrap()["t"], "ready");
        assert_eq!(next(&mut socket).await.unwrap()["t"], "messages");
        if switch_off {
            shop.switch_off();
        } else {
            visitor.session(Some(&shop.identity(json!({})))).await;
        }
        shop.answer(shop.cases()[0], 201, "secret").await;
        shop.spine.run_due().await.unwrap();
        assert_eq!(next(&mut socket).await, None, "switched off: {switch_off}");
    }
}
