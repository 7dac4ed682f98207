//! `openclaw telephony status`: shows whether the gateway is running, and its queues.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use telephony_config::locate;
use telephony_gateway::control::status::{self, ConfigAlive, GatewayStatus, StorageAlive};
use telephony_gateway::storage::StorageFailure;
use telephony_gateway::views::status::{AccountStopView, CallsView, InboxView, OutboxView, StatusView};
use telephony_store::StoreError;
use telephony_store::history::{Filter, WorkSummary};
use telephony_store::lines::LineQueue;
use telephony_store::notices::RaisedNotice;
use telephony_store::outbox::PartState;

use crate::assemble::{self, Channel};
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::plural::counted;
use crate::terminal::{self, color};
use crate::time_format::Time;
use crate::{doctor, part, state_folder};

/// Show the gateway's state and its queues.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Dismiss past notices; ongoing problems stay
    #[arg(long)]
    seen: bool,
}

impl StatusArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let opened = if self.seen { Channel::open(config_arg) } else { Channel::look(config_arg) };
        let channel = match opened {
            Ok(channel) => channel,
            Err(failure) => {
                self.show_gateway_alone(config_arg)?;
                return Err(failure);
            }
        };
        channel.block_on(async |channel| {
            let summary = channel.store.summary(channel.now()).await?;
            let notices = channel.store.notices(channel.now()).await?;
            let queues = channel.store.queues(channel.terms(), channel.now()).await?;
            let mut report = report(channel, status::notify(&channel.state).await, summary, &queues, notices);
            report.finally_unknown = finally_unknown(channel).await?;
            report.stopped = channel.store.account_stop().await?.map(AccountStopView::of);
            report.storage = storage(channel, report.gateway.as_ref()).await;
            if self.json {
                terminal::print_json_ours(&report)?
            } else {
                show(&report)
            }
            if self.seen {
                channel.store.dismiss_notices(channel.now()).await?;
            }
            Ok(if report.storage.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        })
    }
}

impl StatusArgs {
    /// Shows a gateway that is still running although the configuration has become unusable.
    fn show_gateway_alone(&self, config_arg: &ConfigArg) -> Result<(), Failure> {
        let state = locate(&assemble::environment(), config_arg.config.as_deref()).state;
        let Some(alive) = assemble::runtime()?.block_on(status::notify(&state)) else { return Ok(()) };
        if self.json {
            return terminal::print_json(&serde_json::json!({ "gateway": alive }));
        }
        show_alive(&alive);
        Ok(())
    }
}

/// Returns why messages cannot be stored: as the gateway reports, or by trying if none is running.
async fn storage(channel: &Channel, gateway: Option<&GatewayStatus>) -> Option<StorageAlive> {
    if let Some(alive) = gateway {
        return alive.storage.clone();
    }
    let file = state_folder::store_file(&channel.loaded);
    let tried = if file.exists() { doctor::open_and_write(&file).await.map(drop) } else { Ok(()) };
    let error = tried.err().filter(StoreError::stops_storing)?;
    Some(StorageAlive::from(StorageFailure { error, refused: 0 }))
}

/// Returns messages that the operator has to resend or give up.
async fn finally_unknown(channel: &Channel) -> Result<Vec<String>, Failure> {
    let filter = Filter {
        since: Some(channel.now() - Duration::from_secs(24 * 60 * 60)),
        states: vec![PartState::FinallyUnknown.as_str().to_owned()],
        limit: 100,
        ..Filter::default()
    };
    Ok(channel.store.messages(filter).await?.iter().map(|entry| entry.id.to_string()).collect())
}

fn report(
    channel: &Channel,
    gateway: Option<GatewayStatus>,
    summary: WorkSummary,
    queues: &[LineQueue],
    notices: Vec<RaisedNotice>,
) -> StatusView {
    let sender = channel.sender();
    StatusView {
        gateway,
        storage: None,
        provider: channel.provider.carrier().name.to_owned(),
        from_number: sender.number.map(String::from),
        messaging_service_sid: sender.messaging_service,
        inbound_policy: channel.policy_name(),
        inbox: InboxView::of(&summary),
        outbox: OutboxView::of(&summary, queues, channel.now()),
        calls: CallsView::of(&summary),
        pairing_requests: summary.pairing_requests,
        stopped: None,
        finally_unknown: Vec::new(),
        notices: notices.iter().map(|notice| notice.text(channel.provider.carrier().company)).collect(),
        warnings: channel.warnings(),
    }
}

