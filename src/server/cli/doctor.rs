//! `keywright doctor`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::{Done, Output, Refusal};
use crate::server::boot::{self, Parts, Schema};
use crate::server::config::{MailOptions, Place, folder_of};
use crate::server::domain::diagnosis::{self, Finding, Weight};
use crate::server::platform::crypto::master_key::share_a_volume;
use crate::server::platform::mail::Mailer;
use crate::server::platform::telemetry;

#[derive(Args)]
pub struct DoctorCommand {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    mail: MailOptions,
    #[command(flatten)]
    output: Output,
}

/// Exit 1 when something is broken; warnings alone leave it 0.
pub async fn run(command: DoctorCommand) -> ExitCode {
    telemetry::start(command.place.log_format, &command.place.log);
    let mut findings = examine(&command.place).await;
    findings.push(mail(&command.mail));
    command.output.finish(Ok::<_, Refusal>(report(&findings)))
}

async fn examine(place: &Place) -> Vec<Finding> {
    let parts = match Parts::offline() {
        Ok(parts) => parts,
        Err(error) => return vec![Finding::broken("machine", error.to_string())],
    };
    let mut findings = Vec::new();
    match boot::open(place, Schema::Require, parts).await {
        Ok((ctx, _)) => {
            findings.push(Finding::fine(
                "database",
                "The database answers, its schema is the present one, and the master key opens it.",
            ));
            findings.extend(diagnosis::examine(&ctx).await);
        }
        Err(error) => findings.push(Finding::broken("database", error.to_string())),
    }
    if let Some(folder) = place.sqlite_folder()
        && share_a_volume(&folder, &folder_of(&place.master_key_path())) == Some(true)
    {
        findings.push(Finding::warning(
            "master_key_volume",
            "The master key lies on the same volume as the database: whoever copies one has the other. Move it with --master-key-file.",
        ));
    }
    findings
}

/// What `serve` would do with these settings; no mail is sent.
fn mail(options: &MailOptions) -> Finding {
    match options.mailer("localhost") {
        Ok(Some(mailer)) => Finding::fine("mail", format!("Mail goes to {}.", mailer.server().address)),
        Ok(None) => Finding::fine(
            "mail",
            "No mail server is configured here: links are shown to administrators instead.",
        ),
        Err(error) => Finding::broken("mail", error.to_string()),
    }
}

fn report(findings: &[Finding]) -> Done {
    let ok = findings.iter().all(|finding| finding.weight != Weight::Broken);
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let mark = match finding.weight {
                Weight::Fine => "ok     ",
                Weight::Warning => "warning",
                Weight::Broken => "BROKEN ",
            };
            format!("{mark}  {}", finding.detail)
        })
        .collect();
    Done {
        value: json!({ "ok": ok, "findings": findings }),
        prose: lines.join("\n"),
        refused: !ok,
    }
}
