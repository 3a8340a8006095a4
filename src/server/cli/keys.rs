//! `keywright keys issue|list|import|export|revoke`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{self, Done, Refusal};
use super::restrict::RestrictionOptions;
use super::{Target, export, import};
use crate::model::id::KeyId;
use crate::model::key::{Badge, Environment, KeyFilter, RevocationReason};
use crate::model::page::{MAX_SIZE, PageRequest};
use crate::model::project::Project;
use crate::model::restriction::RestrictionsDraft;
use crate::model::template::KeyTemplate;
use crate::model::time::Timestamp;
use crate::server::domain::keys::issue::{self, KeyDraft};
use crate::server::domain::keys::{lifecycle, read};
use crate::server::domain::{DomainError, projects, templates};

/// Days a key lives when nobody says otherwise.
const DEFAULT_EXPIRY: &str = "90";

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Issue a key; its secret is printed once
    Issue(Box<IssueCommand>),
    /// List keys, newest first
    List(ListCommand),
    /// Import keys that were issued elsewhere, by their digests: all rows of a file, or none
    Import(import::ImportCommand),
    /// Print every key with all that is known of it but its secret, as CSV or JSON
    Export(export::ExportCommand),
    /// Revoke a key for ever; a running server refuses it within a second
    Revoke(RevokeCommand),
}

#[derive(Args)]
pub struct IssueCommand {
    #[command(flatten)]
    target: Target,
    /// The project, by slug
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: String,
    /// live or test; needed unless the template says it
    #[arg(long, env = "KEYWRIGHT_ENVIRONMENT", value_parser = ["live", "test"])]
    environment: Option<String>,
    /// A template to begin with, by name or id; what is given beside it comes first
    #[arg(long, env = "KEYWRIGHT_TEMPLATE")]
    template: Option<String>,
    /// What the key is called; unique among the project's keys of this environment
    #[arg(long, env = "KEYWRIGHT_NAME")]
    name: String,
    /// What it is for
    #[arg(long, env = "KEYWRIGHT_PURPOSE", default_value = "")]
    purpose: String,
    /// A scope it holds, such as images:read or images:*; may be given several times. New ones join the catalogue
    #[arg(
        long = "scope",
        env = "KEYWRIGHT_SCOPE",
        value_name = "SCOPE",
        value_delimiter = ','
    )]
    scopes: Vec<String>,
    /// Days until it expires, or none; 90 unless the template says otherwise
    #[arg(long, env = "KEYWRIGHT_EXPIRES", value_name = "DAYS|none")]
    expires: Option<String>,
    /// Days between rotations; 90 on live and 180 on test unless given
    #[arg(long, env = "KEYWRIGHT_ROTATION_DAYS", value_name = "DAYS")]
    rotation_days: Option<String>,
    #[command(flatten)]
    restrictions: RestrictionOptions,
    /// The team that owns it
    #[arg(long, env = "KEYWRIGHT_OWNER_TEAM", default_value = "operator")]
    owner_team: String,
}

#[derive(Args)]
pub struct ListCommand {
    #[command(flatten)]
    target: Target,
    /// Only keys whose name contains this, or whose id or text begins with it
    #[arg(long, env = "KEYWRIGHT_SEARCH", default_value = "")]
    search: String,
    /// Only this project, by slug
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: Option<String>,
    /// Only live or test
    #[arg(long, env = "KEYWRIGHT_ENVIRONMENT", value_parser = ["live", "test"])]
    environment: Option<String>,
    /// Only this status: active, disabled, revoked, expired, owner_inactive
    #[arg(long, env = "KEYWRIGHT_STATUS", value_parser = ["active", "disabled", "revoked", "expired", "owner_inactive"])]
    status: Option<String>,
    /// Which page of 200
    #[arg(long, env = "KEYWRIGHT_PAGE", default_value_t = 1)]
    page: u32,
}

#[derive(Args)]
pub struct RevokeCommand {
    #[command(flatten)]
    target: Target,
    /// The key's id, key_…
    key_id: String,
    /// Why: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn
    #[arg(long, env = "KEYWRIGHT_REASON", value_parser = ["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"])]
    reason: String,
    /// Anything to remember about it
    #[arg(long, env = "KEYWRIGHT_NOTE", default_value = "")]
    note: String,
}

pub async fn run(command: KeysCommand) -> ExitCode {
    match command {
        KeysCommand::Issue(command) => command.target.output.clone().finish(issue(*command).await),
        KeysCommand::Import(command) => import::run(command).await,
        KeysCommand::Export(command) => export::run(command).await,
        KeysCommand::List(command) => command.target.output.clone().finish(list(command).await),
        KeysCommand::Revoke(command) => command.target.output.clone().finish(revoke(command).await),
    }
}

