//! What the cache holds: everything a decision needs, read once.

use crate::model::id::{AccountId, KeyId, ProjectId};
use crate::model::key::{Environment, KeyStatus};
use crate::model::project::ProjectStatus;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::token::TokenPermissions;
use crate::server::domain::keys::secured;
use crate::server::domain::mint::StoredHash;
use crate::server::domain::tokens;
use crate::server::platform::crypto::keyring::Keyring;
use crate::server::store::error::StoreError;
use crate::server::store::keys::Verifiable;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::tokens::SecuredToken;

/// A key, ready to be decided about.
#[derive(Clone, Debug)]
pub struct CachedKey {
    pub id: KeyId,
    pub org_id: String,
    pub project_id: ProjectId,
    pub name: String,
    pub prefix: String,
    pub environment: Environment,
    pub owner: Option<AccountId>,
    pub owner_is_active: bool,
    pub project_status: ProjectStatus,
    pub status: KeyStatus,
    pub scopes: ScopeSet,
    pub expires_at: Option<Timestamp>,
    pub secrets: Vec<CachedSecret>,
    /// Whether the row's MAC held when it was read; a key whose row was edited elsewhere is not found.
    pub is_intact: bool,
}

/// One of a key's secrets, as a keyed hash.
#[derive(Clone, Debug)]
pub struct CachedSecret {
    pub hash: StoredHash,
    pub expires_at: Option<Timestamp>,
}

/// A service token, ready to be compared with.
#[derive(Clone, Debug)]
pub struct CachedToken {
    pub id: String,
    pub org_id: String,
    pub project_id: ProjectId,
    pub permissions: TokenPermissions,
    pub hash: StoredHash,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
    pub is_intact: bool,
}

impl CachedKey {
    pub fn from_row(row: Verifiable, keyring: &Keyring) -> Result<Self, StoreError> {
        let is_intact = secured::is_intact(keyring, &row.key);
        let key = row.key;
        let place = RowPlace {
            table: "api_keys",
            id: &key.id,
        };
        Ok(Self {
            id: place.parsed("id", &key.id)?,
            project_id: place.parsed("project_id", &key.project_id)?,
            environment: place.required("environment", Environment::parse(&key.environment))?,
            owner: key
                .owner_account_id
                .as_deref()
                .map(|id| place.parsed("owner_account_id", id))
                .transpose()?,
            owner_is_active: row.owner_is_active == 1,
            project_status: place.required("project_status", ProjectStatus::parse(&row.project_status))?,
            status: place.required("status", KeyStatus::parse(&key.status))?,
            scopes: place.required("scopes", ScopeSet::from_stored(&key.scopes).ok())?,
            expires_at: moment(key.expires_at_ms),
            secrets: key.secrets.into_iter().map(CachedSecret::from).collect(),
            org_id: key.org_id,
            name: key.name,
            prefix: key.prefix,
            is_intact,
        })
    }
}

impl From<crate::server::store::keys::SecretRow> for CachedSecret {
    fn from(row: crate::server::store::keys::SecretRow) -> Self {
        Self {
            hash: StoredHash::from_row(&row.hash_alg, row.pepper_id, &row.hash),
            expires_at: moment(row.expires_at_ms),
        }
    }
}

impl CachedToken {
    pub fn from_row(token: SecuredToken, keyring: &Keyring) -> Result<Self, StoreError> {
        let is_intact = tokens::is_intact(keyring, &token);
        let place = RowPlace {
            table: "service_tokens",
            id: &token.id,
        };
        Ok(Self {
            project_id: place.parsed("project_id", &token.project_id)?,
            permissions: place.required(
                "permissions",
                TokenPermissions::parse("", token.permissions.split(' ')).ok(),
            )?,
            expires_at: moment(token.expires_at_ms),
            revoked: token.revoked_at_ms.is_some(),
            id: token.id,
            org_id: token.org_id,
            hash: StoredHash::from_row(&token.hash_alg, token.pepper_id, &token.hash),
            is_intact,
        })
    }
}
