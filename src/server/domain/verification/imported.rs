//! Keys that somebody else made: found by the keyed hash of the digest of what is presented, and then compared like ours.
//!
//! Only text that fits a declared format comes here. The way from digest to key is no proof of anything: what counts is
//! the secret under the key's MAC.

use std::sync::Arc;

use sha2::{Digest, Sha256, Sha512};

use super::entry::CachedKey;
use super::{SECRETS_MAX, load, matching_secret};
use crate::model::id::{KeyId, ProjectId};
use crate::model::import_format::{DigestAlgorithm, ImportFormat};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, mint};
use crate::server::platform::crypto::master_key::hex;
use crate::server::store::keys;

/// A digest of what was presented, in hexadecimal.
pub(super) struct Presented {
    algorithm: DigestAlgorithm,
    digest: String,
}

/// The digests that the formats ask for which the text fits: at most one for each algorithm, none if it fits none.
pub(super) fn presented<'a>(
    formats: impl IntoIterator<Item = &'a ImportFormat> + Clone,
    text: &str,
) -> Vec<Presented> {
    let is_asked = |algorithm: &&DigestAlgorithm| {
        let mut own = formats.clone().into_iter();
        own.any(|format| format.algorithm == **algorithm && format.fits(text))
    };
    let digested = |algorithm: &DigestAlgorithm| Presented {
        algorithm: *algorithm,
        digest: digest_of(*algorithm, text),
    };
    DigestAlgorithm::ALL
        .iter()
        .filter(is_asked)
        .map(digested)
        .collect()
}

/// The digest of a whole key's text, as its maker stored it.
fn digest_of(algorithm: DigestAlgorithm, text: &str) -> String {
    match algorithm {
        DigestAlgorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        DigestAlgorithm::Sha512 => hex(&Sha512::digest(text.as_bytes())),
    }
}

/// The key of a project that one of the digests belongs to, and which of its secrets it is. For a digest that is unknown
/// the same comparisons are made as for one that is.
pub(super) async fn find_matching(
    ctx: &Context,
    project: &ProjectId,
    all: &[Presented],
    now: Timestamp,
) -> Result<Option<(Arc<CachedKey>, usize)>, DomainError> {
    for one in all {
        for hash in mint::import_hashes(ctx, project, one.algorithm, &one.digest) {
            if let Some(id) = load::imported(ctx, &hash, now).await?
                && let Some(found) = compared(ctx, &id, one, now).await?
            {
                return Ok(Some(found));
            }
        }
    }
    (0..SECRETS_MAX).for_each(|_| mint::compare_with_nothing(ctx, ""));
    Ok(None)
}

async fn compared(
    ctx: &Context,
    id: &KeyId,
    one: &Presented,
    now: Timestamp,
) -> Result<Option<(Arc<CachedKey>, usize)>, DomainError> {
    let Some(key) = load::key(ctx, id, now).await? else {
        return Ok(None);
    };
    let credential = mint::Credential::Imported {
        project_id: key.project_id.as_str(),
        algorithm: one.algorithm,
    };
    let at = matching_secret(ctx, &key, credential, &one.digest);
    Ok(at.filter(|_| key.is_intact).map(|at| (key, at)))
}

/// The keys of all projects that the text is the secret of, for whoever holds it and says nothing else. One query,
/// however many projects declare a format that it fits.
pub(super) async fn find_anywhere(
    ctx: &Context,
    text: &str,
    now: Timestamp,
) -> Result<Vec<(Arc<CachedKey>, usize)>, DomainError> {
    let all = load::all_formats(ctx, now).await?;
    let mut asked: Vec<(String, Presented)> = Vec::new();
    for (project, formats) in &all.0 {
        for one in presented(formats, text) {
            for hash in mint::import_hashes(ctx, project, one.algorithm, &one.digest) {
                let (algorithm, digest) = (one.algorithm, one.digest.clone());
                asked.push((hex(&hash), Presented { algorithm, digest }));
            }
        }
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let hashes: Vec<&str> = asked.iter().map(|(hash, _)| hash.as_str()).collect();
    let known = {
        let mut tx = ctx.db.begin_read().await?;
        keys::list_imported(&mut tx, &hashes).await?
    };
    let mut found = Vec::new();
    for (hash, id) in known {
        if let Some((_, one)) = asked.iter().find(|(own, _)| *own == hash) {
            found.extend(compared(ctx, &id, one, now).await?);
        }
    }
    Ok(found)
}
