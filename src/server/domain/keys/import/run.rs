//! Going through a file: to see whether all of it is right, or to write all of it.

use std::io::Read;

use serde_json::json;

use super::check::{Desk, Ready, unread};
use super::rows::{Row, Rows};
use crate::model::actor::Actor;
use crate::model::error::{Code, FieldError};
use crate::model::id::ProjectId;
use crate::model::import::{ImportSummary, MISTAKES_SHOWN, Mistake};
use crate::model::key::Environment;
use crate::model::permission::Permission;
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry, actor_columns};
use crate::server::domain::keys::issue;
use crate::server::domain::mint::{self, Credential};
use crate::server::domain::{DomainError, orgs};
use crate::server::platform::crypto::secret::Secret;
use crate::server::store::changes::{self, ChangeKind};
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::import_uploads;
use crate::server::store::keys::{self as store, NewKey, SecuredKey};

/// Rows that are looked at together.
const STEP: usize = 500;

/// Says what an import of the file would do, and does nothing. `most` rows at most, if it says so.
pub async fn check_file(
    ctx: &Context,
    actor: &Actor,
    project: &ProjectId,
    file: impl Read + Send,
    most: Option<u64>,
) -> Result<ImportSummary, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    let mut desk = Desk::open(ctx, &mut tx, actor, project, ctx.clock.now()).await?;
    through(&mut desk, &mut tx, file, most, None).await
}

/// Imports every row of the file, or none if any of them is wrong: then the summary says which. Other acts of the
/// organisation wait until it is done, and a second import finds what the first has made. Live rows need a fresh proof of
/// who it is (R26).
pub async fn import_file(
    ctx: &Context,
    actor: &Actor,
    project: &ProjectId,
    file: impl Read + Send,
    most: Option<u64>,
) -> Result<ImportSummary, DomainError> {
    let now = ctx.clock.now();
    let mut tx = audit::begin(ctx, actor).await?;
    let mut desk = Desk::open(ctx, &mut tx, actor, project, now).await?;
    orgs::hold_membership(&mut tx, actor, &desk.scope).await?;
    let import_id = format!("imp_{}", mint::plain_id(ctx));
    let written = through(&mut desk, &mut tx, file, most, Some(&import_id)).await;
    let summary = match written {
        Err(DomainError::Store(StoreError::Taken)) => return Err(overtaken()),
        summary => summary?,
    };
    if !summary.is_fine() {
        return Ok(summary);
    }
    record(&desk, &mut tx, &import_id, &summary).await?;
    if let Some(account) = actor.account_id() {
        import_uploads::delete_of(&mut tx, account).await?;
    }
    changes::record(&mut tx, ChangeKind::Import, project.as_str(), now).await?;
    tx.commit().await?;
    ctx.key_cache.forget_imports();
    Ok(summary)
}

fn overtaken() -> DomainError {
    let message = "Somebody else created or imported one of these keys at the same moment. Nothing was imported; check the file again.";
    DomainError::refused(Code::Conflict, message)
}

/// Reads the file to its end. With an id, rows are written as long as none is wrong; what was written before the first
/// that is goes with the transaction.
async fn through(
    desk: &mut Desk<'_>,
    tx: &mut Tx,
    file: impl Read + Send,
    most: Option<u64>,
    import_id: Option<&str>,
) -> Result<ImportSummary, DomainError> {
    let mut summary = ImportSummary::default();
    let mut rows = match Rows::of(file) {
        Ok(rows) => rows,
        Err(broken) => {
            summary.bad = 1;
            summary.note(vec![unread(broken).0]);
            return Ok(summary);
        }
    };
    let mut is_over = false;
    while !is_over {
        let (ready, mut mistakes);
        (ready, mistakes, is_over) = step(desk, &mut rows, &mut summary);
        if most.is_some_and(|most| summary.rows > most) {
            return Err(too_many(most.unwrap_or_default()).into());
        }
        let (ready, known) = desk.refuse_known(tx, ready).await?;
        summary.bad += u64::try_from(known.len()).unwrap_or_default();
        mistakes.extend(known);
        mistakes.sort_by_key(|mistake| mistake.line);
        summary.note(mistakes);
        summary.count(&ready);
        if summary.live > 0 && import_id.is_some() {
            desk.actor.require_fresh(Permission::KeysCreateLive, desk.now)?;
        }
        if let Some(import_id) = import_id.filter(|_| summary.bad == 0) {
            write(desk, tx, import_id, &ready).await?;
        }
        tokio::task::yield_now().await;
    }
    if summary.rows == 0 && summary.bad == 0 {
        let message = "The file has a heading and no rows.";
        return Err(FieldError::new("file", "empty", message).into());
    }
    Ok(summary)
}

