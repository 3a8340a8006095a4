//! `keywright keys export`: every key, as it is read.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::Target;
use super::keys::named_project;
use super::output::{Done, Refusal};
use crate::model::key::KeyFilter;
use crate::server::domain::keys::export::{self, Export};
use crate::server::domain::projects;

#[derive(Args)]
pub struct ExportCommand {
    #[command(flatten)]
    target: Target,
    /// Only this project, by slug
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: Option<String>,
}

pub async fn run(command: ExportCommand) -> ExitCode {
    command.target.output.clone().finish(export(command).await)
}

async fn export(command: ExportCommand) -> Result<Done, Refusal> {
    let (ctx, actor) = command.target.open().await?;
    let mut filter = KeyFilter::default();
    if let Some(slug) = &command.project {
        let project = projects::find_by_slug(&ctx, &actor, slug).await;
        filter.project = Some(project.map_err(|error| named_project(error, slug))?.id);
    }
    let export = export::begin(&ctx, &actor, filter).await?;
    write(export, command.target.output.json).await?;
    Ok(Done::silent())
}

/// CSV, or one JSON object whose `keys` are written one by one.
async fn write(mut export: Export, json: bool) -> Result<(), Refusal> {
    let unwritable = |error: std::io::Error| Refusal::new("io", format!("It could not be written: {error}."));
    let mut out = BufWriter::new(std::io::stdout());
    let beginning = match json {
        true => "{\"keys\":[".to_owned(),
        false => export::heading(),
    };
    out.write_all(beginning.as_bytes()).map_err(unwritable)?;
    let mut is_first = true;
    loop {
        let keys = export.next().await?;
        if keys.is_empty() {
            break;
        }
        for key in keys {
            let text = match (json, is_first) {
                (false, _) => key.csv(),
                (true, true) => key.json().to_string(),
                (true, false) => format!(",{}", key.json()),
            };
            is_first = false;
            out.write_all(text.as_bytes()).map_err(unwritable)?;
        }
    }
    let end = if json { "]}\n" } else { "" };
    out.write_all(end.as_bytes())
        .and_then(|()| out.flush())
        .map_err(unwritable)
}
