//! A file from a browser: checked when it comes, sealed and kept for a quarter of an hour, imported when its sender says
//! so. Asking who somebody is takes a page of its own, which a file would not survive.

use std::io::Cursor;

use super::run::{check_file, import_file};
use crate::model::actor::{Actor, Denied};
use crate::model::error::{Code, FieldError};
use crate::model::id::{AccountId, ProjectId};
use crate::model::import::{
    CheckedUpload, FILE_MAX_BYTES, ImportForm, ImportSummary, ImportTarget, ROWS_MAX, UPLOAD_MS,
};
use crate::model::permission::Permission;
use crate::model::text::shown;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::keys::issue;
use crate::server::domain::{DomainError, mint, projects};
use crate::server::platform::crypto::seal::Place;
use crate::server::store::import_uploads::{self as store, NewUpload, Upload};

/// A file as it was sent.
pub struct Sent<'a> {
    /// None when what was chosen is no project at all.
    pub project: Option<&'a ProjectId>,
    pub file_name: &'a str,
    pub bytes: &'a [u8],
}

const ID_LENGTH: usize = 12;

fn place<'a>(org: &'a str, id: &'a str) -> Place<'a> {
    Place {
        table: "import_uploads",
        column: "sealed",
        org,
        row: id,
    }
}

fn sender(actor: &Actor) -> Result<&AccountId, DomainError> {
    actor.account_id().ok_or_else(|| Denied::Unauthenticated.into())
}

/// Checks a file. If all of it is right it waits, and the id under which it does is given; in any case what was found.
pub async fn receive(
    ctx: &Context,
    actor: &Actor,
    sent: &Sent<'_>,
) -> Result<(ImportSummary, Option<String>), DomainError> {
    let scope = issue::require_creator(actor)?;
    let account = sender(actor)?;
    let choose = || FieldError::new("project", "choice", "Choose one of your organisation’s projects.");
    let project = sent.project.ok_or_else(choose)?;
    if sent.bytes.is_empty() {
        return Err(FieldError::new("file", "required", "Choose a file.").into());
    }
    if sent.bytes.len() > FILE_MAX_BYTES {
        return Err(too_large().into());
    }
    let checked = check_file(ctx, actor, project, Cursor::new(sent.bytes), Some(ROWS_MAX)).await;
    let summary = match checked {
        // A foreign project and none at all look the same.
        Err(DomainError::NotFound) => return Err(choose().into()),
        summary => summary?,
    };
    if !summary.is_fine() {
        return Ok((summary, None));
    }
    let (id, org) = (mint::plain_id(ctx), scope.org_id().as_str());
    let told = serde_json::to_string(&(shown(sent.file_name, 100), &summary));
    let new = NewUpload {
        id: &id,
        project_id: project.as_str(),
        summary: &told.map_err(|_| DomainError::Defect("a summary is no JSON"))?,
        sealed: &ctx.seals.seal(place(org, &id), sent.bytes),
    };
    let mut tx = ctx.db.begin_write().await?;
    store::delete_of(&mut tx, account).await?;
    store::insert(&mut tx, &scope, account, &new, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok((summary, Some(id)))
}

/// A file beyond what a browser may send.
pub fn too_large() -> FieldError {
    let message = "The file is larger than 5 MiB. Split it, or import it on the server with “keywright keys import”, which takes any size.";
    FieldError::new("file", "too_large", message)
}

async fn find(ctx: &Context, actor: &Actor, id: &str) -> Result<Option<Upload>, DomainError> {
    let scope = issue::require_creator(actor)?;
    let Some(account) = actor.account_id().filter(|_| id.len() == ID_LENGTH) else {
        return Ok(None);
    };
    let mut tx = ctx.db.begin_read().await?;
    let after = ctx.clock.now().minus_ms(UPLOAD_MS);
    Ok(store::find(&mut tx, &scope, account, id, after).await?)
}

/// Imports a file that was checked before, and checks it again: a quarter of an hour is long.
pub async fn import_upload(ctx: &Context, actor: &Actor, id: &str) -> Result<ImportSummary, DomainError> {
    let upload = find(ctx, actor, id).await?.ok_or_else(gone)?;
    let scope = issue::require_creator(actor)?;
    let opened = ctx.seals.open(place(scope.org_id().as_str(), id), &upload.sealed);
    let bytes = opened.map_err(|_| DomainError::Defect("an uploaded file does not open"))?;
    let project: ProjectId = upload.project_id.parse()?;
    let summary = import_file(ctx, actor, &project, Cursor::new(bytes.expose()), Some(ROWS_MAX)).await?;
    // Sent twice, the second finds its own keys in the way.
    if !summary.is_fine() && find(ctx, actor, id).await?.is_none() {
        return Err(gone());
    }
    Ok(summary)
}

fn gone() -> DomainError {
    let message = "This file was imported already, or its quarter of an hour is over. Look at the list of keys; send the file again if it is not there.";
    DomainError::refused(Code::Conflict, message)
}

/// What the page offers; with `upload`, the file that waits under this id.
pub async fn form(ctx: &Context, actor: &Actor, upload: &str) -> Result<ImportForm, DomainError> {
    issue::require_creator(actor)?;
    let active = projects::list_active(ctx, actor).await?;
    let upload = find(ctx, actor, upload).await?;
    let named = |id: &str| {
        let own = active.iter().find(|project| project.id.as_str() == id);
        own.map_or_else(String::new, |project| project.name.clone())
    };
    let told = upload.and_then(|upload| {
        let (file_name, summary) = serde_json::from_str(&upload.summary).ok()?;
        Some(CheckedUpload {
            file_name,
            project_name: named(&upload.project_id),
            summary,
            until: Timestamp::from_ms(upload.created_at_ms).plus_ms(UPLOAD_MS),
        })
    });
    let (targets, others): (Vec<_>, Vec<_>) = active
        .into_iter()
        .partition(|project| !project.formats.is_empty());
    let target = |project: crate::model::project::Project| ImportTarget {
        id: project.id,
        name: project.name,
        formats: project.formats,
    };
    Ok(ImportForm {
        now: ctx.clock.now(),
        targets: targets.into_iter().map(target).collect(),
        others: others.len(),
        may_declare: actor.may(Permission::ProjectsManage),
        upload: told,
    })
}
