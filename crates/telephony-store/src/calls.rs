//! Calls: each is a row with the state of the rules, which one event at a time changes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::proof::ProofRules;
use telephony_domain::call::report::{AnsweredBy, CallStatus};
use telephony_domain::call::token::CallToken;
use telephony_domain::call::words::Words;
use telephony_domain::call::{Action, Event, Heard, Prompt};
use telephony_domain::id::{CallId, ConversationId, LineId, TurnId};
use telephony_domain::limit::Terms;
use telephony_domain::money::Price;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{Policy, Refusal};
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::Timestamp;

use crate::inbox::ArrivalRules;
use crate::lines::Line;
use crate::outgoing_calls::{CallToDial, DoubtfulCall, OutgoingDetail};
use crate::{LeaseHolder, Next, StoreError};

/// A call's lease lasts this long from its last event.
pub const CALL_LEASE: Duration = Duration::from_secs(30);

/// A call that came in and is not answered yet.
#[derive(Debug, Clone)]
pub struct IncomingCall {
    /// The provider's id of the call.
    pub provider_id: String,
    /// The caller; none if the number is withheld or is not a phone number.
    pub caller: Option<PhoneNumber>,
    /// True if the network vouches for the caller's number.
    pub is_attested: bool,
    /// The number that was called.
    pub to: String,
}

/// Rules for calls that come in.
#[derive(Debug, Clone)]
pub struct CallRules {
    /// Rules for admission. An opt-out of texts does not count.
    pub policy: Policy,
    /// Rules for the proof that the number is the caller's.
    pub proof: ProofRules,
    /// The terms of an admitted call; the proof is decided here.
    pub plan: CallPlan,
    /// The most calls at a time.
    pub most_calls: usize,
}

/// The lease, token and rules that every change of a call needs.
#[derive(Debug, Clone)]
pub struct CallWork {
    /// The provider of incoming calls and of reports.
    pub provider: &'static str,
    /// The gateway that the call is leased to.
    pub holder: LeaseHolder,
    /// A fresh token, used if the step has none yet.
    pub token: CallToken,
    /// Rules for cutting texts.
    pub split: SplitRules,
    /// Rules for arriving messages: only contacts whose texts are answered are texted.
    pub arrivals: Arc<ArrivalRules>,
    /// Limits of sending, which decide whether a contact can be texted.
    pub terms: Terms,
    /// The operator's phone, which may get summaries.
    pub operator: Option<PhoneNumber>,
}

/// The outcome of a call that came in.
#[derive(Debug, Clone)]
pub enum CallOpening {
    /// It is stored, now or earlier, and the rules have answered its first request.
    Open(Box<CallStep>),
    /// The number is not one of ours.
    NotOurs,
    /// The caller is not admitted.
    Refused(Refusal),
    /// The caller cannot prove that they own the number.
    Unproven,
    /// All permits are taken, or the store has not caught up after a restore.
    Busy,
    /// The caller may ask to be paired on this line.
    Stranger(LineId, PhoneNumber),
}

/// The provider's record of a call that never reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedCall {
    /// The final status at the provider.
    pub status: CallStatus,
    /// The time at which it began.
    pub began: Timestamp,
    /// The time at which it ended.
    pub ended: Timestamp,
}

/// A request of the provider for the document behind a token.
#[derive(Debug, Clone)]
pub struct CallDocumentRequest {
    /// The token in its address.
    pub token: CallToken,
    /// The provider's id of the call.
    pub provider_id: String,
    /// Input of the other side.
    pub heard: Option<Heard>,
    /// True if the keys in it are the PIN.
    pub is_pin: bool,
    /// Result of machine detection.
    pub answered_by: Option<AnsweredBy>,
}

/// The outcome of a request for a document.
#[derive(Debug, Clone)]
pub enum Requested {
    /// The rules have decided.
    Step(Box<CallStep>),
    /// No call has the token.
    UnknownToken,
    /// The token belongs to another call.
    ForeignCall,
}

