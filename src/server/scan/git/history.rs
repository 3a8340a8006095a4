//! Every blob that a branch, a tag, a stash or HEAD reaches, each once.
//!
//! Two passes: the first reads all blobs and keeps the ids of those with a finding; the second asks which commit brought
//! these, and under which path. So memory does not grow with the history.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use super::{GitError, Running, answer_line, blobs, new_blob, path_of};
use crate::model::import_format::ImportFormat;
use crate::server::scan::window::Spot;
use crate::server::scan::{Finding, Report, Trouble};

/// A clone without its whole history is looked at as far as it goes, and is trouble: it cannot say that there is nothing.
#[must_use]
pub fn scan(formats: &Arc<[ImportFormat]>) -> Report {
    let mut report = Report::on(formats);
    let mut found = HashMap::new();
    if let Err(error) = read_all(&mut report, &mut found) {
        report.troubles.push(error.into());
    }
    let origins = origins(&found).unwrap_or_else(|error| {
        report.troubles.push(error.into());
        HashMap::new()
    });
    for (id, spots) in found {
        let (path, commit) = match origins.get(&id) {
            Some((path, commit)) => (path.clone(), Some(commit.clone())),
            // A tag may point to a blob that no commit holds.
            None => (PathBuf::from(&id), None),
        };
        report.findings.extend(spots.into_iter().map(|spot| Finding {
            path: path.clone(),
            spot,
            commit: commit.clone(),
        }));
    }
    report.in_order()
}

fn read_all(report: &mut Report, found: &mut HashMap<String, Vec<Spot>>) -> Result<(), GitError> {
    if answer_line("rev-parse", &["--is-shallow-repository"])? == "true" {
        report.troubles.push(Trouble::new(
            "shallow",
            "this clone lacks the older part of its history: git fetch --unshallow",
        ));
    }
    let mut list = Running::start(
        "rev-list",
        &[
            "--objects",
            "--no-object-names",
            "--filter=object:type=blob",
            "--filter-provided-objects",
            // As `?` and an id, on which cat-file then says that it is missing: the rest is looked at.
            "--missing=print",
            "--all",
            "--",
        ],
        Stdio::null(),
    )?;
    let ids = Stdio::from(list.output()?);
    let read = blobs::scan(ids, report, |_, _, id, spots| {
        if !spots.is_empty() {
            found.insert(id.to_owned(), spots);
        }
    });
    list.finish().and(read)
}

/// Where each of these blobs came in first: path and commit.
fn origins(found: &HashMap<String, Vec<Spot>>) -> Result<HashMap<String, (PathBuf, String)>, GitError> {
    let mut origins = HashMap::new();
    if found.is_empty() {
        return Ok(origins);
    }
    let mut list = Running::start(
        "rev-list",
        &["--all", "--topo-order", "--reverse", "--"],
        Stdio::null(),
    )?;
    let commits = Stdio::from(list.output()?);
    // `-m`: a merge may bring what none of its parents has.
    let arguments = [
        "--stdin",
        "-r",
        "-m",
        "--root",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
    ];
    let mut differences = Running::start("diff-tree", &arguments, commits)?;
    let mut parts = BufReader::new(differences.output()?).split(0);
    let mut commit = String::new();
    while let Some(part) = parts.next() {
        let part = part.map_err(|error| differences.broke_off(error))?;
        if !part.starts_with(b":") {
            commit = String::from_utf8_lossy(&part).into_owned();
            continue;
        }
        let path = parts.next().transpose();
        let path = path.map_err(|error| differences.broke_off(error))?;
        if let Some(id) = new_blob(&part).filter(|id| found.contains_key(*id)) {
            let origin = || (path_of(path.as_deref().unwrap_or_default()), commit.clone());
            origins.entry(id.to_owned()).or_insert_with(origin);
        }
    }
    list.finish().and(differences.finish())?;
    Ok(origins)
}
