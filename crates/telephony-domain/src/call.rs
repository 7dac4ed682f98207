//! A call as a state machine: events go in, actions come out, and the gateway carries them out.
//!
//! A call is a chain of documents ([`script::Script`]). Each ends with the provider's request for the next one, which
//! carries the number of the document (`step`), so that a repeated or late request changes nothing. Beside it run the
//! turns: a turn is one thing that the other side said and the agent's answer to it. An answer is spoken only while its
//! turn is the current one. The whole state can be stored after each event, and the gateway may lose any event: timers
//! end the call whatever happens.

pub mod afterwards;
pub mod answer;
pub mod caller;
pub mod code;
mod documents;
mod phrases;
pub mod plan;
mod progress;
pub mod proof;
pub mod report;
mod requests;
pub mod script;
pub mod speech;
mod thinking;
mod timers;
pub mod token;
mod turns;
pub mod words;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::afterwards::SummaryRecipient;
use self::plan::{CallPlan, CallPurpose};
use self::report::{AnsweredBy, CallStatus};
use self::script::Script;
use self::thinking::{Ready, Thinking};
use self::words::Words;
use crate::time::Timestamp;

/// Shorter calls end without a warning.
const WARNED_FROM: Duration = Duration::from_secs(60);

/// Something that happens to a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The provider asks for the document that follows document `step`; the first request is 0.
    Request {
        /// The number in the address that the provider called.
        step: u32,
        /// The other side's input, if any.
        heard: Option<Heard>,
        /// The result of machine detection, if it is already known.
        answered_by: Option<AnsweredBy>,
    },
    /// The agent answered a turn.
    Answer {
        /// Number of the turn in this call, from [`Action::Ask`].
        turn: u32,
        /// The complete answer in Markdown.
        text: Words,
    },
    /// The agent will not answer a turn.
    NoAnswer {
        /// Number of the turn in this call, from [`Action::Ask`].
        turn: u32,
    },
    /// Machine detection has a result.
    AnsweredBy(AnsweredBy),
    /// The provider reports a new status of the call.
    Status(CallStatus),
    /// The time of [`Call::next_timer`] has come.
    Timer,
}

/// Input of the other side.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Speech, with the recognizer's confidence from 0 to 1 if it reports one.
    Speech(Words, Option<f32>),
    /// Keys, without the finishing key.
    Keys(Words),
    /// A PIN; the gateway compares it, so that its digits stay there.
    Pin {
        /// True if it is correct.
        is_correct: bool,
    },
}

/// Something that the gateway does for a call. It executes actions in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Answer waiting and repeated requests of the provider with this document.
    Respond(Script),
    /// Replace the current document. The next request carries the same step as before.
    Interrupt(Script),
    /// Store words that the agent does not answer: the call ends, a machine says them, or they are unclear.
    Keep {
        /// Number of their turn in this call.
        turn: u32,
        /// Words as the recognizer heard them, or keys as they were pressed.
        words: Words,
    },
    /// Store the task and ask the agent.
    Ask {
        /// The turn; comes back with the answer.
        turn: u32,
        /// Task of the agent, with the other side's words.
        prompt: Prompt,
    },
    /// Text this to the other side, once for each turn.
    Text {
        /// The turn that it belongs to.
        turn: u32,
        /// The text, in Markdown.
        text: Words,
        /// True if it is the answer, which is not spoken; false if it adds to a spoken one.
        is_answer: bool,
    },
    /// Text the summary of the call.
    SendSummary {
        /// Number of the turn that asked for the summary.
        turn: u32,
        /// The person who gets it.
        to: SummaryRecipient,
        /// The summary, in Markdown.
        text: Words,
    },
    /// Store an answer or a summary that came too late to be said and cannot be texted.
    KeepUnheard {
        /// Number of the turn that the agent answered too late.
        turn: u32,
        /// The complete answer in Markdown.
        text: Words,
    },
    /// Count a wrong PIN against the daily limit.
    CountWrongPin,
    /// Make the provider end the call after this many seconds, even if the gateway is gone.
    LimitTime(u32),
    /// Ask the provider for the call's status, and report it.
    Check,
    /// Stop the call before it is answered.
    Cancel,
    /// End the call at the provider.
    HangUp,
}

