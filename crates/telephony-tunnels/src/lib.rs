//! How the world reaches a machine without a public address: each tunnel gives it a URL and passes on to the gateway's
//! own listener what is sent there. When to open one again, and who is told its URL, is the gateway's affair.

mod kind;
pub mod ngrok;
pub mod tailscale;
mod tunnel;

pub use kind::from_config;
pub use ngrok::Ngrok;
pub use tailscale::Tailscale;
pub use tunnel::{Cause, Inside, Open, Tunnel, TunnelError};
