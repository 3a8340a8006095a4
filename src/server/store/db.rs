//! Connections and transactions on either database.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    ConnectOptions, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
};

use super::error::StoreError;
use super::turns::Turn;

/// How long a request waits for a connection to PostgreSQL before it is told that the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(900);
/// How long SQLite waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(std::path::PathBuf),
    Postgres(String),
}

/// The text names neither kind of database.
#[derive(Debug, thiserror::Error)]
#[error("the database URL must begin with sqlite: or postgres:")]
pub struct InvalidDatabaseUrl;

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;
    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.trim_start_matches("//").into()));
        }
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(InvalidDatabaseUrl)
    }
}

/// A database: SQLite with one writer and many readers, or PostgreSQL.
#[derive(Clone, Debug)]
pub enum Db {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// Work on the database: a transaction that writes, or a connection that reads.
pub struct Tx(Inner, Option<Turn>);

enum Inner {
    SqliteWrite(Transaction<'static, Sqlite>),
    SqliteRead(sqlx::pool::PoolConnection<Sqlite>),
    PostgresWrite(Transaction<'static, Postgres>),
    PostgresRead(sqlx::pool::PoolConnection<Postgres>),
}

/// The connection below a [`Tx`]; `on!` takes it apart.
pub enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// Runs one sqlx call on whichever database `$tx` is: the text is written once, the types are checked twice.
macro_rules! on {
    ($tx:expr, $c:ident => $call:expr) => {
        match $tx.connection() {
            $crate::server::store::db::Connection::Sqlite($c) => $call,
            $crate::server::store::db::Connection::Postgres($c) => $call,
        }
        .map_err($crate::server::store::error::StoreError::from)
    };
}
pub(crate) use on;

impl Tx {
    pub fn connection(&mut self) -> Connection<'_> {
        match &mut self.0 {
            Inner::SqliteWrite(tx) => Connection::Sqlite(&mut *tx),
            Inner::SqliteRead(c) => Connection::Sqlite(&mut *c),
            Inner::PostgresWrite(tx) => Connection::Postgres(&mut *tx),
            Inner::PostgresRead(c) => Connection::Postgres(&mut *c),
        }
    }

    /// Ends the turn when the transaction ends.
    #[must_use]
    pub fn with(self, turn: Turn) -> Self {
        Self(self.0, Some(turn))
    }

    /// Makes what was written durable and visible. Dropping a transaction undoes it.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self(inner, _turn) = self;
        match inner {
            Inner::SqliteWrite(tx) => tx.commit().await?,
            Inner::PostgresWrite(tx) => tx.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }
}

impl Db {
    /// Opens the database; SQLite's file is made if `create` says so.
    pub async fn open(url: &DatabaseUrl, create: bool) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path, create).await,
            DatabaseUrl::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may undo acknowledged commits on power loss: a revocation must not come back.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        // A file does not become unreachable; who waits here waits for others who use it.
        let pool = || SqlitePoolOptions::new().acquire_timeout(BUSY_TIMEOUT);
        let writer_pool = pool().max_connections(1);
        // Room for a batch of usage (KiB), and a checkpoint each 16 MiB instead of 4: a busy page is written once for many
        // commits. Both halve what persisting events costs.
        let writes = options
            .clone()
            .pragma("cache_size", "-16000")
            .pragma("wal_autocheckpoint", "4000");
        let writer = writer_pool.connect_with(writes).await?;
        let readers = options.read_only(true).create_if_missing(false);
        let readers = pool().max_connections(SQLITE_READERS).connect_lazy_with(readers);
        Ok(Self::Sqlite { writer, readers })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("keywright")
            .options([("statement_timeout", "10000")])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(Self::Postgres(pool.connect_with(options).await?))
    }

    /// A transaction that writes. On SQLite it takes the one writer's turn at once (`BEGIN IMMEDIATE`).
    pub async fn begin_write(&self) -> Result<Tx, StoreError> {
        Ok(Tx(
            match self {
                Self::Sqlite { writer, .. } => {
                    Inner::SqliteWrite(writer.begin_with("BEGIN IMMEDIATE").await?)
                }
                Self::Postgres(pool) => Inner::PostgresWrite(pool.begin().await?),
            },
            None,
        ))
    }

    /// A connection for reading; each statement sees what is committed when it runs.
    pub async fn begin_read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(
            match self {
                Self::Sqlite { readers, .. } => Inner::SqliteRead(readers.acquire().await?),
                Self::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
            },
            None,
        ))
    }

    /// A transaction for reading: all its statements see one moment.
    pub async fn begin_snapshot(&self) -> Result<Tx, StoreError> {
        Ok(Tx(
            match self {
                Self::Sqlite { readers, .. } => Inner::SqliteWrite(readers.begin().await?),
                Self::Postgres(pool) => Inner::PostgresWrite(
                    pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                        .await?,
                ),
            },
            None,
        ))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.begin_read().await?;
        on!(tx, c => sqlx::query("SELECT 1").execute(c).await.map(drop))
    }

    /// Lets SQLite learn how its rows are spread, from some thousands of them and only where that has changed much: what is
    /// right for ten keys is wrong for ten thousand. PostgreSQL does so by itself.
    pub async fn learn(&self) -> Result<(), StoreError> {
        match self {
            // All tables, an analysis where one is needed, and that over a sample.
            Self::Sqlite { writer, .. } => {
                sqlx::query("PRAGMA optimize(0x10012)")
                    .execute(writer)
                    .await
                    .map(drop)?;
            }
            Self::Postgres(_) => {}
        }
        Ok(())
    }

    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Closes every connection, after the work on them is done.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
