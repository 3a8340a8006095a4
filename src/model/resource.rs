//! The resources of a project, for example models: names that a service gives when it asks. The catalogue restricts
//! nothing; patterns of keys are explained against it.

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::restriction::{Pattern, Resources};
use super::text::{self, NAME_MAX};

/// The most resources one project lists.
pub const RESOURCES_MAX: usize = 500;
/// The longest name; the verification takes no longer one.
const LENGTH_MAX: usize = 256;
/// Names that a sentence gives before it counts the rest.
const NAMED_MAX: usize = 5;

/// One entry of a project's catalogue of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueResource {
    pub name: String,
    pub description: String,
}

/// Reads the catalogue as it was typed: one resource a line, its description after the first space. Empty lines are left
/// out. All mistakes are reported against `resources`.
pub fn parse_resources(typed: &str) -> Result<Vec<CatalogueResource>, FieldError> {
    let refuse = |code: &str, message: String| Err(FieldError::new("resources", code, message));
    let mut resources: Vec<CatalogueResource> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, description) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let shown = text::shown(name, 60);
        if resources.len() == RESOURCES_MAX {
            let message = format!("A project lists at most {RESOURCES_MAX} resources.");
            return refuse("too_many", message);
        }
        if name.len() > LENGTH_MAX {
            let message = format!("The name “{shown}…” is longer than {LENGTH_MAX} characters.");
            return refuse("too_long", message);
        }
        if name.contains(['*', ',', ';']) || !name.bytes().all(|b| b.is_ascii_graphic()) {
            let message = format!(
                "“{shown}” is not the name of a resource. Use letters, digits and signs of ASCII but not *, comma or semicolon; the \
                 description comes after a space."
            );
            return refuse("syntax", message);
        }
        if !seen.insert(name) {
            return refuse("twice", format!("“{shown}” is listed twice."));
        }
        let label = format!("The description of {shown}");
        resources.push(CatalogueResource {
            name: name.to_owned(),
            description: text::line("resources", &label, description, 0, NAME_MAX)?,
        });
    }
    Ok(resources)
}

/// One resource a line, as the form shows it.
#[must_use]
pub fn lines(resources: &[CatalogueResource]) -> String {
    let line = |resource: &CatalogueResource| {
        let text = format!("{} {}", resource.name, resource.description);
        text.trim_end().to_owned()
    };
    resources.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn named(names: &[&str]) -> String {
    let first = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn matched<'a>(pattern: &Pattern, catalogue: &'a [CatalogueResource]) -> Vec<&'a str> {
    let fits = catalogue.iter().filter(|entry| pattern.matches(&entry.name));
    fits.map(|entry| entry.name.as_str()).collect()
}

/// What each pattern of a list means for the resources that the project lists, one sentence each. Empty without a
/// catalogue: then nothing can be said.
#[must_use]
pub fn explained(patterns: &[Pattern], verb: &str, catalogue: &[CatalogueResource]) -> Vec<String> {
    if catalogue.is_empty() {
        return Vec::new();
    }
    let all = catalogue.len();
    let sentence = |pattern: &Pattern| {
        let fits = matched(pattern, catalogue);
        let text = pattern.as_str();
        match fits.len() {
            0 => format!("{text} {verb} none of the {all} listed resources. Is it spelt right?"),
            n => format!("{text} {verb} {n} of {all} listed resources: {}.", named(&fits)),
        }
    };
    patterns.iter().map(sentence).collect()
}

