//! `openclaw telephony costs`: prices paid and estimated, and the account's balance.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use telephony_domain::money::{Amount, Currency, Price};
use telephony_domain::time::{SystemClock, Timestamp};
use telephony_gateway::lock::GatewayLock;
use telephony_gateway::prices::Prices;
use telephony_gateway::views::costs::{CostsRow, CostsView};
use telephony_gateway::views::money::MoneyView;
use telephony_gateway::views::time::TimeView;
use telephony_store::costs::{CallSpending, Spending};

use crate::assemble::{self, Channel};
use crate::config_arg::ConfigArg;
use crate::estimate::Estimator;
use crate::failure::{Failure, Outcome};
use crate::terminal::{self, Table};
use crate::{line, time_format};

/// Longest wait for the balance and for missing prices.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

const EXAMPLE: &str = "Example: openclaw telephony costs --by contact --since 7d";

/// Show what messages and calls cost, and the balance
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct CostsArgs {
    /// Group by day (UTC), contact or line
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Only messages and calls since then: an age (12h, 7d) or a time (default: 30d)
    #[arg(long, value_name = "WHEN", value_parser = time_format::moment)]
    since: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Day,
    Contact,
    Line,
}

/// Sums over messages and calls. Actual and estimated prices stay apart, and so do currencies.
#[derive(Debug, Default, Clone)]
struct Tally {
    sent: u64,
    received: u64,
    segments: u64,
    calls: u64,
    spoken: Duration,
    actual: BTreeMap<Currency, Amount>,
    estimated: BTreeMap<Currency, Amount>,
    /// Messages and calls without a known price or a basis for an estimate.
    unknown: u64,
}

impl CostsArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            let since = self.since.unwrap_or_else(|| channel.now() - Duration::from_secs(30 * 24 * 60 * 60));
            let (balance, ()) = tokio::join!(balance(channel), ask_for_prices(channel));
            let spending = channel.store.spending(since).await?;
            let calls = channel.store.call_spending(since).await?;
            let report = self.report(channel, spending, calls, since, balance).await?;
            match self.json {
                true => terminal::print_json(&report)?,
                false => show(&report, self.by),
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn report(
        &self,
        channel: &Channel,
        spending: Vec<Spending>,
        calls: Vec<CallSpending>,
        since: Timestamp,
        balance: Result<Price, String>,
    ) -> Result<CostsView, Failure> {
        let names = line::names(channel).await?;
        let mut estimator = Estimator::new(Some(channel.store.clone()));
        let (mut total, mut tallies) = (Tally::default(), BTreeMap::<String, Tally>::new());
        for row in &spending {
            let name = match self.by {
                None => if row.kind.is_inbound() { "received" } else { "sent" }.to_owned(),
                Some(By::Day) => time_format::day(row.day),
                Some(By::Contact) => row.contact.clone(),
                Some(By::Line) => row.line.and_then(|line| names.get(&line).cloned()).unwrap_or_default(),
            };
            let cost = Tally::of(row, &mut estimator).await?;
            tallies.entry(name).or_default().add(&cost);
            total.add(&cost);
        }
        for row in &calls {
            let name = match self.by {
                None => if row.is_inbound { "received" } else { "sent" }.to_owned(),
                Some(By::Day) => time_format::day(row.day),
                Some(By::Contact) => row.contact.to_string(),
                Some(By::Line) => names.get(&row.line).cloned().unwrap_or_default(),
            };
            let cost = Tally::of_calls(row);
            tallies.entry(name).or_default().add(&cost);
            total.add(&cost);
        }
        let (balance, balance_problem) = match balance {
            Ok(balance) => (Some(MoneyView::of(balance)), None),
            Err(problem) => (None, Some(problem)),
        };
        Ok(CostsView {
            since: TimeView(since),
            price_list_as_of: assemble::carrier().prices.as_of,
            rows: tallies.iter().map(|(name, tally)| tally.row(name)).collect(),
            total: total.row("total"),
            balance,
            balance_problem,
        })
    }
}

/// Returns the account's balance, or the reason why it is not known; the command succeeds either way.
async fn balance(channel: &Channel) -> Result<Price, String> {
    match tokio::time::timeout(ASK_TIMEOUT, channel.provider.balance()).await {
        Ok(Ok(balance)) => Ok(balance),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("Twilio does not answer".to_owned()),
    }
}

