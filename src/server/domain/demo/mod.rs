//! A believable organisation for looking around: members, projects, keys in every state, 90 days of traffic, two keys
//! that leaked. Made through the same use cases as real data, at the moments when it would have happened.

mod approvals;
mod incidents;
mod traffic;

use std::sync::Arc;

use self::incidents::Leaked;
use self::traffic::Used;

use crate::model::account::Email;
use crate::model::actor::Actor;
use crate::model::id::{AccountId, KeyId, OrgId, ProjectId};
use crate::model::key::RevocationReason;
use crate::model::member::MemberStatus;
use crate::model::org::Role;
use crate::model::permission::Permission;
use crate::model::project::{CatalogueScope, ProjectStatus};
use crate::model::restriction::RestrictionsDraft;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::server::ctx::Context;
use crate::server::domain::accounts::set_up::{self, By, SetUpDraft};
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::keys::issue::{self, KeyDraft};
use crate::server::domain::keys::lifecycle;
use crate::server::domain::members::invite;
use crate::server::domain::projects::{self, ProjectDraft};
use crate::server::domain::tokens::{self, TokenDraft};
use crate::server::domain::verification::{CacheLimits, VerificationCache};
use crate::server::domain::{DomainError, instance, mint};
use crate::server::platform::clock::Clock;
use crate::server::store::accounts::{self, NewAccount};
use crate::server::store::{members, orgs};

/// Who signs in to the demonstration.
pub const EMAIL: &str = "ada@acme.example";
/// Known to everybody: a demonstration holds nothing of value and belongs on loopback.
pub const PASSWORD: &str = "demonstration only, ada";

const DAYS: i64 = 90;
const GATEWAY: &str = "Mobile app gateway";
/// The key that somebody else may have, so it seems.
const SUSPECT: &str = "Nightly thumbnails";

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The same house at another moment.
fn at(ctx: &Context, moment: Timestamp) -> Context {
    Context {
        db: ctx.db.clone(),
        clock: Arc::new(At(moment)),
        rng: Arc::clone(&ctx.rng),
        keyring: Arc::clone(&ctx.keyring),
        seals: Arc::clone(&ctx.seals),
        passwords: Arc::clone(&ctx.passwords),
        key_cache: VerificationCache::new(CacheLimits {
            keys: 16,
            tokens: 16,
            unknown: 16,
            ..CacheLimits::default()
        }),
        turns: Arc::clone(&ctx.turns),
        usage: ctx.usage.clone(),
        countries: Arc::clone(&ctx.countries),
        mailer: None,
        site: ctx.site.clone(),
    }
}

#[derive(Clone, Copy)]
enum State {
    Active,
    Disabled,
    Revoked(RevocationReason, &'static str),
}

struct DemoKey {
    project: usize,
    environment: &'static str,
    name: &'static str,
    purpose: &'static str,
    /// Index of the owning member, or none for a team.
    owner: Option<usize>,
    scopes: &'static [&'static str],
    expiry: &'static str,
    created_days_ago: i64,
    state: State,
    confirmed: bool,
    /// Requests on a busy hour; 0 for a key nobody uses.
    peak: i64,
    /// Traffic ended so many days ago.
    quiet_days: i64,
    ip: &'static str,
}

const PEOPLE: [(&str, &str, Role); 5] = [
    ("Ada Lovelace", EMAIL, Role::Owner),
    ("Grace Hopper", "grace@acme.example", Role::Admin),
    ("Alan Turing", "alan@acme.example", Role::Developer),
    ("Katherine Johnson", "katherine@acme.example", Role::Auditor),
    ("Edsger Dijkstra", "edsger@acme.example", Role::Developer),
];