/// What a key may use of what its project lists. `None` when nothing limits it or nothing is listed.
#[must_use]
pub fn allowed_in_words(rules: &Resources, catalogue: &[CatalogueResource]) -> Option<String> {
    if rules.is_empty() || catalogue.is_empty() {
        return None;
    }
    let allowed = catalogue.iter().filter(|entry| rules.is_allowed(&entry.name));
    let names: Vec<&str> = allowed.map(|entry| entry.name.as_str()).collect();
    let all = catalogue.len();
    Some(match names.len() {
        0 => format!("May use none of the {all} listed resources."),
        n if n == all => format!("May use all {all} listed resources."),
        n => format!("May use {n} of {all} listed resources: {}.", named(&names)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::restriction::{Restrictions, RestrictionsDraft};

    fn rules(allow: &str, deny: &str) -> Resources {
        let draft = RestrictionsDraft {
            resource_allow: vec![allow],
            resource_deny: vec![deny],
            ..RestrictionsDraft::default()
        };
        Restrictions::parse(&draft).unwrap().resources
    }

    const MODELS: &str = "gpt-4.1 The large one\ngpt-4.1-mini\ngpt-4.1-nano\n\n  claude-opus-4\tSlow and thorough \nclaude-sonnet-4\nwhisper-1";

    #[test]
    fn a_line_is_a_name_and_what_follows_it() {
        let models = parse_resources(MODELS).unwrap();
        assert_eq!(models.len(), 6);
        assert_eq!(
            (models[0].name.as_str(), models[0].description.as_str()),
            ("gpt-4.1", "The large one")
        );
        assert_eq!(models[3].description, "Slow and thorough");
        assert_eq!(parse_resources(&lines(&models)).unwrap(), models);
        assert!(parse_resources(" \n \r\n").unwrap().is_empty());
    }

    #[test]
    fn mistakes_are_refused_with_the_reason() {
        let many = |n: usize| (0..n).map(|n| format!("model-{n}\n")).collect::<String>();
        assert_eq!(parse_resources(&many(500)).unwrap().len(), 500);
        for (typed, code) in [
            (many(501), "too_many"),
            ("a\nb\na".to_owned(), "twice"),
            ("gpt-*".to_owned(), "syntax"),
            ("modèle".to_owned(), "syntax"),
            ("a,b".to_owned(), "syntax"),
            ("x".repeat(257), "too_long"),
            (format!("x {}", "y".repeat(201)), "too_long"),
            ("x y\u{202e}z".to_owned(), "unprintable"),
        ] {
            assert_eq!(parse_resources(&typed).unwrap_err().code, code, "{typed:.40}");
        }
    }

    #[test]
    fn patterns_are_told_by_what_they_match() {
        let models = parse_resources(MODELS).unwrap();
        let rules = rules("gpt-4.1* gtp-5", "*-nano");
        assert_eq!(
            explained(&rules.allow, "allows", &models),
            [
                "gpt-4.1* allows 3 of 6 listed resources: gpt-4.1, gpt-4.1-mini, gpt-4.1-nano.",
                "gtp-5 allows none of the 6 listed resources. Is it spelt right?"
            ]
        );
        assert_eq!(
            explained(&rules.deny, "denies", &models),
            ["*-nano denies 1 of 6 listed resources: gpt-4.1-nano."]
        );
        assert_eq!(
            allowed_in_words(&rules, &models).unwrap(),
            "May use 2 of 6 listed resources: gpt-4.1, gpt-4.1-mini."
        );
        assert!(explained(&rules.allow, "allows", &[]).is_empty());
    }

    #[test]
    fn all_none_and_nothing_are_said_apart() {
        let models = parse_resources(MODELS).unwrap();
        let words = |allow: &str, deny: &str| allowed_in_words(&rules(allow, deny), &models);
        assert_eq!(words("", ""), None);
        assert_eq!(
            words("llama", "").unwrap(),
            "May use none of the 6 listed resources."
        );
        assert_eq!(words("", "llama").unwrap(), "May use all 6 listed resources.");
        assert!(words("", "whisper-1").unwrap().starts_with("May use 5 of 6"));
        let many = parse_resources("a1\na2\na3\na4\na5\na6\na7\nb").unwrap();
        let words = allowed_in_words(&rules("a*", ""), &many).unwrap();
        assert!(words.ends_with("a1, a2, a3, a4, a5 and 2 more."), "{words}");
    }
}
