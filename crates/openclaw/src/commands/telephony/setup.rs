//! `openclaw telephony setup`: asks for settings, checks them, shows the changes, and writes them.

mod account;
mod agent;
mod answers;
mod args;
mod asking;
mod before;
mod files;
mod prompt;
mod reach;
mod secrets;

use std::process::ExitCode;

use telephony_config::Loaded;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::routing::{self, RoutingPlan};
use telephony_providers::provider::Provider;
use telephony_store::routes::RouteChange;
use telephony_store::sqlite::Mode;

use self::answers::Answers;
pub use self::args::SetupArgs;
use self::before::Before;
use self::files::PlannedFiles;
use self::prompt::SetupTerminal;
use super::send::SendArgs;
use super::webhook::changes::{self, failed};
use crate::assemble::{self, Channel};
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::{logging, state_folder, terminal};

const OPENING: &str = "\
Setup asks for your Twilio account, your number, how Twilio reaches this machine, who may talk to the assistant, and who
answers. You can ask the agent a test question. Then setup shows all changes: nothing is written before you agree to
them. Ctrl-C ends it at any time.
";

const TEST_TEXT: &str = "Hello from OpenClaw! This number can now send text messages.";

impl SetupArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        let before = Before::look(config_arg);
        let prompt = SetupTerminal::new();
        if prompt.is_there() && !self.consent.yes {
            terminal::say(OPENING);
        }
        let answers = Answers::gather(&self, &before, &prompt)?;
        let files = PlannedFiles::plan(&before, &answers)?;
        files.show();
        let loaded = files.check(config_arg)?;
        loaded.warnings.iter().for_each(|warning| terminal::say(format!("warning: {warning}")));
        answers.secrets.iter().filter_map(|stored| stored.notice(&before, config_arg)).for_each(terminal::say);
        if files.is_unchanged() {
            terminal::say("The configuration is already up to date.");
        } else if self.consent.dry_run {
            terminal::say("Nothing was written.");
        } else if self.consent.asked("Write these files?")? {
            files.write()?;
        } else {
            terminal::say("Nothing was written.");
            return Ok(ExitCode::FAILURE);
        }
        if self.consent.dry_run {
            return if self.no_webhook { Ok(ExitCode::SUCCESS) } else { self.show_pointing(&loaded) };
        }
        let pointed = if self.no_webhook { Ok(ExitCode::SUCCESS) } else { self.point(config_arg) };
        let sent = pointed.and_then(|_| self.test(config_arg, &prompt));
        terminal::say("Start it with `openclaw gateway`; then `openclaw telephony doctor` checks everything.");
        sent
    }

    /// Points the webhook here, if the public URL is known.
    fn point(&self, config_arg: &ConfigArg) -> Outcome {
        Channel::open(config_arg)?.block_on(async |channel| {
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            let history = store.route_changes().await?;
            let Some(plan) = plan(&channel.loaded, provider, &history).await? else { return Ok(ExitCode::SUCCESS) };
            if plan.changes.is_empty() {
                terminal::say("The webhook at Twilio is already up to date.");
            } else if self.consent.is_given(&plan)? {
                routing::apply(store, provider, &plan.changes, channel.now()).await.map_err(failed)?;
                terminal::say("Changed. `openclaw telephony webhook undo` restores the previous settings.");
            } else {
                terminal::say("The webhook at Twilio was not changed.");
            }
            changes::outcome(&plan)
        })
    }

    /// Shows the changes at Twilio for a configuration that is not written yet.
    fn show_pointing(&self, loaded: &Loaded) -> Outcome {
        assemble::runtime()?.block_on(async {
            let history = match state_folder::store_file(loaded).exists() {
                true => assemble::open_store(loaded, Mode::Command)?.route_changes().await?,
                false => Vec::new(),
            };
            let provider = assemble::provider(loaded)?;
            let Some(plan) = plan(loaded, provider.as_ref(), &history).await? else { return Ok(ExitCode::SUCCESS) };
            terminal::say(match plan.changes.is_empty() {
                true => "The webhook at Twilio is already up to date.",
                false => "The webhook at Twilio was not changed.",
            });
            changes::outcome(&plan)
        })
    }

    fn test(&self, config_arg: &ConfigArg, prompt: &SetupTerminal) -> Outcome {
        let question = "Send a test message to (empty for none)";
        let to = match &self.test_sms {
            Some(number) => Some(number.clone()),
            None if self.consent.yes => None,
            None => {
                let before = Before::look(config_arg);
                let operator = before.telephony().and_then(|telephony| telephony.operator.number.as_ref());
                prompt.number(question, operator.map(PhoneNumber::as_str))?
            }
        };
        match to {
            Some(to) => SendArgs::plain(to, TEST_TEXT).run(config_arg),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Plans and shows the changes at Twilio; none if the public URL is not known.
async fn plan(
    loaded: &Loaded,
    provider: &dyn Provider,
    history: &[RouteChange],
) -> Result<Option<RoutingPlan>, Failure> {
    let telephony = &loaded.telephony;
    let Some(url) = crate::public_url::public_url(loaded, None).await? else {
        terminal::say(match telephony.tunnel.provider {
            Some(_) => "The gateway registers the tunnel's address with Twilio when it starts.",
            None => "There is no public URL yet, so the webhook stays as it is.",
        });
        return Ok(None);
    };
    let (sender, callbacks) = (assemble::sender(telephony), crate::public_url::callbacks(&url));
    let plan = routing::plan_with(history, provider, crate::public_url::target(telephony, &sender, &callbacks)).await?;
    changes::show(&plan);
    Ok(Some(plan))
}
