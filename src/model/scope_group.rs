//! Scopes by what they are about: everything before the last part of the name. Each group can be taken whole by a preset.
//!
//! What a preset takes is decided here and nowhere else: the form says it with these functions, and the server expands
//! what was sent with them.

use serde::{Deserialize, Serialize};

use super::form::FormValues;
use super::id::ProjectId;
use super::project::{CatalogueScope, Project};

/// Last parts of scopes that look without changing anything. Whatever is not here counts as writing: what is taken for
/// more than it is does less harm than the other way round.
pub const READING: [&str; 12] = [
    "read", "readonly", "get", "list", "view", "search", "query", "export", "download", "describe", "status",
    "watch",
];
/// Catalogues up to this size show every scope at once.
const SMALL_CATALOGUE: usize = 8;

/// What is taken of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPreset {
    None,
    /// What looks and is not sensitive.
    Read,
    /// Everything that is not sensitive.
    Write,
    /// What is ticked one by one.
    Custom,
}

impl GroupPreset {
    pub const ALL: [Self; 4] = [Self::None, Self::Read, Self::Write, Self::Custom];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Custom => "custom",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Custom => "Custom",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }
}

/// Everything before the last part of a scope's name; empty for a name of one part.
#[must_use]
pub fn group_of(scope: &str) -> &str {
    scope.rsplit_once(':').map_or("", |(group, _)| group)
}

/// Whether the name of a scope says that it changes nothing.
#[must_use]
pub fn is_reading(scope: &str) -> bool {
    let last = scope.rsplit(':').next().unwrap_or(scope);
    READING.contains(&last)
}

/// Scopes of one catalogue that are about the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeGroup<'a> {
    /// What comes before the last part; empty for scopes of one part.
    pub name: &'a str,
    pub scopes: Vec<&'a CatalogueScope>,
}

/// The groups of a catalogue, in the order in which each occurs first.
#[must_use]
pub fn groups(catalogue: &[CatalogueScope]) -> Vec<ScopeGroup<'_>> {
    let mut groups: Vec<ScopeGroup<'_>> = Vec::new();
    for scope in catalogue {
        let name = group_of(&scope.name);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.scopes.push(scope),
            None => groups.push(ScopeGroup {
                name,
                scopes: vec![scope],
            }),
        }
    }
    groups
}

impl<'a> ScopeGroup<'a> {
    /// What a preset takes. Never what is sensitive: that is ticked one by one.
    #[must_use]
    pub fn taken(&self, preset: GroupPreset) -> Vec<&'a str> {
        let takes = |scope: &CatalogueScope| match preset {
            GroupPreset::Read => !scope.sensitive && is_reading(&scope.name),
            GroupPreset::Write => !scope.sensitive,
            GroupPreset::None | GroupPreset::Custom => false,
        };
        let taken = self.scopes.iter().filter(|scope| takes(scope));
        taken.map(|scope| scope.name.as_str()).collect()
    }

    /// Whether choosing the preset would make a difference: to take something, and for writing more than reading does.
    #[must_use]
    pub fn offers(&self, preset: GroupPreset) -> bool {
        match preset {
            GroupPreset::None | GroupPreset::Custom => true,
            GroupPreset::Read => !self.taken(preset).is_empty(),
            GroupPreset::Write => self.taken(preset).len() > self.taken(GroupPreset::Read).len(),
        }
    }

    #[must_use]
    pub fn sensitive(&self) -> Vec<&'a str> {
        let sensitive = self.scopes.iter().filter(|scope| scope.sensitive);
        sensitive.map(|scope| scope.name.as_str()).collect()
    }

    /// The preset that stands for exactly what is held of the group.
    #[must_use]
    pub fn preset_of(&self, held: &[String]) -> GroupPreset {
        let mut own: Vec<&str> = self.scopes.iter().map(|scope| scope.name.as_str()).collect();
        own.retain(|name| held.iter().any(|one| one == name));
        if own.is_empty() {
            return GroupPreset::None;
        }
        let is = |preset: &GroupPreset| self.offers(*preset) && self.taken(*preset) == own;
        [GroupPreset::Read, GroupPreset::Write]
            .into_iter()
            .find(is)
            .unwrap_or(GroupPreset::Custom)
    }
}

/// What a group begins with in a form: in a small catalogue everything can be ticked at once.
#[must_use]
pub fn initial_preset(group: &ScopeGroup<'_>, held: &[String], catalogue_size: usize) -> GroupPreset {
    match group.preset_of(held) {
        GroupPreset::None if held.is_empty() && catalogue_size <= SMALL_CATALOGUE => GroupPreset::Custom,
        preset => preset,
    }
}

/// The name of the field that says what is taken of a group. With the project in it: every project's catalogue may be in
/// the same form.
#[must_use]
pub fn field_name(project: &ProjectId, group: &str) -> String {
    format!("grant:{project}:{group}")
}

/// Everything a preset takes of a whole catalogue.
#[must_use]
pub fn taken_of_all(catalogue: &[CatalogueScope], preset: GroupPreset) -> Vec<&str> {
    let all = groups(catalogue);
    all.iter().flat_map(|group| group.taken(preset)).collect()
}

