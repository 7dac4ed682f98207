//! The `openclaw` agent with a stand-in for OpenClaw; `e2e/` tests the real one.

use std::time::Duration;

use telephony_agents::{Agent, OnCall, OpenClawAgent, Role, Turn};
use telephony_config::OpenClawAgentConfig;

use crate::model::{Model, Says, answers};
use crate::turn::{ask, past, refusal, turn};

fn agent(model: &Model, id: Option<&str>) -> OpenClawAgent {
    OpenClawAgent::new(OpenClawAgentConfig {
        base_url: model.url.clone(),
        token: Some("a-token".to_owned().into()),
        agent_id: id.map(str::to_owned),
        assistant_name: None,
        timeout: Duration::from_secs(20),
    })
}

#[tokio::test]
async fn only_new_messages_are_sent_in_the_contacts_session() {
    let model = Model::start(answers("yes")).await;
    let mut question = turn(&["one", "two"]);
    question.history = vec![past(Role::Contact, "before")];
    assert_eq!(agent(&model, None).history_turns(), 0);
    assert_eq!(ask(&agent(&model, None), question).await.unwrap(), "yes");

    let asked = model.asked().pop().unwrap();
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], "Bearer a-token");
    assert_eq!(asked.headers["x-openclaw-session-key"], "agent:main:telephony:direct:+15550001111");
    assert_eq!(asked.headers["x-openclaw-message-channel"], "telephony");
    let messages = serde_json::json!([{ "role": "user", "content": "one\ntwo" }]);
    let expected = serde_json::json!({ "model": "openclaw/default", "stream": true, "messages": messages });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn operator_texts_precede_the_contacts_message() {
    let model = Model::start(answers("yes")).await;
    let mut question = turn(&["Which doors?"]);
    question.history = vec![past(Role::Operator, "Doors open at 7."), past(Role::Operator, "Bring a coat.")];
    assert!(agent(&model, None).hears_operator());
    ask(&agent(&model, None), question).await.unwrap();
    let content = &model.asked().pop().unwrap().body["messages"][0]["content"];
    assert_eq!(
        content,
        "[sent by the operator: “Doors open at 7.”]\n[sent by the operator: “Bring a coat.”]\nWhich doors?"
    );
}

#[tokio::test]
async fn a_call_is_announced_before_the_callers_words() {
    let model = Model::start(answers("yes")).await;
    let time_left = Duration::from_secs(240);
    let call = OnCall { is_inbound: true, is_proven: false, can_be_texted: true, time_left, task: None };
    let question = Turn { on_call: Some(call), ..turn(&["Which doors?"]) };
    ask(&agent(&model, None), question).await.unwrap();
    let content = model.asked().pop().unwrap().body["messages"][0]["content"].as_str().unwrap().to_owned();
    let note = "[phone call from this number, which is not proven and may be faked; 240 s left. ";
    assert!(content.starts_with(note) && content.contains("“end call”"), "{content}");
    assert!(content.ends_with("]\nWhich doors?"), "{content}");
}

#[tokio::test]
async fn each_agent_has_its_own_sessions() {
    let model = Model::start(answers("yes")).await;
    ask(&agent(&model, Some("phone")), turn(&["hi"])).await.unwrap();
    let asked = model.asked().pop().unwrap();
    assert_eq!(asked.headers["x-openclaw-session-key"], "agent:phone:telephony:direct:+15550001111");
    assert_eq!(asked.body["model"], "openclaw/phone");
}

#[tokio::test]
async fn a_silent_answer_sends_nothing() {
    let model = Model::start(answers("No response from OpenClaw.")).await;
    assert_eq!(ask(&agent(&model, None), turn(&["hi"])).await.unwrap(), "");
}

#[tokio::test]
async fn a_missing_openclaw_setting_is_named() {
    let refused = async |status, id| {
        let model = Model::start(Says::Status(status, &[], "")).await;
        refusal(ask(&agent(&model, id), turn(&["hi"])).await)
    };
    assert!(refused(401, None).await.contains("check agent.token"));
    assert!(refused(404, None).await.contains("gateway.http.endpoints.chatCompletions"));
    assert!(refused(400, Some("fone")).await.contains("agent.agentId"));
    assert!(refused(200, Some("two\nlines")).await.contains("agent.agentId"));
}
