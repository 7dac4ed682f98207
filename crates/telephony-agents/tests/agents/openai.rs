//! The `openai` agent with servers that answer, break off, hang, reject requests or are down.

use std::time::Duration;

use telephony_agents::{Agent, AgentError, OpenAiAgent, Role, Turn};
use telephony_config::OpenAiAgentConfig;
use telephony_domain::retry::Disposition;
use tokio::net::TcpListener;

use crate::model::{Asked, Model, Says, answers, event, events};
use crate::turn::{ask, odd, past, refusal, turn, unavailable, unavailable_picture};

const SOON: Duration = Duration::from_secs(60);

/// Time limit of an agent that is to be cut off. What it writes before must arrive in time, even on a busy machine.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
const KEY: &str = "sk-very-secret";

fn settings(base_url: &str, timeout: Duration) -> OpenAiAgentConfig {
    OpenAiAgentConfig {
        base_url: base_url.to_owned(),
        api_key: Some(KEY.to_owned().into()),
        model: "tiny".to_owned(),
        system_prompt: Some("Be brief.".to_owned()),
        history_turns: 3,
        timeout,
    }
}

fn agent_at(url: &str, timeout: Duration) -> OpenAiAgent {
    OpenAiAgent::new(settings(&format!("{url}/v1"), timeout))
}

fn agent(model: &Model) -> OpenAiAgent {
    agent_at(&model.url, SOON)
}

async fn ask_server(says: Says) -> Result<String, AgentError> {
    let model = Model::start(says).await;
    ask(&agent(&model), turn(&["call my wife"])).await
}

