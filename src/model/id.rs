//! Identifiers. One type per noun, so that a project id cannot stand where a key id belongs.

use serde::{Deserialize, Serialize};

/// Characters of the random part of every id: 62¹² ≈ 3·10²¹ values, public, never a credential.
pub const RANDOM_LENGTH: usize = 12;

/// The text is not an id of the asked kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

/// Characters of a whole id: prefix and random part.
const LENGTH: usize = 4 + RANDOM_LENGTH;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        // In place, without an allocation: memory holds a million keys with three ids each.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &str = $prefix;

            /// Makes an id of twelve random base62 characters. Errors: another length or alphabet.
            pub fn from_random(random: &str) -> Result<Self, InvalidId> {
                let mut text = [0; LENGTH];
                text[..$prefix.len()].copy_from_slice($prefix.as_bytes());
                if random.len() != RANDOM_LENGTH || !random.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    return Err(InvalidId);
                }
                text[$prefix.len()..].copy_from_slice(random.as_bytes());
                Ok(Self(text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }

            /// The twelve random characters alone.
            #[must_use]
            pub fn random_part(&self) -> &str {
                &self.as_str()[$prefix.len()..]
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix).ok_or(InvalidId).and_then(Self::from_random)
            }
        }

        impl TryFrom<std::borrow::Cow<'_, str>> for $name {
            type Error = InvalidId;
            fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

ids! {
    /// A person who signs in. Instance-wide.
    AccountId = "acc_";
    /// The tenant.
    OrgId = "org_";
    /// What keys are for.
    ProjectId = "prj_";
    /// A key; stays the same while its secrets rotate.
    KeyId = "key_";
    /// A second factor of an account.
    FactorId = "fac_";
    /// What a new key's form may begin with.
    TemplateId = "tpl_";
    /// A service token.
    TokenId = "tok_";
    /// An invitation into an organisation.
    InvitationId = "inv_";
    /// A mail on its way.
    MailId = "mal_";
    /// Something an account is told about its own safety.
    NoticeId = "ntc_";
    /// A key that may have leaked, and what was done about it.
    IncidentId = "inc_";
    /// An access review.
    ReviewId = "rev_";
    /// A request that somebody else decides.
    ApprovalId = "apr_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_one_kind_is_not_an_id_of_another() {
        assert!("key_0123456789AB".parse::<KeyId>().is_ok());
        assert!("key_0123456789AB".parse::<ProjectId>().is_err());
    }

    #[test]
    fn length_and_alphabet_are_exact() {
        for text in [
            "key_",
            "key_0123456789A",
            "key_0123456789ABC",
            "key_0123456789A-",
            "key_0123456789Aé",
            "",
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
