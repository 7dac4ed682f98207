//! The address where Twilio reaches this machine.

use telephony_config::{KeyChange, PublicUrl, TunnelProvider};

use super::asking::{Asking, Changes, set};
use super::secrets::{self, NGROK_TOKEN, SetupSecret};
use crate::failure::Failure;

impl Asking<'_> {
    /// Returns the settings and the secret of the chosen way.
    pub(super) fn reach(&self) -> Result<(Changes, Option<SetupSecret>), Failure> {
        let has_ngrok_flag = self.setup.ngrok_token.is_some() || self.setup.ngrok_domain.is_some();
        let way = match &self.setup.reach {
            Some(way) => way.clone(),
            None if has_ngrok_flag => "ngrok".to_owned(),
            None if self.asks_everything() => self.ask_reach()?,
            None => return Ok((Vec::new(), None)),
        };
        if has_ngrok_flag && way != "ngrok" {
            return Err(Failure::usage("--ngrok-token and --ngrok-domain require --reach ngrok"));
        }
        match way.as_str() {
            "none" => Ok((Vec::new(), None)),
            "ngrok" => {
                let mut changes = tunnel(&way);
                changes.extend(self.ngrok_domain()?);
                Ok((changes, self.ngrok_token()?))
            }
            "tailscale-funnel" => Ok((tunnel(&way), None)),
            url => {
                check_url(url).map_err(|message| {
                    Failure::usage(message).hint("--reach accepts an https URL, `ngrok`, `tailscale-funnel` or `none`")
                })?;
                Ok((vec![("publicUrl", set(url)), ("tunnel.provider", KeyChange::Remove)], None))
            }
        }
    }

    fn ask_reach(&self) -> Result<String, Failure> {
        let ways = [
            "my own https address, with a reverse proxy",
            "ngrok (easiest to try)",
            "Tailscale Funnel",
            "leave it as it is",
        ];
        let default = match self.existing().and_then(|telephony| telephony.tunnel.provider) {
            Some(TunnelProvider::Ngrok) => 1,
            Some(TunnelProvider::TailscaleFunnel) => 2,
            _ => 0,
        };
        let ways = ways.map(str::to_owned);
        match self.prompt.choice("How does Twilio reach this machine?", &ways, default)? {
            Some(1) => Ok("ngrok".to_owned()),
            Some(2) => Ok("tailscale-funnel".to_owned()),
            Some(0) => {
                let known = self.written("publicUrl");
                let url =
                    self.prompt.text("Public URL, such as https://phone.example.com", known.as_deref(), check_url)?;
                Ok(url.unwrap_or_else(|| "none".to_owned()))
            }
            _ => Ok("none".to_owned()),
        }
    }

    fn ngrok_token(&self) -> Result<Option<SetupSecret>, Failure> {
        let given = secrets::from_flag(NGROK_TOKEN, self.setup.ngrok_token.as_ref())?;
        let question = "ngrok authtoken (not shown; empty for the one in ngrok's own file)";
        self.secret(NGROK_TOKEN, given, question)
    }

    fn ngrok_domain(&self) -> Result<Option<(&'static str, KeyChange)>, Failure> {
        let domain = match &self.setup.ngrok_domain {
            Some(domain) => Some(domain.clone()),
            None if self.asks_everything() => {
                let known = self.existing().and_then(|telephony| telephony.tunnel.ngrok_domain.clone());
                let question = "Your ngrok domain, for a URL that never changes (empty for any)";
                Some(self.prompt.optional(question, known.as_deref(), |_| Ok(()))?.unwrap_or_default())
            }
            None => None,
        };
        Ok(domain.map(|domain| ("tunnel.ngrokDomain", if domain.is_empty() { KeyChange::Remove } else { set(domain) })))
    }
}

fn tunnel(way: &str) -> Changes {
    vec![("tunnel.provider", set(way)), ("tunnel.syncWebhooks", set(true)), ("publicUrl", KeyChange::Remove)]
}

fn check_url(url: &str) -> Result<(), String> {
    let is_secure = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let is_plain = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    match PublicUrl::parse(url, "/telephony/webhook", "/telephony/status") {
        Some(_) if is_secure || is_plain => Ok(()),
        _ => Err(format!("`{url}` is not a URL such as https://phone.example.com")),
    }
}
