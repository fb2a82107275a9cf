//! Delivery to a relay: our own receiver, with and without TLS.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::compose::compose;
use crate::net::{Security, Trust};
use crate::smtp_in::Config;
use crate::smtp_out::{Mailer, Reason, Relay};
use web::outbound::AddressPolicy;

use crate::testing::{Loopback, SmtpSink, certificate, der};
use crate::tests::composing::draft;

fn relay(port: u16, security: Security) -> Relay {
    Relay { host: "localhost".into(), port, security, login: None, allow_plain_login: false }
}

fn mailer(trust: Trust) -> Mailer {
    Mailer::new(Arc::new(Loopback), trust, "our.cn")
}

#[tokio::test]
async fn what_is_composed_arrives_byte_for_byte() {
    let sink = SmtpSink::start("x.cn").await.unwrap();
    let mailer = mailer(Trust::default());
    let relay = relay(sink.port(), Security::None);
    mailer.check(&relay).await.unwrap();
    let mut hostile = draft();
    hostile.text = ".\n..\n.a\n\n.\r\nMAIL FROM:<x@y>\r\n.".into();
    for draft in [draft(), hostile] {
        let mail = compose(&draft).unwrap();
        mailer.deliver(&relay, &mail).await.unwrap();
        let taken = sink.inboxes.taken();
        let (envelope, bytes) = taken.last().unwrap();
        assert_eq!(
            (envelope.from.as_str(), envelope.recipients.as_slice()),
            ("support@our.cn", ["wang@x.cn".to_owned(), "second@x.cn".to_owned()].as_slice())
        );
        assert_eq!(String::from_utf8_lossy(bytes).trim_end(), String::from_utf8_lossy(&mail.bytes).trim_end());
    }
    assert_eq!(sink.inboxes.taken().len(), 2);
}

#[tokio::test]
async fn failures_say_whether_to_try_again() {
    let sink = SmtpSink::start("elsewhere.cn").await.unwrap();
    let mailer = mailer(Trust::default());
    let mail = compose(&draft()).unwrap();
    let refused = mailer.deliver(&relay(sink.port(), Security::None), &mail).await.unwrap_err();
    assert_eq!((refused.reason, refused.retry, refused.code), (Reason::Rejected, false, Some(550)));
    let full = SmtpSink::start("x.cn").await.unwrap();
    full.inboxes.set_full(true);
    let later = mailer.deliver(&relay(full.port(), Security::None), &mail).await.unwrap_err();
    assert_eq!((later.reason, later.retry, later.code), (Reason::TryLater, true, Some(451)));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = mailer.deliver(&relay(nobody, Security::None), &mail).await.unwrap_err();
    assert_eq!((down.reason, down.retry), (Reason::Connection, true));
    let private = Mailer::new(Arc::new(AddressPolicy::new([])), Trust::default(), "our.cn");
    let denied = private.deliver(&relay(sink.port(), Security::None), &mail).await.unwrap_err();
    assert_eq!((denied.reason, denied.retry), (Reason::AddressNotAllowed, false));
    assert_eq!(private.check(&relay(sink.port(), Security::None)).await.unwrap_err().reason, Reason::AddressNotAllowed);
}

#[tokio::test]
async fn starttls_is_kept_or_the_mail_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate_file, key_file) = certificate(folder.path()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(&certificate_file).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&key_file).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let mut config = Config::new("sink.test");
    config.tls = Some(Arc::new(server));
    let sink = SmtpSink::start_with("x.cn", config).await.unwrap();
    let mail = compose(&draft()).unwrap();
    let trusting = mailer(Trust { extra: vec![der(&certificate_file).unwrap()] });
    trusting.deliver(&relay(sink.port(), Security::StartTls), &mail).await.unwrap();
    assert!(sink.inboxes.taken()[0].0.tls);
    // An unknown certificate, another name, and a server without TLS: nothing is sent in the clear.
    let strict = mailer(Trust::default());
    let failure = strict.deliver(&relay(sink.port(), Security::StartTls), &mail).await.unwrap_err();
    assert!(failure.retry, "{failure}");
    let wrong_name = Relay { host: "mx.other.cn".into(), ..relay(sink.port(), Security::StartTls) };
    assert!(trusting.deliver(&wrong_name, &mail).await.is_err());
    let plain = SmtpSink::start("x.cn").await.unwrap();
    assert!(trusting.deliver(&relay(plain.port(), Security::StartTls), &mail).await.is_err());
    assert_eq!((sink.inboxes.taken().len(), plain.inboxes.taken().len()), (1, 0));
}

#[tokio::test]
async fn passwords_do_not_travel_in_the_clear() {
    struct Outside;
    impl crate::net::Resolve for Outside {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            port: u16,
        ) -> crate::net::BoxFuture<'a, std::io::Result<Vec<std::net::SocketAddr>>> {
            Box::pin(async move { Ok(vec![([192, 0, 2, 1], port).into()]) })
        }
    }
    let mailer = Mailer::new(Arc::new(Outside), Trust::default(), "our.cn");
    let relay = Relay { login: Some(("u".into(), "p".into())), ..relay(25, Security::None) };
    let failure = mailer.deliver(&relay, &compose(&draft()).unwrap()).await.unwrap_err();
    assert_eq!((failure.reason, failure.retry), (Reason::PlainLogin, false));
}
