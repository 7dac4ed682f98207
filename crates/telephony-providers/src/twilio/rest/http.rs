//! The HTTP client: TLS with its own roots, and nothing done behind the caller's back.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// How long address look-up, connection and TLS may take together.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Idle connections are given up before servers do (load balancers: about 60 s), because a request that meets a
/// closing connection has an unknown outcome.
const IDLE_AT_MOST: Duration = Duration::from_secs(20);

/// A client that follows no redirect, repeats no request and uses no proxy of the environment.
pub(in crate::twilio) fn build_client() -> Result<Client, String> {
    builder()?.build().map_err(|error| describe(&error))
}

/// The same, with names looked up by `resolver`.
pub(super) fn build_client_with(resolver: Arc<dyn Resolve>) -> Result<Client, String> {
    builder()?.dns_resolver(resolver).build().map_err(|error| describe(&error))
}

fn builder() -> Result<ClientBuilder, String> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls().map_err(|error| describe(&error))?)
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(IDLE_AT_MOST)
        .user_agent(concat!("openclaw-telephony/", env!("CARGO_PKG_VERSION")));
    Ok(builder)
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

/// An error and all its causes in one line.
pub(in crate::twilio) fn describe(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
