//! Pictures and other attachments as models see them, and models that reject them.

use std::time::Duration;

use serde_json::{Value, json};
use telephony_agents::{Agent, AgentError, OpenAiAgent, OpenClawAgent, Role, Turn};
use telephony_config::{OpenAiAgentConfig, OpenClawAgentConfig};

use crate::model::{Model, Says, answers};
use crate::turn::{ask, attachment, past, turn, unavailable_picture};

const SOON: Duration = Duration::from_secs(60);
const JPEG: &[u8] = b"\xff\xd8\xffpixels";
const DATA_URL: &str = "data:image/jpeg;base64,/9j/cGl4ZWxz";

fn openai(model: &Model) -> OpenAiAgent {
    OpenAiAgent::new(OpenAiAgentConfig {
        base_url: model.url.clone(),
        api_key: None,
        model: "tiny".to_owned(),
        system_prompt: None,
        history_turns: 3,
        timeout: SOON,
    })
}

fn openclaw(model: &Model) -> OpenClawAgent {
    OpenClawAgent::new(OpenClawAgentConfig {
        base_url: model.url.clone(),
        token: None,
        agent_id: None,
        assistant_name: None,
        timeout: SOON,
    })
}

/// Returns the messages in each request.
fn messages(model: &Model) -> Vec<Value> {
    model.asked().into_iter().map(|asked| asked.body["messages"].clone()).collect()
}

async fn lines_of(question: Turn) -> String {
    let model = Model::start(answers("yes")).await;
    ask(&openai(&model), question).await.unwrap();
    messages(&model)[0][0]["content"].as_str().unwrap().to_owned()
}

fn image(url: &str) -> Value {
    json!({ "type": "image_url", "image_url": { "url": url } })
}

#[tokio::test]
async fn a_model_is_shown_the_picture_beside_the_words() {
    let model = Model::start(answers("a cat")).await;
    let (_file, picture) = attachment("image/jpeg", JPEG);
    let mut question = turn(&["look", "what is it?"]);
    question.said[0].media.push(picture);
    question.history = vec![past(Role::Agent, "hello"), past(Role::Contact, "wait")];
    assert_eq!(ask(&openai(&model), question.clone()).await.unwrap(), "a cat");
    let text = json!({ "type": "text", "text": "wait\nlook\n[picture: image/jpeg]\nwhat is it?" });
    let expected = json!([
        { "role": "assistant", "content": "hello" },
        { "role": "user", "content": [text, image(DATA_URL)] },
    ]);
    assert_eq!(messages(&model), [expected]);

    ask(&openclaw(&model), question).await.unwrap();
    let text = json!({ "type": "text", "text": "look\n[picture: image/jpeg]\nwhat is it?" });
    assert_eq!(messages(&model), [json!([{ "role": "user", "content": [text, image(DATA_URL)] }])]);
}

#[tokio::test]
async fn a_model_without_picture_support_is_asked_without_pictures() {
    let model = Model::start(Says::Status(400, &[], r#"{"error":{"code":"no_images"}}"#)).await;
    for agent in [&openai(&model) as &dyn Agent, &openclaw(&model)] {
        let (_file, picture) = attachment("image/jpeg", JPEG);
        let mut question = turn(&[""]);
        question.said[0].media.push(picture);
        assert!(matches!(ask(agent, question).await, Err(AgentError::Refused(_))));
        let asked = messages(&model);
        assert_eq!(asked.len(), 2);
        assert!(asked[0][0]["content"].is_array());
        assert_eq!(asked[1][0]["content"], "[picture: image/jpeg, 9 bytes; it cannot be shown to you]");
    }
}

#[tokio::test]
async fn pictures_are_dropped_after_repeated_server_errors() {
    let model = Model::start(answers("yes")).await;
    let (_file, picture) = attachment("image/jpeg", JPEG);
    for (attempt, is_shown) in [(3, true), (4, false)] {
        let mut question = Turn { attempt, ..turn(&["look"]) };
        question.said[0].media.push(picture.clone());
        ask(&openai(&model), question).await.unwrap();
        assert_eq!(messages(&model)[0][0]["content"].is_array(), is_shown);
    }
}

#[tokio::test]
async fn the_number_of_pictures_is_limited() {
    let model = Model::start(answers("yes")).await;
    let (_file, picture) = attachment("image/png", JPEG);
    let mut question = turn(&["look"]);
    question.said[0].media = vec![picture; 9];
    ask(&openclaw(&model), question).await.unwrap();
    let content = &messages(&model)[0][0]["content"];
    assert_eq!(content.as_array().unwrap().len(), 1 + 8);
    let placeholder = "[picture: image/png, 9 bytes; it cannot be shown to you]";
    assert!(content[0]["text"].as_str().unwrap().ends_with(placeholder));
}

#[tokio::test]
async fn other_files_are_described_in_text() {
    let card = "BEGIN:VCARD\r\nFN:Jane Roe\r\nTEL:+1 555 000 1111\r\nEND:VCARD\r\n";
    let things = [
        attachment("text/vcard", card.as_bytes()),
        attachment("audio/amr", &[0; 12_345]),
        attachment("video/mp4", &[0; 1_250_000]),
        attachment("image/heic", b"x"),
        attachment("application/pdf", b"x"),
    ];
    let mut question = turn(&["", "Loved “See you”"]);
    question.said[0].also_to = vec!["+15550002222".to_owned(), "+15550003333".to_owned()];
    question.said[0].media = things.iter().map(|(_, attachment)| attachment.clone()).collect();
    question.said[0].media.push(unavailable_picture());
    assert_eq!(
        lines_of(question).await,
        "[sent to a group with 2 others; your answer goes only to the sender]\n\
         [contact card: Jane Roe, +1 555 000 1111]\n\
         [voice note: audio/amr, 12 kB; it cannot be shown to you]\n\
         [video: video/mp4, 1.2 MB; it cannot be shown to you]\n\
         [picture: image/heic, 1 bytes; it cannot be shown to you]\n\
         [file: application/pdf, 1 bytes; it cannot be shown to you]\n\
         [attachment unavailable: image/jpeg, it is too large]\n\
         [reaction to an earlier message: loved “See you”]"
    );
}

#[tokio::test]
async fn a_missing_file_is_not_shown() {
    let (file, picture) = attachment("image/jpeg", JPEG);
    file.close().unwrap();
    let mut question = turn(&["look"]);
    question.said[0].media.push(picture);
    assert_eq!(lines_of(question).await, "look\n[picture: image/jpeg, 9 bytes; it cannot be shown to you]");
}

#[tokio::test]
async fn picture_that_cannot_be_read_now_is_not_left_out() {
    let model = Model::start(answers("yes")).await;
    for content_type in ["image/jpeg", "text/vcard"] {
        let (file, picture) = attachment(content_type, JPEG);
        let mut question = turn(&["look"]);
        question.said[0].media.push(picture);
        // A folder in its place causes a different error than a missing file.
        let path = file.path().to_owned();
        drop(file);
        std::fs::create_dir(&path).unwrap();
        let answer = ask(&openai(&model), question.clone()).await;
        std::fs::remove_dir(&path).unwrap();
        assert!(matches!(answer, Err(AgentError::Unavailable(_))), "{answer:?}");
        assert_eq!(messages(&model).len(), 0);
    }
}
