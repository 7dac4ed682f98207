//! The agent is missing, down, or unable to answer.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

use crate::bench::{ALICE, Bench, PATIENCE};
use crate::diagnosis::{Diagnosis, doctor, edit};

#[tokio::test]
async fn a_missing_agent_is_reported() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'command', command: ['/nonexistent/agent'] },");
    bench.start_gateway().await;
    bench.text(ALICE, "hello?").await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !doctor(&bench).await.ids().contains(&"unanswered-messages") {
        assert!(tokio::time::Instant::now() < deadline, "{}", bench.gateway_log());
    }
    doctor(&bench).await.has("agent-missing");
}

#[tokio::test]
async fn the_agents_server_is_down() {
    let bench = Bench::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    bench.configure(&format!("agent: {{ kind: 'openai', baseUrl: 'http://{closed}/v1', model: 'm' }},"));
    assert!(doctor(&bench).await.detail("agent-unreachable").contains(&closed.to_string()));
}

#[tokio::test]
async fn the_echo_agent_is_reported() {
    let bench = Bench::new().await;
    assert_eq!(doctor(&bench).await.detail("agent-echo"), "no other agent was chosen");
    bench.configure("agent: { kind: 'echo' },");
    assert_eq!(doctor(&bench).await.detail("agent-echo"), "set by `agent.kind`");
}

/// Starts a server that gives every request the same answer.
async fn server(status: u16, says: &'static str) -> SocketAddr {
    let answer = move || async move { (StatusCode::from_u16(status).unwrap(), says) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

/// Returns doctor's findings about a model on such a server.
async fn with_model(status: u16, says: &'static str) -> Diagnosis {
    let (bench, server) = (Bench::new().await, server(status, says).await);
    bench
        .configure(&format!("agent: {{ kind: 'openai', baseUrl: 'http://{server}/v1', apiKey: 'k', model: 'tiny' }},"));
    doctor(&bench).await
}

#[tokio::test]
async fn a_rejected_key_and_a_missing_model_are_reported() {
    let well = with_model(200, r#"{"data":[{"id":"tiny:latest"}]}"#).await;
    assert!(
        well.is_well("accepts requests") && !well.ids().iter().any(|id| id.starts_with("agent")),
        "{:#}",
        well.report
    );
    let many: Vec<String> = (1..=12).map(|n| format!(r#"{{"id":"m{n}"}}"#)).collect();
    let many = format!(r#"{{"data":[{}]}}"#, many.join(",")).leak();
    for (listed, detail) in [
        (r#"{"data":[{"id":"large"}]}"#, "`tiny`; it lists large"),
        (r#"{"data":[]}"#, "`tiny`; it lists no models"),
        (many, "`tiny`; it lists m1, m2, m3, m4, m5, m6, m7, m8, m9, m10 and 2 more"),
    ] {
        assert_eq!(with_model(200, listed).await.detail("agent-model-unknown"), detail);
    }
    assert!(with_model(401, "").await.detail("agent-refuses").contains("check agent.apiKey"));
    assert!(with_model(404, "").await.detail("agent-refuses").contains("check agent.baseUrl"));
    with_model(503, "").await.has("agent-unreachable");
}

/// Returns doctor's findings about an OpenClaw with this answer, configured by `agent`.
async fn with_openclaw(status: u16, says: &'static str, agent: &str) -> Diagnosis {
    let (bench, server) = (Bench::new().await, server(status, says).await);
    bench.configure(agent);
    let gateway = format!("gateway: {{ port: {}, auth: {{ mode: 'password', password: 'pw' }}, ", server.port());
    let endpoint = "http: { endpoints: { chatCompletions: { enabled: true } } } }, ";
    edit(&bench, "{ channels:", &format!("{{ {gateway}{endpoint}channels:"));
    doctor(&bench).await
}

const ONE_AGENT: &str = r#"{"data":[{"id":"openclaw"},{"id":"openclaw/default"},{"id":"openclaw/main"}]}"#;
const TWO_AGENTS: &str =
    r#"{"data":[{"id":"openclaw"},{"id":"openclaw/default"},{"id":"openclaw/main"},{"id":"openclaw/phone"}]}"#;

#[tokio::test]
async fn an_unknown_openclaw_agent_is_reported() {
    let by_rule = with_openclaw(200, ONE_AGENT, "").await;
    assert!(by_rule.is_well("openclaw, because the file enables"), "{:#}", by_rule.report);
    by_rule.has("agent-unlimited");
    assert_eq!(with_openclaw(200, TWO_AGENTS, "").await.detail("agent-unnamed"), "it has main, phone");
    let named = with_openclaw(200, TWO_AGENTS, "agent: { kind: 'openclaw', agentId: 'phone' },").await;
    assert!(!named.ids().iter().any(|id| id.starts_with("agent")), "{:#}", named.report);
    assert!(!named.is_well("openclaw, because"));
    let misspelt = with_openclaw(200, TWO_AGENTS, "agent: { kind: 'openclaw', agentId: 'fone' },").await;
    assert_eq!(misspelt.detail("agent-unknown"), "`fone`; it has main, phone");
}

#[tokio::test]
async fn a_rejected_openclaw_token_and_a_missing_endpoint_are_reported() {
    let refused = with_openclaw(401, "", "").await;
    assert!(refused.detail("agent-refuses").contains("gateway.auth"), "{:#}", refused.report);
    let disabled = with_openclaw(404, "Not Found", "").await;
    let detail = disabled.detail("agent-refuses");
    assert!(detail.contains("set gateway.http.endpoints.chatCompletions.enabled to true"), "{detail}");
}
