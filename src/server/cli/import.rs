//! `keywright keys import`: a file of any length, read twice: once to see whether all of it is right, once to write it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap::builder::BoolishValueParser;
use serde_json::json;

use super::Target;
use super::keys::named_project;
use super::output::{self, Done, Refusal};
use crate::model::calendar::counted;
use crate::model::import::{ImportSummary, Mistake};
use crate::server::domain::keys::import::{check_file, import_file};
use crate::server::domain::projects;

#[derive(Args)]
pub struct ImportCommand {
    #[command(flatten)]
    target: Target,
    /// CSV with a heading, or one JSON object a line; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The project, by slug; it must declare an import format
    #[arg(long, env = "KEYWRIGHT_PROJECT")]
    project: String,
    /// Say what would happen, and do nothing
    #[arg(long, env = "KEYWRIGHT_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

pub async fn run(command: ImportCommand) -> ExitCode {
    command.target.output.clone().finish(import(command).await)
}

async fn import(command: ImportCommand) -> Result<Done, Refusal> {
    let mut file = open(&command.file)?;
    let (ctx, actor) = command.target.open().await?;
    let project = projects::find_by_slug(&ctx, &actor, &command.project).await;
    let project = project.map_err(|error| named_project(error, &command.project))?;
    // Without a lock, so that a long file with a mistake at its end keeps nobody waiting.
    let checked = check_file(&ctx, &actor, &project.id, &file, None).await?;
    if command.dry_run || !checked.is_fine() {
        return Ok(told(&checked, false));
    }
    file.rewind().map_err(|error| unreadable(&error))?;
    let imported = import_file(&ctx, &actor, &project.id, &file, None).await?;
    let is_done = imported.is_fine();
    Ok(told(&imported, is_done))
}

fn unreadable(error: &io::Error) -> Refusal {
    Refusal::new("io", format!("The file could not be read: {error}."))
}

fn open(path: &Path) -> Result<File, Refusal> {
    let file = match path.as_os_str() == "-" {
        true => spooled(),
        false => File::open(path),
    };
    file.map_err(|error| unreadable(&error))
}

/// Standard input can be read once only: a copy without a name, which goes with the process.
fn spooled() -> io::Result<File> {
    let name = format!("keywright-import-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut copy = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(&path)?;
    io::copy(&mut io::stdin().lock(), &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}

fn told(summary: &ImportSummary, imported: bool) -> Done {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mistake = |mistake: &Mistake| json!({ "line": mistake.line, "column": mistake.column, "code": mistake.code, "message": mistake.message });
    let value = json!({
        "rows": summary.rows,
        "good": summary.good,
        "bad": summary.bad,
        "live": summary.live,
        "test": summary.test,
        "imported": if imported { summary.good } else { 0 },
        "mistakes": summary.mistakes.iter().map(mistake).collect::<Vec<_>>(),
        "mistakesInAll": summary.mistakes_in_all,
    });
    let keys = counted(count(summary.good), "key");
    let prose = match (summary.is_fine(), imported) {
        (true, true) => format!("{keys} imported. They pass from now on."),
        (true, false) => format!("{keys} can be imported: no row is wrong."),
        (false, _) => complaint(summary),
    };
    Done {
        refused: !summary.is_fine(),
        ..Done::new(value, prose)
    }
}

fn complaint(summary: &ImportSummary) -> String {
    let row = |mistake: &Mistake| {
        vec![
            mistake.line.to_string(),
            mistake.column.clone(),
            mistake.message.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = summary.mistakes.iter().map(row).collect();
    let shown = u64::try_from(summary.mistakes.len()).unwrap_or_default();
    let more = match summary.mistakes_in_all - shown {
        0 => String::new(),
        more => format!("\nand {more} more."),
    };
    format!(
        "{}{more}\n{} of {} rows are wrong. Nothing was imported.",
        output::table(&["LINE", "COLUMN", "WHAT IS WRONG"], &rows),
        summary.bad,
        summary.rows
    )
}
