//! From where, for what and with what a key was used, before and after a moment.

use serde::{Deserialize, Serialize};

use crate::model::id::KeyId;
use crate::model::key::{Environment, KeyStatus};
use crate::model::key_text::redacted_address;
use crate::model::text::shown;
use crate::model::time::Timestamp;
use crate::model::usage::UsageSeries;

/// Groups that one list shows; of more, the number.
pub const LISTED_MAX: usize = 20;
/// Longest endpoint or client that is kept, in characters.
pub const VALUE_MAX: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    Address,
    Country,
    Endpoint,
    Agent,
}

impl UseKind {
    pub const ALL: [Self; 4] = [Self::Address, Self::Country, Self::Endpoint, Self::Agent];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Country => "country",
            Self::Endpoint => "endpoint",
            Self::Agent => "agent",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Requests that have one thing in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseGroup {
    /// Empty for requests of which it was not told; `…` for those that were too many to be kept apart.
    pub value: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub before: i64,
    pub after: i64,
    /// Of those after.
    pub refused: i64,
    /// First seen after the suspected moment.
    pub is_new: bool,
    /// Keys of the organisation that were used from this address since then; at most 101 are counted.
    pub keys: Option<i64>,
}

/// The groups of one kind: new ones first, then by requests since the suspected moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    pub rows: Vec<UseGroup>,
    /// Groups that are not listed.
    pub more: i64,
}

/// How the key was used around the suspected moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    pub addresses: Uses,
    /// By their codes; nothing where no country was ever told.
    pub countries: Uses,
    pub endpoints: Uses,
    pub agents: Uses,
    /// Requests that are in the groups, before and after, and refused of those after.
    pub before: i64,
    pub after: i64,
    pub refused: i64,
    /// From when on requests count.
    pub horizon: Timestamp,
    /// Down to when they have been read so far; the horizon once all is read.
    pub read_from: Timestamp,
    /// Up to when: now, or when the incident was closed.
    pub until: Timestamp,
    pub series: UsageSeries,
}

impl Timeline {
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.read_from <= self.horizon
    }
}

/// An address that another key was used from as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedAddress {
    pub ip: String,
    /// Keys of the organisation that used it, this incident's among them.
    pub keys: i64,
    pub requests: i64,
}

/// Another key that was used from the same addresses since the suspected moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sibling {
    pub key_id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub status: KeyStatus,
    /// Those that the fewest keys share first.
    pub addresses: Vec<SharedAddress>,
    pub requests: i64,
    pub last_at: Timestamp,
    pub may_manage: bool,
}

/// Keys from the same addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiblingKeys {
    pub rows: Vec<Sibling>,
    pub more: i64,
    /// Addresses that so many keys share that they say nothing of any.
    pub crowded: Vec<String>,
}

/// Method and path, as endpoints are told apart: without the query, with `{id}` for each part that looks like an id,
/// and never with a key in it. Empty when neither was told.
#[must_use]
pub fn endpoint_of(method: &str, path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = redacted_address(path);
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if is_id(part) { "{id}" } else { part })
        .collect();
    shown(format!("{method} {}", parts.join("/")).trim(), VALUE_MAX)
}

/// Digits alone, a UUID, or something long with a digit in it.
fn is_id(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = part
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_plain && digits > 0 && (digits == part.len() || (part.len() >= 16 && digits >= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_told_apart_by_what_they_are_not_by_whom_they_are_about() {
        for (method, path, expected) in [
            ("GET", "/v1/images/42?size=3", "GET /v1/images/{id}"),
            (
                "GET",
                "/users/8f14e45f-ceea-467f-9a4f-0c1d2e3f4a5b/keys",
                "GET /users/{id}/keys",
            ),
            ("POST", "/v1/images#x", "POST /v1/images"),
            ("", "/v2", "/v2"),
            ("PUT", "", "PUT"),
            ("", "", ""),
            ("GET", "/a\u{202e}b", "GET /a\u{fffd}b"),
        ] {
            assert_eq!(endpoint_of(method, path), expected);
        }
        assert!(endpoint_of("GET", &"/x".repeat(500)).chars().count() <= VALUE_MAX);
        let key = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub";
        assert!(!endpoint_of("GET", &format!("/v1/{key}/x")).contains("abcdefghij"));
    }
}
