//! What a request proposes, between the form it was typed into and the act it leads to.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::actor::Actor;
use crate::model::approval::{ApprovalKind, Difference, Told};
use crate::model::form::FormValues;
use crate::model::id::ProjectId;
use crate::model::key_link;
use crate::model::time::Timestamp;
use crate::server::domain::DomainError;
use crate::server::domain::keys::edit::{self, Changed, KeyEdit};
use crate::server::domain::keys::issue::{self, Admitted, Ground, KeyDraft};
use crate::server::domain::keys::{restrictions, review};
use crate::server::platform::crypto::master_key::hex;
use crate::server::store::approvals::Approval;
use crate::server::store::keys::SecuredKey;

/// The form as it is kept: its fields alone, presets of scopes made out, and "me" by name.
pub fn kept(actor: &Actor, kind: ApprovalKind, values: &FormValues, scopes: &[String]) -> FormValues {
    let mut pairs = key_link::values_of_form(values, scopes);
    if kind == ApprovalKind::Edit {
        pairs.push(("access".to_owned(), "1".to_owned()));
    } else if values.first("owner") != "team" {
        let me = actor.account_id().map(|id| format!("member:{id}"));
        let owner = match values.first("owner") {
            "" | "me" => me.unwrap_or_default(),
            owner => owner.to_owned(),
        };
        pairs.push(("owner".to_owned(), owner));
    }
    FormValues::from_pairs(pairs)
}

/// The parts of a kept form that a draft borrows.
pub struct Typed<'a> {
    values: &'a FormValues,
    project: Option<ProjectId>,
    owner: String,
}

impl<'a> Typed<'a> {
    #[must_use]
    pub fn of(values: &'a FormValues) -> Self {
        Self {
            values,
            project: values.first("project").parse().ok(),
            owner: issue::owner_of(values),
        }
    }

    /// The new key that is asked for.
    #[must_use]
    pub fn draft(&self) -> KeyDraft<'_> {
        let scopes = self.values.all("scopes");
        KeyDraft::of_form(self.values, self.project.as_ref(), &self.owner, scopes)
    }

    /// The change that is asked for.
    #[must_use]
    pub fn edit(&self) -> KeyEdit<'_> {
        KeyEdit::of_form(self.values, self.values.all("scopes"))
    }
}

/// A key as a request remembers it: what its change was typed over.
pub fn former(key: &SecuredKey) -> Result<String, DomainError> {
    Ok(edit::told(key)?.to_string())
}

/// Whether the key is still as it was when its change was asked for.
pub fn is_as_it_was(approval: &Approval, key: &SecuredKey) -> Result<bool, DomainError> {
    let was: Option<Value> = serde_json::from_str(&approval.former).ok();
    Ok(was == Some(edit::told(key)?))
}

/// What a new key would be, in sentences.
#[must_use]
pub fn of_new(ground: &Ground, admitted: &Admitted<'_>, now: Timestamp) -> Told {
    let mut said = review::sentences(ground, admitted, now);
    if !admitted.checked.purpose.is_empty() {
        said.insert(1, format!("Purpose: {}", admitted.checked.purpose));
    }
    // A sentence names a few entries of a list; whoever decides sees each.
    let rules = admitted.checked.restrictions.in_full();
    let differences = match rules.is_empty() {
        true => Vec::new(),
        false => vec![Difference {
            what: "Restrictions".to_owned(),
            without: Vec::new(),
            with: rules,
        }],
    };
    Told { said, differences }
}

/// What a change takes away and what it brings, each thing that differs. `purpose` is what the key is for until now.
pub fn of_change(changed: &Changed, purpose: &str) -> Result<Told, DomainError> {
    let (before, after) = (&changed.former, &changed.key);
    let one = |what: &str, without: Vec<String>, with: Vec<String>| Difference {
        what: what.to_owned(),
        without: without
            .iter()
            .filter(|line| !with.contains(line))
            .cloned()
            .collect(),
        with: with
            .iter()
            .filter(|line| !without.contains(line))
            .cloned()
            .collect(),
    };
    let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect();
    let line = |text: &str| vec![text.to_owned()];
    let end = |key: &SecuredKey| match key.expires_at_ms.map(Timestamp::from_ms) {
        Some(at) => vec![at.exact_in_words()],
        None => vec!["Never".to_owned()],
    };
    let interval = |key: &SecuredKey| match key.rotation_days {
        Some(days) => vec![format!("Every {days} days")],
        None => vec!["As the policy says".to_owned()],
    };
    let rules = |key: &SecuredKey| Ok::<_, DomainError>(restrictions::of(key)?.in_full());
    let mut all = vec![
        one("Name", line(&before.name), line(&after.name)),
        one("Purpose", line(purpose), line(&changed.purpose)),
        one("Scopes", words(&before.scopes), words(&after.scopes)),
        one("Restrictions", rules(before)?, rules(after)?),
        one("Valid until", end(before), end(after)),
        one("Rotation", interval(before), interval(after)),
    ];
    all.retain(|difference| !(difference.without.is_empty() && difference.with.is_empty()));
    Ok(Told {
        said: Vec::new(),
        differences: all,
    })
}

/// The address of the form that asks for the same again: filled in for a new key, the key's own for a change.
#[must_use]
pub fn again(approval: &Approval) -> Option<String> {
    match approval.summary.kind {
        ApprovalKind::Edit => approval
            .summary
            .key_id
            .map(|key| format!("/settings/api-keys/{key}/edit")),
        ApprovalKind::Create => {
            let scopes = approval.proposal.all("scopes");
            let query = key_link::query(&key_link::values_of_form(&approval.proposal, scopes));
            (query.len() <= key_link::QUERY_MAX).then(|| format!("{}?{query}", key_link::FORM))
        }
    }
}

/// What somebody saw of a request, to tell whether it is still that which they approve.
pub fn seen(told: &Told) -> Result<String, DomainError> {
    let text = serde_json::to_vec(told).map_err(|_| DomainError::Defect("a request is no JSON"))?;
    Ok(hex(&Sha256::digest(text)))
}
