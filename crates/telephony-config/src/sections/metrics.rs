//! `metrics`: where monitoring looks, apart from what the public reaches.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::form::numbers::Whole;
use crate::keys::Keys;
use crate::sections::serve::address;

/// Where monitoring looks.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The address of `/metrics`; none where it is off. Port 0 lets the system choose one.
    pub address: Option<SocketAddr>,
}

impl Metrics {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let port =
            "The port of `/metrics`, for Prometheus and its like; 0 lets the system choose, without it there is none.";
        let port = keys.key("port", port, Whole { from: 0, to: u16::MAX }).optional();
        let bind = "The address to listen on for it. Nobody is asked who they are: leave it at this machine or a network \
                    of your own.";
        let bind: IpAddr = keys.key("bind", bind, address()).or(Ipv4Addr::LOCALHOST.into());
        Self { address: port.map(|port| SocketAddr::new(bind, port)) }
    }
}
