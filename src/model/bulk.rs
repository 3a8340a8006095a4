//! Stopping several keys at once: what is chosen, what it would do, what came of it.

use serde::{Deserialize, Serialize};

use super::form::FormValues;
use super::id::KeyId;
use super::key::{Badge, Environment, KeyFilter};
use super::time::Timestamp;

/// The status filter that leaves nothing out.
pub const ANY_STATUS: &str = "any";
/// What the field of the policy says for keys that break it.
pub const AGAINST_POLICY: &str = "against";
/// The fields of a filter, as forms and addresses carry them.
pub const FILTER_FIELDS: [&str; 5] = ["q", "project", "environment", "status", "policy"];
/// Keys that may be chosen one by one.
pub const CHOSEN_MAX: usize = 400;
/// Keys that may be stopped at once.
pub const BULK_MAX: usize = 1_000;
/// Keys that the preview names; of more, the number.
pub const NAMED_MAX: usize = 200;

/// What is to happen to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkAct {
    Disable,
    Revoke,
}

impl BulkAct {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Revoke => "revoke",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Disable, Self::Revoke]
            .into_iter()
            .find(|act| act.as_str() == text)
    }

    /// `Disable`, for a button.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Disable => "Disable",
            Self::Revoke => "Revoke",
        }
    }

    /// `disabled`, of what it was done to.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Disable => "disabled",
            Self::Revoke => "revoked",
        }
    }
}

/// Which keys are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// These, each as it was when it was looked at; no version, and it has not been looked at yet.
    Keys(Vec<(KeyId, Option<i64>)>),
    /// Whatever of the list matches and may be managed; once it was looked at, by its mark.
    Matching { filter: KeyFilter, seen: Option<String> },
}

/// A key that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRow {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub owner: String,
    pub badge: Badge,
    pub version: i64,
    pub requests_hour: i64,
    pub requests_day: i64,
    /// Whether it stands like that already, and is left.
    pub already: bool,
}

/// What stopping the chosen keys would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPreview {
    pub now: Timestamp,
    pub act: BulkAct,
    /// Those that would be stopped first, the busiest at the top; at most [`NAMED_MAX`] of a whole list.
    pub rows: Vec<BulkRow>,
    /// How many would be stopped.
    pub count: i64,
    /// How many stand like that already.
    pub already: i64,
    /// How many were chosen and may not be managed, or are not there any more.
    pub left_out: i64,
    pub requests_hour: i64,
    pub requests_day: i64,
    /// The mark of a whole list: another one, and it has changed.
    pub seen: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkDone {
    pub stopped: i64,
    pub already: i64,
    /// Somebody changed it since it was looked at.
    pub changed: i64,
    /// Not to be managed by whoever asked, or not there any more.
    pub left_out: i64,
}

impl Chosen {
    /// What a form says: `all` of a list, or each `key`, with the version it was looked at in.
    #[must_use]
    pub fn from_values(values: &FormValues) -> Self {
        if values.first("all") == "1" {
            let seen = values.first("seen");
            return Self::Matching {
                filter: KeyFilter::of_fields(|name| values.first(name).to_owned()),
                seen: (!seen.is_empty()).then(|| seen.to_owned()),
            };
        }
        let keys = values.all("key").iter().filter_map(|text| {
            let (id, version) = match text.split_once(':') {
                Some((id, version)) => (id, version.parse().ok()),
                None => (text.as_str(), None),
            };
            Some((id.parse().ok()?, version))
        });
        Self::Keys(keys.collect())
    }
}

/// The filter as a form and an address carry it, without what is left open.
#[must_use]
pub fn filter_pairs(filter: &KeyFilter) -> Vec<(&'static str, String)> {
    let status = match filter.status() {
        "" if filter.with_revoked => ANY_STATUS,
        status => status,
    };
    let policy = if filter.against_policy { AGAINST_POLICY } else { "" };
    let project = filter.project.as_ref().map(ToString::to_string);
    let environment = filter.environment.map_or("", Environment::as_str);
    let mut pairs = vec![
        ("q", filter.search.clone()),
        ("project", project.unwrap_or_default()),
        ("environment", environment.to_owned()),
        ("status", status.to_owned()),
        ("policy", policy.to_owned()),
    ];
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> FormValues {
        FormValues::from_pairs(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn keys_are_named_with_the_version_that_was_looked_at() {
        let id = "key_0123456789AB";
        let chosen = Chosen::from_values(&values(&[
            ("key", id),
            ("key", "key_0123456789AC:7"),
            ("key", "x"),
        ]));
        let expected = [
            (id.parse().unwrap(), None),
            ("key_0123456789AC".parse().unwrap(), Some(7)),
        ];
        assert_eq!(chosen, Chosen::Keys(expected.to_vec()));
    }

    #[test]
    fn a_filter_comes_back_as_it_was() {
        for (status, with_revoked) in [("any", true), ("revoked", false), ("no_end", false), ("", false)] {
            let asked = values(&[
                ("all", "1"),
                ("q", "ci"),
                ("environment", "live"),
                ("status", status),
            ]);
            let Chosen::Matching { filter, seen } = Chosen::from_values(&asked) else {
                panic!("a whole list");
            };
            assert_eq!((filter.with_revoked, seen), (with_revoked, None));
            let again = filter_pairs(&filter);
            assert_eq!(again.contains(&("status", status.to_owned())), !status.is_empty());
            assert_eq!(
                again[..2],
                [("q", "ci".to_owned()), ("environment", "live".to_owned())]
            );
        }
    }
}