#[rustfmt::skip]
const KEYS: [DemoKey; 14] = [
    DemoKey { project: 0, environment: "live", name: "Production server", purpose: "Renders product pictures", owner: Some(1), scopes: &["images:*"], expiry: "90", created_days_ago: 29, state: State::Active, confirmed: true, peak: 940, quiet_days: 0, ip: "203.0.113.7" },
    DemoKey { project: 0, environment: "live", name: GATEWAY, purpose: "", owner: None, scopes: &["images:read"], expiry: "365", created_days_ago: 82, state: State::Active, confirmed: true, peak: 2_310, quiet_days: 0, ip: "198.51.100.24" },
    DemoKey { project: 0, environment: "test", name: "CI pipeline", purpose: "Integration tests of the image service", owner: Some(2), scopes: &["images:read", "images:write"], expiry: "none", created_days_ago: 97, state: State::Active, confirmed: true, peak: 46, quiet_days: 0, ip: "192.0.2.15" },
    DemoKey { project: 0, environment: "live", name: "Nightly thumbnails", purpose: "Batch job on worker 3", owner: Some(1), scopes: &["images:read", "images:write"], expiry: "90", created_days_ago: 81, state: State::Active, confirmed: true, peak: 120, quiet_days: 0, ip: "203.0.113.31" },
    DemoKey { project: 0, environment: "live", name: "Old worker", purpose: "Worker 1, switched off in the summer", owner: Some(1), scopes: &["images:read", "images:write", "images:delete"], expiry: "90", created_days_ago: 104, state: State::Active, confirmed: true, peak: 210, quiet_days: 15, ip: "203.0.113.12" },
    DemoKey { project: 0, environment: "test", name: "Alan’s laptop", purpose: "", owner: Some(2), scopes: &["images:read"], expiry: "30", created_days_ago: 4, state: State::Active, confirmed: true, peak: 9, quiet_days: 0, ip: "192.0.2.77" },
    DemoKey { project: 0, environment: "test", name: "Load test", purpose: "Quarterly load test", owner: Some(2), scopes: &["images:read"], expiry: "60", created_days_ago: 41, state: State::Disabled, confirmed: true, peak: 800, quiet_days: 30, ip: "192.0.2.50" },
    DemoKey { project: 0, environment: "live", name: "Partner preview", purpose: "Preview access for the print partner", owner: None, scopes: &["images:read"], expiry: "90", created_days_ago: 63, state: State::Revoked(RevocationReason::KeyCompromise, "Seen in a public repository"), confirmed: true, peak: 60, quiet_days: 12, ip: "198.51.100.90" },
    DemoKey { project: 1, environment: "live", name: "Checkout", purpose: "Takes payments in the shop", owner: None, scopes: &["payments:create", "payments:read"], expiry: "90", created_days_ago: 12, state: State::Active, confirmed: true, peak: 420, quiet_days: 0, ip: "203.0.113.40" },
    DemoKey { project: 1, environment: "live", name: "Refund desk", purpose: "Support team’s refund tool", owner: Some(1), scopes: &["payments:read", "refunds:create"], expiry: "30", created_days_ago: 22, state: State::Active, confirmed: true, peak: 14, quiet_days: 0, ip: "203.0.113.41" },
    DemoKey { project: 1, environment: "live", name: "Checkout (summer)", purpose: "Replaced by Checkout", owner: None, scopes: &["payments:create"], expiry: "90", created_days_ago: 89, state: State::Revoked(RevocationReason::Superseded, ""), confirmed: true, peak: 380, quiet_days: 11, ip: "203.0.113.40" },
    DemoKey { project: 1, environment: "test", name: "Sandbox", purpose: "", owner: Some(4), scopes: &["payments:*"], expiry: "none", created_days_ago: 70, state: State::Active, confirmed: true, peak: 25, quiet_days: 20, ip: "192.0.2.99" },
    DemoKey { project: 1, environment: "live", name: "Ledger export", purpose: "Monthly export for accounting", owner: Some(0), scopes: &["payments:read"], expiry: "365", created_days_ago: 0, state: State::Active, confirmed: false, peak: 0, quiet_days: 0, ip: "" },
    DemoKey { project: 2, environment: "live", name: "Route planner", purpose: "", owner: None, scopes: &["read"], expiry: "none", created_days_ago: 85, state: State::Active, confirmed: true, peak: 70, quiet_days: 25, ip: "198.51.100.3" },
];

fn catalogue(scopes: &[(&str, &str, bool)]) -> Vec<CatalogueScope> {
    scopes
        .iter()
        .map(|(name, description, sensitive)| CatalogueScope {
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            sensitive: *sensitive,
        })
        .collect()
}

