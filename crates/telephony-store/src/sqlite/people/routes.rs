//! Changes to the provider's routes.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::routes::{RouteChange, RouteChanges};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, list};

#[async_trait]
impl RouteChanges for SqliteStore {
    async fn changing_routes(&self, changes: Vec<RouteChange>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| changes.iter().try_for_each(|change| write_down(db, change, now))).await
    }

    async fn route_changes(&self) -> Result<Vec<RouteChange>, StoreError> {
        let sql = "SELECT route, address, name, before, after FROM route_change ORDER BY id";
        self.read(|db| list(db, sql, (), read)).await
    }

    async fn route_restored(&self, route: &str, name: &str) -> Result<(), StoreError> {
        let (route, name) = (route.to_owned(), name.to_owned());
        let sql = "DELETE FROM route_change WHERE route = ? AND name = ?";
        self.write(move |db| execute(db, sql, (&route, &name)).map(drop)).await
    }
}

/// Records a change without duplicates, as the newest: a tunnel may change the same setting at every start.
fn write_down(db: &Db, change: &RouteChange, now: Timestamp) -> Result<(), StoreError> {
    let RouteChange { route, address, name, before, after } = change;
    let sql = "INSERT OR REPLACE INTO route_change (route, address, name, before, after, changed_at)
               VALUES (?, ?, ?, ?, ?, ?)";
    execute(db, sql, (route, address, name, before, after, now.0)).map(drop)
}

fn read(row: &Row<'_>) -> RowResult<RouteChange> {
    Ok(RouteChange {
        route: row.get("route")?,
        address: row.get("address")?,
        name: row.get("name")?,
        before: row.get("before")?,
        after: row.get("after")?,
    })
}
