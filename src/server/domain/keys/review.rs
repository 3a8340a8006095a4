//! What a filled-in form would make, in sentences: everything is checked, and nothing is made.

use super::issue::{Admitted, Checked, Ground, KeyDraft, require_may_ask};
use crate::model::actor::Actor;
use crate::model::approval::reasons_in_words;
use crate::model::id::AccountId;
use crate::model::key::Lifetime;
use crate::model::key_link::cautions;
use crate::model::org::MemberName;
use crate::model::project::Project;
use crate::model::resource::allowed_in_words;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::approvals::{self, Leave};

/// What the key would be. Errors: whatever issuing it would refuse for what was typed.
pub async fn review(ctx: &Context, actor: &Actor, draft: &KeyDraft<'_>) -> Result<Vec<String>, DomainError> {
    let now = ctx.clock.now();
    let scope = require_may_ask(actor, draft.environment)?;
    let mut tx = ctx.db.begin_read().await?;
    let ground = Ground::read(&mut tx, &scope, draft, now).await?;
    let admitted = ground.admit(ctx, actor, draft, now)?;
    let mut said = sentences(&ground, &admitted, now);
    let policy = ground.policies.of(admitted.checked.environment);
    if approvals::check(actor, &policy.approvals, &admitted.reasons, Leave::Own).is_err() {
        said.push(reasons_in_words(&admitted.reasons));
    }
    Ok(said)
}

/// What an admitted draft would make.
pub(in crate::server::domain) fn sentences(
    ground: &Ground,
    admitted: &Admitted<'_>,
    now: Timestamp,
) -> Vec<String> {
    let policy = ground.policies.of(admitted.checked.environment);
    in_sentences(admitted, &ground.members, i64::from(policy.rotation_days), now)
}

fn owner_in_words(owner: &(Option<AccountId>, String), members: &[MemberName]) -> String {
    match &owner.0 {
        Some(id) => members
            .iter()
            .find(|member| &member.account_id == id)
            .map_or_else(String::new, |member| member.name.clone()),
        None => format!("the team {}", owner.1),
    }
}

fn in_sentences(
    admitted: &Admitted<'_>,
    members: &[MemberName],
    policy_days: i64,
    now: Timestamp,
) -> Vec<String> {
    let (checked, project): (&Checked, &Project) = (&admitted.checked, admitted.project);
    let environment = checked.environment.as_str();
    let owner = owner_in_words(&checked.owner, members);
    let scopes: Vec<String> = checked.scopes.iter().map(ToString::to_string).collect();
    let mut said = vec![
        format!(
            "{} is a {environment} key of {}, owned by {owner}.",
            checked.name, project.name
        ),
        format!("It may {}.", scopes.join(", ")),
    ];
    said.extend(checked.restrictions.in_words());
    said.extend(allowed_in_words(
        &checked.restrictions.resources,
        &project.resources,
    ));
    said.push(match checked.lifetime.expires_at(now) {
        Some(end) => format!("It is valid until {}.", end.last_day_in_words()),
        None => "It never expires.".to_owned(),
    });
    let days = checked.rotation_days.unwrap_or(policy_days);
    if checked.lifetime == Lifetime::Unlimited || checked.rotation_days.is_some() {
        said.push(format!("Another secret is due every {days} days."));
    }
    let is_sensitive = |name: &str| {
        project
            .scopes
            .iter()
            .any(|scope| scope.sensitive && scope.name == name)
    };
    said.extend(cautions(&scopes, is_sensitive, ""));
    said
}
