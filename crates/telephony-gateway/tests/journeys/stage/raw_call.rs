//! A call whose requests are made by the test instead of the simulator.

use reqwest::StatusCode;
use telephony_gateway::calls::CALLS_BELOW;
use telephony_store::calls::CallDetail;

use super::{ALICE, Stage};

/// The call.
pub struct RawCall<'a> {
    pub stage: &'a Stage,
    pub sid: String,
}

/// Returns the token of the next document.
pub fn token(document: &str) -> &str {
    let (_, after) = document.split_once(&format!("/{CALLS_BELOW}/")).expect("a document with another behind it");
    after.get(..32).unwrap()
}

fn heard(words: &str) -> [(&str, &str); 3] {
    [("CallStatus", "in-progress"), ("SpeechResult", words), ("Confidence", "0.9")]
}

/// Returns everything that the document says; fails if it is not well-formed.
pub fn said(document: &str) -> String {
    let document = roxmltree::Document::parse(document).unwrap();
    let says = document.descendants().filter(|node| node.has_tag_name("Say"));
    says.filter_map(|say| say.text()).collect::<Vec<_>>().join(" ")
}

impl<'a> RawCall<'a> {
    /// Alice calls; returns the call and its first document.
    pub async fn place(stage: &'a Stage, number: u32) -> (RawCall<'a>, String) {
        let call = RawCall { stage, sid: format!("CA{number:032x}") };
        let document = call.request(None, &[("CallStatus", "ringing")]).await;
        (call, document)
    }

    pub fn form(&self, more: &[(&str, &str)]) -> String {
        let own = [
            ("AccountSid", self.stage.twilio.account_sid()),
            ("CallSid", &self.sid),
            ("From", ALICE),
            ("To", self.stage.bot()),
            ("Direction", "inbound"),
        ];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(own).extend_pairs(more).finish()
    }

    pub async fn post(&self, token: Option<&str>, more: &[(&str, &str)]) -> reqwest::Response {
        let below = token.map_or(String::new(), |token| format!("/{CALLS_BELOW}/{token}"));
        self.stage.post_signed(&below, self.form(more)).await
    }

    pub async fn request(&self, token: Option<&str>, more: &[(&str, &str)]) -> String {
        let answer = self.post(token, more).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.unwrap()
    }

    /// Says words in answer to the document with this token; returns the next document.
    pub async fn says(&self, token: &str, words: &str) -> String {
        self.request(Some(token), &heard(words)).await
    }

    /// Returns the request that says words in answer to the document with this token.
    pub fn saying(&self, token: &str, words: &str) -> reqwest::RequestBuilder {
        self.stage.signed(&format!("/{CALLS_BELOW}/{token}"), self.form(&heard(words)))
    }

    pub async fn reports(&self, status: &str) {
        let report = [("CallStatus", status), ("CallbackSource", "call-progress-events")];
        self.request(None, &report).await;
    }

    pub async fn stored(&self) -> CallDetail {
        let calls = self.stage.store().calls(None, u32::MAX).await.unwrap();
        let call = calls.iter().find(|call| call.provider_id.as_ref() == Some(&self.sid)).expect("a stored call");
        self.stage.store().call(call.id).await.unwrap().unwrap()
    }

    /// Returns the words of the turns.
    pub async fn words(&self) -> Vec<String> {
        let turns = self.stored().await.turns;
        turns.iter().filter_map(|turn| turn.prompt.words()).map(|words| words.as_str().to_owned()).collect()
    }
}
