//! The public URL, with everything that can be wrong with it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpListener;
use twilio_simulator::DEFAULT_NUMBER;

use crate::bench::Bench;
use crate::diagnosis::{Diagnosis, behind_a_proxy, doctor, edit};
use crate::proxy::{Habits, Proxy};

#[tokio::test]
async fn the_public_url_is_private() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'http://192.168.1.2',");
    edit(&bench, bench.twilio.base_url(), "http://nowhere.invalid");
    let diagnosis = doctor(&bench).await;
    diagnosis.has("public-url-private");
    diagnosis.has("public-url-plain");
}

/// Returns a running gateway's findings after the public URL in the configuration changed.
async fn with_public_url(url: &str) -> Diagnosis {
    let mut bench = Bench::new().await;
    bench.configure(&format!("publicUrl: '{url}',"));
    bench.start_gateway().await;
    doctor(&bench).await
}

#[tokio::test]
async fn the_public_url_does_not_respond() {
    with_public_url("http://nowhere.invalid").await.has("public-url-unresolved");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    with_public_url(&format!("http://{closed}")).await.has("public-url-unreachable");
    let plain = Proxy::start().await;
    let other = with_public_url(&format!("http://{}", plain.address)).await;
    assert!(other.detail("public-url-answered-by-another").ends_with("responds with 200 by somebody"));
}

#[tokio::test]
async fn the_public_url_has_no_tls_or_an_untrusted_certificate() {
    let other = Bench::new().await;
    let plain = with_public_url(&format!("https://{}", other.twilio.address())).await;
    assert!(plain.detail("public-url-without-tls").starts_with(&other.twilio.address().to_string()));
    plain.has_not("public-url-certificate");
    let self_signed = with_public_url(&format!("https://localhost:{}", self_signed().port())).await;
    assert!(self_signed.detail("public-url-certificate").contains("UnknownIssuer"), "{:#}", self_signed.report);
}

/// Starts a server with a self-signed certificate.
fn self_signed() -> SocketAddr {
    let certificate = CertificateDer::from(&include_bytes!("../data/self-signed.cert.der")[..]);
    let key = PrivatePkcs8KeyDer::from(&include_bytes!("../data/self-signed.key.der")[..]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key.into()).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            // Ends when the client disconnects, because it rejected the certificate or only checked the port.
            let _ = connection.complete_io(&mut &stream);
        }
    });
    address
}

#[tokio::test]
async fn the_public_url_redirects() {
    let (bench, proxy, _) = behind_a_proxy().await;
    let moved = "HTTP/1.1 301 Moved\r\nlocation: https://phone.example.com/x?y=z\r\ncontent-length: 0";
    proxy.does(Habits { answer: Box::new(move |_| moved.to_owned()), ..Habits::default() });
    assert!(doctor(&bench).await.detail("public-url-redirects").ends_with("redirects to https://phone.example.com/x"));
}

#[tokio::test]
async fn the_proxy_changes_the_path_or_drops_the_signature() {
    let (bench, proxy, gateway) = behind_a_proxy().await;
    proxy.does(Habits {
        target: Some(gateway.clone()),
        request: Box::new(|head| head.replacen("/telephony/webhook", "/sms", 1)),
        ..Habits::default()
    });
    assert!(doctor(&bench).await.detail("public-url-wrong-path").contains("arrived as POST /sms"));
    proxy.does(Habits {
        target: Some(gateway),
        request: Box::new(|head| head.replace("x-twilio-signature", "x-something-else")),
        ..Habits::default()
    });
    doctor(&bench).await.has("signature-header-lost");
}

#[tokio::test]
async fn the_signature_is_for_another_url_and_doctor_says_which() {
    let (bench, proxy, _) = behind_a_proxy().await;
    let other = format!("http://{}/telephony/webhook", proxy.address.replace("127.0.0.1", "localhost"));
    bench.configure(&format!("publicUrl: '{other}',"));
    let diagnosis = doctor(&bench).await;
    let detail = diagnosis.detail("signature-mismatch");
    let expected = format!("signed for {other}#");
    assert!(detail.contains(&format!("the gateway expected http://{}/telephony/webhook", proxy.address)), "{detail}");
    assert!(detail.contains(&format!("{other} as publicUrl would have matched")), "{detail}");
    assert!(!detail.contains(&expected), "{detail}");
    diagnosis.has("gateway-other-config");
}

#[tokio::test]
async fn a_wrong_url_and_a_wrong_token_are_reported_together() {
    let (bench, proxy, _) = behind_a_proxy().await;
    bench.configure(&format!("publicUrl: 'http://{}',", proxy.address.replace("127.0.0.1", "localhost")));
    edit(&bench, bench.twilio.auth_token(), "00000000000000000000000000000000");
    let diagnosis = doctor(&bench).await;
    let detail = diagnosis.detail("signature-mismatch");
    assert!(!detail.contains("would have matched"), "{detail}");
    assert!(detail.contains("does not match either, so the gateway also has a different Auth Token"), "{detail}");
}

#[tokio::test]
async fn the_token_was_changed_and_the_gateway_has_the_old_one() {
    let (bench, _proxy, _) = behind_a_proxy().await;
    edit(&bench, bench.twilio.auth_token(), "00000000000000000000000000000000");
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("signature-mismatch").contains("a different Auth Token"), "{:#}", diagnosis.report);
    diagnosis.has("credentials-wrong");
}

#[tokio::test]
async fn the_proxy_does_not_forward_the_host() {
    let (mut bench, proxy) = (Bench::new().await, Proxy::start().await);
    bench.start_gateway().await;
    let gateway = bench.json(&["telephony", "status", "--json"]).await["gateway"]["listening"].clone();
    bench.twilio.set_sms_url(DEFAULT_NUMBER, &format!("http://{}/telephony/webhook", proxy.address)).unwrap();
    let inside = proxy.address.clone();
    proxy.does(Habits {
        target: Some(gateway.as_str().unwrap().to_owned()),
        request: Box::new(move |head| head.replace(&inside, "inside.example.com")),
        ..Habits::default()
    });
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("signature-mismatch").ends_with("the Host header was inside.example.com"));
}
