//! Providers: the phone companies.

pub mod calling;
pub mod checks;
pub mod provider;
pub mod route;
pub mod twilio;
