//! `keywright setup`

use clap::Args;
use serde_json::json;

use super::operator_name;
use super::output::{self, Done, Output, Refusal};
use crate::model::actor::Actor;
use crate::model::project::starter_scopes;
use crate::server::boot::{self, Parts, Schema};
use crate::server::config::{PasswordOptions, Place};
use crate::server::domain::accounts::set_up::{self, By, SetUpDraft};
use crate::server::domain::tokens::{self, TokenDraft};
use crate::server::platform::telemetry;

#[derive(Args)]
pub struct SetupCommand {
    #[command(flatten)]
    place: Place,
    /// The owner's e-mail address
    #[arg(long, env = "KEYWRIGHT_EMAIL")]
    email: String,
    /// The owner's name; default: the address up to the @
    #[arg(long, env = "KEYWRIGHT_NAME", default_value = "")]
    name: String,
    /// The organisation's name
    #[arg(long, env = "KEYWRIGHT_ORGANISATION")]
    organisation: String,
    /// The first project's name
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: String,
    /// What the project's keys begin with: 2 to 16 of a-z and 0-9
    #[arg(long, env = "KEYWRIGHT_PREFIX")]
    prefix: String,
    /// Read the owner's password from the first line of standard input
    #[arg(long, env = "KEYWRIGHT_PASSWORD_STDIN", required = true, value_parser = clap::builder::BoolishValueParser::new())]
    password_stdin: bool,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    pub output: Output,
}

pub async fn run(command: SetupCommand) -> Result<Done, Refusal> {
    telemetry::start(command.place.log_format, &command.place.log);
    let password = output::password_from_stdin()?;
    let parts = Parts {
        password_cost: command.password.cost(),
        ..Parts::offline()?
    };
    let (ctx, _) = boot::open(&command.place, Schema::Migrate, parts).await?;
    let user = operator_name();
    let draft = SetUpDraft {
        email: &command.email,
        name: &command.name,
        organisation: &command.organisation,
        project: &command.project,
        prefix: &command.prefix,
        scopes: Ok(starter_scopes()),
        password,
    };
    let (made, _) = set_up::set_up(&ctx, draft, By::Operator(&user)).await?;
    let actor = Actor::operator(&user, Some(made.org_id));
    let draft = TokenDraft {
        project: Some(&made.project_id),
        name: "setup",
        permissions: vec!["verify"],
        expiry: "none",
        expiry_date: "",
    };
    let token = tokens::create(&ctx, &actor, &draft, None).await?;
    let secret = token.secret.expose();
    let value = json!({
        "organisationId": made.org_id, "projectId": made.project_id, "accountId": made.account_id, "serviceToken": secret,
    });
    let prose = format!(
        "Set up. Sign in as {} once keywright serve runs.\nService token for the project (shown once, may verify its keys):\n{secret}",
        command.email.trim(),
    );
    Ok(Done::new(value, prose))
}