/// Fills an installation that is not set up. `false`, and nothing done, when it is.
pub async fn seed(ctx: &Context) -> Result<bool, DomainError> {
    if instance::is_set_up(ctx).await? {
        return Ok(false);
    }
    let now = ctx.clock.now();
    let begin = now.minus_ms(110 * DAY_MS);
    let org = set_up_acme(&at(ctx, begin)).await?;
    let people = join(&at(ctx, begin), &org.0).await?;
    let projects = make_projects(&at(ctx, begin), &org, &people).await?;
    let salted = || (0_i64..).zip(&KEYS);
    // In the order in which it happened: first all that was created, then all that ended.
    let mut made = Vec::new();
    let mut by_age: Vec<(i64, &DemoKey)> = salted().collect();
    by_age.sort_by_key(|(salt, key)| (-key.created_days_ago, *salt));
    for (salt, key) in by_age {
        // Not all on the hour, and none in the future.
        let created = now.minus_ms(key.created_days_ago * DAY_MS + HOUR_MS + salt * 7 * MINUTE_MS);
        let id = make_key(ctx, key, created, &org.0, &people, &projects).await?;
        let used = Used {
            key,
            salt,
            id: &id,
            org: &org.0,
            project: &projects[key.project],
            created,
        };
        traffic::write(ctx, &used, now).await?;
        made.push((key, id));
    }
    made.sort_by_key(|(key, _)| -key.quiet_days);
    let admin = member(org.0, &people[1], Role::Admin);
    let leaked = |key: &DemoKey, id| Leaked {
        key: id,
        org: &org.0,
        project: &projects[key.project],
    };
    for (key, id) in &made {
        let ended = now.minus_ms(key.quiet_days * DAY_MS);
        let incident = match key.state {
            State::Revoked(RevocationReason::KeyCompromise, _) => {
                Some(incidents::noticed(ctx, &admin, leaked(key, id), ended).await?)
            }
            _ => None,
        };
        end_key(ctx, key, id, &org.0, &people).await?;
        if let Some(incident) = incident {
            incidents::closed(ctx, &admin, &incident, ended).await?;
        }
    }
    let owner = Actor::account(
        people[0],
        Some((org.0, Role::Owner)),
        crate::model::account::SessionStage::Complete,
        crate::model::actor::Origin::default(),
    );
    projects::set_status(
        &at(ctx, now.minus_ms(24 * DAY_MS)),
        &owner,
        &projects[2],
        ProjectStatus::Archived,
    )
    .await?;
    leave(&at(ctx, now.minus_ms(19 * DAY_MS)), &org.0, &people[4]).await?;
    let invited = at(ctx, now.minus_ms(2 * DAY_MS));
    let admin = member(org.0, &people[1], Role::Admin).proved(invited.clock.now());
    invite::invite(&invited, &admin, "margaret@acme.example", "developer").await?;
    let named = |name: &str| {
        let found = made.iter().find(|(key, _)| key.name == name);
        found.ok_or(DomainError::Defect("the demonstration lost a key"))
    };
    let (_, gateway) = named(GATEWAY)?;
    let scene = approvals::Scene {
        org: org.0,
        people: &people,
        project: &projects[0],
        gateway,
    };
    approvals::seed(ctx, &scene).await?;
    let (key, suspect) = named(SUSPECT)?;
    incidents::in_progress(ctx, &admin, leaked(key, suspect)).await?;
    incidents::read(ctx).await?;
    Ok(true)
}

