//! What the next commit would bring: the staged content of every file that differs from the last commit, whatever the
//! work tree holds.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use super::{GitError, answer, answer_line, blobs, new_blob, path_of};
use crate::model::import_format::ImportFormat;
use crate::server::scan::{Finding, Report};

/// The whole content of a changed file counts, not its changed lines alone.
#[must_use]
pub fn scan(formats: &Arc<[ImportFormat]>) -> Report {
    let mut report = Report::on(formats);
    if let Err(error) = scan_into(&mut report) {
        report.troubles.push(error.into());
    }
    report.in_order()
}

fn scan_into(report: &mut Report) -> Result<(), GitError> {
    answer("rev-parse", &["--git-dir"])?;
    let staged = staged()?;
    let (ids, mut to_git) = std::io::pipe().map_err(|error| GitError::BrokeOff {
        what: "cat-file",
        error,
    })?;
    std::thread::scope(|scope| {
        let staged = &staged;
        // Beside the reading: both at once would fill both pipes and wait for each other.
        scope.spawn(move || {
            for (id, _) in staged {
                if writeln!(to_git, "{id}").is_err() {
                    break;
                }
            }
        });
        blobs::scan(Stdio::from(ids), report, |report, position, _, spots| {
            let path = staged.get(position).map(|(_, path)| path.clone());
            report.findings.extend(spots.into_iter().map(|spot| Finding {
                path: path.clone().unwrap_or_default(),
                spot,
                commit: None,
            }));
        })
    })
}

/// Ids and paths of the blobs that are staged.
fn staged() -> Result<Vec<(String, PathBuf)>, GitError> {
    let last_commit = match answer_line("rev-parse", &["--verify", "--quiet", "HEAD^{commit}"]) {
        Ok(commit) => commit,
        // Before the first commit everything is new: compared with the empty tree.
        Err(GitError::Failed { .. }) => answer_line("hash-object", &["-t", "tree", "--stdin"])?,
        Err(other) => return Err(other),
    };
    let changes = answer(
        "diff-index",
        &[
            "--cached",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--diff-filter=ACMT",
            &last_commit,
            "--",
        ],
    )?;
    let mut parts = changes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    let mut staged = Vec::new();
    while let (Some(raw), Some(path)) = (parts.next(), parts.next()) {
        staged.extend(new_blob(raw).map(|id| (id.to_owned(), path_of(path))));
    }
    Ok(staged)
}
