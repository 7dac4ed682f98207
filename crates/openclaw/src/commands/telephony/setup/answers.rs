//! Collects the answers from flags, questions or existing settings, and the changes they lead to.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use telephony_config::KeyChange;
use telephony_domain::number::PhoneNumber;

use super::account::{AccountSenders, holdings, number_label, service_label};
use super::args::{SetupArgs, missing};
use super::asking::{Asking, Changes, one_of, set};
use super::before::Before;
use super::prompt::SetupTerminal;
use super::secrets::{self, AUTH_TOKEN, SecretDestination, SetupSecret, Stored};
use crate::assemble;
use crate::failure::Failure;
use crate::number;
use crate::plural::counted;
use crate::terminal;

/// Attempts at entering credentials before setup gives up.
const ATTEMPTS: usize = 3;

const POLICIES: [(&str, &str); 4] = [
    ("pairing", "those you approve; strangers get a code"),
    ("allowlist", "only the numbers you name"),
    ("open", "everyone"),
    ("disabled", "no one"),
];

pub struct Answers {
    /// The secrets, to be stored and to be hidden in output.
    pub secrets: Vec<Stored>,
    /// Changes to the channel's block.
    pub changes: Changes,
}

enum ChosenLine {
    Number(String),
    Service(String),
}

impl Answers {
    /// Asks for missing answers and checks all of them.
    pub fn gather(setup: &SetupArgs, before: &Before, prompt: &SetupTerminal) -> Result<Answers, Failure> {
        let asking = Asking { setup, before, prompt };
        let (account_sid, auth_token, holdings) = asking.credentials()?;
        let line = asking.line(&holdings)?;
        let mut changes =
            vec![("enabled", set(true)), ("provider", set("twilio")), ("twilio.accountSid", set(account_sid))];
        match line {
            ChosenLine::Number(number) => {
                changes.extend([("fromNumber", set(number)), ("twilio.messagingServiceSid", KeyChange::Remove)]);
            }
            ChosenLine::Service(sid) => changes.push(("twilio.messagingServiceSid", set(sid))),
        }
        let (reach, ngrok_token) = asking.reach()?;
        changes.extend(reach);
        changes.extend(asking.policy()?);
        let (agent, agent_key) = asking.agent()?;
        changes.extend(agent);
        let operator = asking.operator()?;
        changes.extend(operator.map(|number| ("operator.number", set(number.as_str()))));
        changes.extend(setup.api_base_url.as_ref().map(|url| ("twilio.apiBaseUrl", set(url.as_str()))));
        let auth_token = SetupSecret { kind: AUTH_TOKEN, value: auth_token };
        let secrets: Vec<_> = [Some(auth_token), ngrok_token, agent_key].into_iter().flatten().collect();
        let store = asking.store(&secrets)?;
        let secrets: Vec<_> = secrets.into_iter().map(|secret| Stored::of(secret, before, setup, store)).collect();
        changes.extend(secrets.iter().filter_map(Stored::change));
        Ok(Answers { secrets, changes })
    }
}