/// A stored step of a call. The gateway carries out the remaining actions.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// Our id of the call.
    pub call: CallId,
    /// The provider's id of the call.
    pub provider_id: Option<String>,
    /// The actions, without those that the store has carried out.
    pub actions: Vec<Action>,
    /// Tasks for the agent.
    pub asked: Vec<CallQuestion>,
    /// The token of the call's next request.
    pub token: CallToken,
    /// The call is over, here and at the provider.
    pub is_over: bool,
    /// Too many wrong PINs lock unproven callers out from now on.
    pub locks_out: bool,
}

/// A task for the agent. `Debug` hides the words.
#[derive(Debug, Clone, PartialEq)]
pub struct CallQuestion {
    /// The turn as the agent gets it.
    pub id: TurnId,
    /// Its number on the call.
    pub number: u32,
    /// The task of the agent for this turn.
    pub prompt: Prompt,
    /// The conversation that the call belongs to.
    pub conversation: ConversationId,
    /// Number of the other side.
    pub contact: PhoneNumber,
    /// The line that the call uses.
    pub line: Line,
    /// The time at which the other side spoke.
    pub said: Timestamp,
    /// True if the contact called us.
    pub is_inbound: bool,
    /// True if the other side is surely the owner of the number.
    pub is_proven: bool,
    /// True if the other side can be texted.
    pub can_be_texted: bool,
    /// The time at which the call ends.
    pub deadline: Timestamp,
    /// The task of a call that we placed.
    pub task: Option<Words>,
}

/// A call that is due.
#[derive(Debug, Clone)]
pub enum DueCall {
    /// A timer of the rules has fired.
    Fired(Box<CallStep>),
    /// It had no event for as long as a lease lasts, so the gateway asks the provider whether it is still open.
    Silent(CallId, Option<String>),
    /// It is taken over from a gateway that stopped, with the tasks that the agent has not answered.
    TakenOver(Box<CallStep>),
    /// The gateway has to dial it now.
    Dial(Box<CallToDial>),
    /// The gateway has to look for it in the provider's list.
    Find(DoubtfulCall),
    /// The gateway has to end it at the provider. The number counts earlier attempts.
    End(CallId, Option<String>, u32),
}

/// The state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// The rules decide about it.
    Open,
    /// The gateway has to end it at the provider.
    Ending,
    /// It is over at the provider, too.
    Over,
}

impl CallState {
    /// Every state, in the order of a call's life.
    pub const ALL: [CallState; 3] = [CallState::Open, CallState::Ending, CallState::Over];

    /// Returns the word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            CallState::Open => "open",
            CallState::Ending => "ending",
            CallState::Over => "over",
        }
    }
}

/// The outcome of a turn of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTurnOutcome {
    /// The answer was spoken.
    Answered,
    /// The answer was sent as a text.
    Texted,
    /// The answer came too late and could not be texted.
    Unheard,
    /// The agent did not answer.
    None,
}

impl CallTurnOutcome {
    /// Every outcome.
    pub const ALL: [CallTurnOutcome; 4] =
        [CallTurnOutcome::Answered, CallTurnOutcome::Texted, CallTurnOutcome::Unheard, CallTurnOutcome::None];

    /// Returns the word used in the store and in `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallTurnOutcome::Answered => "answered",
            CallTurnOutcome::Texted => "texted",
            CallTurnOutcome::Unheard => "unheard",
            CallTurnOutcome::None => "none",
        }
    }
}

/// A call in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEntry {
    /// Our id of the call.
    pub id: CallId,
    /// The provider's id of the call.
    pub provider_id: Option<String>,
    /// Number of the other side.
    pub contact: PhoneNumber,
    /// The line that the call uses.
    pub line: LineId,
    /// True if the contact called us.
    pub is_inbound: bool,
    /// Our state of the call, apart from the provider's.
    pub state: CallState,
    /// The provider's last status; a final one stays.
    pub status: Option<CallStatus>,
    /// The time at which it came in or was placed.
    pub began: Timestamp,
    /// The time at which it ended.
    pub ended: Option<Timestamp>,
    /// Number of turns so far.
    pub turns: u32,
    /// True if the contact called and the call never reached us.
    pub is_missed: bool,
    /// True if the other side hung up before the last words can have been said.
    pub is_cut_off: bool,
    /// The time from answer to end, once it is known.
    pub spoken: Option<Duration>,
    /// The price, once the provider knows it.
    pub price: Option<Price>,
}

