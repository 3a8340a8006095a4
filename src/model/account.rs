//! People who sign in, and the state of their sessions.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::id::AccountId;
use super::org::Membership;
use super::text;
use super::time::Timestamp;

/// Longest address (RFC 5321 §4.5.3.1.3).
const EMAIL_MAX: usize = 254;

/// An e-mail address as it was typed, and the one form under which it is looked up and throttled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    pub shown: String,
    pub folded: String,
}

impl Email {
    /// One `@`, something on both sides, no spaces: mail alone can tell whether an address is real.
    pub fn parse(field: &'static str, raw: &str) -> Result<Self, FieldError> {
        let shown = text::line(field, "The e-mail address", raw, 1, EMAIL_MAX)?;
        let plausible = shown.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.starts_with('.')
        });
        if !plausible || shown.chars().any(char::is_whitespace) {
            let message = "This is not an e-mail address. It should look like name@example.com.";
            return Err(FieldError::new(field, "email", message));
        }
        let folded = text::folded(&shown);
        Ok(Self { shown, folded })
    }
}

/// An address of which only the first letter and the domain are shown: enough to recognise one's own.
#[must_use]
pub fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

/// How far a session has come. A session that still owes its second factor reaches only the second-factor pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStage {
    SecondFactorDue,
    Complete,
}

impl SessionStage {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactorDue => "second_factor_due",
            Self::Complete => "complete",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::SecondFactorDue, Self::Complete]
            .into_iter()
            .find(|stage| stage.as_str() == text)
    }
}

/// Why somebody is at the sign-in page once more, halfway through signing in. Addresses name it, so the words are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The fifth wrong code.
    Codes,
    /// It took too long, or was ended elsewhere.
    Time,
}

impl Ended {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Codes => "codes",
            Self::Time => "time",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Codes, Self::Time]
            .into_iter()
            .find(|ended| ended.as_str() == text)
    }

    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Codes => {
                "That was the fifth wrong code, so this sign-in was ended. Enter your password again, then a new code."
            }
            Self::Time => {
                "This sign-in is over: it took more than a quarter of an hour, or was ended elsewhere. Enter your                  password again."
            }
        }
    }
}

/// An account in the operator's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountSummary {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub is_instance_admin: bool,
    pub locked: bool,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
}

/// All that the page of accounts shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    pub now: Timestamp,
    pub accounts: Vec<AccountSummary>,
}

/// One account, for whoever administers the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonPage {
    pub now: Timestamp,
    pub account: AccountSummary,
    pub memberships: Vec<Membership>,
    pub has_factor: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_addresses_that_differ_in_case_spaces_or_composition_are_one() {
        let folded = |raw| Email::parse("email", raw).unwrap().folded;
        assert_eq!(folded("Bob@Example.com"), folded(" bob@example.COM "));
        assert_eq!(folded("jose\u{301}@x.org"), folded("José@x.org"));
        for bad in ["", "bob", "@x", "bob@", "a b@x", "a@b@c"] {
            assert!(Email::parse("email", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_masked_address_keeps_a_letter_and_the_domain() {
        assert_eq!(masked("ada@acme.example"), "a…@acme.example");
        assert_eq!(masked("é@x.org"), "é…@x.org");
    }
}
