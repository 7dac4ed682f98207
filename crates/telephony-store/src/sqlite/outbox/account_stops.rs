//! The stop of the account's lines: each method is one transaction.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use super::account_stop;
use crate::account_stops::{AccountStop, AccountStops, ProbeOutcome};
use crate::sqlite::SqliteStore;
use crate::{Next, StoreError};

#[async_trait]
impl AccountStops for SqliteStore {
    async fn account_stop(&self) -> Result<Option<AccountStop>, StoreError> {
        self.read(account_stop::look).await
    }

    async fn begin_probe(&self, now: Timestamp) -> Result<Next<()>, StoreError> {
        self.write(move |db| account_stop::begin_probe(db, now)).await
    }

    async fn end_probe(&self, outcome: ProbeOutcome, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| account_stop::end_probe(db, &outcome, now)).await
    }

    async fn probe_soon(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| account_stop::probe_soon(db, now)).await
    }
}