fn show(report: &StatusView) {
    let StatusView { inbox, outbox, .. } = report;
    if let Some(storage) = &report.storage {
        attention(format!("MESSAGES CANNOT BE STORED and are rejected: {}", storage.problem));
    }
    match &report.gateway {
        Some(alive) => show_alive(alive),
        None => field("Gateway", "not running (start it with `openclaw gateway`)"),
    }
    let number = report.from_number.as_deref().unwrap_or("no number");
    let service = report.messaging_service_sid.as_ref().map(|sid| format!(", messaging service {sid}"));
    field("Line", format!("{} {number}{}", report.provider, service.unwrap_or_default()));
    let requests = counted(report.pairing_requests, "pairing request");
    field("Policy", format!("{}, {requests}", report.inbound_policy));
    field(
        "Inbox",
        format!(
            "{} received today, {} waiting, {} being answered, {} retried, {} parked, {} dead, {} kept",
            inbox.received_today, inbox.waiting, inbox.answering, inbox.retrying, inbox.parked, inbox.dead, inbox.kept
        ),
    );
    field(
        "Outbox",
        format!(
            "{} sent today, {} delivered, {} failed, {} queued, {} being sent, {} in doubt",
            outbox.sent_today,
            outbox.delivered_today,
            outbox.failed_today,
            outbox.queued,
            outbox.sending,
            outbox.unknown
        ),
    );
    if report.calls.today + report.calls.open > 0 {
        field("Calls", format!("{} today, {} in progress", report.calls.today, report.calls.open));
    }
    if let Some(stop) = &report.stopped {
        let (since, next_probe) = (Time(stop.since.0), Time(stop.next_probe.0));
        field("Sending", format!("stopped since {since}; next probe of the account at {next_probe}"));
    }
    if let Some(end) = outbox.queue_ends_at.map(|end| Time(end.0)) {
        let why = outbox.queue_waits_for.as_deref().map(|why| format!(": {}", part::hold_in_words(why)));
        let (segments, why) = (counted(outbox.queued_segments, "segment"), why.unwrap_or_default());
        field("Queue", format!("{segments}, sent by {end}{why}"));
    }
    if inbox.unconfirmed > 0 {
        let messages = counted(inbox.unconfirmed, "message");
        attention(format!("{messages} arrived at a number that is not known to be yours"));
    }
    if inbox.dead + inbox.parked > 0 {
        attention("some messages could not be answered: `openclaw telephony messages --dead`");
    }
    report.notices.iter().chain(&report.warnings).for_each(attention);
}

fn field(name: &str, value: impl Display) {
    terminal::print_headed(color::HEADING, &format!("{name}:{:1$}", "", 10 - name.len()), value);
}

fn attention(text: impl Display) {
    terminal::print_headed(color::WARNING, "Attention: ", text);
}

fn show_alive(alive: &GatewayStatus) {
    field("Gateway", format!("running (pid {}), version {}", alive.pid, alive.version));
    field("Listening", &alive.listening);
    let webhook = alive.webhook_url.as_deref().unwrap_or("unknown: no publicUrl is set and no tunnel is open");
    field("Webhook", webhook);
    if let Some(tunnel) = &alive.tunnel {
        let state =
            tunnel.url.clone().or_else(|| tunnel.trouble.as_ref().map(|trouble| format!("not open: {trouble}")));
        field("Tunnel", format!("{}, {}", tunnel.name, state.as_deref().unwrap_or("opening")));
    }
    field("Agent", &alive.agent);
    if let Some(metrics) = &alive.metrics {
        field("Metrics", format!("http://{metrics}/metrics"));
    }
    if let Some(config) = &alive.config {
        show_config(config);
    }
    if !alive.checks_signatures {
        attention("signatures are NOT checked (skipSignatureVerification): anyone can pose as Twilio");
    }
}

fn show_config(config: &ConfigAlive) {
    let read_at = Time(config.read_at);
    match &config.problems {
        None => field("Config", format!("read {read_at}, in effect")),
        Some(problems) => {
            field("Config", format!("read {read_at}; the current files are NOT in effect"));
            attention(format!("the changed configuration cannot be used: {problems}"));
        }
    }
    if !config.waiting_for_start.is_empty() {
        let keys = config.waiting_for_start.join(", ");
        attention(format!("changed, but in effect only after the gateway restarts: {keys}"));
    }
}
