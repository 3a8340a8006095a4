//! `keywright audit verify`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::open;
use super::output::{Done, Output, Refusal};
use crate::model::calendar::counted;
use crate::server::config::Place;
use crate::server::domain::audit;

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Recompute every chain of the audit log; exit 1 if one is broken
    Verify(VerifyCommand),
}

#[derive(Args)]
pub struct VerifyCommand {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

pub async fn run(command: AuditCommand) -> ExitCode {
    let AuditCommand::Verify(command) = command;
    command.output.clone().finish(verify(command).await)
}

async fn verify(command: VerifyCommand) -> Result<Done, Refusal> {
    let ctx = open(&command.place).await?;
    let report = audit::verify(&ctx).await?;
    let prose = match report.problems.as_slice() {
        [] => format!("{}, every chain is whole.", counted(report.events, "event")),
        problems => {
            let lines = problems
                .iter()
                .map(|p| format!("{} at event {}: {}", p.chain, p.seq, p.problem));
            format!(
                "The log was tampered with.\n{}",
                lines.collect::<Vec<_>>().join("\n")
            )
        }
    };
    let value = serde_json::to_value(&report).unwrap_or_default();
    Ok(Done {
        value,
        prose,
        refused: !report.ok,
    })
}