/// A task of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// Answer the words that the recognizer heard.
    Speech(Words),
    /// Answer the keys that the other side pressed.
    Keys(Words),
    /// Open the call that has a task.
    Open,
    /// Say one sentence for the answering machine.
    LeaveMessage,
    /// Summarize the call, which is over.
    Summarize,
}

impl Prompt {
    /// Returns the word for the kind of task, as used in the store and in `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Prompt::Speech(_) => "speech",
            Prompt::Keys(_) => "keys",
            Prompt::Open => "open",
            Prompt::LeaveMessage => "leave-message",
            Prompt::Summarize => "summarize",
        }
    }

    /// Returns the words or keys of the other side; none if the agent speaks first.
    pub fn words(&self) -> Option<&Words> {
        match self {
            Prompt::Speech(words) | Prompt::Keys(words) => Some(words),
            Prompt::Open | Prompt::LeaveMessage | Prompt::Summarize => None,
        }
    }
}

/// The state of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The other side has not answered yet.
    Ringing,
    /// The caller must enter the PIN and has been wrong this many times.
    Verifying(u8),
    /// The greeting plays after the other side has answered.
    Greeting,
    /// The provider listens for speech or keys.
    Listening,
    /// The agent is working.
    Thinking(Thinking),
    /// An answer of the agent plays.
    Speaking,
    /// The call ends with its document, or at this time.
    Closing(Timestamp),
    /// The provider has ended the call.
    Over,
}

/// The current document of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum DocumentState {
    /// The provider has not requested it yet.
    Unasked,
    /// The provider is waiting for it.
    Awaited,
    /// The provider has it.
    Given(Script),
}

/// A call as the rules see it: its terms, its state and its timers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    plan: CallPlan,
    phase: Phase,
    started: Timestamp,
    answered: Option<Timestamp>,
    /// The time of the provider's last report, before the answer, that it dials or that the phone rings.
    ringing: Option<Timestamp>,
    /// True if the provider was asked whether the call is still queued.
    is_checked: bool,
    /// The step that the provider's next request carries.
    step: u32,
    document: DocumentState,
    /// The number of the last turn; 0 before the first.
    turn: u32,
    /// Turns whose words were unclear; the agent did not get them.
    #[serde(default)]
    unclear_turns: u32,
    /// Turns whose answer goes by text when it arrives.
    owed: Vec<u32>,
    /// The owed turns whose answer the other side was promised.
    #[serde(default)]
    promised: Vec<u32>,
    /// The turn in which the agent summarizes the call.
    #[serde(default)]
    summarizing: Option<u32>,
    /// True if the other side is the owner of the number.
    is_proven: bool,
    is_machine: bool,
    /// True if the other side can be texted now.
    #[serde(default)]
    can_be_texted: bool,
    /// The last result of machine detection.
    #[serde(default)]
    answered_by: Option<AnsweredBy>,
    /// True once the provider was given something to say.
    #[serde(default)]
    has_spoken: bool,
    /// The time at which the provider was given the current document.
    #[serde(default)]
    given: Option<Timestamp>,
    #[serde(default)]
    is_cut_off: bool,
    /// Consecutive documents without input, and with unintelligible input.
    silences: u8,
    unclear: u8,
    fillers_said: u32,
    warning: Warning,
    /// The last statement, for repetition.
    last_said: Words,
}

/// The hint that little time is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Warning {
    Ahead,
    /// To be said before the next document.
    Due,
    Said,
}

