//! What was found, for programs and for people. Neither sees more of a secret than its public id; paths may hold one,
//! so they are told without.

use std::path::Path;

use serde_json::{Value, json};

use super::sighting::without_secrets;
use super::{Finding, Report};
use crate::model::calendar::counted;
use crate::model::import_format::{ImportFormat, hidden};
use crate::model::text::shown;

/// Longest path that a system takes.
const PATH_MAX: usize = 4_096;

/// A path as text. Bytes that are no UTF-8 are shown as `�`.
#[must_use]
pub fn path_text(path: &Path, formats: &[ImportFormat]) -> String {
    hidden(&without_secrets(&path.to_string_lossy()), formats).into_owned()
}

/// The answer of `--json`.
#[must_use]
pub fn json(report: &Report, with_commits: bool) -> Value {
    let finding = |finding: &Finding| {
        let mut value = json!({
            "path": path_text(&finding.path, &report.formats),
            "line": finding.spot.line,
            "column": finding.spot.column,
            "keyId": finding.spot.credential.known_id(),
        });
        if with_commits {
            value["commit"] = json!(finding.commit);
        }
        value
    };
    json!({
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "scannedFiles": report.scanned_files,
        "scannedBytes": report.scanned_bytes,
    })
}

/// One line per finding, as compilers write them, and one about all.
#[must_use]
pub fn prose(report: &Report) -> String {
    let line = |finding: &Finding| {
        let spot = &finding.spot;
        let commit = finding
            .commit
            .as_ref()
            .map_or_else(String::new, |commit| format!(", commit {commit}"));
        format!(
            "{}:{}:{}: {} ({}{commit})",
            // A path may hold what makes a terminal write over other lines.
            shown(&path_text(&finding.path, &report.formats), PATH_MAX),
            spot.line,
            spot.column,
            spot.credential.id(),
            spot.credential.words(),
        )
    };
    let mut lines: Vec<String> = report.findings.iter().map(line).collect();
    let files = counted(i64::try_from(report.scanned_files).unwrap_or(i64::MAX), "file");
    lines.push(match i64::try_from(report.findings.len()) {
        Ok(0) => format!("No key or token in {files}."),
        count => format!("{} in {files}.", counted(count.unwrap_or(i64::MAX), "finding")),
    });
    lines.join("\n")
}
