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

pub use agent::{Agent, AgentError, Answer, OnCall, Past, Role, Said, Turn, collect};
pub use attachment::{Attachment, Held};
pub use command::Command;
pub use echo::Echo;
pub use kind::from_config;
pub use openai::OpenAi;
pub use openclaw::OpenClaw;
