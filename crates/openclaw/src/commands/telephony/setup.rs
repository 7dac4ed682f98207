//! `openclaw telephony setup`: asks for what is needed, checks it, shows what it will write, and writes it.

mod account;
mod agent;
mod answers;
mod asking;
mod files;
mod prompt;
mod reach;
mod secrets;

use std::process::ExitCode;

use clap::Args;
use telephony_config::{Environment, Loaded, Location, Telephony, load, locate};
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::routing::{self, Plan};
use telephony_providers::provider::Provider;
use telephony_store::routes::RouteChange;
use telephony_store::sqlite::Mode;

use self::answers::Answers;
use self::files::Files;
use self::prompt::Prompt;
use super::send::Send;
use super::webhook::changes::{self, Consent, failed};
use crate::assemble::{self, Channel};
use crate::failure::{Failure, Outcome};
use crate::place::Place;
use crate::{logging, number, state_folder, terminal};

const TEST_TEXT: &str = "Hello from OpenClaw! This number can send text messages now.";

/// Set everything up. What is not given is asked for at a terminal; nothing changes without being shown first.
#[derive(Debug, Args)]
pub struct Setup {
    /// Account SID from Twilio's console (or TWILIO_ACCOUNT_SID)
    #[arg(long, value_name = "AC…")]
    account_sid: Option<String>,
    /// Auth Token from Twilio's console; others on this machine can see it here, but not in TWILIO_AUTH_TOKEN, nor on
    /// standard input, which `-` reads a line of
    #[arg(long, value_name = "TOKEN")]
    auth_token: Option<String>,
    /// The number, short code or sender id of yours that is to be used
    #[arg(long, value_name = "NUMBER", conflicts_with = "messaging_service", value_parser = number::line)]
    from_number: Option<LineAddress>,
    /// The Messaging Service of yours that is to be used
    #[arg(long, value_name = "MG…")]
    messaging_service: Option<String>,
    /// How Twilio reaches you: your own https URL, `ngrok`, `tailscale-funnel`, or `none`
    #[arg(long, value_name = "WAY")]
    reach: Option<String>,
    /// For `ngrok`: your account's authtoken (or NGROK_AUTHTOKEN); `-` reads it
    #[arg(long, value_name = "TOKEN")]
    ngrok_token: Option<String>,
    /// For `ngrok`: a domain of yours there, whose name never changes
    #[arg(long, value_name = "DOMAIN")]
    ngrok_domain: Option<String>,
    /// Who may talk to the assistant: disabled, allowlist, pairing, open
    #[arg(long)]
    policy: Option<String>,
    /// A number that is always allowed; may be given several times
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    allow_from: Vec<PhoneNumber>,
    /// Who answers: echo, command, openai, openclaw
    #[arg(long)]
    agent: Option<String>,
    /// For `openai` and `openclaw`: where its API is
    #[arg(long, value_name = "URL")]
    agent_url: Option<String>,
    /// For `openai`: the model
    #[arg(long, value_name = "MODEL")]
    agent_model: Option<String>,
    /// For `openai`: the key of its API (or OPENAI_API_KEY); for `openclaw`: its token (or OPENCLAW_GATEWAY_TOKEN); `-`
    /// reads it
    #[arg(long, value_name = "KEY")]
    agent_key: Option<String>,
    /// For `openclaw`: which of its agents answers
    #[arg(long, value_name = "NAME")]
    agent_id: Option<String>,
    /// For `command`: the line for the shell
    #[arg(long, value_name = "COMMAND")]
    agent_command: Option<String>,
    /// Your own number, for what you have to know
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    operator_number: Option<PhoneNumber>,
    /// Where secrets go: `dotenv` (the .env of the state folder), `config`, or `environment` (nowhere: you set them)
    #[arg(long, value_name = "PLACE", value_parser = ["dotenv", "config", "environment"])]
    secrets: Option<String>,
    /// Leave the webhook at Twilio as it is
    #[arg(long)]
    no_webhook: bool,
    /// Send a test message to this number at the end
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    test_sms: Option<PhoneNumber>,
    /// Another place for Twilio's API, for tests
    #[arg(long, hide = true)]
    api_base_url: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// What there is before anything is asked.
struct Before {
    environment: Environment,
    location: Location,
    loaded: Option<Loaded>,
}

impl Setup {
    /// Asks, checks, shows, writes.
    pub fn run(self, place: &Place) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        let before = Before::look(place);
        let prompt = Prompt::new();
        let answers = Answers::gather(&self, &before, &prompt)?;
        let files = Files::plan(&before, &answers)?;
        files.show();
        let loaded = files.check(place)?;
        loaded.warnings.iter().for_each(|warning| terminal::say(format!("warning: {warning}")));
        answers.secrets.iter().filter_map(|stored| stored.notice(&before, place)).for_each(terminal::say);
        if files.is_unchanged() {
            terminal::say("The configuration is as it should be already.");
        } else if self.consent.dry_run {
            terminal::say("Nothing was written.");
        } else if self.consent.asked("Write this?")? {
            files.write()?;
        } else {
            terminal::say("Nothing was written.");
            return Ok(ExitCode::FAILURE);
        }
        if self.consent.dry_run {
            return if self.no_webhook { Ok(ExitCode::SUCCESS) } else { self.show_pointing(&loaded) };
        }
        let pointed = if self.no_webhook { Ok(ExitCode::SUCCESS) } else { self.point(place) };
        let sent = pointed.and_then(|_| self.test(place, &prompt));
        terminal::say("Start it with `openclaw gateway`; `openclaw telephony doctor` then looks at everything.");
        sent
    }

