//! The ngrok crate against a stand-in for ngrok's service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "stand_in/ngrok.rs"]
mod stand_in;

use std::time::Duration;

use serde_json::json;
use stand_in::Ngrok as StandIn;
use telephony_tunnels::{Cause, Inside, Ngrok, OpenTunnel, Tunnel, TunnelError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const DEADLINE: Duration = Duration::from_secs(60);

fn ngrok(stand_in: &StandIn, token: &str) -> Ngrok {
    Ngrok { token: None, domain: None, agent_files: vec![stand_in.agent_file(token)] }
}

/// Starts a listener that answers one request by echoing it.
async fn echo() -> Inside {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = Inside::new(listener.local_addr().unwrap(), vec!["/w".to_owned()]);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(&request[..length]).await.unwrap();
        }
    });
    inside
}

async fn refused(ngrok: &Ngrok) -> TunnelError {
    match ngrok.open(&echo().await).await {
        Ok(open) => panic!("it is open: {}", open.url()),
        Err(error) => error,
    }
}

async fn broken(open: &mut Box<dyn OpenTunnel>) -> TunnelError {
    tokio::time::timeout(DEADLINE, open.broken()).await.expect("it does not break")
}

#[tokio::test]
async fn a_request_from_the_public_comes_through_until_it_is_closed() {
    let stand_in = StandIn::start().await;
    let inside = echo().await;
    let mut open = ngrok(&stand_in, "the-token").open(&inside).await.unwrap();
    assert_eq!(open.url(), "https://a1b2c3.ngrok-free.app");
    for request in ["POST /w HTTP/1.1\r\n\r\n", "another"] {
        let answered = tokio::select! {
            answer = stand_in.request(request) => answer,
            error = broken(&mut open) => panic!("{error}"),
        };
        assert_eq!(answered, request);
    }
    let asked = stand_in.asked();
    assert_eq!(asked.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["auth", "bind"]);
    assert_eq!(asked[0].1["Extra"]["AuthToken"], "the-token");
    assert!(asked[0].1["Extra"]["UserAgent"].as_str().unwrap().starts_with("openclaw-telephony/"));
    assert_eq!(asked[1].1["Opts"]["Domain"], "");
    assert_eq!(asked[1].1["ForwardsTo"], format!("http://{}", inside.address()));
    open.close().await;
    assert_eq!(stand_in.asked()[0].0, "unbind");
}

#[tokio::test]
async fn the_configured_token_and_domain_win() {
    let stand_in = StandIn::start().await;
    let ngrok = Ngrok {
        token: Some("from-the-configuration".into()),
        domain: Some("phone.example.ngrok.app".to_owned()),
        ..ngrok(&stand_in, "from-the-agent")
    };
    let open = ngrok.open(&echo().await).await.unwrap();
    assert_eq!(open.url(), "https://phone.example.ngrok.app");
    let asked = stand_in.asked();
    assert_eq!(asked[0].1["Extra"]["AuthToken"], "from-the-configuration");
    assert_eq!(asked[1].1["Opts"]["Domain"], "phone.example.ngrok.app");
}

#[tokio::test]
async fn there_is_no_token() {
    let stand_in = StandIn::start().await;
    let error = refused(&ngrok(&stand_in, "")).await;
    assert_eq!(error.cause, Cause::NoToken);
    assert!(error.hint().contains("NGROK_AUTHTOKEN"));
    assert_eq!(stand_in.asked(), []);
}

#[tokio::test]
async fn ngrok_refuses_and_says_why() {
    let refusals = [
        ("auth", "ERR_NGROK_107", Cause::TokenRefused),
        ("auth", "ERR_NGROK_108", Cause::Plan),
        ("auth", "ERR_NGROK_4018", Cause::TokenRefused),
        ("bind", "ERR_NGROK_320", Cause::DomainNotReserved),
        ("bind", "ERR_NGROK_334", Cause::DomainTaken),
        ("bind", "ERR_NGROK_99999", Cause::Other),
    ];
    for (at, code, cause) in refusals {
        let stand_in = StandIn::start().await;
        stand_in.answer_next(json!({ "at": at, "with": { "Error": format!("It is\nso.\n\n{code}\n") } }));
        let error = refused(&ngrok(&stand_in, "secret-token")).await;
        assert_eq!((error.cause, error.detail.as_str()), (cause, format!("It is so. ({code})").as_str()));
        assert!(!format!("{error:?} {error}").contains("secret-token"));
    }
}

#[tokio::test]
async fn the_session_breaks_and_a_new_one_has_another_url() {
    let stand_in = StandIn::start().await;
    let ngrok = ngrok(&stand_in, "the-token");
    let inside = echo().await;
    let mut open = ngrok.open(&inside).await.unwrap();
    stand_in.disconnect().await;
    assert_eq!(broken(&mut open).await.cause, Cause::Broken);
    open.close().await;
    stand_in.answer_next(json!({ "at": "bind", "with": { "URL": "https://another.ngrok-free.app/" } }));
    let open = ngrok.open(&inside).await.unwrap();
    assert_eq!(open.url(), "https://another.ngrok-free.app");
}

#[tokio::test]
async fn the_tunnel_is_stopped_from_the_dashboard() {
    let stand_in = StandIn::start().await;
    let mut open = ngrok(&stand_in, "the-token").open(&echo().await).await.unwrap();
    stand_in.stop_tunnel("stopped by another agent", "ERR_NGROK_334").await;
    let error = broken(&mut open).await;
    assert_eq!((error.cause, error.detail.as_str()), (Cause::DomainTaken, "stopped by another agent (ERR_NGROK_334)"));
}

#[tokio::test]
async fn an_unreachable_or_foreign_server_is_reported() {
    let stand_in = StandIn::start().await;
    let impostor = StandIn::start().await;
    let file = impostor.agent_file("x");
    let ours = std::fs::read_to_string(stand_in.agent_file("x")).unwrap();
    let port = |standing: &StandIn| standing.address.port().to_string();
    std::fs::write(&file, ours.replace(&port(&stand_in), &port(&impostor))).unwrap();
    let ngrok = Ngrok { token: None, domain: None, agent_files: vec![file.clone()] };
    let error = refused(&ngrok).await;
    assert_eq!(error.cause, Cause::Unreachable, "{error}");
    assert_eq!(impostor.asked(), [], "the token was told to a stranger");

    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
    std::fs::write(&file, ours.replace(&port(&stand_in), &unused)).unwrap();
    let error = refused(&ngrok).await;
    assert_eq!(error.cause, Cause::Unreachable, "{error}");
    assert!(error.detail.contains("refused"), "{error}");
}
