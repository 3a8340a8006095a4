//! Statements over many rows, which travel as one JSON text: binding each value by itself takes longer than storing it.
//! The two databases differ in the function that unfolds the text; `value` is what both call a row.

use serde::Serialize;

use super::db::{Connection, Tx};
use super::error::StoreError;

/// A statement over many rows.
pub(super) struct Batch {
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// Rows that travel at once: preparing more would keep a thread from answering requests.
const ROWS_PER_STATEMENT: usize = 1_000;

macro_rules! batch {
    ($name:literal, $head:literal, $tail:literal) => {
        $crate::server::store::batch::Batch {
            name: $name,
            sqlite: concat!($head, " FROM jsonb_each($1) WHERE true ", $tail),
            postgres: concat!(
                $head,
                " FROM jsonb_array_elements(CAST($1 AS JSONB)) WHERE true ",
                $tail
            ),
        }
    };
}
pub(super) use batch;

impl Batch {
    /// Its name with the text for SQLite and that for PostgreSQL, for the test that prepares every statement.
    pub(super) const fn texts(&self) -> (&'static str, &'static str, &'static str) {
        (self.name, self.sqlite, self.postgres)
    }
}

fn text(rows: &[impl Serialize]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::Defect(error.to_string()))
}

/// Runs a batch over rows in their order, so that two nodes lock in one order.
pub(super) async fn run(tx: &mut Tx, batch: &Batch, rows: Vec<impl Serialize>) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let chunk = text(chunk)?;
        match tx.connection() {
            Connection::Sqlite(c) => sqlx::query(batch.sqlite).bind(chunk).execute(c).await.map(drop)?,
            Connection::Postgres(c) => sqlx::query(batch.postgres)
                .bind(chunk)
                .execute(c)
                .await
                .map(drop)?,
        }
    }
    Ok(())
}

/// Asks a batch, which must be a query of two columns of text.
pub(super) async fn ask(
    tx: &mut Tx,
    batch: &Batch,
    rows: &[impl Serialize],
) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let chunk = text(chunk)?;
        let rows: Vec<(String, String)> = match tx.connection() {
            Connection::Sqlite(c) => sqlx::query_as(batch.sqlite).bind(chunk).fetch_all(c).await?,
            Connection::Postgres(c) => sqlx::query_as(batch.postgres).bind(chunk).fetch_all(c).await?,
        };
        found.extend(rows);
    }
    Ok(found)
}
