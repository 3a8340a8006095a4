//! Links that work once: an invitation, a new password, a new address.
//!
//! The database has a keyed hash of each, bound to purpose and subject. Looking ([`find`]) consumes nothing; using
//! ([`take`]) is one conditional UPDATE in the transaction of what the link is for, so that of two uses one wins.

use crate::model::error::Code;
use crate::model::key_text::{TokenKind, parse_token};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::session::Caller;
use crate::server::domain::accounts::throttle::{self, Door};
use crate::server::domain::mint::{self, Credential, StoredHash};
use crate::server::platform::crypto::keyring::HASH_ALG;
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::db::Tx;
use crate::server::store::links::{self as store, LinkRow};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Subject: the invitation.
    Invitation,
    /// Subject: the account.
    PasswordReset,
    /// The address an account has; subject: the account.
    OldEmail,
    /// The address it is to have; subject: the account.
    NewEmail,
    /// The secret of a key; subject: the key.
    Claim,
}

impl Purpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::OldEmail => "email_old",
            Self::NewEmail => "email_new",
            Self::Claim => "claim",
        }
    }

    const fn kind(self) -> TokenKind {
        match self {
            Self::Invitation => TokenKind::Invitation,
            Self::PasswordReset => TokenKind::Reset,
            Self::OldEmail | Self::NewEmail => TokenKind::Address,
            Self::Claim => TokenKind::Claim,
        }
    }

    /// The page that takes the link.
    const fn page(self) -> &'static str {
        match self {
            Self::Invitation => "/invitation",
            Self::PasswordReset => "/reset-password",
            Self::OldEmail | Self::NewEmail => "/confirm-email",
            Self::Claim => "/claim",
        }
    }
}

/// A link that is in force.
#[derive(Clone, Debug)]
pub struct Link {
    pub id: String,
    pub purpose: Purpose,
    pub subject_id: String,
    pub expires_at: Timestamp,
}

/// The answer to a link that is not in force, whatever the reason: used, voided, run out, or never one.
#[must_use]
pub fn over() -> DomainError {
    let message =
        "This link was used before, was replaced by a newer one, or has run out. Ask for a new one.";
    DomainError::refused(Code::LinkOver, message)
}

/// Makes a link and voids every earlier one of the same purpose and subject. The address exists nowhere else.
pub async fn make(
    ctx: &Context,
    tx: &mut Tx,
    purpose: Purpose,
    subject_id: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<SecretText, DomainError> {
    store::delete_for(tx, purpose.as_str(), subject_id).await?;
    let minted = mint::credential(ctx, purpose.kind().prefix());
    let credential = Credential::Link {
        purpose: purpose.as_str(),
        subject_id,
    };
    let hashed = mint::hashed(ctx, credential, &minted.text);
    let row = LinkRow {
        id: minted.kid,
        purpose: purpose.as_str().to_owned(),
        subject_id: subject_id.to_owned(),
        hash: hashed.hash,
        pepper_id: hashed.pepper_id,
        expires_at_ms: expires_at.ms(),
    };
    store::insert(tx, &row, now).await?;
    let origin = ctx.site.public_origin.as_str();
    Ok(SecretText::new(format!(
        "{origin}{}?token={}",
        purpose.page(),
        minted.text.expose()
    )))
}

/// The link in force behind a token, for any of `purposes`. Errors: [`over`].
pub async fn find(
    ctx: &Context,
    tx: &mut Tx,
    purposes: &[Purpose],
    token: &str,
) -> Result<Link, DomainError> {
    let id = purposes
        .iter()
        .find_map(|purpose| parse_token(purpose.kind(), token));
    let row = match id {
        Some(id) => store::find_open(tx, id, ctx.clock.now()).await?,
        None => None,
    };
    row.and_then(|row| behind(ctx, row, purposes, token))
        .ok_or_else(over)
}

/// The link of a row, if the token is its.
fn behind(ctx: &Context, row: LinkRow, purposes: &[Purpose], token: &str) -> Option<Link> {
    let purpose = purposes.iter().find(|purpose| purpose.as_str() == row.purpose)?;
    let credential = Credential::Link {
        purpose: purpose.as_str(),
        subject_id: &row.subject_id,
    };
    let hash = StoredHash::from_row(&ctx.keyring, HASH_ALG, &row.pepper_id, &row.hash);
    mint::is_match(ctx, credential, token, &hash).then(|| Link {
        purpose: *purpose,
        expires_at: Timestamp::from_ms(row.expires_at_ms),
        id: row.id.clone(),
        subject_id: row.subject_id.clone(),
    })
}

/// What a link was for that has been used: whoever used it may still say that they are done. Errors: [`over`].
pub async fn find_used(
    ctx: &Context,
    tx: &mut Tx,
    purpose: Purpose,
    token: &str,
) -> Result<String, DomainError> {
    let row = match parse_token(purpose.kind(), token) {
        Some(id) => store::find_used(tx, id).await?,
        None => None,
    };
    let link = row.and_then(|row| behind(ctx, row, &[purpose], token));
    link.map(|link| link.subject_id).ok_or_else(over)
}

/// What a token opened. One that is whole and opens nothing may be a guess, and guesses are slowed down; an address that was
/// cut short, or a robot that looks without one, is none.
pub async fn slowing_guesses<T>(
    ctx: &Context,
    purpose: Purpose,
    (token, caller): (&str, &Caller),
    opened: Result<T, DomainError>,
) -> Result<T, DomainError> {
    if opened.is_err() && parse_token(purpose.kind(), token).is_some() {
        throttle::admit(ctx, Door::Link, caller.ip).await?;
    }
    opened
}

/// Uses a link up. Errors: somebody else was first.
pub async fn take(tx: &mut Tx, link: &Link, now: Timestamp) -> Result<(), DomainError> {
    if store::set_used(tx, &link.id, now).await? {
        Ok(())
    } else {
        Err(over())
    }
}

/// Voids every link of a purpose and subject.
pub async fn void(tx: &mut Tx, purpose: Purpose, subject_id: &str) -> Result<(), DomainError> {
    Ok(store::delete_for(tx, purpose.as_str(), subject_id).await?)
}