/// The scopes that a sent form means. Of a group of the project that has a preset, what the preset takes; of every other,
/// what was ticked; and what was typed. What was ticked under a preset does not count: the form does not show it.
#[must_use]
pub fn chosen(values: &FormValues, project: Option<&Project>) -> Vec<String> {
    let catalogue = project.map_or(&[][..], |project| &project.scopes);
    let groups = groups(catalogue);
    let preset_of = |group: &str| {
        let sent = project.map(|project| values.first(&field_name(&project.id, group)).to_owned());
        let sent = sent.as_deref().and_then(GroupPreset::parse);
        sent.unwrap_or(GroupPreset::Custom)
    };
    let mut chosen: Vec<String> = Vec::new();
    for group in &groups {
        let taken = group.taken(preset_of(group.name));
        chosen.extend(taken.into_iter().map(str::to_owned));
    }
    let is_listed = |scope: &str| groups.iter().any(|group| group.name == group_of(scope));
    let counts = |scope: &&String| !is_listed(scope) || preset_of(group_of(scope)) == GroupPreset::Custom;
    chosen.extend(values.all("scopes").iter().filter(counts).cloned());
    let typed = values.first("other_scopes");
    chosen.extend(words(typed).map(str::to_owned));
    chosen
}

/// Scopes as they are typed: separated by spaces, commas or lines.
pub fn words(typed: &str) -> impl Iterator<Item = &str> {
    typed
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(names: &[&str]) -> Vec<CatalogueScope> {
        let scope = |name: &&str| CatalogueScope {
            name: name.trim_end_matches('!').to_owned(),
            description: String::new(),
            sensitive: name.ends_with('!'),
        };
        names.iter().map(scope).collect()
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_group_is_all_before_the_last_part() {
        let catalogue = catalogue(&["read", "images:read", "images:meta:read", "images:write", "admin"]);
        let groups = groups(&catalogue);
        let names: Vec<_> = groups
            .iter()
            .map(|group| (group.name, group.scopes.len()))
            .collect();
        assert_eq!(names, [("", 2), ("images", 2), ("images:meta", 1)]);
    }

    #[test]
    fn reading_is_told_by_the_last_part_and_writing_takes_it_along() {
        let catalogue = catalogue(&[
            "images:read",
            "images:list",
            "images:write",
            "images:reader",
            "images:delete!",
        ]);
        let group = &groups(&catalogue)[0];
        assert_eq!(group.taken(GroupPreset::Read), ["images:read", "images:list"]);
        assert_eq!(
            group.taken(GroupPreset::Write),
            ["images:read", "images:list", "images:write", "images:reader"]
        );
        assert!(group.taken(GroupPreset::None).is_empty() && group.taken(GroupPreset::Custom).is_empty());
        assert_eq!(group.sensitive(), ["images:delete"]);
    }

    #[test]
    fn no_preset_takes_what_is_sensitive() {
        let catalogue = catalogue(&["people:read!", "people:write!", "people:list"]);
        let group = &groups(&catalogue)[0];
        assert_eq!(group.taken(GroupPreset::Read), ["people:list"]);
        assert_eq!(group.taken(GroupPreset::Write), ["people:list"]);
        assert!(!group.offers(GroupPreset::Write), "it would be the same as Read");
        assert_eq!(taken_of_all(&catalogue, GroupPreset::Write), ["people:list"]);
    }

    #[test]
    fn what_is_held_is_the_preset_that_takes_exactly_it() {
        let catalogue = catalogue(&["a:read", "a:write", "a:delete!"]);
        let group = &groups(&catalogue)[0];
        for (held, preset) in [
            (vec![], GroupPreset::None),
            (vec!["a:read"], GroupPreset::Read),
            (vec!["a:write", "a:read"], GroupPreset::Write),
            (vec!["a:write"], GroupPreset::Custom),
            (vec!["a:read", "a:delete"], GroupPreset::Custom),
            (vec!["b:read"], GroupPreset::None),
        ] {
            assert_eq!(group.preset_of(&owned(&held)), preset, "{held:?}");
        }
        assert_eq!(initial_preset(group, &[], 3), GroupPreset::Custom);
        assert_eq!(initial_preset(group, &[], 40), GroupPreset::None);
        assert_eq!(initial_preset(group, &owned(&["b:read"]), 3), GroupPreset::None);
    }

    #[test]
    fn of_a_sent_form_presets_come_before_ticks_and_only_the_project_s_own_count() {
        let project = Project {
            scopes: catalogue(&[
                "read",
                "images:read",
                "images:write",
                "images:delete!",
                "jobs:run",
            ]),
            ..Project::sample()
        };
        let other = "grant:prj_zzzzzzzzzzzz:jobs";
        let own = |group: &str| field_name(&project.id, group);
        let values = FormValues::from_pairs(
            [
                (own("images"), "read"),
                (own(""), "custom"),
                (own("nothing"), "write"),
                (other.to_owned(), "write"),
                ("scopes".to_owned(), "images:delete"),
                ("scopes".to_owned(), "read"),
                ("scopes".to_owned(), "elsewhere:read"),
                ("other_scopes".to_owned(), "jobs:*, a:b"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
        let expected = ["images:read", "read", "elsewhere:read", "jobs:*", "a:b"];
        assert_eq!(chosen(&values, Some(&project)), expected);
        let nonsense = FormValues::from_pairs([
            (own("images"), "everything".to_owned()),
            ("scopes".to_owned(), "images:write".to_owned()),
        ]);
        assert_eq!(chosen(&nonsense, Some(&project)), ["images:write"]);
        assert_eq!(
            chosen(&values, None),
            ["images:delete", "read", "elsewhere:read", "jobs:*", "a:b"]
        );
    }
}
