//! Resources a key is for, for example models: patterns in which `*` stands for anything, or nothing.

use serde::{Deserialize, Serialize};

use super::{both, entries};
use crate::model::error::FieldError;
use crate::model::text::shown;

/// The most patterns one list takes.
pub const PATTERNS_MAX: usize = 100;
/// The longest pattern; a resource is no longer.
const LENGTH_MAX: usize = 256;
/// Stars in one pattern. Matching takes the product of both lengths at the worst, whatever they are.
const STARS_MAX: usize = 8;

/// One pattern, `gpt-4.1*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        let typed = shown(text, 60);
        let refuse = |code: &str, message: String| Err(FieldError::new(field, code, message));
        if text.len() > LENGTH_MAX {
            return refuse(
                "too_long",
                format!("“{typed}” is longer than {LENGTH_MAX} characters."),
            );
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return refuse(
                "syntax",
                format!("“{typed}”: resources are written in letters, digits and signs of ASCII."),
            );
        }
        if text.contains("**") {
            return refuse(
                "syntax",
                format!("“{typed}”: one * stands for anything; two say no more."),
            );
        }
        if text.matches('*').count() > STARS_MAX {
            return refuse("syntax", format!("“{typed}” has more than {STARS_MAX} stars."));
        }
        if text == "*" {
            return refuse(
                "everything",
                "* is every resource. Leave it out: an empty list restricts nothing.".to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole resource fits. Goes back to the last star alone, so no pattern takes long.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), resource.as_bytes());
        let (mut p, mut t) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        while t < text.len() {
            if pattern.get(p) == Some(&b'*') {
                back = Some((p, t));
                p += 1;
            } else if pattern.get(p) == Some(&text[t]) {
                (p, t) = (p + 1, t + 1);
            } else if let Some((star, from)) = back {
                back = Some((star, from + 1));
                (p, t) = (star + 1, from + 1);
            } else {
                return false;
            }
        }
        pattern[p..].iter().all(|b| *b == b'*')
    }

    /// Whether whatever matches `other` matches this, too. Exactly then this matches the text of `other`: no sign of a
    /// pattern but a star fits a star in it, and a star fits whatever stands in its place as well.
    fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

/// Allowed and denied patterns; no allowed one means every resource that is not denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Pattern>,
}

fn list(field: &'static str, typed: &[&str]) -> Result<Vec<Pattern>, FieldError> {
    let mut patterns = entries(typed)
        .map(|entry| Pattern::parse(field, entry))
        .collect::<Result<Vec<_>, _>>()?;
    patterns.sort_unstable();
    patterns.dedup();
    if patterns.len() > PATTERNS_MAX {
        let message = format!(
            "These are {} patterns; at most {PATTERNS_MAX} fit.",
            patterns.len()
        );
        return Err(FieldError::new(field, "too_many", message));
    }
    Ok(patterns)
}

impl Resources {
    pub(super) fn parse(allow: &[&str], deny: &[&str]) -> Result<Self, Vec<FieldError>> {
        let (allow, deny) = both(list("resource_allow", allow), list("resource_deny", deny))?;
        let dead = allow.iter().find_map(|pattern| {
            deny.iter()
                .find(|over| over.covers(pattern))
                .map(|over| (pattern, over))
        });
        if let Some((pattern, over)) = dead {
            let message = format!(
                "{} is allowed here and denied by {} below, so it could never pass. Take one of them out.",
                pattern.as_str(),
                over.as_str()
            );
            return Err(vec![FieldError::new("resource_allow", "denied", message)]);
        }
        Ok(Self { allow, deny })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    #[must_use]
    pub fn is_allowed(&self, resource: &str) -> bool {
        let among = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(resource));
        !among(&self.deny) && (self.allow.is_empty() || among(&self.allow))
    }

