//! Identifiers. One type per noun, so that a project id cannot stand where a key id belongs.

use serde::{Deserialize, Serialize};

/// Characters of the random part of every id: 62¹² ≈ 3·10²¹ values, public, never a credential.
pub const RANDOM_LENGTH: usize = 12;

/// The text is not an id of the asked kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

fn has_shape(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == RANDOM_LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &str = $prefix;

            /// Makes an id of twelve random base62 characters. Errors: another length or alphabet.
            pub fn from_random(random: &str) -> Result<Self, InvalidId> {
                Self::try_from(format!("{}{random}", $prefix))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The twelve random characters alone.
            #[must_use]
            pub fn random_part(&self) -> &str {
                &self.0[$prefix.len()..]
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                if has_shape(&text, $prefix) { Ok(Self(text)) } else { Err(InvalidId) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
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
    /// A service token.
    TokenId = "tok_";
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
