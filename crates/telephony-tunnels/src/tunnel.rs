//! What every tunnel can do, and why it cannot.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use async_trait::async_trait;

/// A way for the world to reach us.
#[async_trait]
pub trait Tunnel: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// Whether the internet reaches it, and not only machines of the operator's.
    fn is_public(&self) -> bool;

    /// Opens it. Opening it again after it broke, or after the process died, is safe.
    async fn open(&self, inside: &Inside) -> Result<Box<dyn Open>, TunnelError>;
}

/// A tunnel that is open.
#[async_trait]
pub trait Open: Send {
    /// What reaches us now, without a path and without a slash at the end: `https://name`, perhaps with a port.
    fn url(&self) -> &str;

    /// Passes on what comes, and returns once it is broken. May be dropped and called again.
    async fn broken(&mut self) -> TunnelError;

    /// Takes it down, as well as that can be done.
    async fn close(self: Box<Self>);
}

/// What the tunnel leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    address: SocketAddr,
    paths: Vec<String>,
}

impl Inside {
    /// The listener on `address`, and those of its paths that the world is to reach. A listener on all addresses is
    /// reached by the loopback one.
    pub fn new(mut address: SocketAddr, paths: Vec<String>) -> Self {
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self { address, paths }
    }

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the world is to reach.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// Why a tunnel is not open: what happened, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {detail}")]
pub struct TunnelError {
    /// The kind of trouble.
    pub cause: Cause,
    /// What exactly was said or seen.
    pub detail: String,
}

impl TunnelError {
    /// Trouble of this kind.
    pub fn new(cause: Cause, detail: impl fmt::Display) -> Self {
        Self { cause, detail: detail.to_string().trim().to_owned() }
    }

    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        self.cause.hint()
    }
}

/// Kinds of trouble, told apart by what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// ngrok: there is no token.
    NoToken,
    /// ngrok: the token is refused.
    TokenRefused,
    /// ngrok: the account's plan does not allow it.
    Plan,
    /// ngrok: somebody else has the domain.
    DomainTaken,
    /// ngrok: the domain is not the account's.
    DomainNotReserved,
    /// Tailscale: there is no program.
    NotInstalled,
    /// Tailscale: the program is too old.
    TooOld,
    /// Tailscale: the daemon does not run.
    NotRunning,
    /// Tailscale: nobody is logged in.
    NotLoggedIn,
    /// Tailscale: this user may not change what is served.
    NotAllowed,
    /// Tailscale: HTTPS or Funnel is not enabled in the tailnet.
    NotEnabled,
    /// Tailscale: every port that could be used has other things on it.
    PortsTaken,
    /// The service did not answer.
    Unreachable,
    /// It was open and is no longer.
    Broken,
    /// Anything else.
    Other,
}

impl Cause {
    /// Whether it often goes away without anybody doing anything.
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
                "stop the other program that has the domain open, or set tunnel.ngrokDomain to another one"
            }
            Self::DomainNotReserved => {
                "set tunnel.ngrokDomain to a domain that https://dashboard.ngrok.com/domains lists, or leave it out"
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
            Self::PortsTaken => "`tailscale serve status` shows what is there; take one of ports 443, 8443, 10000 free",
            Self::Unreachable => "check the machine's way to the internet; it is tried again by itself",
            Self::Broken => "it is opened again by itself",
            Self::Other => "it is tried again by itself",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "ngrok has no token",
            Self::TokenRefused => "ngrok refuses the token",
            Self::Plan => "the ngrok account's plan does not allow it",
            Self::DomainTaken => "the ngrok domain is taken",
            Self::DomainNotReserved => "the ngrok domain is not this account's",
            Self::NotInstalled => "Tailscale is not installed",
            Self::TooOld => "Tailscale is too old",
            Self::NotRunning => "Tailscale does not run",
            Self::NotLoggedIn => "Tailscale is not logged in",
            Self::NotAllowed => "Tailscale does not let this user",
            Self::NotEnabled => "the tailnet does not have it enabled",
            Self::PortsTaken => "Tailscale has other things on every port",
            Self::Unreachable => "the tunnel's service cannot be reached",
            Self::Broken => "the tunnel broke",
            Self::Other => "the tunnel could not be opened",
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
