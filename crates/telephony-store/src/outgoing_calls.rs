//! Calls that we place: stored with a key before the provider is asked, and never dialed twice.
//!
//! A call waits until the gateway takes it ([`DueCall::Dial`](crate::calls::DueCall::Dial)). The gateway then makes one
//! request. Without an answer, the call is in doubt, and the gateway looks for it in the provider's list. A call that
//! is not listed is not dialed again.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::report::AnsweredBy;
use telephony_domain::call::token::CallToken;
use telephony_domain::call::words::Words;
use telephony_domain::dialing::{DialingRules, NotDialed};
use telephony_domain::id::CallId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::reconcile::SearchResult;
use telephony_domain::time::Timestamp;

use crate::{LeaseHolder, StoreError};

/// A call that has waited this long is not dialed, because by then it would be unexpected.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(60);

/// A call to place. `Debug` hides the words.
#[derive(Debug, Clone)]
pub struct CallDraft {
    /// Idempotency key. A draft with a known key places no call.
    pub key: String,
    /// Our number that the other side sees.
    pub from: PhoneNumber,
    /// The number to dial.
    pub to: PhoneNumber,
    /// The terms, including the purpose.
    pub plan: CallPlan,
    /// The agent's task, in the operator's words.
    pub task: Option<Words>,
    /// Keys pressed after the answer, such as an extension.
    pub keys: Option<String>,
}

/// Rules for calls that we place.
#[derive(Debug, Clone)]
pub struct OutgoingRules {
    /// Numbers, hours and limits.
    pub dialing: DialingRules,
    /// Maximum number of calls at a time, in both directions.
    pub most_calls: usize,
}

/// The result of placing a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// The call is stored, and waits for the gateway.
    Waiting(CallId),
    /// An earlier call has the same key.
    Known(CallId),
    /// An earlier call has its key, but not the same numbers, message, task and keys. The number is that call's.
    KeyTaken(CallId, PhoneNumber),
    /// A rule forbids the call.
    Refused(NotDialed),
}

/// A call that the gateway has to dial now, once.
#[derive(Debug, Clone)]
pub struct CallToDial {
    /// Our id of the call.
    pub call: CallId,
    /// Our number that the other side sees.
    pub from: PhoneNumber,
    /// The number to dial.
    pub to: PhoneNumber,
    /// The terms that were stored with the request.
    pub plan: CallPlan,
    /// Keys pressed after the answer.
    pub keys: Option<String>,
    /// The token of its first document.
    pub token: CallToken,
}

/// A call whose request may have been accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulCall {
    /// Our id of the call.
    pub call: CallId,
    /// Our number that the other side sees.
    pub from: PhoneNumber,
    /// The number that was dialed.
    pub to: PhoneNumber,
    /// The time of the request.
    pub dialed: Timestamp,
}

/// The dialing of a call that we place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialState {
    /// It waits for the gateway.
    Waiting,
    /// The request is in flight.
    Dialing,
    /// The request got no answer.
    Doubtful,
    /// The provider has accepted the call.
    Dialed,
    /// It was not dialed.
    NotDialed,
}

impl DialState {
    /// Every state.
    pub const ALL: [DialState; 5] =
        [DialState::Waiting, DialState::Dialing, DialState::Doubtful, DialState::Dialed, DialState::NotDialed];

    /// Returns the word used in the store and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            DialState::Waiting => "waiting",
            DialState::Dialing => "dialing",
            DialState::Doubtful => "doubtful",
            DialState::Dialed => "dialed",
            DialState::NotDialed => "not-dialed",
        }
    }
}

/// The request and the dialing of an outgoing call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingDetail {
    /// The state of the dialing.
    pub state: DialState,
    /// The message that we say.
    pub message: Option<Words>,
    /// The agent's task, in the operator's words.
    pub task: Option<Words>,
    /// The reason why it was not dialed.
    pub failure: Option<String>,
    /// The last result of machine detection; none before the first.
    pub answered_by: Option<AnsweredBy>,
    /// True once the provider was given something to say.
    pub has_spoken: bool,
}

/// Calls that we place.
#[async_trait]
pub trait OutgoingCalls: Send + Sync {
    /// Stores a call, unless a rule forbids it or its key is known.
    async fn place_call(&self, draft: CallDraft, rules: OutgoingRules, now: Timestamp) -> Result<Placed, StoreError>;

    /// Returns the reason why [`place_call`](OutgoingCalls::place_call) would refuse a call now, if there is one.
    async fn call_refusal(
        &self,
        from: &PhoneNumber,
        to: &PhoneNumber,
        rules: OutgoingRules,
        now: Timestamp,
    ) -> Result<Option<NotDialed>, StoreError>;

    /// Records the provider's id of a call. Returns false if the call already has a different id, so that the call with
    /// this id has to end at the provider.
    async fn call_dialed(
        &self,
        call: CallId,
        provider_id: &str,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Records that a call was not dialed, with the reason. The operator gets a notice.
    async fn call_not_dialed(
        &self,
        call: CallId,
        reason: String,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Records that the outcome of the request is unknown. The call is due at once.
    async fn doubt_call(&self, call: CallId, now: Timestamp) -> Result<(), StoreError>;

    /// Records a search of the provider's list that did not find a call in doubt. After the last search, the operator
    /// gets a notice.
    async fn call_not_found(
        &self,
        call: CallId,
        finding: SearchResult,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
