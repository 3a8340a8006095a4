//! The answer of a verification.

use serde::{Deserialize, Serialize};

/// Every code, in the order in which they are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerdictCode {
    Malformed,
    NotFound,
    Revoked,
    PendingApproval,
    Disabled,
    NotYetValid,
    Expired,
    EnvironmentMismatch,
    OwnerInactive,
    IpNotAllowed,
    CountryNotAllowed,
    OutsideHours,
    InsufficientScope,
    ResourceNotAllowed,
    RateLimited,
    QuotaExceeded,
    Valid,
}

impl VerdictCode {
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::NotFound,
        Self::Revoked,
        Self::PendingApproval,
        Self::Disabled,
        Self::NotYetValid,
        Self::Expired,
        Self::EnvironmentMismatch,
        Self::OwnerInactive,
        Self::IpNotAllowed,
        Self::CountryNotAllowed,
        Self::OutsideHours,
        Self::InsufficientScope,
        Self::ResourceNotAllowed,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Valid,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::NotFound => "NOT_FOUND",
            Self::Revoked => "REVOKED",
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Disabled => "DISABLED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::Expired => "EXPIRED",
            Self::EnvironmentMismatch => "ENVIRONMENT_MISMATCH",
            Self::OwnerInactive => "OWNER_INACTIVE",
            Self::IpNotAllowed => "IP_NOT_ALLOWED",
            Self::CountryNotAllowed => "COUNTRY_NOT_ALLOWED",
            Self::OutsideHours => "OUTSIDE_HOURS",
            Self::InsufficientScope => "INSUFFICIENT_SCOPE",
            Self::ResourceNotAllowed => "RESOURCE_NOT_ALLOWED",
            Self::RateLimited => "RATE_LIMITED",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Valid => "VALID",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// In words, for legends and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed",
            Self::NotFound => "Not found",
            Self::Revoked => "Revoked",
            Self::PendingApproval => "Pending approval",
            Self::Disabled => "Disabled",
            Self::NotYetValid => "Not yet valid",
            Self::Expired => "Expired",
            Self::EnvironmentMismatch => "Wrong environment",
            Self::OwnerInactive => "Owner inactive",
            Self::IpNotAllowed => "Address not allowed",
            Self::CountryNotAllowed => "Country not allowed",
            Self::OutsideHours => "Outside hours",
            Self::InsufficientScope => "Scope missing",
            Self::ResourceNotAllowed => "Resource not allowed",
            Self::RateLimited => "Rate limited",
            Self::QuotaExceeded => "Quota exceeded",
            Self::Valid => "Allowed",
        }
    }

    /// The status under `?style=http`: 401 for who, 403 for what, 429 for how much.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Valid => 200,
            Self::Malformed
            | Self::NotFound
            | Self::Revoked
            | Self::PendingApproval
            | Self::Disabled
            | Self::NotYetValid
            | Self::Expired => 401,
            Self::EnvironmentMismatch
            | Self::OwnerInactive
            | Self::IpNotAllowed
            | Self::CountryNotAllowed
            | Self::OutsideHours
            | Self::InsufficientScope
            | Self::ResourceNotAllowed => 403,
            Self::RateLimited | Self::QuotaExceeded => 429,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_every_code_reads_back_and_equals_its_json() {
        for code in VerdictCode::ALL {
            assert_eq!(VerdictCode::parse(code.as_str()), Some(code));
        }
        assert!(VerdictCode::ALL.is_sorted());
    }
}
