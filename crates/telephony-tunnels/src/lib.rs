//! Tunnels for a machine without a public address: each one provides a URL and forwards its requests to the gateway's
//! listener. The gateway decides when to reopen one, and who gets its URL.

mod kind;
pub mod ngrok;
pub mod tailscale;
mod tunnel;

pub use kind::from_config;
pub use ngrok::Ngrok;
pub use tailscale::Tailscale;
pub use tunnel::{Cause, Inside, OpenTunnel, Tunnel, TunnelError};
