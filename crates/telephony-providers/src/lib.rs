//! Providers: the phone companies.

pub mod calling;
pub mod provider;
pub mod route;
pub mod twilio;
