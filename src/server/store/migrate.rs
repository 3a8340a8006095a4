//! The schema and its versions.

use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};

use super::db::{Db, on};
use super::error::StoreError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Whether the database fits this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    Current,
    /// Empty, or made by an older release.
    Old {
        applied: i64,
        known: i64,
    },
    /// Made by a newer release.
    New {
        applied: i64,
        known: i64,
    },
}

/// Brings the schema up to date; each step is one transaction.
pub async fn run(db: &Db) -> Result<(), StoreError> {
    let done = match db {
        Db::Sqlite { writer, .. } => SQLITE.run(writer).await,
        Db::Postgres(pool) => {
            // The pool's time limit is for statements somebody waits for; rewriting a large table takes longer. The
            // connection is not given back.
            let mut connection = pool.acquire().await?.detach();
            sqlx::query("SET statement_timeout = 0")
                .execute(&mut connection)
                .await?;
            let done = POSTGRES.run(&mut connection).await;
            connection.close().await?;
            done
        }
    };
    done.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StoreError::from(error),
        other => StoreError::Defect(other.to_string()),
    })
}

/// Compares the versions applied with those known.
pub async fn state(db: &Db) -> Result<SchemaState, StoreError> {
    let known = SQLITE
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let mut tx = db.begin_read().await?;
    let tables: i64 = on!(tx, c => sqlx::query_scalar(match db.is_sqlite() {
        true => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
        false => "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'",
    }).fetch_one(c).await)?;
    if tables == 0 {
        return Ok(SchemaState::Old { applied: 0, known });
    }
    let applied: Option<i64> = on!(tx, c =>
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success").fetch_one(c).await)?;
    let applied = applied.unwrap_or(0);
    Ok(match applied.cmp(&known) {
        std::cmp::Ordering::Less => SchemaState::Old { applied, known },
        std::cmp::Ordering::Equal => SchemaState::Current,
        std::cmp::Ordering::Greater => SchemaState::New { applied, known },
    })
}
