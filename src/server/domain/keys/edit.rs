//! Name, purpose, and how often its secret is replaced.

use serde_json::json;

use super::{require_manage, rotation, secured};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::id::KeyId;
use crate::model::key::KeyStatus;
use crate::model::rotation::parse_interval;
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::store::keys as store;

/// What was typed about a key.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    pub name: &'a str,
    pub purpose: &'a str,
    /// Days between rotations; empty follows the environment’s.
    pub rotation_days: &'a str,
}

/// Saves it. The name is in the verification's answer, so caches hear of it.
pub async fn describe(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    typed: Description<'_>,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let mut key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    let mut errors = Vec::new();
    let name = text::line("name", "The name", typed.name, 1, NAME_MAX)
        .map_err(|error| errors.push(error))
        .ok();
    let purpose = text::line("purpose", "The purpose", typed.purpose, 0, NOTE_MAX)
        .map_err(|error| errors.push(error))
        .ok();
    let interval = parse_interval(typed.rotation_days)
        .map_err(|error| errors.push(error))
        .ok();
    let (Some(name), Some(purpose), Some(interval)) = (name, purpose, interval) else {
        return Err(DomainError::Invalid(errors));
    };
    if key.status == KeyStatus::Revoked.as_str() {
        return Err(DomainError::refused(
            Code::KeyAlreadyRevoked,
            "A revoked key is a record and cannot be edited.",
        ));
    }
    let message = format!(
        "Another {} key of this project has this name. Choose another.",
        key.environment
    );
    let saved = store::set_descriptive(&mut tx, &scope, id, &name, &text::folded(&name), &purpose).await;
    saved.map_err(|error| DomainError::from(error).taken("name", &message))?;
    let detail = json!({
        "before": { "name": key.name, "rotationDays": key.rotation_days },
        "after": { "name": name, "purpose": purpose, "rotationDays": interval },
    });
    let entry = Entry::new("key.edited", "key", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    key.rotation_days = interval;
    rotation::set_due(&mut key)?;
    secured::save(ctx, &mut tx, &scope, key, now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}
