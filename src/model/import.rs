//! What is told of an import before and after it happens.

use serde::{Deserialize, Serialize};

use super::id::ProjectId;
use super::import_format::ImportFormat;
use super::time::{MINUTE_MS, Timestamp};

/// Largest file that a browser may send, and most rows in it; the command line takes any.
pub const FILE_MAX_BYTES: usize = 5 * 1_024 * 1_024;
pub const ROWS_MAX: u64 = 10_000;
/// Mistakes that are told one by one.
pub const MISTAKES_SHOWN: usize = 50;
/// A checked file waits so long to be imported.
pub const UPLOAD_MS: i64 = 15 * MINUTE_MS;

/// Columns of a file, with what stands in them.
pub const COLUMNS: [(&str, &str); 21] = [
    (
        "digest",
        "SHA-256 or SHA-512 of the whole key, in hexadecimal or base64",
    ),
    (
        "algorithm",
        "sha256 or sha512; may be left out while the project’s formats all have one",
    ),
    (
        "format",
        "the prefix of the format; needed only where several have the algorithm",
    ),
    ("name", "unique among the project’s keys of the environment"),
    ("environment", "live or test"),
    ("owner", "e-mail address of a member, or team:label; empty: you"),
    ("scopes", "separated by spaces, each in the project’s catalogue"),
    ("expires", "last valid day as YYYY-MM-DD; empty: never"),
    ("purpose", "optional"),
    ("not_before", "first valid day as YYYY-MM-DD, optional"),
    ("ip_allow", "addresses or networks, separated by spaces"),
    ("ip_deny", "the same"),
    ("country_allow", "two letters of countries, separated by spaces"),
    ("country_deny", "the same"),
    ("resource_allow", "patterns, separated by spaces"),
    ("resource_deny", "the same"),
    ("hours_days", "mon to sun, separated by spaces"),
    ("hours_from", "HH:MM"),
    ("hours_to", "HH:MM"),
    ("hours_zone", "a place such as Europe/Berlin"),
    (
        "rotation_days",
        "days between rotations; empty: as the environment has it",
    ),
];

/// One thing that is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// Line of the file, from 1, headings included.
    pub line: u64,
    /// Empty when it concerns the row as a whole.
    pub column: String,
    /// In a word that programs may rely on.
    pub code: String,
    pub message: String,
}

/// What a file holds, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSummary {
    pub rows: u64,
    pub good: u64,
    pub live: u64,
    pub test: u64,
    /// The first of them.
    pub mistakes: Vec<Mistake>,
    /// Rows with at least one.
    pub bad: u64,
    /// All of them, those that are not told one by one too.
    pub mistakes_in_all: u64,
}

impl ImportSummary {
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        self.bad == 0 && self.rows > 0
    }
}

/// A file that was checked and waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedUpload {
    pub file_name: String,
    pub project_name: String,
    pub summary: ImportSummary,
    /// Until when it waits.
    pub until: Timestamp,
}

/// A project that keys can be imported into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTarget {
    pub id: ProjectId,
    pub name: String,
    pub formats: Vec<ImportFormat>,
}

/// What the page of imports offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportForm {
    pub now: Timestamp,
    /// Those that declare a format; and how many do not.
    pub targets: Vec<ImportTarget>,
    pub others: usize,
    pub may_declare: bool,
    /// The file that the address names, if it waits for whoever asks.
    pub upload: Option<CheckedUpload>,
}