impl Asking<'_> {
    /// Returns credentials that Twilio accepts and the account's numbers; `-` is read only once.
    fn credentials(&self) -> Result<(String, SecretString, AccountSenders), Failure> {
        let given = secrets::from_flag(AUTH_TOKEN, self.setup.auth_token.as_ref())?;
        let has_all = self.setup.account_sid.is_some() && given.is_some();
        let mut attempt = 1;
        loop {
            let (sid, token) = (self.account_sid()?, self.auth_token(given.as_ref(), attempt)?);
            let api = self.setup.api_base_url.as_deref();
            let provider = assemble::provider_with(self.existing(), api, &sid, &token);
            match holdings(provider.as_ref(), self.setup.from_number.as_ref()) {
                Ok(holdings) => {
                    terminal::say(format!(
                        "Twilio accepts the credentials; {}.",
                        counted(holdings.numbers.len(), "number")
                    ));
                    if let Some(error) = &holdings.services_unknown {
                        terminal::say(format!("Could not fetch its Messaging Services: {error}"));
                    }
                    return Ok((sid, token, holdings));
                }
                Err(failure) if has_all || !self.prompt.is_there() || attempt == ATTEMPTS => return Err(failure),
                Err(failure) => {
                    terminal::report(&failure);
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
        let asked = self.prompt.text("Account SID (Twilio Console, Account Info)", known.as_deref(), check)?;
        asked.ok_or_else(|| missing("--account-sid or TWILIO_ACCOUNT_SID", "the Account SID"))
    }

    /// Returns the known token at the first attempt, and asks afterwards.
    fn auth_token(&self, given: Option<&SecretString>, attempt: usize) -> Result<SecretString, Failure> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        match AUTH_TOKEN.known(self.before) {
            Some(known) if attempt == 1 => Ok(known),
            _ => {
                let asked = self.prompt.secret("Auth Token (not shown while you type)")?;
                let bare = asked.map(|typed| AUTH_TOKEN.bare(typed.expose_secret()));
                bare.ok_or_else(|| missing("--auth-token or TWILIO_AUTH_TOKEN", "the Auth Token"))
            }
        }
    }

    fn line(&self, holdings: &AccountSenders) -> Result<ChosenLine, Failure> {
        let AccountSenders { numbers, services, .. } = holdings;
        if let Some(sid) = &self.setup.messaging_service {
            let is_ours = services.iter().any(|service| service.id == *sid);
            return match &holdings.services_unknown {
                _ if is_ours => Ok(ChosenLine::Service(sid.clone())),
                Some(error) => Err(Failure::new(format!("cannot check whether the account has {sid}: {error}"))
                    .hint("try again later, or choose a number")),
                None => Err(not_ours(sid, holdings)),
            };
        }
        if let Some(number) = &self.setup.from_number {
            return match holdings.has(number) {
                true => Ok(ChosenLine::Number(number.to_string())),
                false => Err(not_ours(number.as_str(), holdings)),
            };
        }
        if numbers.is_empty() && services.is_empty() {
            return Err(Failure::new("the account has no phone number yet")
                .hint("buy one with the SMS capability in the Twilio Console (Phone Numbers, Buy a number)"));
        }
        let labels = numbers.iter().map(number_label).chain(services.iter().map(service_label)).collect::<Vec<_>>();
        let known = self.existing().and_then(|telephony| {
            // As when sending, the service takes precedence over the number.
            let service = telephony.twilio.messaging_service_sid.as_ref();
            let service = service.and_then(|sid| services.iter().position(|service| service.id == *sid));
            let number = telephony.from_number.as_ref();
            let number = number.and_then(|known| numbers.iter().position(|one| one.number == known.as_str()));
            service.map(|index| numbers.len() + index).or(number)
        });
        let chosen = match (self.asks_everything(), known, labels.len()) {
            (false, Some(known), _) => Some(known),
            (false, None, 1) => Some(0),
            _ => self.prompt.choice("Which number does the assistant use?", &labels, known.unwrap_or(0))?,
        };
        match chosen {
            None => Err(missing("--from-number or --messaging-service", "the number")
                .hint(format!("pass --from-number or --messaging-service; the account has {}", labels.join(", ")))),
            Some(index) if index < numbers.len() => Ok(ChosenLine::Number(numbers[index].number.clone())),
            Some(index) => Ok(ChosenLine::Service(services[index - numbers.len()].id.clone())),
        }
    }

    fn policy(&self) -> Result<Changes, Failure> {
        let known = self.existing().map_or("pairing", |telephony| telephony.policy.inbound.as_str());
        let policy = match &self.setup.policy {
            Some(policy) => Some(one_of("--policy", policy, &POLICIES)?),
            None if self.asks_everything() => Some(self.pick("Who may talk to the assistant?", &POLICIES, known)?),
            // A value in a file stays, even in an unusable file, unless a flag changes it.
            None if self.before.has_file() => None,
            None => Some(known.to_owned()),
        };
        let allowed = self.allowed(policy.as_deref())?.map(|numbers| ("allowFrom", set(json!(numbers))));
        Ok(policy.map(|policy| ("inboundPolicy", set(policy))).into_iter().chain(allowed).collect())
    }

    /// Returns the numbers that are always allowed, if given or if the policy needs a list.
    fn allowed(&self, policy: Option<&str>) -> Result<Option<Vec<String>>, Failure> {
        if !self.setup.allow_from.is_empty() {
            return Ok(Some(self.setup.allow_from.iter().map(PhoneNumber::to_string).collect()));
        }
        if policy != Some("allowlist") || !self.asks_everything() {
            return Ok(None);
        }
        let known = self.written_list("allowFrom").join(", ");
        let question = "Which numbers, separated by commas";
        let numbers = self.prompt.optional(question, Some(&known), |text| match wrong_number(text) {
            Some(wrong) => Err(format!("`{wrong}` is not a phone number such as +15550001234")),
            None => Ok(()),
        })?;
        Ok(Some(numbers.iter().flat_map(|numbers| listed(numbers)).map(number::compact).collect()))
    }

    fn operator(&self) -> Result<Option<PhoneNumber>, Failure> {
        if self.setup.operator_number.is_some() || !self.asks_everything() {
            return Ok(self.setup.operator_number.clone());
        }
        let known = self.existing().and_then(|telephony| telephony.operator.number.as_ref());
        self.prompt.number(
            "Your own number, for notices that need your attention (empty for none)",
            known.map(PhoneNumber::as_str),
        )
    }

    /// Returns the destination of secrets that are not stored yet.
    fn store(&self, secrets: &[SetupSecret]) -> Result<SecretDestination, Failure> {
        let new: Vec<_> = secrets.iter().filter(|secret| !secret.is_in_force(self.before)).collect();
        let chosen = match (self.setup.secrets.as_deref(), new.as_slice()) {
            (Some("config"), _) => 1,
            (Some("environment"), _) => 2,
            (None, [_, ..]) if self.asks_everything() => {
                let variables: Vec<_> = new.iter().map(|secret| secret.kind.variable).collect();
                let places = [
                    "the .env file of the state folder".to_owned(),
                    "the configuration file".to_owned(),
                    format!("I set {} myself", variables.join(" and ")),
                ];
                let question = match new.as_slice() {
                    [secret] => format!("Where should the {} be stored?", secret.kind.name),
                    _ => "Where should the secrets be stored?".to_owned(),
                };
                self.prompt.choice(&question, &places, 0)?.unwrap_or(0)
            }
            _ => 0,
        };
        Ok([SecretDestination::Dotenv, SecretDestination::Config, SecretDestination::Environment][chosen])
    }
}

/// Splits a typed list of numbers.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';']).map(str::trim).filter(|number| !number.is_empty())
}

/// Returns the first entry of such a list that is neither a number nor the wildcard.
fn wrong_number(text: &str) -> Option<&str> {
    listed(text).find(|number| *number != "*" && number::phone(number).is_err())
}

fn not_ours(what: &str, holdings: &AccountSenders) -> Failure {
    let labels = holdings.numbers.iter().map(number_label).chain(holdings.services.iter().map(service_label));
    let labels: Vec<_> = labels.collect();
    let has = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
    Failure::new(format!("the account does not have {what}")).hint(format!("it has {has}"))
}
