//! Gets a message out of the outbox: through the running gateway, or by itself if none is running.

use std::io::{IsTerminal, stderr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use telephony_domain::id::MessageId;
use telephony_domain::time::Timestamp;
use telephony_gateway::lock::{GatewayLock, SendingLock};
use telephony_gateway::outbox::{PartSender, Reports};
use telephony_store::Next;
use telephony_store::account_stops::ProbeOutcome;
use telephony_store::outbox::{PartProgress, PartState, Progress};
use tokio::time::{Instant, sleep, timeout};

use crate::assemble::Channel;
use crate::failure::Failure;
use crate::{terminal, time_format};

/// Longest wait for a handover; after that it is left to the gateway.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a final status.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(120);

/// Longest wait while the account is stopped: the message is kept.
const STOPPED_TIMEOUT: Duration = Duration::from_millis(1_200);

/// Longest wait for a probe of the account; after that the message itself is the probe, because the link is slow.
const PROBE_TIMEOUT: Duration = Duration::from_millis(700);

/// Delay before the command says what it is waiting for.
const PATIENCE_OF_PEOPLE: Duration = Duration::from_secs(1);

/// Interval between looks at the progress.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until the provider has accepted or rejected every part of `message`, or time runs out. Does not wait for parts
/// that cannot leave before `expected`.
pub async fn hand_over(channel: &Channel, message: MessageId, expected: Timestamp) -> Result<Progress, Failure> {
    let is_soon = expected.since(channel.now()) < HANDOVER_TIMEOUT;
    let mut patience = Patience::new(channel, if is_soon { HANDOVER_TIMEOUT } else { Duration::ZERO });
    channel.store.probe_soon(channel.now()).await?;
    if GatewayLock::is_taken(&channel.state) {
        channel.notify_gateway().await;
        return watch(channel, message, patience, is_handed_over).await;
    }
    if channel.store.restored().await?.is_some() {
        let kept = "not sent yet, but kept: a backup was restored, and it is not known yet what was sent since then";
        return Err(Failure::new(kept).hint("start the gateway: it reads Twilio's lists first, and then sends"));
    }
    let outbox = channel.outbox();
    loop {
        patience.explain_during(message, step(channel, &outbox, message)).await?;
        let progress = channel.store.progress(message).await?;
        if is_handed_over(&progress) || patience.is_over().await? {
            return Ok(progress);
        }
        patience.explain(&progress);
        sleep(LOOK_EVERY).await;
    }
}

/// Limits how long `send` waits for a message.
struct Patience<'c> {
    channel: &'c Channel,
    began: Instant,
    deadline: Instant,
    stopped: Option<Instant>,
    explained: Option<&'static str>,
}

impl<'c> Patience<'c> {
    fn new(channel: &'c Channel, within: Duration) -> Self {
        let began = Instant::now();
        Self { channel, began, deadline: began + within, stopped: None, explained: None }
    }

    /// Does the work, and explains meanwhile what it waits for.
    async fn explain_during<T>(&mut self, message: MessageId, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if let Ok(done) = timeout(PATIENCE_OF_PEOPLE, &mut work).await {
                return done;
            }
            // A store that cannot be read is the work's own failure.
            if let Ok(progress) = self.channel.store.progress(message).await {
                self.explain(&progress);
            }
        }
    }

    /// Prints at a terminal what the command waits for, and again once that changes.
    fn explain(&mut self, progress: &Progress) {
        if self.began.elapsed() < PATIENCE_OF_PEOPLE || !stderr().is_terminal() {
            return;
        }
        let now = self.channel.now();
        let Some(reason) = progress.parts.iter().find_map(|part| waits_for(part, now)) else { return };
        if self.explained != Some(reason) {
            self.explained = Some(reason);
            let left = time_format::span(self.deadline.saturating_duration_since(Instant::now()));
            terminal::say(format!("Waiting for {reason} ({left} at most; the message is kept)"));
        }
    }

    /// Returns true once waiting is pointless: time is up, or the account stays stopped.
    async fn is_over(&mut self) -> Result<bool, Failure> {
        let is_stopped = self.channel.store.account_stop().await?.is_some();
        let stopped = is_stopped.then(|| self.stopped.unwrap_or_else(Instant::now));
        self.stopped = stopped;
        let is_stopped_for_long = stopped.is_some_and(|since| since.elapsed() >= STOPPED_TIMEOUT);
        Ok(is_stopped_for_long || Instant::now() >= self.deadline)
    }
}

