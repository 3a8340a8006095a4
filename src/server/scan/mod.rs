//! Finds our keys and tokens in files and in git, offline: by their form and their checksum, whatever the project's
//! prefix.
//!
//! A leaf: it knows the model and nothing else of ours, hence no database, no settings and no network. `cli` alone
//! calls it. [`tree`] and [`git`] bring bytes, [`window`] cuts them into pieces, [`sighting`] decides, [`report`] and
//! [`sarif`] tell, [`rules`] teaches other scanners.
//!
//! Nothing here keeps a secret longer than the piece it stands in: a [`Finding`] has its place and its public id.

pub mod git;
pub mod report;
pub mod rules;
pub mod sarif;
pub mod sighting;
pub mod tree;
mod utf16;
pub mod window;

use std::path::PathBuf;
use std::sync::Arc;

use self::window::Spot;
use crate::model::import_format::ImportFormat;

/// Where a credential stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// As named on the command line and below it; in git from the top of the repository.
    pub path: PathBuf,
    pub spot: Spot,
    /// In a history: the commit that brought it.
    pub commit: Option<String>,
}

/// What could not be looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// For programs: `unreadable`, `git`, `not_a_repository` or `shallow`.
    pub code: &'static str,
    pub detail: String,
}

impl Trouble {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// What a scan saw. Trouble does not end it: the rest is looked at all the same.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is looked for beside our own.
    pub formats: Arc<[ImportFormat]>,
    pub findings: Vec<Finding>,
    /// Files, or blobs of git, read to their end.
    pub scanned_files: u64,
    pub scanned_bytes: u64,
    pub troubles: Vec<Trouble>,
}

impl Report {
    fn on(formats: &Arc<[ImportFormat]>) -> Self {
        Self {
            formats: Arc::clone(formats),
            ..Self::default()
        }
    }

    /// Threads and git bring findings in any order; who reads them twice wants the same order twice.
    fn in_order(mut self) -> Self {
        self.findings.sort();
        self.findings.dedup();
        self.troubles.sort();
        self.troubles.dedup();
        self
    }
}