/// Fetches missing prices, unless a running gateway does so anyway.
async fn ask_for_prices(channel: &Channel) {
    if GatewayLock::is_taken(&channel.state) {
        return;
    }
    let (store, provider) = (channel.store.clone(), channel.provider.clone());
    let prices = Prices { store, provider, clock: std::sync::Arc::new(SystemClock) };
    // Prices that are still missing are estimated.
    let _ = tokio::time::timeout(ASK_TIMEOUT, prices.ask()).await;
}

impl Tally {
    async fn of(row: &Spending, estimator: &mut Estimator) -> Result<Tally, Failure> {
        let (messages, segments) = (row.messages, row.segments);
        let (sent, received) = if row.kind.is_inbound() { (0, messages) } else { (messages, 0) };
        let mut tally = Tally { sent, received, segments, ..Tally::default() };
        if let Some(price) = row.price {
            tally.actual.insert(price.currency, price.amount);
            return Ok(tally);
        }
        let estimate = match row.contact.parse() {
            Ok(contact) => estimator.of(row.kind, &contact, messages, segments).await?,
            Err(_) => None,
        };
        match estimate {
            Some(estimate) => drop(tally.estimated.insert(estimate.price.currency, estimate.price.amount)),
            None => tally.unknown = messages,
        }
        Ok(tally)
    }

    /// Calls are not estimated: their prices differ by route and length.
    fn of_calls(row: &CallSpending) -> Tally {
        let mut tally = Tally { calls: row.calls, spoken: row.spoken, ..Tally::default() };
        match row.price {
            Some(price) => drop(tally.actual.insert(price.currency, price.amount)),
            None => tally.unknown = row.calls,
        }
        tally
    }

    fn add(&mut self, more: &Tally) {
        self.sent += more.sent;
        self.received += more.received;
        self.segments += more.segments;
        self.calls += more.calls;
        self.spoken += more.spoken;
        self.unknown += more.unknown;
        let sums = [(&mut self.actual, &more.actual), (&mut self.estimated, &more.estimated)];
        for (sum, amounts) in sums {
            for (currency, amount) in amounts {
                *sum.entry(*currency).or_default() += *amount;
            }
        }
    }

    fn row(&self, name: &str) -> CostsRow {
        let money = |amounts: &BTreeMap<Currency, Amount>| {
            amounts
                .iter()
                .map(|(currency, amount)| MoneyView::of(Price { amount: *amount, currency: *currency }))
                .collect()
        };
        CostsRow {
            name: name.to_owned(),
            sent: self.sent,
            received: self.received,
            segments: self.segments,
            calls: self.calls,
            call_minutes: self.spoken.as_secs().div_ceil(60),
            actual: money(&self.actual),
            estimated: money(&self.estimated),
            unknown: self.unknown,
        }
    }
}

fn show(costs: &CostsView, by: Option<By>) {
    let heading = match by {
        None => "",
        Some(By::Day) => "Day",
        Some(By::Contact) => "Contact",
        Some(By::Line) => "Line",
    };
    let mut table =
        Table::new([heading, "Sent", "Received", "Segments", "Calls", "Minutes", "Actual", "Estimated", "Unknown"]);
    for row in costs.rows.iter().chain([&costs.total]) {
        table.row([
            row.name.clone(),
            row.sent.to_string(),
            row.received.to_string(),
            row.segments.to_string(),
            row.calls.to_string(),
            row.call_minutes.to_string(),
            in_words(&row.actual),
            in_words(&row.estimated),
            row.unknown.to_string(),
        ]);
    }
    table.print();
    terminal::print(match (&costs.balance, &costs.balance_problem) {
        (Some(balance), _) => format!("Balance: {balance}"),
        (None, problem) => {
            format!("Balance: unknown: {}", problem.as_deref().unwrap_or("Twilio does not report one"))
        }
    });
    terminal::say(format!("Since {}.", time_format::said(costs.since.0)));
    if !costs.total.estimated.is_empty() {
        terminal::say(format!(
            "Estimated where Twilio has not reported a price yet: to +1 from its price list of {} without \
            carrier fees, elsewhere from what you paid before.",
            costs.price_list_as_of
        ));
    }
}

fn in_words(money: &[MoneyView]) -> String {
    if money.is_empty() {
        return "-".to_owned();
    }
    money.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ")
}