async fn issue(command: IssueCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let project = projects::find_by_slug(&ctx, &actor, &command.project).await;
    let project = project.map_err(|error| named_project(error, &command.project))?;
    let template = match &command.template {
        Some(name) => {
            let found = templates::find_by_name(&ctx, &actor, name).await;
            let template = found.map_err(|error| named_template(error, name))?;
            Some(fitting(template, &project)?)
        }
        None => None,
    };
    let template = template.as_ref();
    let own = command.environment.as_deref().and_then(Environment::parse);
    let environment = own.or_else(|| template.and_then(|template| template.environment));
    let environment = environment.ok_or_else(|| {
        let message =
            "Say --environment live or --environment test: the template leaves it open, or there is none.";
        Refusal::new("invalid", message)
    })?;
    let scopes = match (template, command.scopes.is_empty()) {
        (Some(template), true) => template.granted(&project).scopes,
        _ => command.scopes.clone(),
    };
    let days = template.and_then(|template| template.rotation_days);
    let days = days.map(|days| days.to_string());
    let rotation_days = command.rotation_days.as_deref().or(days.as_deref());
    let expires = command
        .expires
        .as_deref()
        .or(template.map(|template| template.expiry.as_str()));
    let restrictions = command.restrictions.form(template)?;
    let owner = format!("team:{}", command.owner_team);
    let draft = KeyDraft {
        project: Some(&project.id),
        environment: environment.as_str(),
        name: &command.name,
        purpose: &command.purpose,
        owner: &owner,
        scopes: scopes.iter().map(String::as_str).collect(),
        expiry: expires.unwrap_or(DEFAULT_EXPIRY),
        expiry_date: "",
        rotation_days: rotation_days.unwrap_or_default(),
        restrictions: RestrictionsDraft::of_form(&restrictions),
        extend_catalogue: true,
        scopes_required: false,
    };
    let key = issue::issue(&ctx, &actor, &draft, None).await?;
    let until = key.expires_at.map_or("for ever".to_owned(), |at| {
        format!("until {}", at.last_day_in_words())
    });
    let prose = format!(
        "{} is valid {until}. Its secret, shown once:\n{}",
        key.id,
        key.secret.expose()
    );
    Ok(Done::new(
        json!({ "keyId": key.id, "secret": key.secret.expose() }),
        prose,
    ))
}

/// The template, unless it is for another project.
fn fitting(template: KeyTemplate, project: &Project) -> Result<KeyTemplate, Refusal> {
    match template.project {
        Some(id) if id != project.id => {
            let message = format!("The template {} is for another project.", template.name);
            Err(Refusal::new("invalid", message))
        }
        _ => Ok(template),
    }
}

fn named_template(error: DomainError, name: &str) -> Refusal {
    match error {
        DomainError::NotFound => Refusal::new(
            "not_found",
            format!(
                "There is no template “{}”. Settings › Templates lists them.",
                crate::model::text::shown(name, 60)
            ),
        ),
        other => other.into(),
    }
}

pub(super) fn named_project(error: DomainError, slug: &str) -> Refusal {
    match error {
        DomainError::NotFound => Refusal::new(
            "not_found",
            format!(
                "There is no project “{}”. Projects are named by slug, for example image-api.",
                crate::model::text::shown(slug, 60)
            ),
        ),
        other => other.into(),
    }
}

async fn list(command: ListCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let project = match &command.project {
        Some(slug) => Some(
            projects::find_by_slug(&ctx, &actor, slug)
                .await
                .map_err(|error| named_project(error, slug))?
                .id,
        ),
        None => None,
    };
    let filter = KeyFilter {
        search: command.search,
        project,
        environment: command.environment.as_deref().and_then(Environment::parse),
        badge: command.status.as_deref().and_then(Badge::parse),
        with_revoked: true,
        page: PageRequest::clamped(command.page, MAX_SIZE),
        ..KeyFilter::default()
    };
    let page = read::list(&ctx, &actor, &filter).await?;
    let moment = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    let keys: Vec<_> = page.rows.iter().map(|key| json!({
        "keyId": key.id, "name": key.name, "hint": key.hint, "projectId": key.project_id,
        "environment": key.environment, "status": key.badge, "scopes": key.scopes, "owner": key.owner.shown(),
        "createdAt": key.created_at.rfc3339(), "expiresAt": moment(key.expires_at), "storedAt": moment(key.stored_at),
        "lastUsedAt": moment(key.last_used.as_ref().map(|used| used.at)),
    })).collect();
    let rows: Vec<Vec<String>> = page
        .rows
        .iter()
        .map(|key| {
            vec![
                key.id.to_string(),
                key.hint.clone(),
                key.badge.as_str().to_owned(),
                moment(key.expires_at).unwrap_or_else(|| "never".to_owned()),
                key.name.clone(),
            ]
        })
        .collect();
    let prose = format!(
        "{}\n{} of {}",
        output::table(&["ID", "KEY", "STATUS", "EXPIRES", "NAME"], &rows),
        rows.len(),
        page.total
    );
    Ok(Done::new(
        json!({ "keys": keys, "total": page.total, "page": page.number }),
        prose,
    ))
}

async fn revoke(command: RevokeCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let id: KeyId = command
        .key_id
        .parse()
        .map_err(|_| Refusal::new("invalid", "A key’s id looks like key_0123456789AB."))?;
    let reason = RevocationReason::parse(&command.reason).unwrap_or(RevocationReason::Unspecified);
    lifecycle::revoke(&ctx, &actor, &id, reason, &command.note).await?;
    Ok(Done::new(
        json!({ "keyId": id, "status": "revoked" }),
        format!("{id} is revoked."),
    ))
}
