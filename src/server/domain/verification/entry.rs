//! What the cache holds: everything a decision needs, read once.

use crate::model::id::{AccountId, KeyId, OrgId, ProjectId, TokenId};
use crate::model::import_format::ImportFormat;
use crate::model::key::{Environment, KeyStatus};
use crate::model::project::ProjectStatus;
use crate::model::restriction::Restrictions;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::token::TokenPermissions;
use crate::server::domain::keys::{restrictions, secured};
use crate::server::domain::mint::StoredHash;
use crate::server::domain::tokens;
use crate::server::platform::crypto::keyring::Keyring;
use crate::server::platform::zones::{self, Zone};
use crate::server::store::error::StoreError;
use crate::server::store::keys::{SecretRow, Verifiable};
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::tokens::SecuredToken;

/// A key, ready to be decided about.
#[derive(Clone, Debug)]
pub struct CachedKey {
    pub id: KeyId,
    pub org_id: OrgId,
    pub project_id: ProjectId,
    pub name: Box<str>,
    pub prefix: Box<str>,
    pub environment: Environment,
    /// Apart, because most keys of services belong to a team, and a million entries carry the room for it.
    pub owner: Option<Box<AccountId>>,
    pub owner_is_active: bool,
    pub project_status: ProjectStatus,
    pub status: KeyStatus,
    pub scopes: ScopeSet,
    pub expires_at: Option<Timestamp>,
    /// Apart, because most keys have none.
    pub restrictions: Option<Box<CachedRestrictions>>,
    pub secrets: Box<[CachedSecret]>,
    /// Whether the row's MAC held when it was read; a key whose row was edited elsewhere is not found.
    pub is_intact: bool,
}

/// From where, for what and when a key passes, ready to be decided by.
#[derive(Clone, Debug)]
pub struct CachedRestrictions {
    pub rules: Restrictions,
    /// The place whose clock counts. None where no hours are set; or where the place is not known any more, and then
    /// no hour is right.
    pub zone: Option<Zone>,
}

impl CachedRestrictions {
    #[must_use]
    pub fn new(rules: Restrictions) -> Option<Box<Self>> {
        let zone = rules.hours.as_ref().and_then(|hours| zones::find(&hours.zone));
        (!rules.is_empty()).then(|| Box::new(Self { rules, zone }))
    }
}

/// One of a key's secrets, as a keyed hash.
#[derive(Clone, Debug)]
pub struct CachedSecret {
    pub hash: StoredHash,
    pub expires_at: Option<Timestamp>,
    /// Which of the key's secrets it is, counted from 1.
    pub number: u32,
    pub is_current: bool,
    /// A previous one whose time begins with the first use of the current one.
    pub counts_down: bool,
}

/// A service token, ready to be compared with.
#[derive(Clone, Debug)]
pub struct CachedToken {
    pub id: TokenId,
    pub org_id: OrgId,
    pub project_id: ProjectId,
    pub permissions: TokenPermissions,
    pub hash: StoredHash,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
    pub is_intact: bool,
    /// What keys of the project look like that somebody else made; empty for most.
    pub formats: Box<[ImportFormat]>,
}

/// What such keys look like, in every project that declares it.
#[derive(Clone, Debug, Default)]
pub struct AllFormats(pub Vec<(ProjectId, Vec<ImportFormat>)>);

impl CachedKey {
    /// Until when a previous secret goes on beside the current one.
    #[must_use]
    pub fn overlap_until(&self, now: Timestamp) -> Option<Timestamp> {
        let previous = self.secrets.iter().find(|secret| !secret.is_current)?;
        previous.expires_at.filter(|at| *at > now)
    }

    /// Whether the use of this secret begins the countdown of the one before.
    #[must_use]
    pub fn waits_for(&self, secret_number: u32) -> bool {
        let is_current = |secret: &CachedSecret| secret.is_current && secret.number == secret_number;
        self.secrets.iter().any(is_current) && self.secrets.iter().any(|secret| secret.counts_down)
    }

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
                .map(|id| place.parsed("owner_account_id", id).map(Box::new))
                .transpose()?,
            owner_is_active: row.owner_is_active == 1,
            project_status: place.required("project_status", ProjectStatus::parse(&row.project_status))?,
            status: place.required("status", KeyStatus::parse(&key.status))?,
            scopes: place.required("scopes", ScopeSet::from_stored(&key.scopes).ok())?,
            expires_at: moment(key.expires_at_ms),
            restrictions: CachedRestrictions::new(place.required(
                "restrictions",
                restrictions::from_row(key.restrictions.as_deref(), moment(key.not_before_ms)),
            )?),
            secrets: key
                .secrets
                .iter()
                .map(|row| CachedSecret::from_row(row, keyring))
                .collect(),
            org_id: place.parsed("org_id", &key.org_id)?,
            name: key.name.into(),
            prefix: key.prefix.into(),
            is_intact,
        })
    }
}

impl CachedSecret {
    fn from_row(row: &SecretRow, keyring: &Keyring) -> Self {
        Self {
            hash: StoredHash::from_row(keyring, &row.hash_alg, &row.pepper_id, &row.hash),
            expires_at: moment(row.expires_at_ms),
            number: u32::try_from(row.number).unwrap_or_default(),
            is_current: row.slot == "current",
            counts_down: row.countdown_ms.is_some(),
        }
    }
}

impl CachedToken {
    pub fn from_row(
        (token, formats): (SecuredToken, Vec<ImportFormat>),
        keyring: &Keyring,
    ) -> Result<Self, StoreError> {
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
            id: place.parsed("id", &token.id)?,
            org_id: place.parsed("org_id", &token.org_id)?,
            hash: StoredHash::from_row(keyring, &token.hash_alg, &token.pepper_id, &token.hash),
            is_intact,
            formats: formats.into(),
        })
    }
}
