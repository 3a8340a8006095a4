//! `keywright accounts list|unlock|reset-factors|reset-password|set-email|appoint|withdraw`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{self, Done, Output, Refusal};
use super::{open, operator_name};
use crate::model::actor::Actor;
use crate::model::time::Timestamp;
use crate::server::config::Place;
use crate::server::domain::accounts::{factors, operate};

#[derive(Subcommand)]
pub enum AccountsCommand {
    /// List everybody who may sign in
    List(ListCommand),
    /// Let an account that is locked after too many failed sign-ins try again
    Unlock(OneAccount),
    /// Take away the second factor of somebody who lost app and recovery codes, and end the account's sessions
    ResetFactors(OneAccount),
    /// Set a new password, end the account's sessions, release a lock
    ResetPassword(ResetCommand),
    /// Give an account another e-mail address at once, without asking at either
    SetEmail(SetEmailCommand),
    /// Make somebody an administrator of the installation
    Appoint(OneAccount),
    /// Make somebody no administrator of the installation any more
    Withdraw(OneAccount),
}

#[derive(Args)]
pub struct ListCommand {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
pub struct OneAccount {
    #[command(flatten)]
    place: Place,
    /// The account's e-mail address
    email: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
pub struct ResetCommand {
    #[command(flatten)]
    account: OneAccount,
    /// Read the new password from the first line of standard input
    #[arg(long, env = "KEYWRIGHT_PASSWORD_STDIN", required = true, value_parser = clap::builder::BoolishValueParser::new())]
    password_stdin: bool,
}

#[derive(Args)]
pub struct SetEmailCommand {
    #[command(flatten)]
    place: Place,
    /// The address the account has
    old: String,
    /// The address it is to have
    new: String,
    #[command(flatten)]
    output: Output,
}

pub async fn run(command: AccountsCommand) -> ExitCode {
    match command {
        AccountsCommand::List(command) => command.output.clone().finish(list(command).await),
        AccountsCommand::Unlock(command) => command.output.clone().finish(unlock(command).await),
        AccountsCommand::ResetFactors(command) => command.output.clone().finish(reset_factors(command).await),
        AccountsCommand::ResetPassword(command) => {
            command.account.output.clone().finish(reset(command).await)
        }
        AccountsCommand::SetEmail(command) => command.output.clone().finish(set_email(command).await),
        AccountsCommand::Appoint(command) => command.output.clone().finish(appoint(command, true).await),
        AccountsCommand::Withdraw(command) => command.output.clone().finish(appoint(command, false).await),
    }
}

async fn list(command: ListCommand) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    let all = operate::list(&ctx).await?;
    let listed: Vec<_> = all.iter().map(|account| json!({
        "accountId": account.id, "email": account.email, "name": account.name, "locked": account.locked,
        "instanceAdmin": account.is_instance_admin, "createdAt": account.created_at.rfc3339(),
        "lastSignInAt": account.last_sign_in_at.map(Timestamp::rfc3339),
    })).collect();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|account| {
            let state = if account.locked { "locked" } else { "-" };
            vec![
                account.id.to_string(),
                state.to_owned(),
                account
                    .last_sign_in_at
                    .map_or_else(|| "never".to_owned(), Timestamp::rfc3339),
                account.email.clone(),
            ]
        })
        .collect();
    Ok(Done::new(
        json!({ "accounts": listed }),
        output::table(&["ID", "STATE", "LAST SIGN-IN", "E-MAIL"], &rows),
    ))
}

async fn unlock(command: OneAccount) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    operate::unlock(&ctx, &Actor::operator(&operator_name(), None), &command.email).await?;
    Ok(Done::new(json!({ "ok": true }), "The account may try again."))
}

async fn reset_factors(command: OneAccount) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    let actor = Actor::operator(&operator_name(), None);
    let had = factors::reset(&ctx, &actor, &command.email).await?;
    let prose = if had {
        "The second factor is gone and the account’s sessions are ended. The password signs in; set up a new app at once."
    } else {
        "The account had no second factor. Its sessions are ended."
    };
    Ok(Done::new(json!({ "ok": true, "hadFactor": had }), prose))
}

async fn reset(command: ResetCommand) -> Result<Done, Refusal> {
    let password = output::password_from_stdin()?;
    let ctx = open(&command.account.place).await?;
    operate::reset_password(
        &ctx,
        &Actor::operator(&operator_name(), None),
        &command.account.email,
        password,
    )
    .await?;
    Ok(Done::new(
        json!({ "ok": true }),
        "The password is set and the account’s sessions are ended.",
    ))
}

async fn set_email(command: SetEmailCommand) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    let actor = Actor::operator(&operator_name(), None);
    operate::set_email(&ctx, &actor, &command.old, &command.new).await?;
    let prose = "The account has the new address; it signs in with that one. Its password and sessions are as before.";
    Ok(Done::new(json!({ "ok": true }), prose))
}

async fn appoint(command: OneAccount, is_administrator: bool) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    let actor = Actor::operator(&operator_name(), None);
    let changed = operate::set_administrator(&ctx, &actor, &command.email, is_administrator).await?;
    let prose = match (is_administrator, changed) {
        (true, true) => "The account administers the installation now.",
        (false, true) => "The account administers the installation no more. Its organisations are as before.",
        (_, false) => "It was so before; nothing changed.",
    };
    Ok(Done::new(
        json!({ "ok": true, "instanceAdmin": is_administrator, "changed": changed }),
        prose,
    ))
}
