//! Name and purpose.

use serde_json::json;

use super::{require_manage, secured};
use crate::model::actor::Actor;
use crate::model::error::Code;
use crate::model::id::KeyId;
use crate::model::key::KeyStatus;
use crate::model::text::{self, NAME_MAX, NOTE_MAX};
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::keys as store;

/// Saves name and purpose. The name is in the verification's answer, so caches hear of it.
pub async fn describe(
    ctx: &Context,
    actor: &Actor,
    id: &KeyId,
    name: &str,
    purpose: &str,
) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let key = secured::find(ctx, &mut tx, actor, id).await?;
    let scope = require_manage(actor, &key)?;
    let mut errors = Vec::new();
    let name = text::line("name", "The name", name, 1, NAME_MAX)
        .map_err(|error| errors.push(error))
        .ok();
    let purpose = text::line("purpose", "The purpose", purpose, 0, NOTE_MAX)
        .map_err(|error| errors.push(error))
        .ok();
    let (Some(name), Some(purpose)) = (name, purpose) else {
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
    let detail = json!({ "before": { "name": key.name }, "after": { "name": name, "purpose": purpose } });
    let entry = Entry::new("key.edited", "key", id.as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    changes::record(&mut tx, ChangeKind::Key, id.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_key(id);
    Ok(())
}
