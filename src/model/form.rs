//! What was typed into a form and what was wrong with it: the one shape in which a refused form comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::{AppError, Code, FieldError};

/// The fields of one submitted form, in the order of their names; a field may occur several times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormValues(BTreeMap<String, Vec<String>>);

impl FormValues {
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        Self(values)
    }

    /// The first value of a field; empty when the form had none.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.0
            .get(name)
            .and_then(|all| all.first())
            .map_or("", String::as_str)
    }

    #[must_use]
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every field and value, in the order of the names.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value.as_str())))
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes a field out. Passwords leave this way, so that a refused form never carries them back.
    pub fn take(&mut self, name: &str) -> String {
        self.0
            .remove(name)
            .and_then(|mut all| (!all.is_empty()).then(|| all.swap_remove(0)))
            .unwrap_or_default()
    }
}

/// A refused form: it is drawn again with what was typed, and each error beside its field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FormState {
    pub values: FormValues,
    pub errors: Vec<FieldError>,
    /// What concerns the form as a whole.
    pub notice: Option<String>,
    /// Whoever filled it in has just confirmed who they are; nothing else is done yet.
    pub confirmed: bool,
    /// What the form is about has changed since it was opened.
    pub is_stale: bool,
    /// A second person has to approve it: the form offers to ask for that.
    pub needs_approval: bool,
    /// What the form means, in sentences, for whoever asked before sending it.
    pub said: Vec<String>,
}

impl FormState {
    #[must_use]
    pub fn refused(values: FormValues, error: AppError) -> Self {
        let needs_approval = error.code == Code::ApprovalRequired;
        let is_stale = error.code == Code::Conflict && error.fields.is_empty();
        let notice = error.fields.is_empty().then_some(error.detail);
        Self {
            needs_approval,
            is_stale,
            values,
            errors: error.fields,
            notice,
            ..Self::default()
        }
    }

    /// The form as it was, after its sender confirmed who they are.
    #[must_use]
    pub fn confirmed(values: FormValues) -> Self {
        Self {
            values,
            confirmed: true,
            ..Self::default()
        }
    }

    /// The form as it was, with what it means.
    #[must_use]
    pub fn reviewed(values: FormValues, said: Vec<String>) -> Self {
        Self {
            values,
            said,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn error_of(&self, field: &str) -> Option<&str> {
        self.errors
            .iter()
            .find(|e| e.field == field)
            .map(|e| e.message.as_str())
    }
}
