//! ngrok, within this process: no program of ngrok is needed.
//!
//! The crate's own reconnection waits ever longer and does not report a changed URL, so it is not used: a session that
//! breaks ends the tunnel, and the caller reopens it.

mod agent_file;
mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use ngrok::Session;
use ngrok::config::TunnelBuilder;
use ngrok::prelude::{EndpointInfo, TunnelCloser};
use ngrok::session::{ConnectError, SessionBuilder, default_connect};
use ngrok::tunnel::HttpTunnel;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::tunnel::{Cause, Inside, OpenTunnel, Tunnel, TunnelError};
use agent_file::AgentFile;
pub use agent_file::agent_files;

/// Time limit for ngrok's answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a clean close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// An ngrok tunnel within this process.
#[derive(Debug, Clone)]
pub struct Ngrok {
    /// Token of the account; none: the one in ngrok's own file.
    pub token: Option<SecretString>,
    /// Domain to request; none: the account's free one, or any.
    pub domain: Option<String>,
    /// Candidate paths of ngrok's own configuration; the first that exists is used.
    pub agent_files: Vec<PathBuf>,
}

#[async_trait]
impl Tunnel for Ngrok {
    fn name(&self) -> &'static str {
        "ngrok"
    }

    fn is_public(&self) -> bool {
        true
    }

    async fn open(&self, inside: &Inside) -> Result<Box<dyn OpenTunnel>, TunnelError> {
        let session = within(ANSWER_TIMEOUT, async { self.connect(&self.session()?).await }).await?;
        let mut endpoint = session.http_endpoint();
        endpoint.forwards_to(format!("http://{}", inside.address()));
        if let Some(domain) = &self.domain {
            endpoint.domain(domain);
        }
        let listening = async { endpoint.listen().await.map_err(|error| trouble::of(&error)) };
        let tunnel = within(ANSWER_TIMEOUT, listening).await?;
        let url = tunnel.url().trim_end_matches('/').to_owned();
        Ok(Box::new(OpenNgrok { url, inside: inside.clone(), session, tunnel, connections: JoinSet::new() }))
    }
}

impl Ngrok {
    /// Builds the session; the agent's file is read again each time.
    fn session(&self) -> Result<SessionBuilder, TunnelError> {
        let file = AgentFile::read(&self.agent_files);
        let token = self.token.as_ref().or(file.token.as_ref());
        let token = token.ok_or_else(|| TunnelError::new(Cause::NoToken, "none is configured"))?;
        let mut session = Session::builder();
        session.authtoken(token.expose_secret()).connector(connect_once);
        session.client_info("openclaw-telephony", env!("CARGO_PKG_VERSION"), None::<&str>);
        if let Some(server) = &file.server {
            session.server_addr(server).map_err(|error| TunnelError::new(Cause::Other, error))?;
        }
        if let Some(authorities) = &file.authorities {
            let wrong = |error| TunnelError::new(Cause::Other, format!("{authorities}: {error}"));
            session.root_cas(authorities).map_err(wrong)?;
        }
        Ok(session)
    }

    async fn connect(&self, session: &SessionBuilder) -> Result<Session, TunnelError> {
        session.connect().await.map_err(|error| match error {
            ConnectError::Auth(_) => trouble::of(&error),
            _ => TunnelError::new(Cause::Unreachable, trouble::in_full(&error)),
        })
    }
}

/// Connects once, without reconnecting.
async fn connect_once(
    host: String,
    port: u16,
    tls: std::sync::Arc<rustls::ClientConfig>,
    broke: Option<ngrok::tunnel::AcceptError>,
) -> Result<Box<dyn ngrok::session::IoStream>, ConnectError> {
    match broke {
        None => default_connect(host, port, tls, None).await,
        Some(_) => Err(ConnectError::Canceled),
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, TunnelError>>) -> Result<T, TunnelError> {
    let late = |_| Err(TunnelError::new(Cause::Unreachable, "ngrok did not answer in time"));
    timeout(time, work).await.unwrap_or_else(late)
}

struct OpenNgrok {
    url: String,
    inside: Inside,
    session: Session,
    tunnel: HttpTunnel,
    connections: JoinSet<()>,
}

#[async_trait]
impl OpenTunnel for OpenNgrok {
    fn url(&self) -> &str {
        &self.url
    }

    async fn broken(&mut self) -> TunnelError {
        loop {
            match self.tunnel.try_next().await {
                Ok(Some(connection)) => {
                    while self.connections.try_join_next().is_some() {}
                    self.connections.spawn(pass_on(connection, self.inside.address()));
                }
                Ok(None) => return TunnelError::new(Cause::Broken, "ngrok closed it"),
                Err(error) => return trouble::of_accepting(&error),
            }
        }
    }

    async fn close(mut self: Box<Self>) {
        let closing = async {
            self.tunnel.close().await.ok();
            self.session.close().await.ok();
        };
        timeout(CLOSE_TIMEOUT, closing).await.ok();
    }
}

/// Forwards bytes in both directions, until both sides have finished.
async fn pass_on(mut outside: impl AsyncRead + AsyncWrite + Unpin, address: std::net::SocketAddr) {
    let passed = async {
        let mut inside = TcpStream::connect(address).await?;
        tokio::io::copy_bidirectional(&mut outside, &mut inside).await
    };
    if let Err(error) = passed.await {
        tracing::debug!(%error, "a connection through the tunnel ended early");
    }
}