async fn set_up_acme(ctx: &Context) -> Result<(OrgId, ProjectId, AccountId), DomainError> {
    let scopes = catalogue(&[
        ("images:read", "Look at and download images", false),
        ("images:write", "Upload and replace images", false),
        ("images:delete", "Delete images for good", true),
    ]);
    let draft = SetUpDraft {
        email: EMAIL,
        name: PEOPLE[0].0,
        organisation: "Acme",
        project: "Image API",
        prefix: "acme",
        scopes: Ok(scopes),
        password: PASSWORD.into(),
    };
    let (made, _) = set_up::set_up(ctx, draft, By::Operator("demo")).await?;
    let system = Actor::system(Some(made.org_id));
    let mut tx = ctx.db.begin_write().await?;
    let entry = Entry::new("demo.seeded", "organisation", made.org_id.as_str());
    audit::record(ctx, &mut tx, Some(&made.org_id), &system, entry, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok((made.org_id, made.project_id, made.account_id))
}

/// The other members; the owner is there already. They share the owner's password.
async fn join(ctx: &Context, org: &OrgId) -> Result<Vec<AccountId>, DomainError> {
    let now = ctx.clock.now();
    let password = ctx.passwords.hash(PASSWORD.into()).await?;
    let mut tx = ctx.db.begin_write().await?;
    let owner = accounts::find_for_sign_in(&mut tx, EMAIL)
        .await?
        .ok_or(DomainError::NotFound)?;
    let mut people = vec![owner.id];
    for (name, address, role) in &PEOPLE[1..] {
        let (id, email) = (mint::account_id(ctx)?, Email::parse("email", address)?);
        let new = NewAccount {
            id: &id,
            email: &email,
            name,
            password: &password,
            is_instance_admin: false,
        };
        accounts::insert(&mut tx, &new, now).await?;
        orgs::insert_member(&mut tx, org, &id, *role, now).await?;
        people.push(id);
    }
    tx.commit().await?;
    Ok(people)
}

async fn leave(ctx: &Context, org: &OrgId, who: &AccountId) -> Result<(), DomainError> {
    let scope = Actor::system(Some(*org)).require(Permission::KeysManageAny)?;
    let mut tx = ctx.db.begin_write().await?;
    members::set_status(&mut tx, &scope, who, MemberStatus::Removed, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

async fn make_projects(
    ctx: &Context,
    org: &(OrgId, ProjectId, AccountId),
    people: &[AccountId],
) -> Result<Vec<ProjectId>, DomainError> {
    let actor = member(org.0, &people[0], Role::Owner).proved(ctx.clock.now());
    let payments = catalogue(&[
        ("payments:read", "See payments", false),
        ("payments:create", "Take payments", false),
        ("refunds:create", "Give money back", true),
    ]);
    let maps = catalogue(&[("read", "Read everything in the project", false)]);
    let payments = projects::create(
        ctx,
        &actor,
        ProjectDraft {
            name: "Payments",
            prefix: "acmepay",
            scopes: Ok(payments),
        },
    )
    .await?;
    let maps = projects::create(
        ctx,
        &actor,
        ProjectDraft {
            name: "Maps",
            prefix: "acmemaps",
            scopes: Ok(maps),
        },
    )
    .await?;
    let all = vec![org.1, payments, maps];
    for (project, name) in all.iter().zip(["Edge proxy", "Checkout service", "Maps backend"]) {
        let draft = TokenDraft {
            project: Some(project),
            name,
            permissions: vec!["verify"],
            expiry: "none",
            expiry_date: "",
        };
        let token = tokens::create(ctx, &actor, &draft, None).await?;
        tokens::confirm_stored(ctx, &actor, &token.id).await?;
    }
    Ok(all)
}

fn member(org: OrgId, id: &AccountId, role: Role) -> Actor {
    Actor::account(
        *id,
        Some((org, role)),
        crate::model::account::SessionStage::Complete,
        crate::model::actor::Origin::default(),
    )
}

async fn make_key(
    ctx: &Context,
    key: &DemoKey,
    created: Timestamp,
    org: &OrgId,
    people: &[AccountId],
    projects: &[ProjectId],
) -> Result<KeyId, DomainError> {
    let creator = member(*org, &people[usize::from(key.owner != Some(0))], Role::Admin).proved(created);
    let owner = match key.owner {
        Some(index) => format!("member:{}", people[index]),
        None => "team:Platform".to_owned(),
    };
    let draft = KeyDraft {
        project: Some(&projects[key.project]),
        environment: key.environment,
        name: key.name,
        purpose: key.purpose,
        owner: &owner,
        scopes: key.scopes.to_vec(),
        expiry: key.expiry,
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: false,
        scopes_required: false,
    };
    let made = issue::issue(&at(ctx, created), &creator, &draft, None).await?;
    let soon = at(ctx, created.plus_ms(2 * MINUTE_MS));
    if key.confirmed {
        lifecycle::confirm_stored(&soon, &creator, &made.id, "", None).await?;
    }
    Ok(made.id)
}

/// Disables or revokes a key whose story ends that way.
async fn end_key(
    ctx: &Context,
    key: &DemoKey,
    id: &KeyId,
    org: &OrgId,
    people: &[AccountId],
) -> Result<(), DomainError> {
    let actor = member(*org, &people[1], Role::Admin);
    let then = at(ctx, ctx.clock.now().minus_ms(key.quiet_days * DAY_MS));
    match key.state {
        State::Active => Ok(()),
        State::Disabled => lifecycle::disable(&then, &actor, id).await,
        State::Revoked(reason, note) => lifecycle::revoke(&then, &actor, id, reason, note).await,
    }
}
