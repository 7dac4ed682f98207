//! The operator of a simulation: approves and rejects in the gateway's own store, and shows its state.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use telephony_agents::AgentError;
use telephony_config::TelephonyConfig;
use telephony_domain::dialing::DialingRules;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::control::status;
use telephony_gateway::random;
use telephony_store::contacts::{Approved, PairingRequest, Who};
use telephony_store::history::WorkSummary;
use telephony_store::outgoing_calls::{CallDraft, OutgoingRules, Placed};
use telephony_store::{Store, StoreError};

use super::agent::{Example, SimulatedAgent, examples};
use crate::assemble;
use crate::commands::pairing;
use crate::number;

/// Maximum number of calls, and of turns, at a time.
pub const MAX_CALLS: usize = 50;

/// The operator of the simulated gateway.
#[derive(Clone)]
pub struct SimulatedOperator {
    pub(super) store: Arc<dyn Store>,
    pub(super) split: SplitRules,
    /// The gateway's state folder.
    pub(super) state: PathBuf,
    /// A description of the agent for the page.
    pub(super) agent: Value,
    pub(super) number: PhoneNumber,
}

/// Describes the agent for the page: a sentence, commands that choose a different one, and its error if it has one.
pub fn about(agent: &SimulatedAgent, problem: &Option<AgentError>) -> Value {
    let shown = |example: Example| json!({"fits": example.fits, "command": example.command});
    let commands: Vec<Value> = examples().into_iter().filter(|_| agent.is_echo()).map(shown).collect();
    let problem = problem.as_ref().map(|problem| format!("The agent does not answer: {problem}."));
    json!({"sentence": agent.sentence, "commands": commands, "problem": problem})
}

impl SimulatedOperator {
    /// Lists the pairing requests.
    pub async fn requests(&self) -> Result<Vec<PairingRequest>, StoreError> {
        self.store.pairing_requests(now()).await
    }

    /// Approves a contact as the command does, and wakes the gateway.
    pub async fn approve(&self, who: Who) -> Result<Approved, StoreError> {
        let line = self.store.lines().await?.first().map(|line| line.id);
        let approved = self.store.approve(who, parts::of(APPROVAL_TEXT, &self.split), line, now()).await?;
        status::notify(&self.state).await;
        Ok(approved)
    }

    /// Rejects a contact as the command does.
    pub async fn reject(&self, who: Who, block: bool) -> Result<PhoneNumber, StoreError> {
        self.store.reject(who, block, now()).await
    }

    /// Places a call like `telephony call`: to say `message`, or for a conversation if there is none.
    pub async fn call(&self, to: PhoneNumber, message: Option<&str>) -> Result<Placed, StoreError> {
        let draft = CallDraft {
            key: format!("page-{}", random::name()),
            from: self.number.clone(),
            to,
            plan: assemble::outgoing_plan(&TelephonyConfig::default().voice, message, false),
            task: None,
            keys: None,
        };
        let rules = OutgoingRules { dialing: DialingRules::default(), most_calls: MAX_CALLS };
        let placed = self.store.place_call(draft, rules, now()).await?;
        status::notify(&self.state).await;
        Ok(placed)
    }

    /// Returns the gateway's counts of today.
    pub async fn summary(&self) -> Result<WorkSummary, StoreError> {
        self.store.summary(now()).await
    }

    /// Returns the phone page's routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/requests", get(list))
            .route("/approve", post(approve))
            .route("/reject", post(reject))
            .route("/call", post(call))
            .route("/status", get(status))
            .route("/agent", get(describe_agent))
            .with_state(self)
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// An error for the page to show.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused(StatusCode::CONFLICT, error.to_string())
    }
}

#[derive(Deserialize)]
struct Decision {
    who: String,
    #[serde(default)]
    block: bool,
}

impl Decision {
    fn who(&self) -> Result<Who, Refused> {
        pairing::who(&self.who).map_err(|error| Refused(StatusCode::BAD_REQUEST, error))
    }
}

async fn list(State(operator): State<SimulatedOperator>) -> Result<Json<Value>, Refused> {
    let requests = operator.requests().await?;
    let shown = |request: &PairingRequest| json!({"code": request.code.as_str(), "number": request.contact.as_str(), "kept": request.kept});
    Ok(Json(requests.iter().map(shown).collect()))
}

async fn approve(
    State(operator): State<SimulatedOperator>,
    Json(decision): Json<Decision>,
) -> Result<Json<Value>, Refused> {
    let approved = operator.approve(decision.who()?).await?;
    Ok(Json(json!({ "number": approved.contact.as_str() })))
}

async fn reject(
    State(operator): State<SimulatedOperator>,
    Json(decision): Json<Decision>,
) -> Result<Json<Value>, Refused> {
    let number = operator.reject(decision.who()?, decision.block).await?;
    Ok(Json(json!({ "number": number.as_str() })))
}

#[derive(Deserialize)]
struct PageCallRequest {
    to: String,
    #[serde(default)]
    message: String,
}

async fn call(
    State(operator): State<SimulatedOperator>,
    Json(request): Json<PageCallRequest>,
) -> Result<Json<Value>, Refused> {
    let to = number::phone(&request.to).map_err(|error| Refused(StatusCode::BAD_REQUEST, error))?;
    let message = Some(request.message.trim()).filter(|message| !message.is_empty());
    match operator.call(to, message).await? {
        Placed::Waiting(call) | Placed::Known(call) => Ok(Json(json!({ "call": call }))),
        Placed::KeyTaken(..) => Err(Refused(StatusCode::CONFLICT, "try again".to_owned())),
        Placed::Refused(refusal) => Err(Refused(StatusCode::CONFLICT, refusal.to_string())),
    }
}

async fn describe_agent(State(operator): State<SimulatedOperator>) -> Json<Value> {
    Json(operator.agent)
}

async fn status(State(operator): State<SimulatedOperator>) -> Result<Json<Value>, Refused> {
    let summary = operator.summary().await?;
    let counts = [
        ("Received", summary.received_today),
        ("Being answered", summary.waiting + summary.answering + summary.retrying),
        ("Queued", summary.queued + summary.sending),
        ("In doubt", summary.unknown),
        ("Delivered", summary.delivered_today),
        ("Failed", summary.failed_today),
    ];
    Ok(Json(json!(counts)))
}
