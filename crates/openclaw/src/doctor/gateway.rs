//! Checks that the gateway is running with the current settings, or could start.

use std::net::{SocketAddr, TcpListener};

use telephony_config::PublicUrl;
use telephony_gateway::control::status::{Descriptors, TunnelAlive};

use super::catalog::{
    FEW_DESCRIPTORS, GATEWAY_NOT_RUNNING, GATEWAY_OTHER_CONFIG, GATEWAY_OTHER_VERSION, GATEWAY_SILENT, PORT_IN_USE,
    TUNNEL_AND_URL, TUNNEL_DOWN,
};
use super::{Checkup, Subject};

pub async fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup::default();
    match &subject.gateway {
        Some(alive) => {
            checkup.well(format!("running (pid {}) on {}", alive.pid, alive.listening));
            check_running(subject, &mut checkup);
        }
        None if subject.is_locked => checkup.found(GATEWAY_SILENT.found("")),
        None => {
            checkup.found(GATEWAY_NOT_RUNNING.found(""));
            check_port(subject, &mut checkup);
        }
    }
    check_descriptors(subject, &mut checkup);
    let telephony = &subject.loaded.telephony;
    if telephony.tunnel.provider.is_some() && telephony.public_url.is_some() {
        checkup.found(TUNNEL_AND_URL.found(""));
    }
    checkup
}

fn check_running(subject: &Subject, checkup: &mut Checkup) {
    let (Some(alive), telephony) = (&subject.gateway, &subject.loaded.telephony) else { return };
    if alive.version != env!("CARGO_PKG_VERSION") {
        let versions = format!("it has version {}, this is {}", alive.version, env!("CARGO_PKG_VERSION"));
        checkup.found(GATEWAY_OTHER_VERSION.found(versions));
    }
    let configured = telephony.public_url.as_ref().map(PublicUrl::webhook);
    let has_tunnel = telephony.tunnel.provider.is_some();
    let is_other_url = configured.is_some() && alive.webhook_url.as_deref() != configured;
    if (is_other_url && !has_tunnel) || alive.checks_signatures == telephony.skip_signature_verification {
        let url = alive.webhook_url.as_deref().unwrap_or("no public URL");
        checkup.found(GATEWAY_OTHER_CONFIG.found(format!("it is running with {url}")));
    }
    match &alive.tunnel {
        Some(TunnelAlive { name, url: Some(url), .. }) => checkup.well(format!("the tunnel {name} is open at {url}")),
        Some(TunnelAlive { trouble, .. }) => {
            checkup.found(TUNNEL_DOWN.found(trouble.as_deref().unwrap_or("it is opening")));
        }
        None if has_tunnel => checkup.found(GATEWAY_OTHER_CONFIG.found("it is running without the tunnel")),
        None => {}
    }
}

/// Checks the limit on open files of the running gateway, or else of a gateway started from here.
fn check_descriptors(subject: &Subject, checkup: &mut Checkup) {
    let sessions = subject.loaded.telephony.max_concurrent_sessions;
    let descriptors = match &subject.gateway {
        Some(alive) => alive.descriptors,
        None => Some(Descriptors::expected(sessions as usize)),
    };
    let Some(descriptors) = descriptors.filter(Descriptors::are_few) else { return };
    let Descriptors { allowed, needed, connections, agents } = descriptors;
    let whose = if subject.gateway.is_some() { "the running gateway may" } else { "a gateway started from here may" };
    checkup.found(FEW_DESCRIPTORS.found(format!(
        "{whose} open {allowed}, but needs {needed}; it accepts {connections} connections and runs {agents} agents at \
        a time"
    )));
}

fn check_port(subject: &Subject, checkup: &mut Checkup) {
    let serve = &subject.loaded.telephony.serve;
    let address = SocketAddr::new(serve.bind, serve.port);
    match TcpListener::bind(address) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            checkup.found(PORT_IN_USE.found(address));
        }
        Err(error) => checkup.found(PORT_IN_USE.found(format!("{address}: {error}"))),
        Ok(_) => {}
    }
}
