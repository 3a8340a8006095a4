//! `keywright reviews verify`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::open;
use super::output::{Done, Output, Refusal};
use crate::server::config::Place;
use crate::server::domain::reviews;

#[derive(Subcommand)]
pub enum ReviewsCommand {
    /// Check the signature under an exported review; exit 1 if it does not hold or is not ours
    Verify(VerifyCommand),
}

#[derive(Args)]
pub struct VerifyCommand {
    /// The exported JSON document
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

pub async fn run(command: ReviewsCommand) -> ExitCode {
    let ReviewsCommand::Verify(command) = command;
    command.output.clone().finish(verify(command).await)
}

async fn verify(command: VerifyCommand) -> Result<Done, Refusal> {
    let text = std::fs::read_to_string(&command.file).map_err(|error| {
        Refusal::new(
            "io",
            format!("{} cannot be read: {error}", command.file.display()),
        )
    })?;
    let ctx = open(&command.place).await?;
    let found = reviews::verify(&ctx, &text)?;
    let (intact, ours) = found
        .as_ref()
        .map_or((false, false), |found| (found.intact, found.ours));
    let prose = match (&found, intact, ours) {
        (None, ..) => "This is no signed review.",
        (_, false, _) => "The document was changed after it was signed.",
        (_, true, false) => "The signature holds, but another installation signed it.",
        (_, true, true) => "The document is as this installation signed it.",
    };
    let public_key = found.map(|found| found.public_key);
    Ok(Done {
        value: json!({ "intact": intact, "ours": ours, "publicKey": public_key }),
        prose: prose.to_owned(),
        refused: !(intact && ours),
    })
}
