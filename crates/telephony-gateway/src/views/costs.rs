//! Prices paid and estimated, and the account's balance.

use serde::Serialize;

use super::money::MoneyView;
use super::time::TimeView;

/// Costs since a time.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CostsView {
    /// Start of the period, which ends now.
    pub since: TimeView,
    /// Date of the price list behind the estimates.
    pub price_list_as_of: &'static str,
    /// Costs of each group, in the order of their names.
    pub rows: Vec<CostsRow>,
    /// Sum of the groups.
    pub total: CostsRow,
    /// Balance of the account, if it is known.
    pub balance: Option<MoneyView>,
    /// The reason why the balance is unknown.
    pub balance_problem: Option<String>,
}

/// Costs of a group. Actual and estimated prices stay apart, and so do currencies.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CostsRow {
    /// Name of the group.
    pub name: String,
    /// Messages sent.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Segments of both.
    pub segments: u64,
    /// Calls.
    pub calls: u64,
    /// Minutes of calls, rounded up in total.
    pub call_minutes: u64,
    /// Prices that the provider reported, one per currency.
    pub actual: Vec<MoneyView>,
    /// Estimated prices of the rest, one per currency.
    pub estimated: Vec<MoneyView>,
    /// Messages and calls without a known price or a basis for an estimate.
    pub unknown: u64,
}
