//! The answers: from flags, else asked for, else from what is there already; and what they change.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use telephony_config::{AgentKind, Change, PublicUrl, Telephony, TunnelProvider};
use telephony_domain::number::PhoneNumber;

use super::account::{Holdings, account, holdings, number_label, service_label};
use super::prompt::Prompt;
use super::{Before, Setup, missing};
use crate::failure::Failure;
use crate::terminal;

/// Attempts at credentials before somebody should look for others.
const ATTEMPTS: usize = 3;

const POLICIES: [(&str, &str); 4] = [
    ("pairing", "those you approve; strangers are told a code"),
    ("allowlist", "only the numbers you name"),
    ("open", "everyone"),
    ("disabled", "nobody"),
];

const AGENTS: [(&str, &str); 4] = [
    ("echo", "repeats what it is told, for a test"),
    ("openclaw", "a running OpenClaw"),
    ("openai", "any API that speaks OpenAI's chat completions"),
    ("command", "a program of yours"),
];

/// Where the Auth Token goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsIn {
    /// The `.env` of the state folder.
    Dotenv,
    /// The configuration itself.
    Config,
    /// Where it is already.
    AsItIs,
    /// Nowhere: whoever starts the gateway sets it.
    Environment,
}

/// Everything that was answered.
pub struct Answers {
    /// The token, for where it goes and to be hidden in what is shown.
    pub auth_token: SecretString,
    /// Where the token goes.
    pub secrets: SecretsIn,
    /// What the block gets.
    pub changes: Vec<(&'static str, Change)>,
}

/// Who we are to be on the phone.
enum Line {
    Number(String),
    Service(String),
}

impl Answers {
    /// Asks for what was not given, and checks all of it.
    pub fn gather(setup: &Setup, before: &Before, prompt: &Prompt) -> Result<Answers, Failure> {
        let asking = Asking { setup, before, prompt };
        let (account_sid, auth_token, holdings) = asking.credentials()?;
        let line = asking.line(&holdings)?;
        let mut changes =
            vec![("enabled", set(true)), ("provider", set("twilio")), ("twilio.accountSid", set(account_sid))];
        match line {
            Line::Number(number) => {
                changes.extend([("fromNumber", set(number)), ("twilio.messagingServiceSid", Change::Remove)]);
            }
            Line::Service(sid) => changes.push(("twilio.messagingServiceSid", set(sid))),
        }
        changes.extend(asking.reach()?);
        changes.extend(asking.policy()?);
        changes.extend(asking.agent()?);
        let operator = asking.operator()?;
        changes.extend(operator.map(|number| ("operator.number", set(number.as_str()))));
        changes.extend(setup.api_base_url.as_ref().map(|url| ("twilio.apiBaseUrl", set(url.as_str()))));
        let secrets = asking.secrets(&auth_token)?;
        match secrets {
            SecretsIn::Config => changes.push(("twilio.authToken", set(auth_token.expose_secret()))),
            SecretsIn::Dotenv | SecretsIn::Environment => changes.push(("twilio.authToken", Change::Remove)),
            SecretsIn::AsItIs => {}
        }
        Ok(Answers { auth_token, secrets, changes })
    }
}

struct Asking<'a> {
    setup: &'a Setup,
    before: &'a Before,
    prompt: &'a Prompt,
}

