//! `keywright scan`: opens no installation and asks nobody.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::output::{self, Output, Refusal};
use crate::model::import_format::{DigestAlgorithm, ImportFormat, MARK_MIN, hidden};
use crate::model::text::shown;
use crate::server::scan::sighting::without_secrets;
use crate::server::scan::{Report, git, report, rules, sarif, tree};

/// Longest sentence about one trouble, in characters: a path and what is wrong with it.
const DETAIL_MAX: usize = 8_192;

#[derive(Args)]
pub struct ScanCommand {
    /// Files and folders to look at; what .gitignore names and links inside folders are passed over
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Look at what is staged in the git repository of the current folder
    #[arg(long, env = "KEYWRIGHT_STAGED", value_parser = BoolishValueParser::new())]
    staged: bool,
    /// Look at everything in the history of the git repository of the current folder, each content once
    #[arg(long, env = "KEYWRIGHT_GIT_HISTORY", value_parser = BoolishValueParser::new())]
    git_history: bool,
    /// Also look at what .gitignore names
    #[arg(long, env = "KEYWRIGHT_NO_IGNORE", value_parser = BoolishValueParser::new())]
    no_ignore: bool,
    /// Also find keys of another maker, by what a project declares of them; may be given several times. ALPHABET is one
    /// of lower_hex, hex, base62, base64url, printable; LENGTH counts the characters after the prefix: 32 or 20-40
    #[arg(
        long = "format",
        env = "KEYWRIGHT_FORMAT",
        value_name = "PREFIX:ALPHABET:LENGTH",
        value_delimiter = ',',
        value_parser = parse_format
    )]
    formats: Vec<ImportFormat>,
    /// Answer with SARIF 2.1.0
    #[arg(long, env = "KEYWRIGHT_SARIF", value_parser = BoolishValueParser::new())]
    sarif: bool,
    /// Print rules for another scanner instead: gitleaks or trufflehog
    #[arg(long, env = "KEYWRIGHT_RULES", value_name = "SCANNER", value_parser = ["gitleaks", "trufflehog"])]
    rules: Option<String>,
    /// Print a pre-commit hook for git instead
    #[arg(long, env = "KEYWRIGHT_HOOK", value_parser = BoolishValueParser::new())]
    hook: bool,
    #[command(flatten)]
    output: Output,
}

/// Exit 0 nothing found, 1 found, 2 trouble or wrong usage. Found outweighs trouble, which is told all the same.
pub fn run(command: ScanCommand) -> ExitCode {
    let ways = [
        !command.paths.is_empty(),
        command.staged,
        command.git_history,
        command.rules.is_some(),
        command.hook,
    ];
    if ways.into_iter().filter(|way| *way).count() != 1 {
        let detail = "Say one of: paths to look at, --staged, --git-history, --rules, --hook.";
        command.output.complain(&Refusal::new("usage", detail));
        return ExitCode::from(2);
    }
    if command.hook {
        return output::print_text(rules::HOOK);
    }
    match command.rules.as_deref() {
        Some("gitleaks") => output::print_text(&rules::gitleaks()),
        Some(_) => output::print_text(&rules::trufflehog()),
        None => tell(&command, &look(&command)),
    }
}

/// `old_:hex:32`. The prefix is what the key is found by, so it cannot be missing here.
fn parse_format(text: &str) -> Result<ImportFormat, String> {
    let mut parts = text.rsplitn(3, ':');
    let (Some(length), Some(alphabet), Some(prefix)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("a format is PREFIX:ALPHABET:LENGTH, for example old_:hex:32".to_owned());
    };
    // How keys are digested does not matter where whole ones are looked for.
    let algorithm = DigestAlgorithm::Sha256.as_str();
    let format = ImportFormat::parse(prefix, alphabet, length, algorithm).map_err(|error| error.message)?;
    match format.has_mark() {
        true => Ok(format),
        false => Err(format!(
            "a key is found by its prefix, which needs {MARK_MIN} characters or more"
        )),
    }
}

fn look(command: &ScanCommand) -> Report {
    let formats: Arc<[ImportFormat]> = command.formats.clone().into();
    if command.staged {
        git::scan_staged(&formats)
    } else if command.git_history {
        git::scan_history(&formats)
    } else {
        tree::scan(&command.paths, command.no_ignore, &formats)
    }
}

fn tell(command: &ScanCommand, report: &Report) -> ExitCode {
    let text = if command.sarif {
        sarif::document(report).to_string()
    } else if command.output.json {
        report::json(report, command.git_history).to_string()
    } else {
        report::prose(report)
    };
    let printed = output::print_text(&format!("{text}\n"));
    complain(command, report);
    match (report.findings.as_slice(), report.troubles.as_slice()) {
        ([], []) if printed == ExitCode::SUCCESS => ExitCode::SUCCESS,
        ([], _) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// A line for each trouble; for programs one object about all.
fn complain(command: &ScanCommand, report: &Report) {
    let details = report.troubles.iter().map(|trouble| {
        shown(
            &hidden(&without_secrets(&trouble.detail), &report.formats),
            DETAIL_MAX,
        )
    });
    let Some(first) = report.troubles.first() else {
        return;
    };
    if command.output.json {
        let detail = details.collect::<Vec<_>>().join("; ");
        return command.output.complain(&Refusal::new(first.code, detail));
    }
    for detail in details {
        command.output.complain(&Refusal::new(first.code, detail));
    }
}
