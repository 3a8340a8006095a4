//! The first run: one owner account, one organisation, its first project (R13).

use serde_json::json;

use super::password;
use super::places;
use super::session::{self, Caller};
use super::throttle::{self, Door};
use crate::model::account::{Email, SessionStage};
use crate::model::actor::Actor;
use crate::model::error::{AppError, Code, FieldError};
use crate::model::id::{AccountId, OrgId, ProjectId};
use crate::model::org::Role;
use crate::model::password::ContextWords;
use crate::model::project::{CatalogueScope, ProjectName, parse_prefix};
use crate::model::text::{self, NAME_MAX};
use crate::server::ctx::Context;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::{DomainError, instance, mint, orgs, projects};
use crate::server::platform::crypto::secret::SecretText;
use crate::server::store::accounts::{self, NewAccount};
use crate::server::store::instance as instance_store;

/// What the first run asks for, as typed.
pub struct SetUpDraft<'a> {
    pub email: &'a str,
    /// Empty: the part of the address before the `@`.
    pub name: &'a str,
    pub organisation: &'a str,
    pub project: &'a str,
    pub prefix: &'a str,
    pub scopes: Result<Vec<CatalogueScope>, FieldError>,
    pub password: SecretText,
}

struct Checked {
    email: Email,
    name: String,
    organisation: orgs::OrganisationName,
    project: ProjectName,
    prefix: String,
    scopes: Vec<CatalogueScope>,
}

/// What the first run made.
#[derive(Clone, Debug)]
pub struct SetUp {
    pub account_id: AccountId,
    pub org_id: OrgId,
    pub project_id: ProjectId,
}

/// Who may set up.
pub enum By<'a> {
    /// Whoever holds the one-time token.
    Token {
        token: &'a str,
        caller: &'a Caller,
    },
    Operator(&'a str),
}

impl By<'_> {
    fn actor(&self, org: &OrgId) -> Actor {
        match self {
            Self::Token { .. } => Actor::system(Some(*org)),
            Self::Operator(user) => Actor::operator(user, Some(*org)),
        }
    }
}

pub fn already_set_up() -> AppError {
    AppError::new(
        Code::AlreadySetUp,
        "This installation is set up already. Sign in instead.",
    )
}

fn refuse_second() -> DomainError {
    DomainError::Refused(Code::AlreadySetUp, already_set_up().detail)
}

fn check(draft: &SetUpDraft<'_>) -> Result<Checked, DomainError> {
    let mut errors = Vec::new();
    let mut keep = |error: FieldError| errors.push(error);
    let email = Email::parse("email", draft.email).map_err(&mut keep).ok();
    let name = text::line("name", "Your name", draft.name, 0, NAME_MAX)
        .map_err(&mut keep)
        .ok();
    let context = ContextWords::of([draft.organisation], draft.name, draft.email);
    password::check_new("password", &draft.password, false, &context)
        .map_err(&mut keep)
        .ok();
    let organisation = orgs::OrganisationName::parse("organisation", draft.organisation)
        .map_err(&mut keep)
        .ok();
    let project = ProjectName::parse("project", draft.project)
        .map_err(&mut keep)
        .ok();
    let prefix = parse_prefix("prefix", draft.prefix).map_err(&mut keep).ok();
    let scopes = draft.scopes.clone().map_err(&mut keep).ok();
    match (email, name, organisation, project, prefix, scopes) {
        (Some(email), Some(name), Some(organisation), Some(project), Some(prefix), Some(scopes))
            if errors.is_empty() =>
        {
            let local = email.shown.split('@').next().unwrap_or_default().to_owned();
            let name = if name.is_empty() { local } else { name };
            Ok(Checked {
                email,
                name,
                organisation,
                project,
                prefix,
                scopes,
            })
        }
        _ => Err(DomainError::Invalid(errors)),
    }
}

/// Sets the installation up, once. Two racing calls make one owner. With a caller, also signs the owner in and gives
/// the session's id.
pub async fn set_up(
    ctx: &Context,
    draft: SetUpDraft<'_>,
    by: By<'_>,
) -> Result<(SetUp, Option<SecretText>), DomainError> {
    if instance::is_set_up(ctx).await? {
        return Err(refuse_second());
    }
    if let By::Token { token, caller } = &by {
        let mut tx = ctx.db.begin_read().await?;
        let holds = instance::is_setup_token(ctx, &mut tx, token).await?;
        drop(tx);
        if !holds {
            throttle::admit(ctx, Door::SetUp, caller.ip).await?;
            let message = "This set-up link is not the one in force. Each start of the server prints a fresh one; use that.";
            return Err(DomainError::refused(Code::Forbidden, message));
        }
    }
    let checked = check(&draft)?;
    let hashed = ctx.passwords.hash(draft.password).await?;
    let now = ctx.clock.now();
    let (account_id, org_id) = (mint::account_id(ctx)?, mint::org_id(ctx)?);
    let mut tx = ctx.db.begin_write().await?;
    if let By::Token { token, .. } = &by {
        // Asked again under the write lock: a restart may have voided the link meanwhile.
        if !instance::is_setup_token(ctx, &mut tx, token).await? {
            return Err(refuse_second());
        }
    }
    if !instance_store::set_set_up(&mut tx, now).await? {
        return Err(refuse_second());
    }
    instance_store::delete_setup_tokens(&mut tx).await?;
    let actor = by.actor(&org_id);
    let new = NewAccount {
        id: &account_id,
        email: &checked.email,
        name: &checked.name,
        password: &hashed,
        is_instance_admin: true,
    };
    accounts::insert(&mut tx, &new, now).await?;
    orgs::insert(ctx, &mut tx, &org_id, &checked.organisation, &actor, now).await?;
    crate::server::store::orgs::insert_member(&mut tx, &org_id, &account_id, Role::Owner, now).await?;
    let project = projects::Checked {
        name: checked.project,
        prefix: checked.prefix,
        scopes: checked.scopes,
    };
    let project_id = projects::insert(ctx, &mut tx, &actor, &project, now).await?;
    let detail = json!({ "accountId": account_id.as_str() });
    audit::record(
        ctx,
        &mut tx,
        None,
        &actor,
        Entry::new("instance.set_up", "organisation", org_id.as_str()).with(detail),
        now,
    )
    .await?;
    let session_id = match &by {
        By::Token { caller, .. } => {
            let begun = session::begin(
                ctx,
                &mut tx,
                (&account_id, 0),
                Some(&org_id),
                SessionStage::Complete,
                caller,
                now,
            )
            .await?;
            places::remember(ctx, &mut tx, &account_id, caller, now).await?;
            Some(begun.0)
        }
        By::Operator(_) => None,
    };
    tx.commit().await?;
    Ok((
        SetUp {
            account_id,
            org_id,
            project_id,
        },
        session_id,
    ))
}
