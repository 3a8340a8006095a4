//! What a filled-in form would make, in sentences: everything is checked, and nothing is made.

use super::issue::{Admitted, Checked, KeyDraft, admit, permission_for, usable};
use crate::model::actor::Actor;
use crate::model::id::AccountId;
use crate::model::key::Lifetime;
use crate::model::key_link::cautions;
use crate::model::org::MemberName;
use crate::model::project::Project;
use crate::model::resource::allowed_in_words;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::policy::Policies;
use crate::server::store::{orgs, projects as project_store};

/// What the key would be. Errors: whatever issuing it would refuse for what was typed.
pub async fn review(ctx: &Context, actor: &Actor, draft: &KeyDraft<'_>) -> Result<Vec<String>, DomainError> {
    let now = ctx.clock.now();
    let scope = actor.require(permission_for(draft.environment))?;
    let mut tx = ctx.db.begin_read().await?;
    let project = match draft.project {
        Some(id) => project_store::find(&mut tx, &scope, id).await?,
        None => None,
    };
    let policies = Policies::in_force(&mut tx, &scope, now).await?;
    let members = orgs::list_member_names(&mut tx, &scope).await?;
    let is_member = |id: &_| members.iter().any(|member| &member.account_id == id);
    let admitted = admit(
        (actor, &policies, &ctx.countries),
        draft,
        usable(project.as_ref()),
        is_member,
        now,
    )?;
    let days = i64::from(policies.of(admitted.checked.environment).rotation_days);
    Ok(in_sentences(&admitted, &members, days, now))
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
