//! What can go wrong between us and the database.

/// A store operation failed. Its text is for the log only.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is stopping, full or read-only: try again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A value that must be unique is taken.
    #[error("a unique value is taken")]
    Taken,
    /// A stored value is not what this release writes.
    #[error("inconsistent value in {table}.{column} of {id}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        id: String,
    },
    /// Anything else: a defect of ours.
    #[error("database error: {0}")]
    Defect(String),
}

impl StoreError {
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Tls(_) | E::Protocol(_) => {
                Self::Unavailable(error.to_string())
            }
            E::Database(db) if db.is_unique_violation() => Self::Taken,
            E::Database(db) if is_outage(db.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(db.message().to_owned())
            }
            _ => Self::Defect(error.to_string()),
        }
    }
}

/// SQLite result codes (busy, locked, out of memory, read-only, i/o, corrupt, full, cannot open; low byte), and
/// PostgreSQL classes 08 (connection), 40 (deadlock, to be tried again), 25006 (read-only), 53 (resources), 57 (operator intervention), 58 (system).
fn is_outage(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "40", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class))
            || code == "25006";
    }
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 11 | 13 | 14 | 26))
}
