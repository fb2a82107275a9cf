use super::*;
use crate::net::Net;
use futures_util::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn outbound(allowed: &[&str]) -> Outbound {
    let nets: Vec<Net> = allowed.iter().map(|net| net.parse().unwrap()).collect();
    Outbound::new(AddressPolicy::new(nets), true).unwrap()
}

/// Every spelling a peer's hole was opened with, as the host of a URL.
#[tokio::test]
async fn inner_addresses_in_any_spelling_are_denied() {
    let denied = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.0x0.0x0.0x1",
        "00000177.1",
        "127.0.0.1.",
        "１２７.０.０.１",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "0",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "3232235521",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "169.254.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "192.88.99.1",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:8.8.8.8]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        "[2001:0:7f00:1::]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[100::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ];
    assert!(denied.len() >= 40);
    let outbound = outbound(&[]);
    for host in denied {
        let result = outbound.send(Call::get(format!("http://{host}:9/"))).await;
        let error = result.expect_err(host);
        let refused = matches!(
            error,
            OutboundError::Address(AddressError::Denied | AddressError::Unresolved | AddressError::Invalid)
                | OutboundError::InvalidUrl
        );
        assert!(refused, "{host}: {error:?}");
    }
}

#[tokio::test]
async fn spellings_for_connections_that_are_not_http() {
    let policy = AddressPolicy::new([]);
    let cases = [
        ("127.0.0.1", AddressError::Denied),
        ("[::1]", AddressError::Denied),
        ("::ffff:10.0.0.1", AddressError::Denied),
        ("localhost", AddressError::Denied),
        ("", AddressError::Invalid),
        ("a b", AddressError::Invalid),
        ("host\r\nQUIT", AddressError::Invalid),
        ("user@host", AddressError::Invalid),
        ("host/path", AddressError::Invalid),
    ];
    for (host, expected) in cases {
        assert_eq!(policy.check(host, 25).await, Err(expected), "{host:?}");
    }
    let public = policy.check("93.184.215.14", 25).await.unwrap();
    assert_eq!(public, ["93.184.215.14:25".parse::<SocketAddr>().unwrap()]);
}

#[test]
fn public_addresses_are_allowed() {
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:4860::8",
    ] {
        assert!(is_public(ip.parse().unwrap()), "{ip}");
    }
}

#[tokio::test]
async fn only_known_schemes_and_no_credentials() {
    let strict = Outbound::new(AddressPolicy::new([]), false).unwrap();
    for url in [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://x/",
        "",
        "https://user:secret@example.com/",
        "//example.com",
        "data:text/plain,x",
    ] {
        let error = strict.send(Call::get(url)).await.unwrap_err();
        assert_eq!(error, OutboundError::InvalidUrl, "{url}");
    }
}

/// Serves the same bytes to every connection; counts them.
async fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hits = Arc::new(AtomicUsize::new(0));
    let counter = hits.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut buffer = vec![0; 8192];
            let n = stream.read(&mut buffer).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let _ = stream.write_all(answer(&request).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, hits)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn allowed_networks_can_be_reached() {
    let (address, _) = server(|_| ok("hello")).await;
    let answer = outbound(&["127.0.0.0/8"]).send(Call::get(format!("http://{address}/"))).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::OK, b"hello".as_ref()));
}

