//! What Acme's policy has a second person decide: requests that wait, and one that was declined.

use super::{at, member};
use crate::model::actor::Actor;
use crate::model::form::FormValues;
use crate::model::id::{AccountId, ApprovalId, KeyId, OrgId, ProjectId};
use crate::model::key::Environment;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::policy::PolicyDraft;
use crate::model::time::HOUR_MS;
use crate::server::ctx::Context;
use crate::server::domain::keys::issue::Nonce;
use crate::server::domain::policy::{Policies, change};
use crate::server::domain::{DomainError, approvals, mint};

/// Who takes part, and in what.
pub(super) struct Scene<'a> {
    pub org: OrgId,
    pub people: &'a [AccountId],
    pub project: &'a ProjectId,
    /// A key that somebody wants to let do more.
    pub gateway: &'a KeyId,
}

fn values(pairs: &[(&str, &str)]) -> FormValues {
    FormValues::from_pairs(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
}

pub(super) async fn seed(ctx: &Context, scene: &Scene<'_>) -> Result<(), DomainError> {
    let now = ctx.clock.now();
    let before = |hours: i64| at(ctx, now.minus_ms(hours * HOUR_MS));
    let who = |index: usize, role, ctx: &Context| {
        member(scene.org, &scene.people[index], role).proved(ctx.clock.now())
    };
    asks_for_approvals(&before(9 * 24), scene).await?;

    let then = before(5 * 24);
    let alan = developer(&then, scene, 2).await?;
    let declined = (
        "Image proxy",
        "I want to see whether the new proxy keeps up with real traffic.",
    );
    let id = ask(&then, &alan, scene, declined).await?;
    let then = before(5 * 24 - 3);
    let grace = who(1, Role::Admin, &then);
    let why = "A test key does for that, and the load test has one. Ask again when it goes live.";
    approvals::decline(&then, &grace, &id, why).await?;

    let then = before(20);
    let alan = developer(&then, scene, 2).await?;
    let waiting = (
        "Search indexer",
        "The search goes live on Monday and reads every picture once a night. Agreed with Platform.",
    );
    ask(&then, &alan, scene, waiting).await?;

    let then = before(3);
    let grace = who(1, Role::Admin, &then);
    let wider = values(&[
        ("name", super::GATEWAY),
        ("access", "1"),
        ("expiry", "keep"),
        (
            "justification",
            "From the next release on the app replaces profile pictures itself.",
        ),
    ]);
    let scopes = ["images:read", "images:write"].map(ToOwned::to_owned);
    approvals::ask_for_change(&then, &grace, scene.gateway, (&wider, &scopes)).await?;
    Ok(())
}

async fn asks_for_approvals(ctx: &Context, scene: &Scene<'_>) -> Result<(), DomainError> {
    let owner = member(scene.org, &scene.people[0], Role::Owner).proved(ctx.clock.now());
    let rules = values(&[
        ("creators", "admins"),
        ("rotation_days", "90"),
        ("max_overlap_hours", "720"),
        ("on_leak", "revoke"),
        ("approve_new", "1"),
        ("approve_sensitive", "1"),
        ("approve_wider", "1"),
        ("approval_days", "7"),
        ("owners_exempt", "1"),
    ]);
    let draft = PolicyDraft::from_values(&rules);
    change::save(ctx, &owner, Environment::Live, (&draft, ""), 0).await
}

/// A developer under the organisation's policies, who may ask for what they may not create.
async fn developer(ctx: &Context, scene: &Scene<'_>, index: usize) -> Result<Actor, DomainError> {
    let now = ctx.clock.now();
    let scope = Actor::system(Some(scene.org)).require(Permission::KeysRead)?;
    let mut tx = ctx.db.begin_read().await?;
    let Policies { live, test } = Policies::in_force(&mut tx, &scope, now).await?;
    Ok(member(scene.org, &scene.people[index], Role::Developer)
        .proved(now)
        .under_policy(&live, &test))
}

async fn ask(
    ctx: &Context,
    actor: &Actor,
    scene: &Scene<'_>,
    (name, justification): (&str, &str),
) -> Result<ApprovalId, DomainError> {
    let form = values(&[
        ("project", scene.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("expiry", "90"),
        ("justification", justification),
    ]);
    let text = mint::form_nonce(ctx);
    let account = actor.account_id().ok_or(DomainError::NotFound)?;
    let nonce = Nonce { text: &text, account };
    approvals::ask_for_key(ctx, actor, (&form, &["images:read".to_owned()]), nonce).await
}
