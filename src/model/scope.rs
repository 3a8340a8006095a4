//! Scopes: what a key may do, in up to four segments, `images:read`.

use serde::{Deserialize, Serialize};

use super::error::FieldError;

const SEGMENTS_MAX: usize = 4;
const SEGMENT_LENGTH_MAX: usize = 32;
/// The most scopes one key or one catalogue may hold (R70).
pub const SCOPES_MAX: usize = 100;

/// A scope as a key holds it: concrete (`images:read`), a wildcard over what follows (`images:*`), or `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: use up to four segments of a-z, 0-9, _ . - joined by colons, for example images:read")]
pub struct InvalidScope;

fn is_segment(text: &str) -> bool {
    (1..=SEGMENT_LENGTH_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
}

/// Whether the text is a concrete scope: no wildcard.
#[must_use]
pub fn is_concrete(text: &str) -> bool {
    text.split(':').count() <= SEGMENTS_MAX && text.split(':').all(is_segment)
}

impl Scope {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.ends_with('*')
    }

    /// Whether a key with this scope may do `wanted`, a concrete scope. `images:*` covers everything below
    /// `images:`, at any depth, but not `images` itself.
    #[must_use]
    pub fn covers(&self, wanted: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(stem) => wanted.len() > stem.len() && wanted.starts_with(stem),
            None => *self.0 == *wanted,
        }
    }
}

impl Scope {
    /// Whether there is anything that both allow.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.0.strip_suffix('*'), other.0.strip_suffix('*')) {
            (Some(own), Some(theirs)) => own.starts_with(theirs) || theirs.starts_with(own),
            (Some(_), None) => self.covers(&other.0),
            (None, _) => other.covers(&self.0),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;
    fn try_from(text: String) -> Result<Self, InvalidScope> {
        let valid = match text.strip_suffix('*') {
            Some("") => true,
            Some(stem) => stem
                .strip_suffix(':')
                .is_some_and(|s| is_concrete(s) && s.split(':').count() < SEGMENTS_MAX),
            None => is_concrete(&text),
        };
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidScope)
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = InvalidScope;
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::try_from(text.to_owned())
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0.into()
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scopes of one key: sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(Box<[Scope]>);

impl ScopeSet {
    #[must_use]
    pub fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.sort();
        scopes.dedup();
        Self(scopes.into())
    }

    /// Reads scopes as they were typed or ticked; every one that is wrong is named.
    pub fn parse<'a>(
        field: &'static str,
        raw: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, FieldError> {
        let mut scopes = Vec::new();
        for text in raw.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            let shown = super::text::shown(text, 60);
            let scope = text.parse().map_err(|InvalidScope| {
                FieldError::new(field, "scope_syntax", format!("“{shown}” is {InvalidScope}."))
            })?;
            scopes.push(scope);
        }
        let set = Self::new(scopes);
        if set.0.len() > SCOPES_MAX {
            return Err(FieldError::new(
                field,
                "too_many",
                format!("At most {SCOPES_MAX} scopes fit."),
            ));
        }
        Ok(set)
    }

    /// Reads the stored form: names joined by one space.
    pub fn from_stored(text: &str) -> Result<Self, InvalidScope> {
        text.split(' ')
            .filter(|s| !s.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<_>, _>>()
            .map(Self::new)
    }

    #[must_use]
    pub fn stored(&self) -> String {
        self.0.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    #[must_use]
    pub fn allows(&self, wanted: &str) -> bool {
        self.0.iter().any(|scope| scope.covers(wanted))
    }

    /// Of the scopes that cover `wanted`, the one that covers least.
    #[must_use]
    pub fn narrowest_over(&self, wanted: &str) -> Option<&Scope> {
        let covering = self.0.iter().filter(|scope| scope.covers(wanted));
        covering.max_by_key(|scope| (!scope.is_wildcard(), scope.0.len()))
    }

    /// Whether whatever these allow, `other` allows, too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| match scope.0.strip_suffix('*') {
            Some(stem) => other.0.iter().any(|over| {
                over.0
                    .strip_suffix('*')
                    .is_some_and(|over| stem.starts_with(over))
            }),
            None => other.allows(scope.as_str()),
        })
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_wildcard_covers_one_or_more_segments_but_not_none() {
        assert!(scope("images:*").covers("images:read"));
        assert!(scope("images:*").covers("images:read:own"));
        assert!(!scope("images:*").covers("images"));
        assert!(!scope("images:*").covers("imagesx:read"));
        assert!(scope("*").covers("anything:at:all"));
        assert!(!scope("images:read").covers("images:read:own"));
    }

    #[test]
    fn only_a_last_whole_segment_may_be_a_wildcard() {
        for bad in [
            "",
            ":",
            "a:",
            ":a",
            "a b",
            "A",
            "a:*:b",
            "a*",
            "**",
            "a:b:c:d:e",
            "a:b:c:d:*",
            "é",
            "a::b",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
        for good in ["*", "a", "a:*", "a:b:c:d", "a:b:c:*", "a.b-c_d:0"] {
            assert!(good.parse::<Scope>().is_ok(), "{good}");
        }
    }

    #[test]
    fn within_means_nothing_more_is_allowed() {
        let set = |text: &str| ScopeSet::from_stored(text).unwrap();
        for (own, other, expected) in [
            ("a:b", "a:b c", true),
            ("a:b", "a:*", true),
            ("a:b:*", "a:*", true),
            ("a:*", "a:b", false),
            ("a:*", "a:*", true),
            ("*", "a:*", false),
            ("a", "*", true),
            ("", "a", true),
            ("a", "", false),
        ] {
            assert_eq!(set(own).is_within(&set(other)), expected, "{own} in {other}");
        }
    }

    #[test]
    fn a_set_is_sorted_and_round_trips() {
        let set = ScopeSet::parse("scopes", ["b", "a:*", "b", " "]).unwrap();
        assert_eq!(set.stored(), "a:* b");
        assert_eq!(ScopeSet::from_stored(&set.stored()).unwrap(), set);
    }
}
