//! `metrics`: a listener for monitoring, separate from the public one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::form::numbers::Whole;
use crate::keys::ObjectKeys;
use crate::sections::serve::address;

#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// Address of `/metrics`; none if it is off. Port 0 lets the system choose.
    pub address: Option<SocketAddr>,
}

impl MetricsConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let port =
            "The port of `/metrics`, for Prometheus and similar tools; 0 lets the system choose. Off by default.";
        let port = keys.key("port", port, Whole { from: 0, to: u16::MAX }).optional();
        let bind = "The address to listen on. There is no authentication: use this machine or a private network only.";
        let bind: IpAddr = keys.key("bind", bind, address()).or(Ipv4Addr::LOCALHOST.into());
        Self { address: port.map(|port| SocketAddr::new(bind, port)) }
    }
}
