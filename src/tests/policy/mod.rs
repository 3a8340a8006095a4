//! Policy: what it asks of every act, what it would break, and from when on it holds.

mod acts;
mod against;
mod begun;
mod changes;
mod creators;
mod matrix;

use keywright::model::form::FormValues;
use keywright::model::key::Environment;
use keywright::model::policy::{PolicyDraft, PolicyPreview};
use keywright::server::domain::DomainError;
use keywright::server::domain::policy::{change, preview, read};

use crate::kit::TestApp;

/// A form of rules: those the product begins with for live keys, and what is said otherwise.
pub fn rules(other: &[(&str, &str)]) -> FormValues {
    let mut all = vec![
        ("creators", "admins"),
        ("rotation_days", "90"),
        ("max_overlap_hours", "720"),
        ("on_leak", "revoke"),
    ];
    all.retain(|(name, _)| !other.iter().any(|(said, _)| said == name));
    all.extend(other);
    FormValues::from_pairs(all.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())))
}

/// Saves rules for live keys as the operator would.
pub async fn save(app: &TestApp, other: &[(&str, &str)], from: &str) -> Result<(), DomainError> {
    save_for(app, Environment::Live, other, from).await
}

pub async fn save_for(
    app: &TestApp,
    environment: Environment,
    other: &[(&str, &str)],
    from: &str,
) -> Result<(), DomainError> {
    let actor = app.operator();
    let standing = read::edit_form(&app.ctx, &actor, environment).await?.standing;
    let values = rules(other);
    let draft = PolicyDraft::from_values(&values);
    change::save(&app.ctx, &actor, environment, (&draft, from), standing.version).await
}

pub async fn would_break(app: &TestApp, other: &[(&str, &str)]) -> PolicyPreview {
    let values = rules(other);
    let draft = PolicyDraft::from_values(&values);
    preview::preview(&app.ctx, &app.operator(), Environment::Live, &draft)
        .await
        .unwrap()
}