#[tokio::test]
async fn a_redirect_to_an_inner_address_is_denied() {
    let (secret, hits) = server(|_| ok("secret")).await;
    // 127.0.0.1 stands for the public Internet here, 127.0.0.2 for the inner network.
    let inner = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let target = inner.local_addr().unwrap();
    let (front, _) = server(move |_| redirect(302, &format!("http://{target}/"))).await;
    let error = outbound(&["127.0.0.1"]).send(Call::get(format!("http://{front}/"))).await.unwrap_err();
    assert_eq!(error, OutboundError::Address(AddressError::Denied));
    for spelling in ["http://[::1]:1/", "http://2130706434:1/", "//127.0.0.2:1/", "file:///etc/passwd"] {
        let (front, _) = server(move |_| redirect(307, spelling)).await;
        let error = outbound(&["127.0.0.1"]).send(Call::get(format!("http://{front}/"))).await.unwrap_err();
        assert!(
            matches!(error, OutboundError::Address(AddressError::Denied) | OutboundError::InvalidUrl),
            "{spelling}: {error:?}"
        );
    }
    let _ = secret;
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirect_chains_end() {
    let (last, _) = server(|_| ok("end")).await;
    let (third, _) = server(move |_| redirect(308, &format!("http://{last}/"))).await;
    let (second, _) = server(move |_| redirect(301, &format!("http://{third}/"))).await;
    let (first, _) = server(move |_| redirect(302, &format!("http://{second}/"))).await;
    let client = outbound(&["127.0.0.1"]);
    let answer = client.send(Call::get(format!("http://{first}/"))).await.unwrap();
    assert_eq!(answer.body.as_ref(), b"end");
    let (loops, hits) = server(|_| redirect(302, "/again")).await;
    let error = client.send(Call::get(format!("http://{loops}/"))).await.unwrap_err();
    assert_eq!(error, OutboundError::TooManyRedirects);
    assert_eq!(hits.load(Ordering::SeqCst), REDIRECTS_MAX + 1);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let (target, _) =
        server(|request| ok(if request.to_lowercase().contains("authorization") { "leak" } else { "clean" })).await;
    let (front, _) = server(move |_| redirect(307, &format!("http://{target}/"))).await;
    let mut call = Call::post_json(format!("http://{front}/"), "{}");
    call.headers.insert(AUTHORIZATION, http::HeaderValue::from_static("Bearer x"));
    let answer = outbound(&["127.0.0.1"]).send(call).await.unwrap();
    assert_eq!(answer.body.as_ref(), b"clean");
}

#[tokio::test]
async fn size_and_time_are_capped() {
    let client = outbound(&["127.0.0.1"]);
    for (limit, fits) in [(5, true), (4, false)] {
        let (address, _) = server(|_| ok("12345")).await;
        let call = Call { max_bytes: limit, ..Call::get(format!("http://{address}/")) };
        assert_eq!(client.send(call).await.is_ok(), fits, "{limit}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let call = Call { time: Duration::from_millis(50), ..Call::get(format!("http://{address}/")) };
    assert_eq!(client.send(call).await.unwrap_err(), OutboundError::TimedOut);
}

/// Answers the allowed address first and an inner one ever after.
struct Rebinding(AtomicUsize, [SocketAddr; 2]);

impl Resolver for Rebinding {
    fn resolve(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let n = self.0.fetch_add(1, Ordering::SeqCst).min(1);
        let mut address = self.1[n];
        address.set_port(port);
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn rebinding_never_reaches_the_inner_address() {
    let (public, public_hits) = server(|_| ok("public")).await;
    let inner = TcpListener::bind(("127.0.0.2", public.port())).await.unwrap();
    let policy = AddressPolicy::new(["127.0.0.1".parse::<Net>().unwrap()])
        .resolving_with(Rebinding(AtomicUsize::new(0), [public, inner.local_addr().unwrap()]));
    let client = Outbound::new(policy, true).unwrap();
    let url = format!("http://rebind.example:{}/", public.port());
    // The first answer is checked and is the one connected to.
    assert_eq!(client.send(Call::get(&url)).await.unwrap().body.as_ref(), b"public");
    assert_eq!(public_hits.load(Ordering::SeqCst), 1);
    // The second look-up gives the inner address: refused, not connected.
    assert_eq!(client.send(Call::get(&url)).await.unwrap_err(), OutboundError::Address(AddressError::Denied));
}

/// One public and one inner address in the same answer.
struct Mixed;

impl Resolver for Mixed {
    fn resolve(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = [[8, 8, 8, 8], [10, 0, 0, 1]].map(|ip| SocketAddr::from((ip, port)));
        Box::pin(async move { Ok(found.to_vec()) })
    }
}

#[tokio::test]
async fn every_address_of_an_answer_is_checked() {
    let policy = AddressPolicy::new([]).resolving_with(Mixed);
    assert_eq!(policy.check("mixed.example", 25).await, Err(AddressError::Denied));
}