fn too_many(most: u64) -> FieldError {
    let message = format!(
        "The file has more than {} rows. Split it, or import it on the server with “keywright keys import”, which takes any number.",
        crate::model::calendar::grouped(i64::try_from(most).unwrap_or(i64::MAX))
    );
    FieldError::new("file", "too_many_rows", message)
}

/// The next rows: those that are right, what is wrong with the others, and whether there are no more.
fn step<R: Read>(
    desk: &mut Desk<'_>,
    rows: &mut Rows<R>,
    summary: &mut ImportSummary,
) -> (Vec<Ready>, Vec<Mistake>, bool) {
    let (mut ready, mut mistakes) = (Vec::new(), Vec::new());
    for _ in 0..STEP {
        let row: Row = match rows.next() {
            None => return (ready, mistakes, true),
            Some(Ok(row)) => row,
            Some(Err(broken)) => {
                let (mistake, is_over) = unread(broken);
                summary.rows += 1;
                summary.bad += 1;
                mistakes.push(mistake);
                if is_over {
                    return (ready, mistakes, true);
                }
                continue;
            }
        };
        summary.rows += 1;
        match desk.check(&row) {
            Ok(row) => ready.push(row),
            Err(wrong) => {
                summary.bad += 1;
                mistakes.extend(wrong);
            }
        }
    }
    (ready, mistakes, false)
}

impl ImportSummary {
    fn note(&mut self, mistakes: Vec<Mistake>) {
        self.mistakes_in_all += u64::try_from(mistakes.len()).unwrap_or_default();
        let room = MISTAKES_SHOWN - self.mistakes.len();
        self.mistakes.extend(mistakes.into_iter().take(room));
    }

    fn count(&mut self, ready: &[Ready]) {
        let of = |environment: Environment| {
            let own = ready.iter().filter(|row| row.checked.environment == environment);
            u64::try_from(own.count()).unwrap_or_default()
        };
        self.live += of(Environment::Live);
        self.test += of(Environment::Test);
        self.good += u64::try_from(ready.len()).unwrap_or_default();
    }
}

async fn write(desk: &Desk<'_>, tx: &mut Tx, import_id: &str, ready: &[Ready]) -> Result<(), DomainError> {
    let keys: Vec<SecuredKey> = ready
        .iter()
        .map(|row| born(desk, row))
        .collect::<Result<_, _>>()?;
    let new: Vec<(NewKey<'_>, &str)> = keys
        .iter()
        .zip(ready)
        .map(|(key, row)| {
            let new = NewKey {
                secured: key,
                name_folded: &row.name_folded,
                purpose: &row.checked.purpose,
                created_by: actor_columns(desk.actor),
            };
            (new, row.format_id.as_str())
        })
        .collect();
    Ok(store::insert_imported(tx, &desk.scope, &new, (import_id, desk.now)).await?)
}

fn born(desk: &Desk<'_>, row: &Ready) -> Result<SecuredKey, DomainError> {
    let id = mint::key_id(&mint::plain_id(desk.ctx))?;
    let credential = Credential::Imported {
        project_id: desk.project.id.as_str(),
        algorithm: row.algorithm,
    };
    let secret = mint::hashed(desk.ctx, credential, &Secret::new(row.digest.clone()));
    issue::born(
        desk.ctx,
        (&id, &desk.scope),
        &desk.project,
        (&row.checked, desk.policies.of(row.checked.environment)),
        Some(secret),
        desk.now,
    )
}

/// One event for each key, and one for all of them: read back at the end, so that they need not lie in memory.
async fn record(
    desk: &Desk<'_>,
    tx: &mut Tx,
    import_id: &str,
    summary: &ImportSummary,
) -> Result<(), DomainError> {
    let org = *desk.scope.org_id();
    let mut after = String::new();
    loop {
        let keys = store::list_of_import(tx, import_id, &after).await?;
        let Some(last) = keys.last() else { break };
        last.id.clone_into(&mut after);
        let entry = |key| event(key, import_id);
        let entries = keys.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        audit::record_many(desk.ctx, tx, &org, desk.actor, entries, desk.now).await?;
    }
    let mut detail =
        json!({ "import": import_id, "keys": summary.good, "live": summary.live, "test": summary.test });
    // Whoever came so far with keys that need approval is exempt from it.
    if !desk.exempt.is_empty() {
        detail["exemptFromApproval"] = json!(desk.exempt);
    }
    let entry = Entry::new("keys.imported", "project", desk.project.id.as_str()).with(detail);
    Ok(audit::record(desk.ctx, tx, Some(&org), desk.actor, entry, desk.now).await?)
}

fn event<'a>(key: &'a SecuredKey, import_id: &str) -> Result<Entry<'a>, DomainError> {
    let mut detail = issue::told(key)?;
    detail["import"] = json!(import_id);
    Ok(Entry::new("key.imported", "key", &key.id).with(detail))
}
