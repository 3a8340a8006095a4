//! `keywright tokens create|list|revoke`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Target;
use super::output::{self, Done, Refusal};
use crate::model::id::TokenId;
use crate::model::time::Timestamp;
use crate::server::domain::projects;
use crate::server::domain::tokens::{self, TokenDraft};

#[derive(Subcommand)]
pub enum TokensCommand {
    /// Create a service token; its secret is printed once
    Create(CreateCommand),
    /// List service tokens, newest first
    List(ListCommand),
    /// Revoke a service token for ever
    Revoke(RevokeCommand),
}

#[derive(Args)]
pub struct CreateCommand {
    #[command(flatten)]
    target: Target,
    /// The project whose keys it may verify, by slug
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: String,
    /// What the token is called
    #[arg(long, env = "KEYWRIGHT_NAME")]
    name: String,
    /// Days until it expires, or none
    #[arg(
        long,
        env = "KEYWRIGHT_EXPIRES",
        value_name = "DAYS|none",
        default_value = "none"
    )]
    expires: String,
}

#[derive(Args)]
pub struct ListCommand {
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub struct RevokeCommand {
    #[command(flatten)]
    target: Target,
    /// The token's id, tok_…
    token_id: String,
}

pub async fn run(command: TokensCommand) -> ExitCode {
    match command {
        TokensCommand::Create(command) => command.target.output.clone().finish(create(command).await),
        TokensCommand::List(command) => command.target.output.clone().finish(list(command).await),
        TokensCommand::Revoke(command) => command.target.output.clone().finish(revoke(command).await),
    }
}

async fn create(command: CreateCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let project = projects::find_by_slug(&ctx, &actor, &command.project).await?;
    let draft = TokenDraft {
        project: Some(&project.id),
        name: &command.name,
        permissions: vec!["verify"],
        expiry: &command.expires,
        expiry_date: "",
    };
    let token = tokens::create(&ctx, &actor, &draft, None).await?;
    let prose = format!(
        "{} may verify keys of {}. Its secret, shown once:\n{}",
        token.id,
        project.name,
        token.secret.expose()
    );
    Ok(Done::new(
        json!({ "tokenId": token.id, "secret": token.secret.expose() }),
        prose,
    ))
}

async fn list(command: ListCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let all = tokens::list(&ctx, &actor).await?;
    let moment = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    let listed: Vec<_> = all.iter().map(|token| json!({
        "tokenId": token.id, "name": token.name, "projectId": token.project_id, "permissions": token.permissions,
        "status": token.status, "createdAt": token.created_at.rfc3339(), "expiresAt": moment(token.expires_at),
        "lastUsedAt": moment(token.last_used_at),
    })).collect();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|token| {
            vec![
                token.id.to_string(),
                token.status.label().to_owned(),
                token.project_name.clone(),
                moment(token.expires_at).unwrap_or_else(|| "never".to_owned()),
                token.name.clone(),
            ]
        })
        .collect();
    Ok(Done::new(
        json!({ "tokens": listed }),
        output::table(&["ID", "STATUS", "PROJECT", "EXPIRES", "NAME"], &rows),
    ))
}

async fn revoke(command: RevokeCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let id: TokenId = command
        .token_id
        .parse()
        .map_err(|_| Refusal::new("invalid", "A token’s id looks like tok_0123456789AB."))?;
    tokens::revoke(&ctx, &actor, &id).await?;
    Ok(Done::new(
        json!({ "tokenId": id, "status": "revoked" }),
        format!("{id} is revoked."),
    ))
}
