//! Declaring what keys look like that somebody else made. What keys use stays.

use super::{DomainError, mint};
use crate::model::calendar::counted;
use crate::model::error::FieldError;
use crate::model::import_format::ImportFormat;
use crate::model::project::Project;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::platform::redaction;
use crate::server::store::db::Tx;
use crate::server::store::import_formats as store;

/// Whether nothing is to be done.
pub(super) fn are_equal(one: &[ImportFormat], other: &[ImportFormat]) -> bool {
    let bare = |formats: &[ImportFormat]| {
        let without_id = |format: &ImportFormat| ImportFormat {
            id: String::new(),
            ..format.clone()
        };
        formats.iter().map(without_id).collect::<Vec<_>>()
    };
    bare(one) == bare(other)
}

/// Puts formats in the place of those that a project declares. One that keys use can be widened, not narrowed or removed:
/// their text would be no key any more.
pub(super) async fn set(
    ctx: &Context,
    tx: &mut Tx,
    before: &Project,
    formats: &[ImportFormat],
    now: Timestamp,
) -> Result<(), DomainError> {
    for former in &before.formats {
        let kept = formats.iter().find(|format| format.is_same(former));
        if kept.is_some_and(|format| format.covers_lengths_of(former)) {
            continue;
        }
        let used = store::count_in_use(tx, &former.id, now).await?;
        if used > 0 {
            let message = format!(
                "{} is the format of {}. It can be widened, but not removed or narrowed before they are rotated or revoked.",
                former.in_words(),
                counted(used, "imported key"),
            );
            return Err(FieldError::new("formats", "in_use", message).into());
        }
        if kept.is_none() {
            store::delete(tx, &before.id, &former.id).await?;
        }
    }
    for (place, format) in (0_i64..).zip(formats) {
        match before.formats.iter().find(|former| former.is_same(format)) {
            Some(former) => {
                let format = ImportFormat {
                    id: former.id.clone(),
                    ..format.clone()
                };
                store::set_lengths(tx, &before.id, &format, place).await?;
            }
            None => {
                let format = ImportFormat {
                    id: mint::plain_id(ctx),
                    ..format.clone()
                };
                store::insert(tx, &before.id, &format, place).await?;
            }
        }
    }
    redaction::learn(formats);
    Ok(())
}
