//! Agents: each one gets a turn and returns its answer as a stream of text.

mod agent;
mod answer_limit;
mod attachment;
mod chat;
mod command;
mod echo;
mod kind;
mod openai;
mod openclaw;
mod prompt;
mod reasoning;
mod silence;

pub use agent::{Agent, AgentError, AnswerStream, OnCall, Past, Role, Said, Turn, collect};
pub use attachment::{Availability, TurnAttachment};
pub use command::CommandAgent;
pub use echo::EchoAgent;
pub use kind::from_config;
pub use openai::OpenAiAgent;
pub use openclaw::OpenClawAgent;
