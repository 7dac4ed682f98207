//! The agent is missing, down, or would not answer.

use tokio::net::TcpListener;

use crate::bench::{ALICE, Bench};
use crate::diagnosis::{Diagnosis, doctor, edit};

#[tokio::test]
async fn an_agent_that_is_not_there_leaves_messages_unanswered() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'command', command: ['/nonexistent/agent'] },");
    bench.start_gateway().await;
    bench.text(ALICE, "hello?").await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
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
    bench.configure("agent: { kind: 'echo' },");
    doctor(&bench).await.has("agent-echo");
}