impl Call {
    /// Creates a call that begins now: an outgoing one is placed, or an incoming one rings.
    pub fn new(plan: CallPlan, now: Timestamp) -> Call {
        let is_proven = !matches!(plan.purpose, CallPurpose::Inbound { is_attested: false, .. });
        let warning = if plan.max_duration < WARNED_FROM { Warning::Said } else { Warning::Ahead };
        Call {
            plan,
            phase: Phase::Ringing,
            started: now,
            answered: None,
            ringing: None,
            is_checked: false,
            step: 0,
            document: DocumentState::Unasked,
            turn: 0,
            unclear_turns: 0,
            owed: Vec::new(),
            promised: Vec::new(),
            summarizing: None,
            is_proven,
            is_machine: false,
            can_be_texted: false,
            answered_by: None,
            has_spoken: false,
            given: None,
            is_cut_off: false,
            silences: 0,
            unclear: 0,
            fillers_said: 0,
            warning,
            last_said: Words::default(),
        }
    }

    /// Returns the terms, which never change during the call.
    pub fn plan(&self) -> &CallPlan {
        &self.plan
    }

    /// Returns the time of the answer, if it was answered.
    pub fn answered(&self) -> Option<Timestamp> {
        self.answered
    }

    /// Returns the last result of machine detection; none before the first.
    pub fn who_answered(&self) -> Option<AnsweredBy> {
        self.answered_by
    }

    /// Returns true once the provider was given something to say.
    pub fn has_spoken(&self) -> bool {
        self.has_spoken
    }

    /// Returns true if the other side hung up sooner than any voice says the last words.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// Returns the state, as the store keeps it.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Returns the step for the URL of the next document.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// Returns the number of the last turn.
    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// Returns the open tasks of the agent: the current turn, those whose answer goes by text, and the summary.
    pub fn open_turns(&self) -> impl Iterator<Item = u32> {
        let current = match &self.phase {
            Phase::Thinking(thinking) if thinking.is_open() => Some(self.question()),
            _ => None,
        };
        self.owed.iter().copied().chain(self.summarizing).chain(current)
    }

    /// Returns true if the contact called us.
    pub fn is_inbound(&self) -> bool {
        matches!(self.plan.purpose, CallPurpose::Inbound { .. })
    }

    /// Returns true if the other side is surely the owner of the number: the network vouches for it, the PIN was right,
    /// or we called.
    pub fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Returns true if incoming keys are a PIN.
    pub fn asks_pin(&self) -> bool {
        matches!(self.phase, Phase::Verifying(_))
    }

    /// Returns true if the other side could be texted at the last event.
    pub fn can_be_texted(&self) -> bool {
        self.can_be_texted
    }

    /// Records whether the other side can be texted; until then it cannot. To be called before each event, because the
    /// contact may have opted out, or a limit may be used up.
    pub fn set_can_be_texted(&mut self, can_be_texted: bool) {
        self.can_be_texted = can_be_texted;
    }

    /// Applies an event to the state and returns the gateway's actions.
    pub fn on(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        let before = self.document.clone();
        self.fire_timers(now, &mut actions);
        match event {
            Event::Request { step, heard, answered_by } => {
                if let Some(answered_by) = answered_by {
                    self.answered_by(answered_by, now, &mut actions);
                }
                self.request(step, heard, now, &mut actions);
            }
            Event::Answer { turn, text } => self.take_answer(turn, Ready::Answer(text), now, &mut actions),
            Event::NoAnswer { turn } => self.take_answer(turn, Ready::NoAnswer, now, &mut actions),
            Event::AnsweredBy(answered_by) => self.answered_by(answered_by, now, &mut actions),
            Event::Status(status) => self.take_status(status, now, &mut actions),
            Event::Timer => {}
        }
        // The event may have set a timer that is already due.
        self.fire_timers(now, &mut actions);
        if self.document != before {
            self.given = Some(now);
        }
        actions
    }
}
