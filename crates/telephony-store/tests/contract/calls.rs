//! Calls: stored before they are answered, decided one event at a time, and always over at last.

mod ends;
mod opening;
mod texting;
mod turns;

use std::collections::HashSet;
use std::sync::Arc;

use telephony_domain::call::caller;
use telephony_domain::call::plan::{CallPlan, CallPurpose};
use telephony_domain::call::proof::ProofRules;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Script;
use telephony_domain::call::token::CallToken;
use telephony_domain::call::{Action, Event, Heard, Prompt};
use telephony_domain::id::CallId;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_domain::sms::split::{ChunkMode, SplitRules};
use telephony_store::calls::{
    CallDocumentRequest, CallOpening, CallQuestion, CallRules, CallState, CallStep, CallWork, DueCall, IncomingCall,
    Requested,
};
use telephony_store::{LeaseHolder, Next};

use super::world::{ANN, LINE, World, at, gateway, number, open_to_all, seconds, terms};

const OPERATOR: &str = "+15550001111";

const SPLIT: SplitRules =
    SplitRules { chunk_mode: ChunkMode::Auto, max_length: 1600, numbering: true, max_segments: Some(30) };

pub fn work_of(holder: LeaseHolder) -> CallWork {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    CallWork {
        provider: "twilio",
        holder,
        token: CallToken::from_random(bytes),
        split: SPLIT,
        arrivals: Arc::new(open_to_all()),
        terms: terms(Pacing::Unlimited),
        operator: Some(number(OPERATOR)),
    }
}

pub fn work() -> CallWork {
    work_of(gateway())
}

pub fn rules(inbound: InboundPolicy) -> CallRules {
    let plan = CallPlan {
        purpose: CallPurpose::Inbound { asks_pin: false, is_attested: false },
        greeting: "Hello.".into(),
        max_duration: seconds(300),
        filler_after: seconds(2),
        answer_within: seconds(25),
        fillers: vec!["One moment.".into()],
        summary: None,
        missed_call_text: None,
    };
    let policy = Policy { inbound, allow: HashSet::from([number(ANN)]), allows_everyone: false };
    CallRules { policy, proof: ProofRules::default(), plan, most_calls: 2 }
}

pub fn incoming(provider_id: &str, from: &str) -> IncomingCall {
    let (provider_id, caller) = (provider_id.to_owned(), caller::number(from));
    IncomingCall { provider_id, caller, is_attested: false, to: LINE.to_owned() }
}

impl World {
    pub async fn rings(&self, provider_id: &str, from: &str, inbound: InboundPolicy, now: i64) -> CallOpening {
        self.store.open_call(incoming(provider_id, from), rules(inbound), work(), at(now)).await.unwrap()
    }

    pub async fn answered(&self, provider_id: &str, now: i64) -> CallStep {
        match self.rings(provider_id, ANN, InboundPolicy::Allowlist, now).await {
            CallOpening::Open(step) => *step,
            other => panic!("not admitted: {other:?}"),
        }
    }

    pub async fn request(&self, provider_id: &str, token: &CallToken, heard: Option<&str>, now: i64) -> Requested {
        let heard = heard.map(|words| Heard::Speech(words.into(), None));
        let (token, provider_id) = (token.clone(), provider_id.into());
        let request = CallDocumentRequest { token, provider_id, heard, is_pin: false, answered_by: None };
        self.store.request_document(request, work(), at(now)).await.unwrap()
    }

    pub async fn requested(&self, step: &CallStep, heard: Option<&str>, now: i64) -> CallStep {
        match self.request(step.provider_id.as_ref().unwrap(), &step.token, heard, now).await {
            Requested::Step(step) => *step,
            other => panic!("no document: {other:?}"),
        }
    }

    pub async fn change(&self, call: CallId, event: Event, now: i64) -> CallStep {
        self.store.change_call(call, event, work(), at(now)).await.unwrap()
    }

    pub async fn due(&self, holder: LeaseHolder, now: i64) -> Option<DueCall> {
        match self.store.take_due_call(work_of(holder), at(now)).await.unwrap() {
            Next::Taken(due) => Some(due),
            Next::Idle(_) => None,
        }
    }

    /// Restarts the gateway as `holder`, which frees the calls of the previous one.
    pub async fn restarted_as(self, holder: &LeaseHolder, now: i64) -> World {
        let world = self.restarted();
        world.store.free_calls(holder, at(now)).await.unwrap();
        world
    }

    /// Ends the call and answers its first turn, which must not be texted.
    pub async fn answered_too_late(&self, call: CallId, now: i64) {
        for event in [Event::Status(CallStatus::Completed), Event::Answer { turn: 1, text: "It is noon.".into() }] {
            self.change(call, event, now).await;
        }
        assert_eq!(self.parts_idle(at(now + 1)).await, None);
    }

    pub async fn state(&self, call: CallId) -> CallState {
        self.store.call(call).await.unwrap().unwrap().entry.state
    }
}

pub fn document(step: &CallStep) -> Option<&Script> {
    step.actions.iter().find_map(|action| match action {
        Action::Respond(script) => Some(script),
        _ => None,
    })
}

pub fn words_of(question: &CallQuestion) -> String {
    match &question.prompt {
        Prompt::Speech(words) => words.as_str().to_owned(),
        other => panic!("no speech: {other:?}"),
    }
}
