//! How commands speak: prose for people, one JSON object for programs.

use std::io::{Read, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::error::{AppError, Code};
use crate::server::boot::BootError;
use crate::server::config::MailOptionsError;
use crate::server::domain::DomainError;
use crate::server::platform::crypto::secret::SecretText;

/// How a command answers.
#[derive(clap::Args, Clone, Debug)]
pub struct Output {
    /// Answer with one JSON object, and errors as {code, detail} on standard error
    #[arg(long, env = "KEYWRIGHT_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,
}

/// What a command did, in both languages.
pub struct Done {
    pub value: Value,
    pub prose: String,
    /// Whether the answer is a "no": exit 1 although the command ran.
    pub refused: bool,
}

impl Done {
    pub fn new(value: Value, prose: impl Into<String>) -> Self {
        Self {
            value,
            prose: prose.into(),
            refused: false,
        }
    }

    /// Everything was said while the command ran.
    pub fn silent() -> Self {
        Self::new(Value::Null, "")
    }
}

/// Why a command did nothing.
pub struct Refusal {
    code: &'static str,
    detail: String,
}

impl Refusal {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        let fields: Vec<&str> = error.fields.iter().map(|field| field.message.as_str()).collect();
        let detail = if fields.is_empty() {
            error.detail
        } else {
            fields.join(" ")
        };
        Self {
            code: error.code.as_str(),
            detail,
        }
    }
}

impl From<DomainError> for Refusal {
    fn from(error: DomainError) -> Self {
        AppError::from(error).into()
    }
}

impl From<BootError> for Refusal {
    fn from(error: BootError) -> Self {
        let code = match &error {
            BootError::Domain(_) => return Self::new("internal", error.to_string()),
            BootError::Keyring(_) | BootError::MasterKey(_) => "master_key",
            BootError::Store(store) if store.is_unavailable() => Code::Unavailable.as_str(),
            BootError::Store(_) | BootError::Passwords => Code::Internal.as_str(),
            BootError::OldSchema { .. } => "old_schema",
            BootError::NewSchema { .. } => "new_schema",
            BootError::TooOpen { .. } | BootError::Mail(MailOptionsError::TooOpen(_)) => "too_open",
            BootError::Mail(_) => Code::Invalid.as_str(),
            BootError::InUse(_) => "in_use",
            BootError::WeakPasswordCost => Code::Invalid.as_str(),
            BootError::NoDatabase(_) => "no_database",
            BootError::Io { .. } => "io",
            BootError::ReportKeys(_) => "invalid",
            BootError::Countries(_) => "country_database",
        };
        Self::new(code, error.to_string())
    }
}

impl Output {
    /// Prints the outcome and gives the exit code.
    pub fn finish(self, outcome: Result<Done, Refusal>) -> ExitCode {
        match outcome {
            Ok(done) => {
                let text = if self.json && !done.value.is_null() {
                    done.value.to_string()
                } else {
                    done.prose
                };
                if !text.is_empty() && writeln!(std::io::stdout(), "{text}").is_err() {
                    return ExitCode::FAILURE;
                }
                if done.refused {
                    ExitCode::FAILURE
                } else {
                    ExitCode::SUCCESS
                }
            }
            Err(refusal) => {
                self.complain(&refusal);
                ExitCode::FAILURE
            }
        }
    }

    /// Says on standard error why.
    pub fn complain(&self, Refusal { code, detail }: &Refusal) {
        let text = if self.json {
            json!({ "code": code, "detail": detail }).to_string()
        } else {
            format!("keywright: {detail}")
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// Wrong usage: exit 2, as JSON when that was asked for. `--help` and `--version` are no errors.
pub fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json") || json_by_environment();
    if error.use_stderr() && wants_json {
        let text = error.render().to_string();
        let before_usage = text.lines().take_while(|line| !line.starts_with("Usage:"));
        let words = before_usage
            .flat_map(str::split_whitespace)
            .collect::<Vec<_>>()
            .join(" ");
        let detail = words.trim_start_matches("error: ");
        let _ = writeln!(
            std::io::stderr(),
            "{}",
            json!({ "code": "usage", "detail": detail })
        );
    } else {
        let _ = error.print();
    }
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// clap reads the variable only once the rest of the line is right.
#[expect(
    clippy::disallowed_methods,
    reason = "asked only after clap, which reads the environment, has given up"
)]
fn json_by_environment() -> bool {
    std::env::var_os("KEYWRIGHT_JSON").is_some_and(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        ["1", "true", "yes", "y", "on", "t"].contains(&value.as_str())
    })
}

pub fn broken_machine(error: &std::io::Error) -> ExitCode {
    let _ = writeln!(
        std::io::stderr(),
        "keywright: the machine gives no threads: {error}"
    );
    ExitCode::FAILURE
}

pub fn print_document(document: &impl Serialize) -> ExitCode {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    if writeln!(std::io::stdout(), "{text}").is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

pub fn print_text(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The first line of standard input, without its line break.
pub fn password_from_stdin() -> Result<SecretText, Refusal> {
    let mut all = zeroize::Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().take(8_192).read_to_end(&mut all);
    read.map_err(|error| Refusal::new("io", format!("standard input could not be read: {error}")))?;
    let text =
        std::str::from_utf8(&all).map_err(|_| Refusal::new("invalid", "The password is not UTF-8."))?;
    let line = text.split('\n').next().unwrap_or_default();
    Ok(line.trim_end_matches('\r').into())
}

/// Rows as aligned columns, under a heading.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heading.to_vec())];
    lines.extend(
        rows.iter()
            .map(|row| line(row.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}
