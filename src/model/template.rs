//! Templates: what the form that creates a key may begin with. A key keeps nothing of its template.

use serde::{Deserialize, Serialize};

use super::id::{ProjectId, TemplateId};
use super::key::Environment;
use super::project::{Project, ProjectChoice};
use super::restriction::Restrictions;
use super::scope::ScopeSet;
use super::scope_group::{GroupPreset, taken_of_all};
use super::time::Timestamp;

/// The most templates one organisation keeps.
pub const TEMPLATES_MAX: usize = 100;
/// The lifetimes a template may give: one that is a date would soon be over.
pub const EXPIRIES: [(&str, &str); 6] = [
    ("none", "Never"),
    ("7", "7 days"),
    ("30", "30 days"),
    ("60", "60 days"),
    ("90", "90 days"),
    ("365", "365 days"),
];

/// A template; what is `None` or empty leaves the form as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTemplate {
    pub id: TemplateId,
    pub name: String,
    pub description: String,
    pub project: Option<ProjectId>,
    pub environment: Option<Environment>,
    /// What is taken of every group of the project's scopes; `None` takes nothing but `scopes`.
    pub preset: GroupPreset,
    pub scopes: ScopeSet,
    /// Without a first day: a template outlives every date.
    pub restrictions: Restrictions,
    /// One of `EXPIRIES`.
    pub expiry: String,
    pub rotation_days: Option<i64>,
    /// Rises with each edit, so that two people editing at once do not overwrite each other unseen.
    pub version: i64,
}

/// A template in the choice above the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateChoice {
    pub id: TemplateId,
    pub name: String,
    pub description: String,
}

/// All that the page of templates shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateList {
    pub templates: Vec<KeyTemplate>,
    pub projects: Vec<ProjectChoice>,
    pub may_manage: bool,
}

/// What the form for a template offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateForm {
    pub now: Timestamp,
    /// None for a new one.
    pub template: Option<KeyTemplate>,
    pub projects: Vec<ProjectChoice>,
    pub zones: Vec<String>,
    /// Whether this installation can tell countries.
    pub country_database: bool,
}

/// A template as an organisation has it from its beginning on.
pub struct Starter {
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub environment: Option<Environment>,
    pub preset: GroupPreset,
    pub scopes: &'static str,
    pub expiry: &'static str,
}

/// The same four in every organisation, under the same ids: a link may name one. The migration that made the table gave
/// them to the organisations there were.
pub const STARTERS: [Starter; 4] = [
    Starter {
        id: "tpl_FullAccess00",
        name: "Full access",
        description: "Everything in the project, also what is added to it later. For a while only.",
        environment: None,
        preset: GroupPreset::None,
        scopes: "*",
        expiry: "30",
    },
    Starter {
        id: "tpl_ReadOnly0000",
        name: "Read-only",
        description: "Looks at everything that is not sensitive and changes nothing.",
        environment: None,
        preset: GroupPreset::Read,
        scopes: "",
        expiry: "90",
    },
    Starter {
        id: "tpl_Pipeline0000",
        name: "CI",
        description: "Builds and tests in a pipeline, on test only.",
        environment: Some(Environment::Test),
        preset: GroupPreset::Write,
        scopes: "",
        expiry: "90",
    },
    Starter {
        id: "tpl_Analytics000",
        name: "Analytics",
        description: "Reports and dashboards over live data.",
        environment: Some(Environment::Live),
        preset: GroupPreset::Read,
        scopes: "",
        expiry: "365",
    },
];

/// What a template asks for of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    pub scopes: Vec<String>,
    /// Scopes the template names that the project does not list.
    pub unlisted: Vec<String>,
}

impl KeyTemplate {
    /// The scopes of the template in this project: what its preset takes, and what it names as far as the project lists
    /// it. A wildcard stands for whatever there is.
    #[must_use]
    pub fn granted(&self, project: &Project) -> Granted {
        let mut granted = Granted::default();
        let taken = taken_of_all(&project.scopes, self.preset);
        granted.scopes.extend(taken.into_iter().map(str::to_owned));
        for scope in self.scopes.iter() {
            let is_listed =
                scope.is_wildcard() || project.scopes.iter().any(|entry| entry.name == scope.as_str());
            let to = if is_listed {
                &mut granted.scopes
            } else {
                &mut granted.unlisted
            };
            if !to.iter().any(|known| known == scope.as_str()) {
                to.push(scope.to_string());
            }
        }
        granted
    }

    /// What it fills in, a few words each.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        match self.preset {
            GroupPreset::Read => words.push("reads everything that is not sensitive".to_owned()),
            GroupPreset::Write => words.push("reads and writes everything that is not sensitive".to_owned()),
            GroupPreset::None | GroupPreset::Custom => {}
        }
        words.extend(self.scopes.iter().map(ToString::to_string));
        words.extend(
            self.environment
                .map(|environment| format!("on {}", environment.as_str())),
        );
        let expiry = EXPIRIES.iter().find(|(value, _)| *value == self.expiry);
        words.extend(expiry.map(|(value, label)| match *value {
            "none" => "never expires".to_owned(),
            _ => format!("for {label}"),
        }));
        words.extend(
            self.rotation_days
                .map(|days| format!("rotated every {days} days")),
        );
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::project::CatalogueScope;

    fn template(preset: GroupPreset, scopes: &str) -> KeyTemplate {
        KeyTemplate {
            id: "tpl_0123456789AB".parse().unwrap(),
            name: "T".to_owned(),
            description: String::new(),
            project: None,
            environment: None,
            preset,
            scopes: ScopeSet::from_stored(scopes).unwrap(),
            restrictions: Restrictions::default(),
            expiry: "90".to_owned(),
            rotation_days: None,
            version: 1,
        }
    }

    fn project() -> Project {
        let scope = |name: &str, sensitive| CatalogueScope {
            name: name.to_owned(),
            description: String::new(),
            sensitive,
        };
        Project {
            scopes: vec![
                scope("images:read", false),
                scope("images:write", false),
                scope("people:read", true),
            ],
            ..Project::sample()
        }
    }

    #[test]
    fn a_preset_takes_what_the_project_has_and_names_are_kept_as_far_as_it_lists_them() {
        let granted = |preset, scopes| template(preset, scopes).granted(&project());
        assert_eq!(granted(GroupPreset::Read, "").scopes, ["images:read"]);
        assert_eq!(
            granted(GroupPreset::Write, "images:read people:read").scopes,
            ["images:read", "images:write", "people:read"],
            "sensitive only by name"
        );
        let foreign = granted(GroupPreset::None, "* payments:* payments:read");
        assert_eq!(foreign.scopes, ["*", "payments:*"]);
        assert_eq!(foreign.unlisted, ["payments:read"]);
    }

    #[test]
    fn the_starters_are_what_a_template_can_be() {
        for starter in STARTERS {
            assert!(starter.id.parse::<TemplateId>().is_ok(), "{}", starter.id);
            assert!(ScopeSet::from_stored(starter.scopes).is_ok());
            assert!(EXPIRIES.iter().any(|(value, _)| *value == starter.expiry));
            assert_ne!(starter.preset, GroupPreset::Custom);
        }
    }
}
