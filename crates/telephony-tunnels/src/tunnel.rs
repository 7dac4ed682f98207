//! The interface of every tunnel, and its errors.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use async_trait::async_trait;

/// A tunnel service, with the operator's settings for it.
#[async_trait]
pub trait Tunnel: Send + Sync {
    /// Returns its name in the configuration.
    fn name(&self) -> &'static str;

    /// Returns true if the internet can reach it, not only the operator's machines.
    fn is_public(&self) -> bool;

    /// Opens it. Reopening after it broke, or after the process died, is safe.
    async fn open(&self, inside: &Inside) -> Result<Box<dyn OpenTunnel>, TunnelError>;
}

/// An open tunnel, until it breaks or is closed.
#[async_trait]
pub trait OpenTunnel: Send {
    /// Returns the public URL without a path and trailing slash: `https://name`, possibly with a port.
    fn url(&self) -> &str;

    /// Forwards requests until it breaks. May be dropped and called again.
    async fn broken(&mut self) -> TunnelError;

    /// Closes it, as far as possible.
    async fn close(self: Box<Self>);
}

/// The target of the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    address: SocketAddr,
    paths: Vec<String>,
}

impl Inside {
    /// Creates a target: the listener on `address`, and its public paths. A listener on all addresses is reached on the
    /// loopback one.
    pub fn new(mut address: SocketAddr, paths: Vec<String>) -> Self {
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self { address, paths }
    }

    /// Returns the address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the public paths.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// A reason why a tunnel is not open, and its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {detail}")]
pub struct TunnelError {
    /// Cause, which decides what the operator can do.
    pub cause: Cause,
    /// Words of the service or the system.
    pub detail: String,
}

impl TunnelError {
    /// Creates an error.
    pub fn new(cause: Cause, detail: impl fmt::Display) -> Self {
        Self { cause, detail: detail.to_string().trim().to_owned() }
    }

    /// Returns the hint for the operator.
    pub fn hint(&self) -> &'static str {
        self.cause.hint()
    }
}

/// Causes, distinguished by their remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// ngrok: there is no token.
    NoToken,
    /// ngrok: the token is rejected.
    TokenRefused,
    /// ngrok: the account's plan does not allow it.
    Plan,
    /// ngrok: another agent has the domain.
    DomainTaken,
    /// ngrok: the domain belongs to a different account.
    DomainNotReserved,
    /// Tailscale: the program is missing.
    NotInstalled,
    /// Tailscale: the program is too old.
    TooOld,
    /// Tailscale: the daemon is not running.
    NotRunning,
    /// Tailscale: not logged in.
    NotLoggedIn,
    /// Tailscale: this user may not change what is served.
    NotAllowed,
    /// Tailscale: HTTPS or Funnel is not enabled in the tailnet.
    NotEnabled,
    /// Tailscale: every possible port is in use.
    PortsTaken,
    /// The service did not answer.
    Unreachable,
    /// The open tunnel broke.
    Broken,
    /// Anything else.
    Other,
}

impl Cause {
    /// Returns true for a cause that often passes by itself.
    pub fn mends_itself(self) -> bool {
        matches!(self, Self::NotRunning | Self::Unreachable | Self::Broken | Self::Other)
    }

    fn hint(self) -> &'static str {
        match self {
            Self::NoToken => {
                "set tunnel.ngrokAuthToken or NGROK_AUTHTOKEN to the token of \
                 https://dashboard.ngrok.com/get-started/your-authtoken, or run `ngrok config add-authtoken`"
            }
            Self::TokenRefused => {
                "compare the token with https://dashboard.ngrok.com/get-started/your-authtoken; an API key is not one"
            }
            Self::Plan => "stop other agents of the account at https://dashboard.ngrok.com/agents, or change the plan",
            Self::DomainTaken => {
                "stop the other program that has the domain open, or set tunnel.ngrokDomain to a different one"
            }
            Self::DomainNotReserved => {
                "set tunnel.ngrokDomain to a domain that https://dashboard.ngrok.com/domains lists, or remove it"
            }
            Self::NotInstalled => "install Tailscale (https://tailscale.com/download), and log in with `tailscale up`",
            Self::TooOld => "update Tailscale to 1.52 or newer, for instance with `tailscale update`",
            Self::NotRunning => "start the daemon: `sudo systemctl enable --now tailscaled`",
            Self::NotLoggedIn => "log in with `tailscale up`",
            Self::NotAllowed => "allow it once with `sudo tailscale set --operator=$USER`",
            Self::NotEnabled => {
                "enable HTTPS certificates, and Funnel for this machine, in the admin console: \
                 https://tailscale.com/kb/1223/funnel"
            }
            Self::PortsTaken => "`tailscale serve status` shows what is there; free one of the ports 443, 8443, 10000",
            Self::Unreachable => "check the machine's internet connection; retrying",
            Self::Broken => "reopening it",
            Self::Other => "retrying",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "ngrok has no token",
            Self::TokenRefused => "ngrok rejects the token",
            Self::Plan => "the ngrok account's plan does not allow it",
            Self::DomainTaken => "the ngrok domain is taken",
            Self::DomainNotReserved => "the ngrok domain belongs to a different account",
            Self::NotInstalled => "Tailscale is not installed",
            Self::TooOld => "Tailscale is too old",
            Self::NotRunning => "Tailscale is not running",
            Self::NotLoggedIn => "Tailscale is not logged in",
            Self::NotAllowed => "Tailscale does not allow this user to do it",
            Self::NotEnabled => "it is not enabled in the tailnet",
            Self::PortsTaken => "Tailscale's ports are all in use",
            Self::Unreachable => "the tunnel's service is unreachable",
            Self::Broken => "the tunnel broke",
            Self::Other => "the tunnel cannot be opened",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_loopback() {
        let address = |text: &str| Inside::new(text.parse().unwrap(), Vec::new()).address().to_string();
        assert_eq!(address("0.0.0.0:3335"), "127.0.0.1:3335");
        assert_eq!(address("[::]:3335"), "[::1]:3335");
        assert_eq!(address("192.0.2.1:3335"), "192.0.2.1:3335");
    }
}
