//! Service tokens: how a machine authenticates to Keywright itself.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::id::{ProjectId, TokenId};
use super::time::Timestamp;

/// What a service token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPermission {
    Verify,
}

impl TokenPermission {
    pub const ALL: [Self; 1] = [Self::Verify];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Verify => "Verify keys",
        }
    }

    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Verify => "Ask whether a key of the project may pass",
        }
    }
}

/// The permissions of one token: sorted, each once, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenPermissions(Vec<TokenPermission>);

impl TokenPermissions {
    pub fn parse<'a>(
        field: &'static str,
        raw: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, FieldError> {
        let mut all = Vec::new();
        for text in raw.into_iter().filter(|text| !text.is_empty()) {
            let known = TokenPermission::ALL
                .into_iter()
                .find(|permission| permission.as_str() == text);
            let Some(permission) = known else {
                return Err(FieldError::new(
                    field,
                    "unknown",
                    "This permission does not exist. Reload the page.",
                ));
            };
            all.push(permission);
        }
        if all.is_empty() {
            return Err(FieldError::new(
                field,
                "required",
                "Choose at least one permission.",
            ));
        }
        all.sort();
        all.dedup();
        Ok(Self(all))
    }

    #[must_use]
    pub fn verify_only() -> Self {
        Self(vec![TokenPermission::Verify])
    }

    #[must_use]
    pub fn has(&self, permission: TokenPermission) -> bool {
        self.0.contains(&permission)
    }

    #[must_use]
    pub fn stored(&self) -> String {
        self.0
            .iter()
            .map(|permission| permission.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub fn iter(&self) -> std::slice::Iter<'_, TokenPermission> {
        self.0.iter()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    Active,
    Expired,
    Revoked,
}

impl TokenStatus {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Revoked => "Revoked",
        }
    }
}

/// A token in the list of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSummary {
    pub id: TokenId,
    pub name: String,
    pub project_id: ProjectId,
    pub project_name: String,
    pub permissions: TokenPermissions,
    pub status: TokenStatus,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub stored_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// All that the page of tokens shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenList {
    pub now: Timestamp,
    pub tokens: Vec<TokenSummary>,
}

/// What the create form offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenFormMaterial {
    pub now: Timestamp,
    /// The form's right to be submitted once.
    pub nonce: String,
    /// Id and name of each active project.
    pub projects: Vec<(ProjectId, String)>,
}
