//! The agents' HTTP client: TLS with its own roots, no redirects, built on first use.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::agent::AgentError;

/// Time limit for DNS, connection and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that is built on first use, so that it does not delay the gateway's start.
#[derive(Default)]
pub(super) struct LazyClient(OnceLock<Result<Client, String>>);

impl LazyClient {
    /// Returns the client for requests to `url`.
    pub(super) fn get(&self, url: &str) -> Result<&Client, AgentError> {
        let built = self.0.get_or_init(|| build(url));
        built.as_ref().map_err(|cause| AgentError::Unavailable(format!("cannot build an HTTP client: {cause}")))
    }
}

/// Builds a client that uses the environment's proxy, except for this machine.
fn build(url: &str) -> Result<Client, String> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("openclaw-telephony/", env!("CARGO_PKG_VERSION")));
    let builder = if is_this_machine(url) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| root_cause(&error))
}

fn is_this_machine(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the innermost cause of an error, which says what happened.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for here in ["http://localhost:1/v1", "http://127.0.0.1", "https://[::1]:8443/v1"] {
            assert!(is_this_machine(here), "{here}");
        }
        for there in ["https://api.openai.com/v1", "http://10.0.0.1:8080", "http://localhost.example.com", "nonsense"] {
            assert!(!is_this_machine(there), "{there}");
        }
    }
}
