//! Making ids and secrets, and hashing secrets for storage.

use crate::model::id::{
    AccountId, ApprovalId, FactorId, IncidentId, InvalidId, InvitationId, KeyId, MailId, NoticeId, OrgId,
    ProjectId, ReviewId, TemplateId, TokenId,
};
use crate::model::import_format::DigestAlgorithm;
use crate::model::key_text::{KID_LENGTH, SECRET_LENGTH, compose};
use crate::server::ctx::Context;
use crate::server::platform::crypto::keyring::{HASH_ALG, Keyring, Purpose, RingPlace};
use crate::server::platform::crypto::master_key::unhex;
use crate::server::platform::crypto::secret::{Secret, SecretText};
use crate::server::platform::rng::base62;
use crate::server::store::keys::SecretRow;

use super::DomainError;

/// A new credential: its public id characters and its whole text.
pub struct Minted {
    pub kid: String,
    pub text: SecretText,
}

/// Makes a credential under `head` (`acme_live`, `kwt`).
#[must_use]
pub fn credential(ctx: &Context, head: &str) -> Minted {
    let kid = base62(ctx.rng.as_ref(), KID_LENGTH);
    let secret = Secret::new(base62(ctx.rng.as_ref(), SECRET_LENGTH));
    Minted {
        text: Secret::new(compose(head, &kid, secret.expose())),
        kid,
    }
}

/// Another secret under the id that a key has.
#[must_use]
pub fn secret_for(ctx: &Context, head: &str, id: &KeyId) -> SecretText {
    let secret = Secret::new(base62(ctx.rng.as_ref(), SECRET_LENGTH));
    Secret::new(compose(head, id.random_part(), secret.expose()))
}

impl From<InvalidId> for DomainError {
    fn from(_: InvalidId) -> Self {
        Self::Defect("a random id did not have the shape of one")
    }
}

macro_rules! id_makers {
    ($($name:ident -> $id:ty;)*) => {$(
        pub fn $name(ctx: &Context) -> Result<$id, DomainError> {
            Ok(<$id>::from_random(&base62(ctx.rng.as_ref(), KID_LENGTH))?)
        }
    )*};
}

id_makers! {
    account_id -> AccountId;
    org_id -> OrgId;
    project_id -> ProjectId;
    template_id -> TemplateId;
    factor_id -> FactorId;
    invitation_id -> InvitationId;
    mail_id -> MailId;
    notice_id -> NoticeId;
    incident_id -> IncidentId;
    review_id -> ReviewId;
    approval_id -> ApprovalId;
}

/// What of a credential is hashed, and bound to: the kind of credential, its tenant and its id, so that a hash moved
/// to another row matches nothing.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    Key {
        org_id: &'a str,
        key_id: &'a str,
    },
    Token {
        org_id: &'a str,
        token_id: &'a str,
    },
    Setup {
        id: &'a str,
    },
    /// A link that works once, for one purpose and one subject.
    Link {
        purpose: &'a str,
        subject_id: &'a str,
    },
    /// A recovery code of an account.
    Recovery {
        account_id: &'a str,
    },
    /// The digest of a key that somebody else made.
    Imported {
        project_id: &'a str,
        algorithm: DigestAlgorithm,
    },
}

impl<'a> Credential<'a> {
    fn parts(self, text: &'a str) -> [&'a str; 4] {
        match self {
            Self::Key { org_id, key_id } => ["keywright-key-v1", org_id, key_id, text],
            Self::Token { org_id, token_id } => ["keywright-token-v1", org_id, token_id, text],
            Self::Setup { id } => ["keywright-setup-v1", "", id, text],
            // The purpose is in the id's place: a link moved to another purpose or subject matches nothing.
            Self::Link { purpose, subject_id } => [purpose, "keywright-link-v1", subject_id, text],
            Self::Recovery { account_id } => ["keywright-recovery-v1", "", account_id, text],
            Self::Imported {
                project_id,
                algorithm,
            } => ["keywright-import-v1", project_id, algorithm.as_str(), text],
        }
    }
}

/// Names of the hash of an imported digest, by the algorithm it was made with: they never match what a text of ours gives.
const IMPORTED_ALGS: [(&str, DigestAlgorithm); 2] = [
    ("import-sha256", DigestAlgorithm::Sha256),
    ("import-sha512", DigestAlgorithm::Sha512),
];

