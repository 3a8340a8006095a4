//! Somebody who goes: what they leave behind, and what is erased. Of one person, in whichever organisations they are.

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::{RowPlace, moment};
use super::statements;
use crate::model::id::{AccountId, OrgId};
use crate::model::key::Environment;
use crate::model::profile::LeftKey;
use crate::model::time::Timestamp;

statements! {
    LIST_OTHER_ADMINS = "SELECT a.name FROM active_membership m JOIN accounts a ON a.id = m.account_id
        WHERE m.org_id = $1 AND m.role IN ('owner', 'admin') AND m.account_id <> $2 ORDER BY a.name, a.id LIMIT 5";
    LIST_KEYS = "SELECT k.id, k.name, o.name AS organisation, k.environment, u.at_ms AS used_at_ms FROM api_keys k
        JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        JOIN organisations o ON o.id = k.org_id LEFT JOIN key_last_used u ON u.key_id = k.id
        WHERE k.owner_account_id = $1 AND k.status <> 'revoked' ORDER BY u.at_ms DESC NULLS LAST, k.id LIMIT 100";
    COUNT_KEYS = "SELECT COUNT(*) FROM api_keys k
        JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        WHERE k.owner_account_id = $1 AND k.status <> 'revoked'";
    END_MEMBERSHIPS = "UPDATE members SET status = 'removed', status_at_ms = $2 WHERE account_id = $1 AND status <> 'removed'
        RETURNING org_id";
    /// The row stays: keys and the audit log name it.
    ERASE_ACCOUNT = "UPDATE accounts SET status = 'disabled', name = 'Deleted account', email = 'deleted:' || id,
        email_folded = 'deleted:' || id, password_hash = '', password_pepper_id = '', is_instance_admin = FALSE,
        session_epoch = session_epoch + 1, language = 'en', time_zone = 'UTC', last_sign_in_at_ms = NULL,
        password_set_at_ms = NULL, deleted_at_ms = $2 WHERE id = $1 AND status = 'active'";
    DELETE_SESSIONS = "DELETE FROM sessions WHERE account_id = $1";
    DELETE_NOTICES = "DELETE FROM notices WHERE account_id = $1";
    DELETE_PLACES = "DELETE FROM known_places WHERE account_id = $1";
    DELETE_EMAIL_CHANGE = "DELETE FROM email_changes WHERE account_id = $1";
    DELETE_LINKS = "DELETE FROM one_time_links WHERE subject_id = $1 OR (purpose = 'invitation' AND subject_id IN
        (SELECT id FROM invitations WHERE email_folded = $2 AND status = 'pending'))";
    END_INVITATIONS = "UPDATE invitations SET status = 'revoked', ended_at_ms = $2 WHERE (email_folded = $1 OR invited_by = $3) AND status = 'pending'";
    ERASE_INVITATIONS = "UPDATE invitations SET email = 'deleted:' || CAST($1 AS TEXT), email_folded = 'deleted:' || CAST($1 AS TEXT)
        WHERE email_folded = $2 OR account_id = $1";
}

pub(super) fn organisations(ids: &[String]) -> Result<Vec<OrgId>, StoreError> {
    let place = |id| RowPlace { table: "members", id };
    ids.iter().map(|id| place(id).parsed("org_id", id)).collect()
}

/// Names of up to five others who may take over keys.
pub async fn list_other_admins(
    tx: &mut Tx,
    org: &OrgId,
    account: &AccountId,
) -> Result<Vec<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(LIST_OTHER_ADMINS).bind(org.as_str()).bind(account.as_str()).fetch_all(c).await)
}

/// Up to 100 keys that lose their owner, the most recently used first, and how many there are.
pub async fn list_keys(tx: &mut Tx, account: &AccountId) -> Result<(Vec<LeftKey>, i64), StoreError> {
    let rows: Vec<(String, String, String, String, Option<i64>)> =
        on!(tx, c => sqlx::query_as(LIST_KEYS).bind(account.as_str()).fetch_all(c).await)?;
    let read =
        |(id, name, organisation, environment, used): (String, String, String, String, Option<i64>)| {
            let place = RowPlace {
                table: "api_keys",
                id: &id,
            };
            Ok(LeftKey {
                id: place.parsed("id", &id)?,
                environment: place.required("environment", Environment::parse(&environment))?,
                last_used_at: moment(used),
                name,
                organisation,
            })
        };
    let keys = rows.into_iter().map(read).collect::<Result<_, StoreError>>()?;
    let count = on!(tx, c => sqlx::query_scalar(COUNT_KEYS).bind(account.as_str()).fetch_one(c).await)?;
    Ok((keys, count))
}

/// Ends every membership, suspended ones too, and gives their organisations, in order.
pub async fn end_memberships(
    tx: &mut Tx,
    account: &AccountId,
    now: Timestamp,
) -> Result<Vec<OrgId>, StoreError> {
    let mut ids: Vec<String> = on!(tx, c => sqlx::query_scalar(END_MEMBERSHIPS).bind(account.as_str()).bind(now.ms())
        .fetch_all(c).await)?;
    ids.sort_unstable();
    organisations(&ids)
}

/// Erases name, address, credentials and what hangs on them. Factors and recovery codes are removed by
/// [`super::factors::delete_all`]. `false` when the account was over already.
pub async fn erase(
    tx: &mut Tx,
    account: &AccountId,
    email_folded: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let id = account.as_str();
    let rows = on!(tx, c => sqlx::query(ERASE_ACCOUNT).bind(id).bind(now.ms()).execute(c).await.map(|done| done.rows_affected()))?;
    if rows == 0 {
        return Ok(false);
    }
    for statement in [
        DELETE_SESSIONS,
        DELETE_NOTICES,
        DELETE_PLACES,
        DELETE_EMAIL_CHANGE,
    ] {
        on!(tx, c => sqlx::query(statement).bind(id).execute(c).await.map(drop))?;
    }
    on!(tx, c => sqlx::query(DELETE_LINKS).bind(id).bind(email_folded).execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(END_INVITATIONS).bind(email_folded).bind(now.ms()).bind(id).execute(c).await.map(drop))?;
    on!(tx, c => sqlx::query(ERASE_INVITATIONS).bind(id).bind(email_folded).execute(c).await.map(drop))?;
    Ok(true)
}