/// Waits until every part of `message` has a final status, or time runs out.
pub async fn wait_for_status(channel: &Channel, message: MessageId) -> Result<Progress, Failure> {
    if GatewayLock::is_taken(&channel.state) {
        return watch(channel, message, Patience::new(channel, DELIVERY_TIMEOUT), is_final).await;
    }
    let outbox = channel.outbox();
    let mut patience = Patience::new(channel, DELIVERY_TIMEOUT);
    loop {
        outbox.poll(Reports::StayAway).await?;
        let progress = channel.store.progress(message).await?;
        if is_final(&progress) || Instant::now() >= patience.deadline {
            return Ok(progress);
        }
        patience.explain(&progress);
        sleep(Duration::from_secs(1)).await;
    }
}

/// Sends the due parts of `message` and of earlier messages in its conversation, and resolves doubts. Probes the
/// account first if it is stopped.
async fn step(channel: &Channel, outbox: &Arc<PartSender>, message: MessageId) -> Result<(), Failure> {
    match timeout(PROBE_TIMEOUT, outbox.probe_account()).await {
        Ok(probed) => drop(probed?),
        Err(_) => channel.store.end_probe(ProbeOutcome::Served, channel.now()).await?,
    }
    let in_flight = SendingLock::share(&channel.state).context("cannot lock the state folder for sending")?;
    if let Next::Taken(parts) = outbox.start_parts(channel.terms(), Some(message), 1).await? {
        for part in parts {
            outbox.send(part).await;
        }
        return Ok(());
    }
    drop(in_flight);
    // A gateway started meanwhile resolves doubts itself, and its attempts are in flight.
    if !GatewayLock::is_taken(&channel.state) {
        if let Some(_alone) = SendingLock::alone(&channel.state) {
            outbox.doubt_overdue().await?;
        }
        outbox.reconcile_next().await;
    }
    Ok(())
}

async fn watch(
    channel: &Channel,
    message: MessageId,
    mut patience: Patience<'_>,
    is_done: fn(&Progress) -> bool,
) -> Result<Progress, Failure> {
    loop {
        let progress = channel.store.progress(message).await?;
        if is_done(&progress) || patience.is_over().await? {
            return Ok(progress);
        }
        patience.explain(&progress);
        sleep(LOOK_EVERY).await;
    }
}

/// The next thing that has to happen to a part; none once its story has ended.
fn waits_for(part: &PartProgress, now: Timestamp) -> Option<&'static str> {
    match part.state {
        PartState::Queued => Some("an earlier message to this number"),
        PartState::Ready if part.code.is_some() || part.reason.is_some() => Some("the next attempt"),
        PartState::Ready if part.next_attempt.is_some_and(|at| at > now) => Some("its turn on the line"),
        PartState::Ready | PartState::Starting => Some("Twilio's answer"),
        PartState::Unknown => Some("Twilio's message list, which shows if it was sent"),
        PartState::Sent if !part.status.is_some_and(|status| status.is_final()) => Some("the delivery report"),
        PartState::Sent | PartState::Failed | PartState::Canceled | PartState::FinallyUnknown => None,
    }
}

fn is_handed_over(progress: &Progress) -> bool {
    let waits =
        |state| matches!(state, PartState::Queued | PartState::Ready | PartState::Starting | PartState::Unknown);
    !progress.parts.iter().any(|part| waits(part.state))
}

fn is_final(progress: &Progress) -> bool {
    progress
        .parts
        .iter()
        .all(|part| part.state != PartState::Sent || part.status.is_some_and(|status| status.is_final()))
}