/// The row to store for a new secret; of an imported key `text` is its digest in hexadecimal.
#[must_use]
pub fn hashed(ctx: &Context, credential: Credential<'_>, text: &SecretText) -> SecretRow {
    let signed = ctx.keyring.sign(Purpose::Key, &credential.parts(text.expose()));
    let imported = |algorithm: DigestAlgorithm| IMPORTED_ALGS.iter().find(|(_, own)| *own == algorithm);
    let hash_alg = match credential {
        Credential::Imported { algorithm, .. } => imported(algorithm).map_or(HASH_ALG, |(name, _)| name),
        _ => HASH_ALG,
    };
    SecretRow {
        slot: "current".to_owned(),
        hash: signed.mac,
        hash_alg: hash_alg.to_owned(),
        pepper_id: signed.key_id,
        created_at_ms: ctx.clock.now().ms(),
        expires_at_ms: None,
        number: 1,
        countdown_ms: None,
        stored_at_ms: None,
        stored_note: None,
    }
}

/// A stored hash, read and ready to be compared with.
#[derive(Clone, Debug)]
pub struct StoredHash {
    mac: [u8; 32],
    /// `None` matches nothing.
    pepper: Option<RingPlace>,
    /// Of the digest of a text that somebody else made.
    is_imported: bool,
}

impl StoredHash {
    /// A hash of another algorithm, or one that is none, matches nothing.
    #[must_use]
    pub fn from_row(keyring: &Keyring, hash_alg: &str, pepper_id: &str, hash: &str) -> Self {
        let pepper = keyring.place(Purpose::Key, pepper_id);
        let is_imported = IMPORTED_ALGS.iter().any(|(name, _)| *name == hash_alg);
        match unhex(hash) {
            Some(mac) if is_imported || hash_alg == HASH_ALG => Self {
                mac,
                pepper,
                is_imported,
            },
            _ => Self {
                mac: [0; 32],
                pepper: None,
                is_imported,
            },
        }
    }

    #[must_use]
    pub const fn is_imported(&self) -> bool {
        self.is_imported
    }
}

/// Where a digest may be found: its hashes under every key of the ring.
#[must_use]
pub fn import_hashes(
    ctx: &Context,
    project: &ProjectId,
    algorithm: DigestAlgorithm,
    digest: &str,
) -> Vec<[u8; 32]> {
    let credential = Credential::Imported {
        project_id: project.as_str(),
        algorithm,
    };
    ctx.keyring.macs(Purpose::Key, &credential.parts(digest))
}

/// Whether `text` is the credential that `hash` was made of. Constant time.
#[must_use]
pub fn is_match(ctx: &Context, credential: Credential<'_>, text: &str, hash: &StoredHash) -> bool {
    let parts = credential.parts(text);
    hash.pepper
        .is_some_and(|pepper| ctx.keyring.is_mac(pepper, &parts, &hash.mac))
}

/// The work of one comparison, for a credential that does not exist.
pub fn compare_with_nothing(ctx: &Context, text: &str) {
    let dummy = Credential::Key {
        org_id: "org_000000000000",
        key_id: "key_000000000000",
    };
    let pepper = ctx.keyring.active_id(Purpose::Key);
    let hash = StoredHash {
        mac: [0; 32],
        pepper: ctx.keyring.place(Purpose::Key, pepper),
        is_imported: false,
    };
    std::hint::black_box(is_match(ctx, dummy, text, &hash));
}

pub fn key_id(kid: &str) -> Result<KeyId, DomainError> {
    Ok(KeyId::from_random(kid)?)
}

pub fn token_id(kid: &str) -> Result<TokenId, DomainError> {
    Ok(TokenId::from_random(kid)?)
}

/// A form's right to be submitted once: 24 characters.
#[must_use]
pub fn form_nonce(ctx: &Context) -> String {
    base62(ctx.rng.as_ref(), 24)
}

/// Of an import format, or of a file that waits: 12 characters.
#[must_use]
pub fn plain_id(ctx: &Context) -> String {
    base62(ctx.rng.as_ref(), KID_LENGTH)
}
