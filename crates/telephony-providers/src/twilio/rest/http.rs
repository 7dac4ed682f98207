//! The HTTP client: TLS with its own roots, and no hidden retries or redirects.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Time limit for DNS, connection and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle connections are closed before servers close them (load balancers: about 60 s), because a request that meets a
/// closing connection has an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Builds a client that follows no redirect, repeats no request and ignores the environment's proxy.
pub(in crate::twilio) fn build_client() -> Result<Client, String> {
    builder()?.build().map_err(|error| describe(&error))
}

/// Builds the client with a custom DNS resolver.
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
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("openclaw-telephony/", env!("CARGO_PKG_VERSION")));
    Ok(builder)
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

/// Returns the innermost cause of an error, which says what happened, without the system's number of it.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let cause = innermost.to_string();
    cause.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// Formats an error and all its causes in one line.
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
