//! Tailscale, through its own program: `serve` within the operator's network, `funnel` for the internet.
//!
//! The daemon keeps serving after this process ends. So only our own paths are added and removed, nothing that others
//! serve becomes public or private because of it, and the remains of a killed gateway are taken over.

mod program;
mod served;
mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use telephony_config::Environment;

use crate::tunnel::{Cause, Inside, OpenTunnel, Tunnel, TunnelError};
use served::{Mount, Served};

/// Interval between checks that everything is still served.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// Oldest version whose `serve` and `funnel` accept our arguments (major, minor).
const OLDEST: (u32, u32) = (1, 52);

/// Tailscale in one of its two modes.
#[derive(Debug, Clone)]
pub struct Tailscale {
    way: Way,
    program: PathBuf,
    check_every: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Serve,
    Funnel,
}

impl Way {
    fn command(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        }
    }
}

impl Tailscale {
    /// Creates a tunnel for machines in the operator's tailnet.
    pub fn serve(environment: &Environment) -> Self {
        Self { way: Way::Serve, program: program::find(environment), check_every: CHECK_EVERY }
    }

    /// Creates a tunnel for the internet.
    pub fn funnel(environment: &Environment) -> Self {
        Self { way: Way::Funnel, ..Self::serve(environment) }
    }

    /// Sets the interval between checks that everything is still served.
    pub fn checking_every(self, time: Duration) -> Self {
        Self { check_every: time, ..self }
    }
}

#[async_trait]
impl Tunnel for Tailscale {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Serve => "tailscale-serve",
            Way::Funnel => "tailscale-funnel",
        }
    }

    fn is_public(&self) -> bool {
        self.way == Way::Funnel
    }

    async fn open(&self, inside: &Inside) -> Result<Box<dyn OpenTunnel>, TunnelError> {
        self.check_version().await?;
        let host = self.host().await?;
        let port = self.served().await?.free_port(&host, &mounts(inside), self.is_public()).ok_or_else(|| {
            TunnelError::new(Cause::PortsTaken, format!("443, 8443 and 10000 of {host} serve something else"))
        })?;
        let mut open =
            OpenTailscale { url: url(&host, port), host, port, mounts: mounts(inside), tailscale: self.clone() };
        match open.serve_all().await {
            Ok(()) => Ok(Box::new(open)),
            Err(error) => {
                open.take_away().await;
                Err(error)
            }
        }
    }
}

impl Tailscale {
    async fn check_version(&self) -> Result<(), TunnelError> {
        let said = self.run(&["version"]).await?.succeeded()?;
        let version = said.split_whitespace().next().unwrap_or_default();
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) if (major, minor) < OLDEST => {
                Err(TunnelError::new(Cause::TooOld, format!("it is version {version}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns this machine's name in the tailnet, if it is connected.
    async fn host(&self) -> Result<String, TunnelError> {
        let said = self.run(&["status", "--json", "--peers=false"]).await?.succeeded()?;
        let status: TailscaleStatus = serde_json::from_str(&said).map_err(|error| nonsense("status", &error))?;
        match status.backend_state.as_str() {
            "Running" => {}
            "NeedsLogin" => return Err(TunnelError::new(Cause::NotLoggedIn, "its state is NeedsLogin")),
            state => return Err(TunnelError::new(Cause::NotLoggedIn, format!("it is not connected: {state}"))),
        }
        let name = status.this.map(|this| this.dns_name).unwrap_or_default();
        match name.trim_end_matches('.') {
            "" => Err(TunnelError::new(Cause::NotEnabled, "the machine has no name: MagicDNS is off")),
            name => Ok(name.to_owned()),
        }
    }

    async fn served(&self) -> Result<Served, TunnelError> {
        let said = self.run(&["serve", "status", "--json"]).await?.succeeded()?;
        let served: Option<Served> = serde_json::from_str(&said).map_err(|error| nonsense("serve status", &error))?;
        Ok(served.unwrap_or_default())
    }
}

/// The fields read from `tailscale status --json`.
#[derive(Deserialize)]
struct TailscaleStatus {
    #[serde(rename = "BackendState")]
    backend_state: String,
    #[serde(rename = "Self")]
    this: Option<Machine>,
}

#[derive(Deserialize)]
struct Machine {
    #[serde(rename = "DNSName", default)]
    dns_name: String,
}

/// Returns our paths and their targets: the same path inside, because Tailscale strips the mounted one.
fn mounts(inside: &Inside) -> Vec<Mount> {
    let mount = |path: &String| Mount { path: path.clone(), target: format!("http://{}{path}", inside.address()) };
    inside.paths().iter().map(mount).collect()
}

fn url(host: &str, port: u16) -> String {
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

fn nonsense(command: &str, error: &serde_json::Error) -> TunnelError {
    TunnelError::new(Cause::Other, format!("`tailscale {command} --json` printed unexpected output: {error}"))
}

struct OpenTailscale {
    url: String,
    host: String,
    port: u16,
    mounts: Vec<Mount>,
    tailscale: Tailscale,
}

#[async_trait]
impl OpenTunnel for OpenTailscale {
    fn url(&self) -> &str {
        &self.url
    }

    async fn broken(&mut self) -> TunnelError {
        loop {
            tokio::time::sleep(self.tailscale.check_every).await;
            if let Err(error) = self.check().await {
                return error;
            }
        }
    }

    async fn close(mut self: Box<Self>) {
        self.take_away().await;
    }
}

impl OpenTailscale {
    /// Serves every path, and checks the result, because the program also exits successfully when it only prints a
    /// message.
    async fn serve_all(&mut self) -> Result<(), TunnelError> {
        let mut said = String::new();
        for mount in &self.mounts {
            let (https, path) = self.place(mount);
            let arguments = [self.command(), "--bg", "--yes", &https, &path, &mount.target];
            said = self.tailscale.run(&arguments).await?.succeeded()?;
        }
        let served = self.tailscale.served().await?;
        match served.has(&self.host, self.port, &self.mounts, self.tailscale.is_public()) {
            true => Ok(()),
            false => Err(trouble::of(&said)),
        }
    }

    /// Checks that everything is as we left it.
    async fn check(&self) -> Result<(), TunnelError> {
        let host = self.tailscale.host().await?;
        if host != self.host {
            return Err(TunnelError::new(Cause::Broken, format!("the machine is now called {host}")));
        }
        let served = self.tailscale.served().await?;
        match served.has(&self.host, self.port, &self.mounts, self.tailscale.is_public()) {
            true => Ok(()),
            false => Err(TunnelError::new(Cause::Broken, "another program changed what Tailscale serves")),
        }
    }

    async fn take_away(&mut self) {
        let Ok(served) = self.tailscale.served().await else { return };
        for mount in self.mounts.iter().filter(|mount| served.has_mount(&self.host, self.port, mount)) {
            let (https, path) = self.place(mount);
            let taken = self.tailscale.run(&[self.command(), "--yes", &https, &path, "off"]).await;
            if let Err(error) = taken.and_then(program::ProgramResult::succeeded) {
                tracing::warn!(path = mount.path, hint = error.hint(), "Tailscale still serves it: {error}");
            }
        }
    }

    fn command(&self) -> &'static str {
        self.tailscale.way.command()
    }

    fn place(&self, mount: &Mount) -> (String, String) {
        (format!("--https={}", self.port), format!("--set-path={}", mount.path))
    }
}