    /// Has Twilio send messages here, where it is known how it reaches us.
    fn point(&self, place: &Place) -> Outcome {
        Channel::open(place)?.block_on(async |channel| {
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            let history = store.route_changes().await?;
            let Some(plan) = plan(&channel.loaded, provider, &history).await? else { return Ok(ExitCode::SUCCESS) };
            if plan.changes.is_empty() {
                terminal::say("The webhook at Twilio is as it should be.");
            } else if self.consent.is_given(&plan)? {
                routing::apply(store, provider, &plan.changes, channel.now()).await.map_err(failed)?;
                terminal::say("Changed. `openclaw telephony webhook undo` puts back what was there before.");
            } else {
                terminal::say("The webhook at Twilio was not changed.");
            }
            changes::outcome(&plan)
        })
    }

    /// Shows what would be changed at Twilio with a configuration that nobody has written.
    fn show_pointing(&self, loaded: &Loaded) -> Outcome {
        assemble::runtime()?.block_on(async {
            let history = match state_folder::store_file(loaded).exists() {
                true => assemble::open_store(loaded, Mode::Command)?.route_changes().await?,
                false => Vec::new(),
            };
            let provider = assemble::provider(loaded)?;
            let Some(plan) = plan(loaded, provider.as_ref(), &history).await? else { return Ok(ExitCode::SUCCESS) };
            terminal::say(match plan.changes.is_empty() {
                true => "The webhook at Twilio is as it should be.",
                false => "The webhook at Twilio was not changed.",
            });
            changes::outcome(&plan)
        })
    }

    fn test(&self, place: &Place, prompt: &Prompt) -> Outcome {
        let question = "Send a test message to (empty for none)";
        let to = match &self.test_sms {
            Some(number) => Some(number.clone()),
            None if self.consent.yes => None,
            None => {
                let before = Before::look(place);
                let operator = before.telephony().and_then(|telephony| telephony.operator.number.as_ref());
                prompt.number(question, operator.map(PhoneNumber::as_str))?
            }
        };
        match to {
            Some(to) => Send::plain(to, TEST_TEXT).run(place),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// What would be changed at Twilio, shown; none where it is not known how it reaches us.
async fn plan(loaded: &Loaded, provider: &dyn Provider, history: &[RouteChange]) -> Result<Option<Plan>, Failure> {
    let telephony = &loaded.telephony;
    let Some(url) = crate::public_url::public_url(loaded, None).await? else {
        terminal::say(match telephony.tunnel.provider {
            Some(_) => "The gateway tells Twilio the tunnel's address when it starts.",
            None => "Nothing is known yet of how Twilio reaches you: the webhook stays as it is.",
        });
        return Ok(None);
    };
    let (sender, told) = (assemble::sender(telephony), crate::public_url::told(&url));
    let plan = routing::plan_with(history, provider, crate::public_url::aim(telephony, &sender, &told)).await?;
    changes::show(&plan);
    Ok(Some(plan))
}

impl Before {
    fn telephony(&self) -> Option<&Telephony> {
        self.loaded.as_ref().map(|loaded| &loaded.telephony)
    }

    /// Whether there is a file in which somebody may have said something, readable or not.
    fn has_file(&self) -> bool {
        self.location.config.exists() || self.location.own.as_ref().is_some_and(|own| own.exists())
    }

    fn look(place: &Place) -> Self {
        let environment = assemble::environment();
        let location = locate(&environment, place.config.as_deref());
        let loaded = load(&environment, place.config.as_deref()).ok();
        let environment = loaded.as_ref().map_or(environment, |loaded| loaded.environment.clone());
        Self { environment, location, loaded }
    }
}

/// What is missing where nobody can be asked.
fn missing(flag: &str, what: &str) -> Failure {
    Failure::usage(format!("{what} is missing, and there is no terminal to ask at")).hint(format!("pass {flag}"))
}
