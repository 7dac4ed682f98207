//! Probes find out without a turn if a server would answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use telephony_agents::{Agent, AgentError, OpenAiAgent, OpenClawAgent};
use telephony_config::{OpenAiAgentConfig, OpenClawAgentConfig};
use tokio::net::TcpListener;

type Reply = (u16, &'static str);
type Heard = Arc<Mutex<Vec<String>>>;

const NOT_FOUND: Reply = (404, "Not Found");
const NO_MESSAGES: Reply = (400, r#"{"error":{"message":"you must provide a model","type":"invalid_request_error"}}"#);

/// Starts a server that answers `list` to requests for its models and `posted` to every POST.
async fn server(list: Reply, posted: Reply) -> (String, Heard) {
    let heard = Heard::default();
    let answer = |State((list, posted, heard)): State<(Reply, Reply, Heard)>,
                  method: Method,
                  uri: Uri,
                  headers: HeaderMap,
                  body: Bytes| async move {
        let shown = headers.get("authorization").map_or("nothing", |value| value.to_str().unwrap());
        let body = String::from_utf8(body.to_vec()).unwrap();
        heard.lock().unwrap().push(format!("{method} {uri} with {shown} {body}").trim_end().to_owned());
        let (status, text) = if method == Method::GET { list } else { posted };
        (StatusCode::from_u16(status).unwrap(), text)
    };
    let router = Router::new().fallback(answer).with_state((list, posted, heard.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

fn model_at(url: &str) -> OpenAiAgent {
    OpenAiAgent::new(OpenAiAgentConfig {
        base_url: format!("{url}/v1"),
        api_key: Some("sk-1".to_owned().into()),
        model: "tiny".to_owned(),
        system_prompt: None,
        history_turns: 0,
        timeout: Duration::from_secs(20),
    })
}

fn openclaw_at(url: &str) -> OpenClawAgent {
    let (token, timeout) = (Some("pw-1".to_owned().into()), Duration::from_secs(20));
    OpenClawAgent::new(OpenClawAgentConfig {
        base_url: url.to_owned(),
        token,
        agent_id: None,
        assistant_name: None,
        timeout,
    })
}

async fn refusal(list: Reply, posted: Reply) -> String {
    match model_at(&server(list, posted).await.0).models().await {
        Err(AgentError::Refused(sentence)) => sentence,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_model_list_with_the_credential_is_enough() {
    let list = (200, r#"{"object":"list","data":[{"id":"tiny"},{"id":"large"}]}"#);
    let (url, heard) = server(list, NOT_FOUND).await;
    assert_eq!(model_at(&url).models().await, Ok(Some(vec!["tiny".to_owned(), "large".to_owned()])));
    assert_eq!(*heard.lock().unwrap(), ["GET /v1/models with Bearer sk-1"]);
    let (url, heard) = server(list, NOT_FOUND).await;
    assert!(openclaw_at(&url).models().await.unwrap().is_some());
    assert_eq!(*heard.lock().unwrap(), ["GET /v1/models with Bearer pw-1"]);
}

#[tokio::test]
async fn a_server_without_a_model_list_gets_an_empty_question() {
    for list in [NOT_FOUND, (405, ""), (200, "<html>"), (200, "{}")] {
        let (url, heard) = server(list, NO_MESSAGES).await;
        assert_eq!(model_at(&url).models().await, Ok(None), "{list:?}");
        assert_eq!(heard.lock().unwrap().last().unwrap(), "POST /v1/chat/completions with Bearer sk-1 {}");
    }
}

#[tokio::test]
async fn permanent_errors_are_reported_with_a_fix() {
    assert!(refusal((401, ""), NOT_FOUND).await.contains("check agent.apiKey or OPENAI_API_KEY"));
    assert!(refusal((403, ""), NOT_FOUND).await.contains("rejects the secret"));
    assert!(refusal(NOT_FOUND, NOT_FOUND).await.contains("check agent.baseUrl"));
    assert!(refusal(NOT_FOUND, (401, "")).await.contains("rejects the secret"));
    assert!(refusal((200, "<html>"), (200, "<html>")).await.contains("does not have chat completions"));
    assert!(refusal((302, ""), NOT_FOUND).await.contains("redirects"));
    let (disabled, _) = server(NOT_FOUND, NOT_FOUND).await;
    let error = openclaw_at(&disabled).models().await.unwrap_err().to_string();
    assert!(error.contains("gateway.http.endpoints.chatCompletions.enabled"), "{error}");
}

#[tokio::test]
async fn an_unreachable_or_failing_server_is_not_a_rejection() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(model_at(&format!("http://{closed}")).models().await, Err(AgentError::Unreachable(_))));
    let (troubled, _) = server((503, ""), NOT_FOUND).await;
    assert!(matches!(model_at(&troubled).models().await, Err(AgentError::Unavailable(_))));
}