/// A turn of a call: what the other side said, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTurn {
    /// Its number on the call.
    pub number: u32,
    /// The task, with the words or keys of the other side.
    pub prompt: Prompt,
    /// The time at which the other side spoke.
    pub said: Timestamp,
    /// The answer as the agent wrote it.
    pub answer: Option<Words>,
    /// The outcome; none while the agent works.
    pub outcome: Option<CallTurnOutcome>,
    /// The time of the answer.
    pub answered: Option<Timestamp>,
}

/// A call with its transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallDetail {
    /// The call as in the list.
    pub entry: CallEntry,
    /// Its turns, oldest first.
    pub turns: Vec<CallTurn>,
    /// Its request; none if the contact called us.
    pub outgoing: Option<OutgoingDetail>,
    /// The provider's status reports, in the order of their arrival; each status once.
    pub events: Vec<(CallStatus, Timestamp)>,
}

/// Calls: each method applies one event and stores its result.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Decides whether to admit an incoming call. Stores an admitted one, with its deadline and the token of its next
    /// step, before it is answered. Returns the same document if the request is repeated.
    async fn open_call(
        &self,
        call: IncomingCall,
        rules: CallRules,
        work: CallWork,
        now: Timestamp,
    ) -> Result<CallOpening, StoreError>;

    /// Remembers a call that was answered without being stored, so that it does not count as missed.
    async fn call_declined(&self, provider: &str, provider_id: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Has the rules decide about a request for the document behind a token.
    async fn request_document(
        &self,
        request: CallDocumentRequest,
        work: CallWork,
        now: Timestamp,
    ) -> Result<Requested, StoreError>;

    /// Has the rules decide about another event. Stores the words and answers, and queues the texts. Fails with
    /// [`StoreError::NotFound`].
    async fn change_call(
        &self,
        call: CallId,
        event: Event,
        work: CallWork,
        now: Timestamp,
    ) -> Result<CallStep, StoreError>;

    /// Like [`change_call`](Calls::change_call) for a report of the provider about its call `provider_id`. A call that
    /// it has not named before is found by our id. Returns none for a call that is not stored here.
    async fn report_call(
        &self,
        provider_id: &str,
        call: Option<CallId>,
        event: Event,
        work: CallWork,
        now: Timestamp,
    ) -> Result<Option<CallStep>, StoreError>;

    /// Returns the tasks that the agent has not answered although their calls ended since `since`: an earlier gateway
    /// stopped meanwhile. Those of calls that `holder` ended are its own. For the start.
    async fn unanswered_after_calls(
        &self,
        holder: &LeaseHolder,
        since: Timestamp,
    ) -> Result<Vec<(CallId, CallQuestion)>, StoreError>;

    /// Stores a call that is over and never reached us, and texts its caller, unless callers have to prove their number.
    /// Returns false for a call that is not missed: it is known, or the policy does not admit the caller, or did not
    /// when the call began.
    async fn call_missed(
        &self,
        call: IncomingCall,
        missed: MissedCall,
        rules: CallRules,
        work: CallWork,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Takes the call that has been due for longest at the provider of `work`. The call is due again later if it has no event until then.
    async fn take_due_call(&self, work: CallWork, now: Timestamp) -> Result<Next<DueCall>, StoreError>;

    /// Records that the provider has ended a call, or does not know it.
    async fn close_call(&self, call: CallId, now: Timestamp) -> Result<(), StoreError>;

    /// Ends every lease that `holder` does not hold. For the start, when no other gateway can be running.
    async fn free_calls(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError>;

    /// Returns the newest `limit` calls, newest first; only those of `contact` if given.
    async fn calls(&self, contact: Option<&PhoneNumber>, limit: u32) -> Result<Vec<CallEntry>, StoreError>;

    /// Returns the newest `limit` calls with a contact and their transcripts, oldest first.
    async fn transcripts(&self, contact: &PhoneNumber, limit: u32) -> Result<Vec<CallDetail>, StoreError>;

    /// Returns a call with its transcript.
    async fn call(&self, call: CallId) -> Result<Option<CallDetail>, StoreError>;
}