    /// Why the resource may not be used. With any rule, a request that names none may not pass.
    #[must_use]
    pub fn refusal(&self, resource: Option<&str>) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let Some(resource) = resource else {
            let message = "The key is limited to certain resources, and the request named none.";
            return Some(message.to_owned());
        };
        if let Some(pattern) = self.deny.iter().find(|pattern| pattern.matches(resource)) {
            return Some(format!("The resource is denied by {}.", pattern.as_str()));
        }
        let message = "The resource is not among those the key is limited to.";
        (!self.is_allowed(resource)).then(|| message.to_owned())
    }

    /// By name alone: whether one pattern covers another is not worked out.
    pub(super) fn is_within(&self, former: &Self) -> bool {
        let narrower = former.allow.is_empty()
            || (!self.allow.is_empty() && self.allow.iter().all(|pattern| former.allow.contains(pattern)));
        narrower && former.deny.iter().all(|pattern| self.deny.contains(pattern))
    }

    /// The patterns of a text area that can be read; the others are refused when it is sent.
    #[must_use]
    pub fn readable(typed: &str) -> Vec<Pattern> {
        let typed = [typed];
        let read = entries(&typed).filter_map(|entry| Pattern::parse("", entry).ok());
        read.take(PATTERNS_MAX).collect()
    }

    /// One entry a line, as a text area shows it.
    #[must_use]
    pub fn lines(patterns: &[Pattern]) -> String {
        patterns
            .iter()
            .map(Pattern::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let named = |patterns: &[Pattern]| {
            patterns
                .iter()
                .map(Pattern::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut words = Vec::new();
        if !self.allow.is_empty() {
            words.push(format!("Only resources that match {}.", named(&self.allow)));
        }
        if !self.deny.is_empty() {
            words.push(format!("Never resources that match {}.", named(&self.deny)));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_or_nothing() {
        let matches = |pattern: &str, text: &str| Pattern::parse("x", pattern).unwrap().matches(text);
        for (pattern, text, expected) in [
            ("gpt-4.1*", "gpt-4.1", true),
            ("gpt-4.1*", "gpt-4.1-mini", true),
            ("gpt-4.1*", "gpt-4", false),
            ("*-opus-*", "claude-opus-4", true),
            ("*-opus-*", "claude-opus", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "acb", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
            ("a.c", "abc", false),
            ("*", "", false),
        ] {
            if pattern != "*" {
                assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
            }
        }
    }

    #[test]
    fn bombs_and_other_mistakes_are_refused() {
        for (pattern, code) in [
            ("a**b", "syntax"),
            ("*a*a*a*a*a*a*a*a*a", "syntax"),
            ("*", "everything"),
            ("modèle", "syntax"),
        ] {
            assert_eq!(Pattern::parse("x", pattern).unwrap_err().code, code, "{pattern}");
        }
        assert_eq!(
            Pattern::parse("x", &"a".repeat(257)).unwrap_err().code,
            "too_long"
        );
        // The worst that is taken still ends at once.
        let bomb = Pattern::parse("x", "*a*a*a*a*a*a*a*b").unwrap();
        assert!(!bomb.matches(&"a".repeat(256)));
        assert_eq!(Resources::parse(&["a b"], &["b"]).unwrap_err()[0].code, "denied");
    }

    #[test]
    fn what_is_allowed_must_not_be_denied_altogether() {
        for (allow, deny, dead) in [
            ("gpt-4.1", "gpt-*", true),
            ("gpt-4.1", "gpt-4.1", true),
            ("gpt-4.1", "gpt-4.1*", true),
            ("gpt-4.1", "gpt-4", false),
            ("gpt-4*", "gpt-*", true),
            ("gpt-4*", "gpt-4*", true),
            ("gpt-4*", "gpt-4", false),
            ("gpt-*", "gpt-4*", false),
            ("gpt-*", "*-mini", false),
            ("gpt-*-mini", "*-mini", true),
            ("a*b*c", "a*c", true),
            ("a*c", "a*b*c", false),
            ("a*c", "a*-*c", false),
            ("a*b*b", "*b*b", true),
            ("a*b", "*b*b", false),
        ] {
            let read = Resources::parse(&[allow], &[deny]);
            assert_eq!(read.is_err(), dead, "{allow} under {deny}");
            let Err(errors) = read else { continue };
            assert_eq!(
                (errors[0].field.as_str(), errors[0].code.as_str()),
                ("resource_allow", "denied")
            );
            for named in [allow, deny] {
                assert!(errors[0].message.contains(named), "{}", errors[0].message);
            }
        }
        // A row that was written before goes on to be read.
        let stored: Resources = serde_json::from_str(r#"{"allow":["gpt-4.1"],"deny":["gpt-*"]}"#).unwrap();
        assert!(!stored.is_allowed("gpt-4.1"));
    }

    /// By trying: over an alphabet with a letter that no pattern has, words of any length up to five tell every difference
    /// of patterns as short as these.
    #[test]
    fn covering_is_exact() {
        let words = |letters: &str, longest: usize| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..longest {
                last = last
                    .iter()
                    .flat_map(|word| letters.chars().map(move |letter| format!("{word}{letter}")))
                    .collect();
                all.extend(last.clone());
            }
            all
        };
        let texts = words("abx", 5);
        let patterns: Vec<Pattern> = words("ab*", 4)
            .iter()
            .filter_map(|text| Pattern::parse("x", text).ok())
            .collect();
        for over in &patterns {
            let among: Vec<bool> = texts.iter().map(|text| over.matches(text)).collect();
            for under in &patterns {
                let tried = texts
                    .iter()
                    .zip(&among)
                    .all(|(text, matched)| *matched || !under.matches(text));
                assert_eq!(
                    over.covers(under),
                    tried,
                    "{} over {}",
                    over.as_str(),
                    under.as_str()
                );
            }
        }
    }

    #[test]
    fn what_is_denied_is_denied_and_no_resource_does_not_pass() {
        let rules = Resources::parse(&["gpt-*, claude-*"], &["*-opus-*"]).unwrap();
        assert!(
            rules.is_allowed("claude-sonnet-4")
                && !rules.is_allowed("claude-opus-4")
                && !rules.is_allowed("llama")
        );
        assert!(rules.refusal(None).is_some() && Resources::default().refusal(None).is_none());
        assert!(rules.refusal(Some("claude-opus-4")).unwrap().contains("*-opus-*"));
    }
}
