//! A phone that calls the bot, or is called, at the simulator.

use std::time::Duration;

use telephony_store::calls::{CallDetail, CallEntry, CallState, CallTurn};
use twilio_simulator::{CallRecord, Side};

use super::{ALICE, Plan, SOON, Stage};

pub const GREETING: &str = "Hello, this is your assistant.";
pub const FILLER: &str = "One moment, please.";

/// A gateway that answers calls.
pub fn plan() -> Plan {
    Plan { takes_calls: true, ..Plan::default() }
}

/// Returns a line for each thing that was said: `> ` by the phone, `< ` by the assistant.
pub fn transcript(call: &CallRecord) -> Vec<String> {
    let mark = |side| if side == Side::Phone { ">" } else { "<" };
    call.transcript.iter().map(|said| format!("{} {}", mark(said.by), said.text)).collect()
}

impl Stage {
    /// Has Alice call. Returns the SID of the call once Twilio has the first document.
    pub async fn rings(&self) -> String {
        let delivery = self.twilio.call(ALICE, self.bot()).await.unwrap();
        assert_eq!(delivery.status, Some(200), "{}", delivery.body);
        self.twilio.calls().last().unwrap().sid.clone()
    }

    pub async fn says(&self, sid: &str, words: &str) {
        tokio::time::timeout(SOON, self.twilio.say(sid, words)).await.expect("the call does not listen").unwrap();
    }

    pub fn at_twilio(&self, sid: &str) -> CallRecord {
        self.twilio.calls().into_iter().find(|call| call.sid == sid).unwrap()
    }

    pub async fn expect_call(&self, sid: &str, is_wanted: impl Fn(&CallRecord) -> bool) -> CallRecord {
        let is_there = |calls: &[CallRecord]| calls.iter().any(|call| call.sid == sid && is_wanted(call));
        let waited = self.twilio.wait_for_calls(is_there, SOON).await;
        assert!(
            waited.is_ok(),
            "{:?} the call stays {:?}: {:?}",
            self.twilio.alerts(),
            self.at_twilio(sid).status,
            transcript(&self.at_twilio(sid))
        );
        self.at_twilio(sid)
    }

    /// Waits until Twilio has heard the assistant say this.
    pub async fn hears(&self, sid: &str, words: &str) -> CallRecord {
        self.expect_call(sid, |call| call.transcript.iter().any(|said| said.by == Side::Number && said.text == words))
            .await
    }

    /// Waits until the call is stored as it is wanted.
    pub async fn expect_stored(&self, sid: &str, is_wanted: impl Fn(&CallDetail) -> bool) -> CallDetail {
        let mut last = None;
        let found = tokio::time::timeout(SOON, async {
            loop {
                let calls = self.store().calls(None, u32::MAX).await.unwrap();
                let is_it = |call: &&CallEntry| call.provider_id.as_deref() == Some(sid);
                if let Some(entry) = calls.iter().find(is_it) {
                    let call = self.store().call(entry.id).await.unwrap().unwrap();
                    if is_wanted(&call) {
                        return call;
                    }
                    last = Some(call);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("the call is stored as {last:?}"))
    }
}

pub fn words_of(turn: &CallTurn) -> &str {
    turn.prompt.words().map_or("", |words| words.as_str())
}

pub fn is_over(call: &CallDetail) -> bool {
    call.entry.state == CallState::Over
}
