//! A fresh database for each test, gone afterwards.

use keywright::server::store::db::{DatabaseUrl, Db};
use keywright::server::store::migrate;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where PostgreSQL is"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the run was asked to include this database; both unless it says otherwise.
pub fn takes_part(backend: Backend) -> bool {
    let asked = setting("KEYWRIGHT_TEST_DATABASES").unwrap_or_else(|| "sqlite,postgres".to_owned());
    let name = if backend == Backend::Sqlite {
        "sqlite"
    } else {
        "postgres"
    };
    asked.split(',').any(|part| part.trim() == name)
}

/// A migrated database of one's own.
pub struct TestDb {
    pub db: Db,
    pub folder: TempDir,
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

fn server_url() -> String {
    setting("KEYWRIGHT_TEST_POSTGRES_URL")
        .expect("KEYWRIGHT_TEST_POSTGRES_URL names a PostgreSQL server; scripts/postgres.sh starts one")
}

fn with_database(url: &str, database: &str) -> String {
    let (base, _) = url.rsplit_once('/').unwrap();
    format!("{base}/{database}")
}

async fn command(sql: String) {
    let options: sqlx::postgres::PgConnectOptions = server_url().parse().unwrap();
    let mut connection: PgConnection = options.disable_statement_logging().connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

fn unique(what: &str) -> String {
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    format!("kw_{what}_{}_{number}", std::process::id())
}

/// Migrating once and copying is ten times faster than migrating for each test.
async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = unique("template");
            command(format!("CREATE DATABASE {name}")).await;
            let url = DatabaseUrl::Postgres(with_database(&server_url(), &name));
            let db = Db::open(&url, true).await.unwrap();
            migrate::run(&db).await.unwrap();
            db.close().await;
            name
        })
        .await
}

impl TestDb {
    pub async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => DatabaseUrl::Sqlite(folder.path().join("keywright.db")),
            Backend::Postgres => {
                let (template, name) = (template().await, unique("test"));
                command(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                DatabaseUrl::Postgres(with_database(&server_url(), &name))
            }
        };
        let db = Db::open(&url, true).await.unwrap();
        migrate::run(&db).await.unwrap();
        Self { db, folder }
    }

    /// A database without any table.
    pub async fn bare(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => DatabaseUrl::Sqlite(folder.path().join("keywright.db")),
            Backend::Postgres => {
                let name = unique("bare");
                command(format!("CREATE DATABASE {name}")).await;
                DatabaseUrl::Postgres(with_database(&server_url(), &name))
            }
        };
        let db = Db::open(&url, true).await.unwrap();
        Self { db, folder }
    }

    /// Runs SQL behind the application's back.
    pub async fn tamper(&self, sql: &str) -> u64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::raw_sql(sql).execute(writer).await.unwrap().rows_affected(),
            Db::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.unwrap().rows_affected(),
        }
    }

    /// One number, asked behind the application's back.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::query_scalar(sql).fetch_one(writer).await.unwrap(),
            Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// One column of texts, asked behind the application's back.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::query_scalar(sql).fetch_all(writer).await.unwrap(),
            Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        }
    }
}
