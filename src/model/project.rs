//! Projects and their scope catalogues.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::form::FormValues;
use super::id::ProjectId;
use super::import_format::ImportFormat;
use super::key_text::{RESERVED_PREFIXES, is_prefix};
use super::resource::CatalogueResource;
use super::scope::{SCOPES_MAX, is_concrete};
use super::text::{self, NAME_MAX};
use super::time::Timestamp;

/// One entry of a project's catalogue: what a key of it may be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueScope {
    pub name: String,
    pub description: String,
    pub sensitive: bool,
}

/// What a project offers until somebody says otherwise.
#[must_use]
pub fn starter_scopes() -> Vec<CatalogueScope> {
    let scope = |name: &str, description: &str| CatalogueScope {
        name: name.to_owned(),
        description: description.to_owned(),
        sensitive: false,
    };
    vec![
        scope("read", "Read everything in the project"),
        scope("write", "Create, change and delete"),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectStatus {
    Active,
    Archived,
}

impl ProjectStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Archived]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub slug: String,
    pub prefix: String,
    pub status: ProjectStatus,
    pub scopes: Vec<CatalogueScope>,
    /// What keys look like that somebody else made.
    #[serde(default)]
    pub formats: Vec<ImportFormat>,
    /// What resource patterns of its keys are explained against.
    pub resources: Vec<CatalogueResource>,
    /// Rises with each edit, so that two people editing at once do not overwrite each other unseen.
    pub version: i64,
    pub created_at: Timestamp,
}

impl Project {
    /// The names of scopes that do harm.
    pub fn sensitive_scopes(&self) -> impl Iterator<Item = &str> {
        let sensitive = self.scopes.iter().filter(|scope| scope.sensitive);
        sensitive.map(|scope| scope.name.as_str())
    }
}

#[cfg(test)]
impl Project {
    /// One that tests change where they need to.
    pub fn sample() -> Self {
        Self {
            id: "prj_0123456789AB".parse().unwrap(),
            name: "Image API".to_owned(),
            slug: "image-api".to_owned(),
            prefix: "acme".to_owned(),
            status: ProjectStatus::Active,
            scopes: starter_scopes(),
            formats: Vec::new(),
            resources: Vec::new(),
            version: 1,
            created_at: Timestamp::from_ms(0),
        }
    }
}

/// A project in the list of projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectSummary {
    pub id: ProjectId,
    pub name: String,
    pub slug: String,
    pub prefix: String,
    pub status: ProjectStatus,
    pub scope_count: i64,
    /// Keys that are not revoked.
    pub key_count: i64,
    pub created_at: Timestamp,
}

/// A project to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectChoice {
    pub id: ProjectId,
    pub name: String,
    pub status: ProjectStatus,
}

/// A project's name, checked: it must leave a slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectName {
    pub shown: String,
    pub folded: String,
    pub slug: String,
}

impl ProjectName {
    pub fn parse(field: &'static str, raw: &str) -> Result<Self, FieldError> {
        let shown = text::line(field, "The project name", raw, 1, NAME_MAX)?;
        let slug = text::slug(&shown);
        if slug.is_empty() {
            let message =
                "The project name needs at least one letter a–z or digit, for its short name in commands.";
            return Err(FieldError::new(field, "slug", message));
        }
        Ok(Self {
            folded: text::folded(&shown),
            shown,
            slug,
        })
    }
}

/// A key prefix, checked against the key format and what is reserved.
pub fn parse_prefix(field: &'static str, raw: &str) -> Result<String, FieldError> {
    let text = raw.trim();
    if RESERVED_PREFIXES.contains(&text) {
        let message = format!("“{text}” is reserved for other kinds of token. Choose another prefix.");
        return Err(FieldError::new(field, "reserved", message));
    }
    if !is_prefix(text) {
        let message = "The key prefix is 2 to 16 lower-case letters a–z or digits, for example “acme”.";
        return Err(FieldError::new(field, "prefix", message));
    }
    Ok(text.to_owned())
}

/// Reads the catalogue of a form: rows `scope_name`, `scope_description`, and `scope_sensitive` naming a row's index.
/// Rows without a name are dropped; all mistakes are reported against `scopes`.
pub fn parse_catalogue(values: &FormValues) -> Result<Vec<CatalogueScope>, FieldError> {
    let descriptions = values.all("scope_description");
    let sensitive = values.all("scope_sensitive");
    let mut scopes: Vec<CatalogueScope> = Vec::new();
    for (index, raw) in values.all("scope_name").iter().enumerate() {
        let name = raw.trim();
        if name.is_empty() {
            continue;
        }
        if scopes.len() == SCOPES_MAX {
            return Err(FieldError::new(
                "scopes",
                "too_many",
                format!("A catalogue holds at most {SCOPES_MAX} scopes."),
            ));
        }
        let description = descriptions.get(index).map_or("", String::as_str);
        let is_sensitive = sensitive.iter().any(|row| row.parse() == Ok(index));
        let scope = parse_catalogue_scope(name, description, is_sensitive)?;
        if scopes.iter().any(|known| known.name == scope.name) {
            return Err(FieldError::new(
                "scopes",
                "twice",
                format!("“{name}” is listed twice."),
            ));
        }
        scopes.push(scope);
    }
    if scopes.is_empty() {
        return Err(FieldError::new(
            "scopes",
            "required",
            "A project needs at least one scope, for example “read”.",
        ));
    }
    Ok(scopes)
}

/// One checked entry; the name must be a concrete scope.
pub fn parse_catalogue_scope(
    name: &str,
    description: &str,
    sensitive: bool,
) -> Result<CatalogueScope, FieldError> {
    if !is_concrete(name) {
        let shown = text::shown(name, 60);
        let message = format!(
            "“{shown}” is not a scope name. Use up to four parts of a–z, 0–9, “_”, “.” or “-” joined by colons, such as images:read."
        );
        return Err(FieldError::new("scopes", "scope_syntax", message));
    }
    let description = text::line("scopes", "The description", description, 0, NAME_MAX)?;
    Ok(CatalogueScope {
        name: name.to_owned(),
        description,
        sensitive,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> FormValues {
        FormValues::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn a_catalogue_drops_empty_rows_and_keeps_marks_with_their_row() {
        let form = values(&[
            ("scope_name", "read"),
            ("scope_name", ""),
            ("scope_name", "admin"),
            ("scope_description", "Look"),
            ("scope_description", ""),
            ("scope_description", "All"),
            ("scope_sensitive", "2"),
        ]);
        let scopes = parse_catalogue(&form).unwrap();
        assert_eq!(scopes.len(), 2);
        assert!(scopes[1].sensitive && scopes[1].name == "admin" && scopes[1].description == "All");
        assert!(!scopes[0].sensitive);
    }

    #[test]
    fn a_catalogue_refuses_wildcards_doubles_and_nothing() {
        assert_eq!(
            parse_catalogue(&values(&[("scope_name", "a:*")]))
                .unwrap_err()
                .code,
            "scope_syntax"
        );
        assert_eq!(
            parse_catalogue(&values(&[("scope_name", "a"), ("scope_name", "a")]))
                .unwrap_err()
                .code,
            "twice"
        );
        assert_eq!(parse_catalogue(&values(&[])).unwrap_err().code, "required");
    }

    #[test]
    fn a_reserved_prefix_is_named_as_such() {
        assert_eq!(parse_prefix("prefix", "kwt").unwrap_err().code, "reserved");
        assert_eq!(parse_prefix("prefix", "Acme").unwrap_err().code, "prefix");
        assert_eq!(parse_prefix("prefix", " acme ").unwrap(), "acme");
    }
}
