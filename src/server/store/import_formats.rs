//! What projects declare of keys that somebody else made.

use std::collections::HashMap;

use super::db::{Tx, on};
use super::error::StoreError;
use super::row::RowPlace;
use super::statements;
use crate::model::actor::OrgScope;
use crate::model::id::ProjectId;
use crate::model::import_format::{Alphabet, DigestAlgorithm, ImportFormat};
use crate::model::time::Timestamp;

/// The columns of a format, named apart from whatever it is joined to.
macro_rules! format_columns {
    () => {
        "f.id AS format_id, f.project_id AS format_project_id, f.prefix AS format_prefix, f.alphabet, f.length_min, f.length_max, f.algorithm"
    };
}
pub(super) use format_columns;

statements! {
    LIST = concat!("SELECT ", format_columns!(), " FROM import_formats f WHERE f.project_id = $1 ORDER BY f.place, f.id");
    LIST_ACTIVE = concat!("SELECT ", format_columns!(), " FROM import_formats f JOIN projects p ON p.id = f.project_id
        WHERE p.org_id = $1 AND p.status = 'active' ORDER BY f.project_id, f.place, f.id");
    LIST_ALL = concat!("SELECT ", format_columns!(), " FROM import_formats f ORDER BY f.project_id, f.place, f.id");
    INSERT = "INSERT INTO import_formats (id, project_id, place, prefix, alphabet, length_min, length_max, algorithm)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    SET_LENGTHS = "UPDATE import_formats SET place = $3, length_min = $4, length_max = $5 WHERE project_id = $1 AND id = $2";
    DELETE = "DELETE FROM import_formats WHERE project_id = $1 AND id = $2";
    /// Keys that can still be presented by a text of the format.
    COUNT_IN_USE = "SELECT COUNT(*) FROM import_digests d JOIN api_keys k ON k.id = d.key_id
        JOIN key_secrets s ON s.key_id = d.key_id AND s.hash = d.hash
        WHERE d.format_id = $1 AND k.status <> 'revoked' AND (s.expires_at_ms IS NULL OR s.expires_at_ms > $2)";
}

/// A format as it is stored; all absent where it was joined and there is none.
#[derive(sqlx::FromRow)]
pub(super) struct FormatRow {
    format_id: Option<String>,
    format_project_id: Option<String>,
    format_prefix: Option<String>,
    alphabet: Option<String>,
    length_min: Option<i64>,
    length_max: Option<i64>,
    algorithm: Option<String>,
}

impl FormatRow {
    /// The format and its project; `None` where there is none.
    pub(super) fn into_format(self) -> Result<Option<(ProjectId, ImportFormat)>, StoreError> {
        let Some(id) = self.format_id else {
            return Ok(None);
        };
        let place = RowPlace {
            table: "import_formats",
            id: &id,
        };
        let length = |at: Option<i64>| at.and_then(|at| usize::try_from(at).ok());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let alphabet = Alphabet::parse(&text(&self.alphabet));
        let algorithm = DigestAlgorithm::parse(&text(&self.algorithm));
        let project = place.parsed("project_id", &text(&self.format_project_id))?;
        let format = ImportFormat {
            prefix: text(&self.format_prefix),
            alphabet: place.required("alphabet", alphabet)?,
            min: place.required("length_min", length(self.length_min))?,
            max: place.required("length_max", length(self.length_max))?,
            algorithm: place.required("algorithm", algorithm)?,
            id: id.clone(),
        };
        Ok(Some((project, format)))
    }
}

fn formats(rows: Vec<FormatRow>) -> Result<Vec<(ProjectId, ImportFormat)>, StoreError> {
    rows.into_iter()
        .filter_map(|row| row.into_format().transpose())
        .collect()
}

/// Those of one project, in their order. Its tenant was checked before.
pub async fn list(tx: &mut Tx, project: &ProjectId) -> Result<Vec<ImportFormat>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(LIST).bind(project.as_str()).fetch_all(c).await)?;
    Ok(formats(rows)?.into_iter().map(|(_, format)| format).collect())
}

/// Those of an organisation's projects in use.
pub async fn list_active(
    tx: &mut Tx,
    scope: &OrgScope,
) -> Result<HashMap<ProjectId, Vec<ImportFormat>>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(LIST_ACTIVE).bind(scope.org_id().as_str()).fetch_all(c).await)?;
    Ok(grouped(formats(rows)?))
}

/// Those of every project of the installation.
pub async fn list_all(tx: &mut Tx) -> Result<HashMap<ProjectId, Vec<ImportFormat>>, StoreError> {
    let rows = on!(tx, c => sqlx::query_as(LIST_ALL).fetch_all(c).await)?;
    Ok(grouped(formats(rows)?))
}

fn grouped(all: Vec<(ProjectId, ImportFormat)>) -> HashMap<ProjectId, Vec<ImportFormat>> {
    let mut by_project: HashMap<ProjectId, Vec<ImportFormat>> = HashMap::new();
    for (project, format) in all {
        by_project.entry(project).or_default().push(format);
    }
    by_project
}

fn stored(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

pub async fn insert(
    tx: &mut Tx,
    project: &ProjectId,
    format: &ImportFormat,
    place: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(INSERT).bind(&format.id).bind(project.as_str()).bind(place).bind(&format.prefix)
        .bind(format.alphabet.as_str()).bind(stored(format.min)).bind(stored(format.max)).bind(format.algorithm.as_str())
        .execute(c).await.map(drop))
}

/// Place and lengths are all that changes of a format.
pub async fn set_lengths(
    tx: &mut Tx,
    project: &ProjectId,
    format: &ImportFormat,
    place: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_LENGTHS).bind(project.as_str()).bind(&format.id).bind(place).bind(stored(format.min))
        .bind(stored(format.max)).execute(c).await.map(drop))
}

pub async fn delete(tx: &mut Tx, project: &ProjectId, id: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELETE).bind(project.as_str()).bind(id).execute(c).await.map(drop))
}

pub async fn count_in_use(tx: &mut Tx, id: &str, now: Timestamp) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_IN_USE).bind(id).bind(now.ms()).fetch_one(c).await)
}