impl Asking<'_> {
    fn existing(&self) -> Option<&Telephony> {
        self.before.telephony.as_ref()
    }

    /// Whether what has a default is asked for.
    fn asks_everything(&self) -> bool {
        self.prompt.is_there() && !self.setup.consent.yes
    }

    fn credentials(&self) -> Result<(String, SecretString, Holdings), Failure> {
        let has_all = self.setup.account_sid.is_some() && self.setup.auth_token.is_some();
        let mut attempt = 1;
        loop {
            let (sid, token) = (self.account_sid()?, self.auth_token(attempt)?);
            let api = self.setup.api_base_url.as_deref();
            match holdings(account(self.existing(), api, &sid, &token)) {
                Ok(holdings) => {
                    terminal::say(format!("Twilio takes the credentials; {} number(s).", holdings.numbers.len()));
                    return Ok((sid, token, holdings));
                }
                Err(failure) if has_all || !self.prompt.is_there() || attempt == ATTEMPTS => return Err(failure),
                Err(failure) => {
                    failure.report();
                    attempt += 1;
                }
            }
        }
    }

    fn account_sid(&self) -> Result<String, Failure> {
        if let Some(sid) = &self.setup.account_sid {
            return Ok(sid.clone());
        }
        let known = self.existing().and_then(|telephony| telephony.twilio.account_sid.clone());
        let known = known.or_else(|| self.before.environment.get("TWILIO_ACCOUNT_SID").map(str::to_owned));
        if !self.asks_everything()
            && let Some(known) = known
        {
            return Ok(known);
        }
        let is_sid = |text: &str| text.starts_with("AC") && text.len() == 34;
        let check = |text: &str| is_sid(text).then_some(()).ok_or_else(|| "AC and 32 more characters".to_owned());
        let asked = self.prompt.text("Account SID (Twilio's console, Account Info)", known.as_deref(), check)?;
        asked.ok_or_else(|| missing("--account-sid or TWILIO_ACCOUNT_SID", "the Account SID"))
    }

    /// The first attempt takes what is known; another one asks.
    fn auth_token(&self, attempt: usize) -> Result<SecretString, Failure> {
        if let Some(token) = &self.setup.auth_token {
            return Ok(SecretString::from(token.clone()));
        }
        let known = self.existing().and_then(|telephony| telephony.twilio.auth_token.clone());
        let known = known.or_else(|| self.before.environment.get("TWILIO_AUTH_TOKEN").map(SecretString::from));
        match known {
            Some(known) if attempt == 1 => Ok(known),
            _ => {
                let asked = self.prompt.secret("Auth Token (not shown while you type)")?;
                asked.ok_or_else(|| missing("--auth-token or TWILIO_AUTH_TOKEN", "the Auth Token"))
            }
        }
    }

    fn line(&self, holdings: &Holdings) -> Result<Line, Failure> {
        let Holdings { numbers, services } = holdings;
        if let Some(sid) = &self.setup.messaging_service {
            let is_ours = services.iter().any(|service| service.sid == *sid);
            return if is_ours { Ok(Line::Service(sid.clone())) } else { Err(not_ours(sid, holdings)) };
        }
        if let Some(number) = &self.setup.from_number {
            let is_ours = numbers.iter().any(|candidate| candidate.phone_number == number.as_str());
            return if is_ours {
                Ok(Line::Number(number.to_string()))
            } else {
                Err(not_ours(number.as_str(), holdings))
            };
        }
        if numbers.is_empty() && services.is_empty() {
            return Err(Failure::new("the account has no number yet")
                .hint("buy one with the SMS capability in Twilio's console (Phone Numbers, Buy a number)"));
        }
        let labels = numbers.iter().map(number_label).chain(services.iter().map(service_label)).collect::<Vec<_>>();
        let known = self.existing().and_then(|telephony| {
            // As it is when messages go out: the service wins over the number.
            let service = telephony.twilio.messaging_service_sid.as_ref();
            let service = service.and_then(|sid| services.iter().position(|service| service.sid == *sid));
            let number = telephony.from_number.as_ref();
            let number = number.and_then(|known| numbers.iter().position(|one| one.phone_number == known.as_str()));
            service.map(|place| numbers.len() + place).or(number)
        });
        let chosen = match (self.asks_everything(), known, labels.len()) {
            (false, Some(known), _) => Some(known),
            (false, None, 1) => Some(0),
            _ => self.prompt.choice("Which number is the assistant's?", &labels, known.unwrap_or(0))?,
        };
        match chosen {
            None => Err(missing("--from-number or --messaging-service", "the number")
                .hint(format!("pass --from-number or --messaging-service; the account has {}", labels.join(", ")))),
            Some(place) if place < numbers.len() => Ok(Line::Number(numbers[place].phone_number.clone())),
            Some(place) => Ok(Line::Service(services[place - numbers.len()].sid.clone())),
        }
    }

    fn reach(&self) -> Result<Vec<(&'static str, Change)>, Failure> {
        let way = match &self.setup.reach {
            Some(way) => way.clone(),
            None if self.asks_everything() => self.ask_reach()?,
            None => return Ok(Vec::new()),
        };
        match way.as_str() {
            "none" => Ok(Vec::new()),
            "ngrok" | "tailscale-funnel" => Ok(vec![
                ("tunnel.provider", set(way)),
                ("tunnel.syncWebhooks", set(true)),
                ("publicUrl", Change::Remove),
            ]),
            url => {
                check_url(url).map_err(|message| {
                    Failure::usage(message).hint("--reach takes an https URL, `ngrok`, `tailscale-funnel` or `none`")
                })?;
                Ok(vec![("publicUrl", set(url)), ("tunnel.provider", Change::Remove)])
            }
        }
    }

    fn ask_reach(&self) -> Result<String, Failure> {
        let ways = [
            "an https address of my own, with a reverse proxy",
            "ngrok (easiest to try)",
            "Tailscale Funnel",
            "leave that as it is",
        ];
        let telephony = self.existing();
        let default = match telephony.and_then(|telephony| telephony.tunnel.provider) {
            Some(TunnelProvider::Ngrok) => 1,
            Some(TunnelProvider::TailscaleFunnel) => 2,
            _ => 0,
        };
        let ways = ways.map(str::to_owned);
        match self.prompt.choice("How does Twilio reach this machine?", &ways, default)? {
            Some(1) => Ok("ngrok".to_owned()),
            Some(2) => Ok("tailscale-funnel".to_owned()),
            Some(0) => {
                let known = telephony.and_then(|telephony| telephony.public_url.as_ref()).map(PublicUrl::webhook);
                let url = self.prompt.text("Public URL, such as https://phone.example.com", known, check_url)?;
                Ok(url.unwrap_or_else(|| "none".to_owned()))
            }
            _ => Ok("none".to_owned()),
        }
    }

    fn policy(&self) -> Result<Vec<(&'static str, Change)>, Failure> {
        let known = self.existing().map_or("pairing", |telephony| telephony.policy.inbound.as_str());
        let policy = match &self.setup.policy {
            Some(policy) => Some(one_of("--policy", policy, &POLICIES)?),
            None if self.asks_everything() => Some(self.pick("Who may talk to the assistant?", &POLICIES, known)?),
            // What stands in a file, also in one that cannot be used yet, stays: nobody asked for another.
            None if self.before.has_file() => None,
            None => Some(known.to_owned()),
        };
        let mut changes: Vec<_> = policy.map(|policy| ("inboundPolicy", set(policy))).into_iter().collect();
        if !self.setup.allow_from.is_empty() {
            let numbers: Vec<_> = self.setup.allow_from.iter().map(PhoneNumber::as_str).collect();
            changes.push(("allowFrom", set(json!(numbers))));
        }
        Ok(changes)
    }

    fn agent(&self) -> Result<Vec<(&'static str, Change)>, Failure> {
        let known = self.existing().map(|telephony| match telephony.agent.kind {
            AgentKind::Echo => "echo",
            AgentKind::Command(_) => "command",
            AgentKind::OpenAi(_) => "openai",
            AgentKind::OpenClaw(_) => "openclaw",
        });
        let kind = match &self.setup.agent {
            Some(kind) => one_of("--agent", kind, &AGENTS)?,
            None if self.asks_everything() => self.pick("Who answers?", &AGENTS, known.unwrap_or("echo"))?,
            None => return Ok(Vec::new()),
        };
        if self.setup.agent.is_none() && known == Some(kind.as_str()) {
            return Ok(Vec::new());
        }
        let mut changes = vec![("agent.kind", set(kind.as_str()))];
        let needed = |flag: &Option<String>, name: &str, question: &str, default: Option<&str>| match flag {
            Some(value) => Ok(value.clone()),
            None => {
                let asked = self.prompt.text(question, default, |_| Ok(()))?;
                asked.or(default.map(str::to_owned)).ok_or_else(|| missing(name, question))
            }
        };
        let Setup { agent_url, agent_model, agent_command, .. } = self.setup;
        match kind.as_str() {
            "command" => {
                changes.push(("agent.command", set(needed(agent_command, "--agent-command", "The command", None)?)));
            }
            "openai" => {
                let usual = Some("https://api.openai.com/v1");
                changes.push(("agent.baseUrl", set(needed(agent_url, "--agent-url", "Where its API is", usual)?)));
                changes.push(("agent.model", set(needed(agent_model, "--agent-model", "The model", None)?)));
            }
            _ => changes.extend(agent_url.as_ref().map(|url| ("agent.baseUrl", set(url.as_str())))),
        }
        Ok(changes)
    }

    fn operator(&self) -> Result<Option<PhoneNumber>, Failure> {
        if self.setup.operator_number.is_some() || !self.asks_everything() {
            return Ok(self.setup.operator_number.clone());
        }
        let known = self.existing().and_then(|telephony| telephony.operator.number.as_ref());
        self.prompt.number(
            "Your own number, to be told when something needs you (empty for none)",
            known.map(PhoneNumber::as_str),
        )
    }

    fn secrets(&self, token: &SecretString) -> Result<SecretsIn, Failure> {
        let known = self.existing().and_then(|telephony| telephony.twilio.auth_token.as_ref());
        let is_known = known.is_some_and(|known| known.expose_secret() == token.expose_secret());
        if is_known && self.setup.secrets.is_none() {
            return Ok(SecretsIn::AsItIs);
        }
        let places = ["the .env file of the state folder", "the configuration file", "I set TWILIO_AUTH_TOKEN myself"];
        let place = match self.setup.secrets.as_deref() {
            Some("config") => Some(1),
            Some("environment") => Some(2),
            Some(_) => Some(0),
            None if self.asks_everything() => {
                self.prompt.choice("Where does the Auth Token go?", &places.map(str::to_owned), 0)?
            }
            None => Some(0),
        };
        Ok(match place {
            Some(1) => SecretsIn::Config,
            Some(2) => SecretsIn::Environment,
            _ => SecretsIn::Dotenv,
        })
    }

    fn pick(&self, question: &str, choices: &[(&str, &str)], known: &str) -> Result<String, Failure> {
        let labels: Vec<_> = choices.iter().map(|(name, meaning)| format!("{name}: {meaning}")).collect();
        let default = choices.iter().position(|(name, _)| *name == known).unwrap_or(0);
        let chosen = self.prompt.choice(question, &labels, default)?.unwrap_or(default);
        Ok(choices[chosen].0.to_owned())
    }
}

fn set(value: impl Into<Json>) -> Change {
    Change::Set(value.into())
}

fn one_of(flag: &str, given: &str, choices: &[(&str, &str)]) -> Result<String, Failure> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    if names.contains(&given) {
        return Ok(given.to_owned());
    }
    Err(Failure::usage(format!("`{given}` is nothing that {flag} takes"))
        .hint(format!("it takes {}", names.join(", "))))
}

fn check_url(url: &str) -> Result<(), String> {
    let is_secure = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let is_plain = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    match PublicUrl::parse(url, "/telephony/webhook", "/telephony/status") {
        Some(_) if is_secure || is_plain => Ok(()),
        _ => Err(format!("`{url}` is no address such as https://phone.example.com")),
    }
}

fn not_ours(what: &str, holdings: &Holdings) -> Failure {
    let labels = holdings.numbers.iter().map(number_label).chain(holdings.services.iter().map(service_label));
    let labels: Vec<_> = labels.collect();
    let has = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
    Failure::new(format!("the account does not have {what}")).hint(format!("it has {has}"))
}
