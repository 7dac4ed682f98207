//! Providers: the phone companies.

pub mod provider;
pub mod route;
pub mod twilio;
