//! The command line. With `--json` standard output is one object and errors are `{code, detail}` on standard error;
//! exit 0 done, 1 refused, 2 wrong usage. `scan` alone also exits 2 for what it could not look at.

mod accounts;
mod audit;
mod demo;
mod doctor;
mod export;
mod import;
mod keys;
mod output;
mod restrict;
mod reviews;
mod scan;
mod serve;
mod setup;
mod tokens;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::output::{Output, Refusal};
use super::boot::{self, Parts, Schema};
use super::config::Place;
use super::ctx::Ctx;
use super::domain::orgs;
use super::http::openapi;
use super::platform::telemetry;
use crate::model::actor::Actor;

/// A self-hosted home for API keys.
///
/// Start with `keywright serve`: it makes what is missing and prints a one-time link that sets the installation up in
/// a browser. `keywright setup` does the same without one. Every option can also be given as an environment variable,
/// KEYWRIGHT_ and its name.
#[derive(Parser)]
#[command(name = "keywright", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::ServeCommand>),
    /// Set up the installation without a browser: owner, organisation, first project, a service token
    Setup(setup::SetupCommand),
    /// Bring the database's schema up to this release
    Migrate(PlaceOnly),
    /// Issue, list and revoke API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Create, list and revoke service tokens
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// List and unlock accounts, reset a lost password or factor, change an address
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check exported access reviews
    #[command(subcommand)]
    Reviews(reviews::ReviewsCommand),
    /// Find keys and tokens in files and in git, offline; exit 1 if there are any
    Scan(scan::ScanCommand),
    /// Fill an empty data folder with a believable organisation, for looking around
    Demo(demo::DemoCommand),
    /// Say what is wrong with this installation
    Doctor(doctor::DoctorCommand),
    /// Print the OpenAPI description of /v1
    Openapi(OpenapiCommand),
}

#[derive(clap::Args)]
struct PlaceOnly {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
struct OpenapiCommand {
    #[command(flatten)]
    _output: Output,
}

/// What commands about one organisation share.
#[derive(clap::Args)]
pub struct Target {
    #[command(flatten)]
    pub place: Place,
    /// The organisation, by name, slug or id; needed only when several exist
    #[arg(long, env = "KEYWRIGHT_ORGANISATION", value_name = "NAME")]
    pub organisation: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

impl Target {
    /// The context, and the operator as actor in the organisation.
    pub async fn open(&self) -> Result<(Ctx, Actor), Refusal> {
        let ctx = open(&self.place).await?;
        let org = orgs::choose(&ctx, self.organisation.as_deref()).await?;
        Ok((ctx, Actor::operator(&operator_name(), Some(org))))
    }
}

/// Opens an existing installation of the present schema.
async fn open(place: &Place) -> Result<Ctx, Refusal> {
    telemetry::start(place.log_format, &place.log);
    Ok(boot::open(place, Schema::Require, Parts::offline()?).await?.0)
}

/// The name of the operating system's user, for the audit log.
fn operator_name() -> String {
    let uid = std::os::unix::fs::MetadataExt::uid(&match std::fs::metadata("/proc/self") {
        Ok(metadata) => metadata,
        Err(_) => return "unknown".to_owned(),
    });
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&uid.to_string().as_str()));
    user.and_then(|fields| fields.first().map(|name| (*name).to_owned()))
        .unwrap_or_else(|| format!("uid {uid}"))
}

/// Runs the command named on the command line.
#[must_use]
pub fn run() -> ExitCode {
    let CommandLine { command } = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return output::usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::broken_machine(&error),
    };
    runtime.block_on(dispatch(command))
}

async fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Serve(command) => command.output.clone().finish(serve::run(*command).await),
        Command::Setup(command) => command.output.clone().finish(setup::run(command).await),
        Command::Migrate(command) => command.output.clone().finish(migrate(command.place).await),
        Command::Keys(command) => keys::run(command).await,
        Command::Tokens(command) => tokens::run(command).await,
        Command::Accounts(command) => accounts::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Reviews(command) => reviews::run(command).await,
        Command::Scan(command) => scan::run(command),
        Command::Demo(command) => command.output.clone().finish(demo::run(command).await),
        Command::Doctor(command) => doctor::run(command).await,
        Command::Openapi(_) => output::print_document(&openapi::document()),
    }
}

async fn migrate(place: Place) -> Result<output::Done, Refusal> {
    telemetry::start(place.log_format, &place.log);
    boot::open(&place, Schema::Migrate, Parts::offline()?).await?;
    Ok(output::Done::new(
        serde_json::json!({ "ok": true }),
        "The schema is up to date.",
    ))
}