async fn ask_status(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Result<String, AgentError> {
    ask_server(Says::Status(status, headers, body)).await
}

#[tokio::test]
async fn the_question_carries_the_prompt_the_conversation_and_the_key() {
    let model = Model::start(answers("yes")).await;
    let mut question = turn(&["one", "", "three"]);
    question.said[1].media.push(unavailable_picture());
    question.history = vec![
        past(Role::Agent, "Good morning!"),
        past(Role::Contact, "hi"),
        past(Role::Agent, "hello"),
        past(Role::Agent, "anything else?"),
        past(Role::Contact, "wait"),
    ];
    assert_eq!(ask(&agent(&model), question).await.unwrap(), "yes");

    let asked = model.asked().pop().unwrap();
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(asked.headers["x-openclaw-turn"], "17;attempt=2");
    assert_eq!(
        asked.body,
        serde_json::json!({
            "model": "tiny",
            "stream": true,
            "messages": [
                { "role": "system", "content": "Be brief." },
                { "role": "assistant", "content": "Good morning!" },
                { "role": "user", "content": "hi" },
                { "role": "assistant", "content": "hello\nanything else?" },
                { "role": "user", "content": "wait\none\n[attachment unavailable: image/jpeg, it is too large]\nthree" },
            ],
        })
    );
}

#[tokio::test]
async fn operator_texts_are_marked_and_the_history_begins_with_the_user() {
    let model = Model::start(answers("yes")).await;
    let mut question = turn(&["thanks"]);
    let lines = [
        (Role::Operator, "Doors open at 7."),
        (Role::Contact, "ok"),
        (Role::Agent, "Fine."),
        (Role::Operator, "At 8!"),
    ];
    question.history = lines.map(|(role, text)| past(role, text)).to_vec();
    ask(&agent(&model), question).await.unwrap();
    let messages = model.asked().pop().unwrap().body["messages"].clone();
    let expected = [
        ("user", "[sent by the operator: “Doors open at 7.”]\nok"),
        ("assistant", "Fine."),
        ("user", "[sent by the operator: “At 8!”]\nthanks"),
    ];
    let expected = expected.map(|(role, content)| serde_json::json!({ "role": role, "content": content }));
    assert_eq!(messages.as_array().unwrap()[1..], expected);
}

#[tokio::test]
async fn a_connection_check_asks_no_question() {
    let model = Model::start(answers("yes")).await;
    assert_eq!(agent(&model).is_reachable().await, Some(true));
    assert!(model.asked().is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(agent_at(&url, SOON).is_reachable().await, Some(false));
}

#[tokio::test]
async fn a_base_url_may_end_in_a_slash_or_be_the_whole_url() {
    let model = Model::start(answers("yes")).await;
    for end in ["/v1/", "/v1/chat/completions"] {
        let url = format!("{}{end}", model.url);
        let agent = OpenAiAgent::new(OpenAiAgentConfig { api_key: None, ..settings(&url, SOON) });
        assert_eq!((ask(&agent, turn(&["hi"])).await.unwrap().as_str(), agent.history_turns()), ("yes", 3));
        let asked = model.asked().pop().unwrap();
        assert_eq!((asked.path.as_str(), asked.headers.get("authorization")), ("/v1/chat/completions", None));
    }
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_the_same_answer() {
    let bytes = events(&["He", "llo ", "💬 é"]).into_bytes();
    let says = Says::Pieces(bytes.into_iter().map(|byte| vec![byte]).collect());
    assert_eq!(ask_server(says).await.unwrap(), "Hello 💬 é");
}

#[tokio::test]
async fn a_server_that_cannot_stream_may_answer_in_one_document() {
    let body = r#"{"choices":[{"message":{"role":"assistant","content":"plain"},"finish_reason":"stop"}]}"#;
    assert_eq!(ask_status(200, &[("content-type", "application/json")], body).await.unwrap(), "plain");
}

#[tokio::test]
async fn an_empty_answer_is_silence() {
    assert_eq!(ask_server(Says::Pieces(vec![events(&[]).into_bytes()])).await.unwrap(), "");
}

#[tokio::test]
async fn an_unexpected_empty_answer_is_an_error_with_its_reason() {
    let said_nothing = async |body| ask_status(200, &[], body).await;
    let body = r#"{"choices":[{"message":{"content":"","reasoning_content":"hm"},"finish_reason":"length"}]}"#;
    assert!(odd(said_nothing(body).await).contains("less reasoning"));
    let body = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
    assert!(refusal(said_nothing(body).await).contains("withholds its answer"));
    let body = r#"{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}"#;
    assert!(odd(said_nothing(body).await).contains("ended without an answer (tool_calls)"));
    let body = r#"{"choices":[{"message":{"content":null},"finish_reason":"abort"}]}"#;
    let error = said_nothing(body).await.unwrap_err();
    let again = Disposition::Retry { after: None };
    assert_eq!([1, 2, 3].map(|attempt| error.disposition(attempt)), [again, again, Disposition::GiveUp]);
    assert!(odd(said_nothing("data: [DONE]\n\n").await).ends_with("ended without an answer"));
    for natural in ["eos", "end_turn", "STOP"] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":""}},"finish_reason":"{natural}"}}]}}"#);
        assert_eq!(ask_server(Says::Pieces(vec![body.into_bytes()])).await.unwrap(), "", "{natural}");
    }
}

#[tokio::test]
async fn an_incomplete_answer_is_an_error() {
    let half = event("half of").into_bytes();
    unavailable(ask_server(Says::Cut(vec![half.clone()])).await);
    unavailable(ask_server(Says::Pieces(vec![half.clone()])).await);
    let error = event("half of")
        + "data: {\"error\":{\"message\":\"call my wife\",\"type\":\"api_error\"}}\n\ndata: [DONE]\n\n";
    assert!(unavailable(ask_server(Says::Pieces(vec![error.into_bytes()])).await).contains("api_error"));
    let failed =
        event("half of") + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\ndata: [DONE]\n\n";
    assert!(unavailable(ask_server(Says::Pieces(vec![failed.into_bytes()])).await).contains("failed while answering"));
}

#[tokio::test]
async fn a_hanging_server_times_out() {
    for says in [Says::Nothing, Says::Hangs(Vec::new()), Says::Hangs(vec![event("half").into_bytes()])] {
        let model = Model::start(says).await;
        let agent = agent_at(&model.url, Duration::from_millis(300));
        let error = ask(&agent, turn(&["hi"])).await.unwrap_err();
        assert!(matches!(error, AgentError::TimedOut(_)), "{error}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let says = Says::Hangs(vec![event(&"ha ".repeat(1000)).into_bytes(); 40]);
    assert_eq!(ask_server(says).await.unwrap().len(), 64 * 1024);
}

#[tokio::test]
async fn a_long_answer_is_cut_at_the_time_limit() {
    let model = Model::start(Says::Hangs(vec![event(&"ha ".repeat(1000)).into_bytes(); 4])).await;
    let answer = ask(&agent_at(&model.url, WRITE_TIMEOUT), turn(&["hi"])).await.unwrap();
    assert_eq!(answer.len(), 12_000);
}

#[tokio::test]
async fn an_endless_document_is_an_error() {
    for begin in ["{\"choices\":[{\"message\":{\"content\":\"", "data: {\"choices\":[{\"delta\":{\"content\":\""] {
        let mut pieces = vec![vec![b'x'; 1024 * 1024]; 9];
        pieces.insert(0, begin.as_bytes().to_vec());
        assert!(odd(ask_server(Says::Hangs(pieces)).await).contains("endless answer"), "{begin}");
    }
    let thinks = std::iter::once("<think>".to_owned()).chain(vec!["hm ".repeat(20_000); 20]);
    let pieces = thinks.map(|piece| event(&piece).into_bytes()).collect();
    assert!(odd(ask_server(Says::Hangs(pieces)).await).contains("endless answer"));
}

#[tokio::test]
async fn content_other_than_text_is_dropped() {
    for (said, answer) in [
        ("a\0b\u{1b}[31mc\td\r\ne\u{9b}f", "ab[31mc d\nef"),
        ("NO_REPLY", ""),
        ("\n NO_REPLY \n", ""),
        ("<think>Not for me.</think>\n**NO_REPLY**", ""),
        ("Done.\n\nNO_REPLY", "Done."),
        ("Say NO_REPLY then.", "Say NO_REPLY then."),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes", "Yes"),
        ("<Reasoning effort=\"high\">hm</Reasoning> Yes", "Yes"),
    ] {
        assert_eq!(ask(&agent(&Model::start(answers(said)).await), turn(&["hi"])).await.unwrap(), answer, "{said}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let sentence = unavailable(ask(&agent_at(&url, SOON), turn(&["hi"])).await);
    assert!(sentence.starts_with(&format!("{url} cannot be reached: Connection refused")), "{sentence}");

    let nowhere = agent_at("http://no-such-host.invalid", SOON);
    let sentence = unavailable(ask(&nowhere, turn(&["hi"])).await);
    assert!(sentence.starts_with("http://no-such-host.invalid cannot be reached: "), "{sentence}");
}

#[tokio::test]
async fn a_rejected_key_is_named_but_not_shown() {
    for status in [401, 403] {
        let sentence =
            refusal(ask_status(status, &[], r#"{"error":{"message":"Incorrect API key: sk-very-secret"}}"#).await);
        assert!(sentence.contains("check agent.apiKey") && !sentence.contains(KEY), "{sentence}");
    }
    let model = Model::start(Says::Status(401, &[], "")).await;
    let keyless = OpenAiAgent::new(OpenAiAgentConfig { api_key: None, ..settings(&model.url, SOON) });
    assert!(refusal(ask(&keyless, turn(&["hi"])).await).contains("set agent.apiKey"));
}

#[tokio::test]
async fn a_key_with_invalid_characters_is_named_but_not_shown() {
    let api_key = Some("sk\nvery".to_owned().into());
    let agent = OpenAiAgent::new(OpenAiAgentConfig { api_key, ..settings("http://127.0.0.1:9", SOON) });
    let sentence = refusal(ask(&agent, turn(&["hi"])).await);
    assert!(sentence.contains("agent.apiKey") && !sentence.contains("very"), "{sentence}");
}

#[tokio::test]
async fn a_wrong_model_or_path_is_explained() {
    let body = r#"{"error":{"message":"The model `tiny` does not exist","code":"model_not_found"}}"#;
    let sentence = refusal(ask_status(404, &[], body).await);
    for part in ["HTTP 404, model_not_found", "`tiny`", "agent.model", "agent.baseUrl"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    assert!(refusal(ask_status(200, &[], "<!doctype html><title>Hi</title>").await).contains("web page"));
    assert!(
        refusal(ask_status(308, &[("location", "https://elsewhere.example/")], "").await).contains("agent.baseUrl")
    );
}

#[tokio::test]
async fn an_impossible_request_is_not_retried() {
    let body = r#"{"error":{"message":"you said: call my wife","code":"context_length_exceeded"}}"#;
    let sentence = refusal(ask_status(400, &[], body).await);
    assert!(sentence.contains("context_length_exceeded") && sentence.contains("agent.systemPrompt"), "{sentence}");
    assert!(!sentence.contains("wife"), "{sentence}");
}

#[tokio::test]
async fn a_history_that_is_too_long_is_halved_and_then_dropped() {
    let before = |lines: usize| {
        let roles = [Role::Contact, Role::Agent, Role::Agent].into_iter().cycle();
        roles.take(lines).enumerate().map(|(number, role)| past(role, &number.to_string())).collect::<Vec<_>>()
    };
    let asked = async |status, lines| {
        let model = Model::start(Says::Status(status, &[], "")).await;
        ask(&agent(&model), Turn { history: before(lines), ..turn(&["now"]) }).await.unwrap_err();
        let first = |asked: &Asked| asked.body["messages"][1]["content"].as_str().unwrap().to_owned();
        model.asked().iter().map(first).collect::<Vec<_>>()
    };
    for status in [400, 413, 422] {
        assert_eq!(asked(status, 8).await, ["0", "6", "now"], "{status}");
    }
    assert_eq!(asked(400, 3).await, ["0", "now"], "half of it is nothing without the contact");
    assert_eq!(asked(400, 0).await, ["now"]);
    for status in [401, 404, 429, 500] {
        assert_eq!(asked(status, 8).await, ["0"], "{status}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_retried_but_an_empty_account_is_not() {
    let quota = r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#;
    assert!(refusal(ask_status(429, &[("retry-after", "5")], quota).await).contains("credit"));
    assert!(refusal(ask_status(402, &[], "").await).contains("credit"));

    let limited = r#"{"error":{"type":"requests","code":"rate_limit_exceeded"}}"#;
    assert!(unavailable(ask_status(429, &[], limited).await).contains("rate_limit_exceeded"));
    let asks_to_wait = |seconds| Disposition::Retry { after: Some(Duration::from_secs(seconds)) };
    let error = ask_status(429, &[("retry-after", "7")], limited).await.unwrap_err();
    assert_eq!(error.disposition(1), asks_to_wait(7));
    let error = ask_status(503, &[("retry-after", "86400")], "").await.unwrap_err();
    assert_eq!(error.disposition(1), asks_to_wait(600));
}

#[tokio::test]
async fn a_server_error_is_retried() {
    for status in [408, 500, 502, 503, 529] {
        assert!(unavailable(ask_status(status, &[], "<html>oops</html>").await).contains(&status.to_string()));
    }
    unavailable(ask_status(200, &[], r#"{"object":"list"}"#).await);
    unavailable(ask_status(200, &[], "").await);
}
