//! Rotations that fall due, and which reminder of each was sent.

use crate::model::actor::OrgScope;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::statements;

statements! {
    /// Of keys that would pass; what rotates already needs no reminder. The longest due first.
    LIST_REMINDABLE = "SELECT k.id, k.name, k.owner_account_id, k.secret_since_ms, k.rotation_due_at_ms,
        r.due_at_ms AS told_due_at_ms, r.stage AS told_stage
        FROM api_keys k JOIN projects p ON p.id = k.project_id LEFT JOIN rotation_reminders r ON r.key_id = k.id
        LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        WHERE k.org_id = $1 AND k.rotation_due_at_ms <= $3 AND k.status = 'active' AND p.status <> 'archived'
        AND k.secret_count > 0 AND COALESCE(k.expires_at_ms, $2 + 1) > $2 AND COALESCE(k.overlap_until_ms, 0) <= $2
        AND (k.owner_account_id IS NULL OR m.account_id IS NOT NULL) ORDER BY k.rotation_due_at_ms, k.id";
    /// A stage is told once for a due date: of several who tell at once, one does.
    SET_REMINDED = "INSERT INTO rotation_reminders (key_id, due_at_ms, stage, told_at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (key_id) DO UPDATE SET due_at_ms = excluded.due_at_ms, stage = excluded.stage, told_at_ms = excluded.told_at_ms
        WHERE rotation_reminders.due_at_ms <> excluded.due_at_ms OR rotation_reminders.stage < excluded.stage";
}

/// A key whose rotation is due, or will be, with what its people were told.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Remindable {
    pub id: String,
    pub name: String,
    pub owner_account_id: Option<String>,
    pub secret_since_ms: i64,
    pub rotation_due_at_ms: i64,
    pub told_due_at_ms: Option<i64>,
    pub told_stage: Option<i64>,
}

/// Keys whose rotation falls due until a moment, or has.
pub async fn list_remindable(
    tx: &mut Tx,
    scope: &OrgScope,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<Remindable>, StoreError> {
    on!(tx, c => sqlx::query_as(LIST_REMINDABLE).bind(scope.org_id().as_str()).bind(now.ms()).bind(until.ms())
        .fetch_all(c).await)
}

/// Notes a reminder; `false` when it was sent before.
pub async fn set_reminded(
    tx: &mut Tx,
    key: &str,
    (due_at, stage): (Timestamp, i64),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on!(tx, c => sqlx::query(SET_REMINDED).bind(key).bind(due_at.ms()).bind(stage).bind(now.ms()).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
