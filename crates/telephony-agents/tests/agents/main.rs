//! The agents with servers and programs that behave well or badly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod agent_checks;
mod command;
mod model;
mod openai;
mod openclaw;
mod pictures;
mod turn;
