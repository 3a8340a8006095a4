//! Files and folders, by several threads.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::window::Scanner;
use super::{Finding, Report, Trouble};
use crate::model::import_format::ImportFormat;

/// Looks at the named files, and at all files below the named folders.
///
/// Links inside folders are not followed, and `.git` folders and what is no file are passed over. Unless `everything` is
/// asked for, what a `.gitignore` names is passed over too: of the folder, of folders in it, and, within a git
/// repository, of those above up to its top. The ignore files of a person or a clone do not count, so that everybody
/// finds the same. A file that vanishes meanwhile is none; a named path that is not there is trouble.
#[must_use]
pub fn scan(paths: &[PathBuf], everything: bool, formats: &Arc<[ImportFormat]>) -> Report {
    let report = Mutex::new(Report::on(formats));
    let (mut in_repositories, mut elsewhere) = (Vec::new(), Vec::new());
    for path in paths {
        match root(path) {
            Ok(root) if is_in_repository(path) => in_repositories.push(root),
            Ok(root) => elsewhere.push(root),
            Err(error) => with(&report, |report| report.troubles.push(unreadable(path, &error))),
        }
    }
    walk(in_repositories, everything, true, &report);
    walk(elsewhere, everything, false, &report);
    report
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .in_order()
}

/// What the walk begins with. Errors: not there, or neither a file nor a folder, which might never end.
fn root(path: &Path) -> io::Result<PathBuf> {
    let kind = fs::metadata(path)?;
    if kind.is_dir() {
        // With a slash at its end a link that somebody named is the folder it leads to.
        return Ok(path.join(""));
    }
    if !kind.is_file() {
        return Err(io::Error::other("neither a file nor a folder"));
    }
    // To the walk a lone hyphen is standard input.
    Ok(if path == Path::new("-") {
        PathBuf::from("./-")
    } else {
        path.to_owned()
    })
}

fn is_in_repository(path: &Path) -> bool {
    path.canonicalize()
        .is_ok_and(|path| path.ancestors().any(|above| above.join(".git").exists()))
}

fn walk(roots: Vec<PathBuf>, everything: bool, look_above: bool, report: &Mutex<Report>) {
    let Some((first, others)) = roots.split_first() else {
        return;
    };
    let mut builder = WalkBuilder::new(first);
    for other in others {
        builder.add(other);
    }
    builder
        .standard_filters(false)
        .git_ignore(!everything)
        .parents(!everything && look_above)
        // The crate knows where a repository ends only if it must be one.
        .require_git(look_above)
        .filter_entry(|entry| !is_git_folder(entry));
    let mut formats = Arc::default();
    with(report, |report| formats = Arc::clone(&report.formats));
    builder.build_parallel().run(|| {
        let mut scanner = Scanner::new(&formats);
        Box::new(move |entry| {
            match entry {
                Ok(entry) if entry.depth() == 0 && entry.path().is_dir() => {}
                Ok(entry) if entry.depth() == 0 || is_file(&entry) => {
                    look_at(&mut scanner, entry.path(), entry.depth(), report);
                }
                Ok(_) => {}
                Err(error) if has_vanished(&error) => {}
                Err(error) => with(report, |report| {
                    report
                        .troubles
                        .push(Trouble::new("unreadable", error.to_string()));
                }),
            }
            WalkState::Continue
        })
    });
}

fn is_git_folder(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name() == ".git" && entry.file_type().is_some_and(|kind| kind.is_dir())
}

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

fn has_vanished(error: &ignore::Error) -> bool {
    error
        .io_error()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn look_at(scanner: &mut Scanner, path: &Path, depth: usize, report: &Mutex<Report>) {
    let mut findings = Vec::new();
    let shown = path.strip_prefix(".").unwrap_or(path);
    let outcome = File::open(path).and_then(|file| {
        scanner.scan(file, |spot| {
            findings.push(Finding {
                path: shown.to_owned(),
                spot,
                commit: None,
            });
        })
    });
    with(report, |report| {
        report.findings.append(&mut findings);
        match outcome {
            Ok(bytes) => {
                report.scanned_files += 1;
                report.scanned_bytes += bytes;
            }
            Err(error) if depth > 0 && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => report.troubles.push(unreadable(shown, &error)),
        }
    });
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new("unreadable", format!("{}: {error}", path.display()))
}

/// A thread that panicked left a report that is still good.
fn with(report: &Mutex<Report>, change: impl FnOnce(&mut Report)) {
    change(&mut report.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
}
