//! Turning columns into nouns: a value that does not fit is reported with its place.

use super::error::StoreError;
use crate::model::key::Owner;
use crate::model::time::Timestamp;

/// Names the table and row that values are read from.
#[derive(Clone, Copy)]
pub struct RowPlace<'a> {
    pub table: &'static str,
    pub id: &'a str,
}

impl RowPlace<'_> {
    /// Whose key it is: a member, by account and present name, or else a team.
    pub fn owner(
        self,
        account: Option<&str>,
        name: Option<String>,
        team: String,
    ) -> Result<Owner, StoreError> {
        Ok(match account {
            Some(account) => Owner::Member {
                id: self.parsed("owner_account_id", account)?,
                name: name.unwrap_or_default(),
            },
            None => Owner::Team(team),
        })
    }

    pub fn required<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::Inconsistent {
            table: self.table,
            column,
            id: self.id.to_owned(),
        })
    }

    pub fn parsed<T: std::str::FromStr>(self, column: &'static str, text: &str) -> Result<T, StoreError> {
        self.required(column, text.parse().ok())
    }
}

#[must_use]
pub fn moment(at_ms: Option<i64>) -> Option<Timestamp> {
    at_ms.map(Timestamp::from_ms)
}

/// A `LIKE … ESCAPE '\'` pattern that finds `text` anywhere.
#[must_use]
pub fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// A `LIKE … ESCAPE '\'` pattern that finds what begins with `text`.
#[must_use]
pub fn beginning_with(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
