//! An organisation that has been in use for a while: people, projects, keys in every state, traffic, and what was done about
//! some of them. What there is of everything but keys is the same however many keys there are; what hangs on a key is there for
//! each.

mod requests;

use std::collections::HashMap;

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::form::FormValues;
use keywright::model::handover::ClaimDraft;
use keywright::model::id::{AccountId, KeyId, OrgId};
use keywright::model::key::{Environment, KeyFilter, KeyStatus};
use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::policy::PolicyDraft;
use keywright::model::project::CatalogueScope;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, Timestamp};
use keywright::server::ctx::Ctx;
use keywright::server::domain::audit::{self, Entry};
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::{handover, rotation, secured};
use keywright::server::domain::members::invite;
use keywright::server::domain::mint::{self, Credential};
use keywright::server::domain::policy::change;
use keywright::server::domain::projects::{self, ProjectDraft};
use keywright::server::domain::reviews::{self, ReviewDraft};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::platform::crypto::secret::SecretText;
use keywright::server::store::db::Db;
use keywright::server::store::keys::{self as store, NewKey, SecuredKey};
use sqlx::{ConnectOptions, Connection};

use super::routes::Noun;
use crate::subject::Subject;

/// The form of rules, sent to see what they would break.
pub const PREVIEW: &str = "/settings/policy/live";
pub const PREVIEW_SENT: &str = "POST /settings/policy/live";
/// Keys that were ticked in the list, shown once more before they are stopped.
pub const BULK: &str = "/settings/api-keys/bulk";

const PEOPLE: usize = 40;
const PROJECTS: usize = 8;
const INCIDENTS: usize = 30;
const OF_EACH: usize = 20;

pub struct Furnished {
    pub subject: Subject,
    pub ids: HashMap<Noun, String>,
    /// Some keys that could be stopped.
    ticked: Vec<String>,
}

#[must_use]
pub fn preview_form() -> String {
    "creators=admins&expiry_required=1&max_lifetime_days=365&addresses_required=1&rotation_days=30&max_overlap_hours=72\
     &forbidden_scopes=reports:read&unused_days=90&on_leak=revoke&version=0&from="
        .to_owned()
}

#[must_use]
pub fn bulk_form(house: &Furnished) -> String {
    let keys: Vec<String> = house.ticked.iter().map(|id| format!("key={id}")).collect();
    format!("act=disable&{}", keys.join("&"))
}

/// A database of its own on a server.
pub async fn new_database(server: &str, keys: usize) -> String {
    let name = format!("kw_pages_{}_{keys}", std::process::id());
    let options: sqlx::postgres::PgConnectOptions = server.parse().expect("the address of a server");
    let mut connection = options
        .disable_statement_logging()
        .connect()
        .await
        .expect("a server");
    let sql = format!("CREATE DATABASE {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("a database");
    connection.close().await.expect("an end");
    let (base, _) = server.rsplit_once('/').expect("the address of a server");
    format!("{base}/{name}")
}

/// What the others work on.
struct Work<'a> {
    ctx: &'a Ctx,
    org: OrgId,
    owner: AccountId,
    now: Timestamp,
}

impl Work<'_> {
    /// The owner, who has just signed in.
    fn actor(&self) -> Actor {
        let membership = Some((self.org, Role::Owner));
        Actor::account(self.owner, membership, SessionStage::Complete, Origin::default())
            .proved(self.ctx.clock.now())
            .with_instance_powers(true)
    }

    async fn run(&self, sql: String) {
        let sql = sqlx::AssertSqlSafe(sql);
        match &self.ctx.db {
            Db::Sqlite { writer, .. } => sqlx::raw_sql(sql).execute(writer).await.map(drop),
            Db::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        }
        .expect("a statement");
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.ctx.db {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(sql).fetch_all(readers).await,
            Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await,
        }
        .expect("rows")
    }
}

pub async fn furnish(subject: Subject, keys: usize) -> Furnished {
    let ctx = subject.ctx.clone();
    let find = async |sql: &str| {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &ctx.db {
            Db::Sqlite { readers, .. } => sqlx::query_scalar::<_, String>(sql).fetch_one(readers).await,
            Db::Postgres(pool) => sqlx::query_scalar::<_, String>(sql).fetch_one(pool).await,
        }
        .expect("a row")
    };
    let work = Work {
        ctx: &ctx,
        org: find("SELECT id FROM organisations").await.parse().expect("an id"),
        owner: find("SELECT id FROM accounts").await.parse().expect("an id"),
        now: ctx.clock.now(),
    };
    let people = join(&work).await;
    let projects = found_projects(&work).await;
    make_keys(&work, &subject.key, (&people, &projects), keys).await;
    traffic(&work).await;
    let ids = stories(&work, &people, &subject.key).await;
    match &ctx.db {
        // As the server does each hour.
        Db::Sqlite { .. } => ctx.db.learn().await.expect("an analysis"),
        // As the database does by itself before long.
        Db::Postgres(_) => work.run("VACUUM ANALYZE".to_owned()).await,
    }
    let ticked = work
        .texts("SELECT id FROM api_keys WHERE status = 'active' ORDER BY id LIMIT 50")
        .await;
    Furnished { subject, ids, ticked }
}

/// Members with the owner's password; one is suspended.
async fn join(work: &Work<'_>) -> Vec<String> {
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let id = format!("acc_{n:012}");
        let role = ["admin", "developer", "developer", "auditor"][n % 4];
        let status = if n == PEOPLE - 1 { "suspended" } else { "active" };
        work.run(format!(
            "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status, is_instance_admin,
             session_epoch, created_at_ms) SELECT '{id}', 'p{n}@acme.example', 'p{n}@acme.example', 'Person {n}', password_hash,
             password_pepper_id, 'active', FALSE, 0, 0 FROM accounts WHERE id = '{}';
             INSERT INTO members (org_id, account_id, role, status, created_at_ms) VALUES ('{}', '{id}', '{role}', '{status}', 0)",
            work.owner, work.org
        ))
        .await;
        people.push(id);
    }
    people
}

async fn found_projects(work: &Work<'_>) -> Vec<String> {
    let scope = |name: &str| CatalogueScope {
        name: name.to_owned(),
        description: "What it is for, in a sentence".to_owned(),
        sensitive: name.ends_with("delete"),
    };
    for n in 1..PROJECTS {
        let (name, prefix) = (format!("Project {n}"), format!("acme{n}"));
        let names = ["images:read", "images:write", "images:delete", "reports:read"];
        let draft = ProjectDraft {
            name: &name,
            prefix: &prefix,
            scopes: Ok(names.into_iter().map(scope).collect()),
        };
        projects::create(work.ctx, &work.actor(), draft)
            .await
            .expect("a project");
    }
    work.texts("SELECT id FROM projects ORDER BY created_at_ms, id")
        .await
}

/// Keys of different people, projects, scopes and ends, in every state; signed as they are.
async fn make_keys(work: &Work<'_>, first: &KeyId, (people, projects): (&[String], &[String]), keys: usize) {
    let ctx = work.ctx;
    let actor = Actor::operator("bench", Some(work.org));
    let scope = actor
        .require(Permission::KeysCreateLive)
        .expect("an operator may");
    let mut tx = ctx.db.begin_write().await.expect("a transaction");
    let found = store::find_secured(&mut tx, &scope, first)
        .await
        .expect("an answer");
    let pattern = found.expect("the key that was issued");
    let mut made = Vec::new();
    for n in 1..keys {
        let mut key = pattern.clone();
        let minted = mint::credential(ctx, "acme_live");
        mint::key_id(&minted.kid)
            .expect("an id")
            .as_str()
            .clone_into(&mut key.id);
        dress(&mut key, n, (people, projects), work.now);
        let credential = Credential::Key {
            org_id: &key.org_id,
            key_id: &key.id,
        };
        key.secrets = vec![mint::hashed(ctx, credential, &minted.text)];
        let mac = secured::sign(&ctx.keyring, &key);
        (key.row_mac, key.row_mac_key_id) = (mac.mac, mac.key_id);
        let name_folded = key.name.to_lowercase();
        let new = NewKey {
            secured: &key,
            name_folded: &name_folded,
            purpose: "What it is used for, as somebody wrote it down",
            created_by: ("account", &people[n % people.len()]),
        };
        store::insert(&mut tx, &scope, &new, Timestamp::from_ms(key.created_at_ms))
            .await
            .expect("a key");
        made.push(key.id);
    }
    for chunk in made.chunks(1_000) {
        let entries = chunk.iter().flat_map(|id| {
            let actions = ["key.created", "key.stored", "key.edited"];
            actions.map(|action| Entry::new(action, "key", id))
        });
        audit::record_many(ctx, &mut tx, &work.org, &actor, entries.collect(), work.now)
            .await
            .expect("a log");
    }
    tx.commit().await.expect("a commit");
    // What no MAC covers, and what of it says when.
    work.run(
        "UPDATE api_keys SET stored_at_ms = created_at_ms + 60000 WHERE created_at_ms % 7 <> 0;
         UPDATE api_keys SET revoked_at_ms = created_at_ms + 86400000, revoked_by_type = 'operator', revoked_by_id = 'bench',
         revoked_reason = 'superseded' WHERE status = 'revoked'"
            .to_owned(),
    )
    .await;
}

/// Which key of its kind it is.
fn dress(key: &mut SecuredKey, n: usize, (people, projects): (&[String], &[String]), now: Timestamp) {
    let count = i64::try_from(n).expect("a small number");
    let live = !n.is_multiple_of(3);
    key.name = format!(
        "{} {n}",
        ["Worker", "Gateway", "Pipeline", "Export", "Laptop"][n % 5]
    );
    projects[n % projects.len()].clone_into(&mut key.project_id);
    let prefix = match n % projects.len() {
        0 => "acme".to_owned(),
        k => format!("acme{k}"),
    };
    key.prefix = prefix;
    (if live { "live" } else { "test" }).clone_into(&mut key.environment);
    // A third belongs to one of them.
    match n % 6 {
        0 | 3 => {
            key.owner_account_id = Some(people[1].clone());
            key.owner_team = String::new();
        }
        1 => {
            key.owner_account_id = Some(people[n % people.len()].clone());
            key.owner_team = String::new();
        }
        _ => {}
    }
    key.scopes = [
        "images:read",
        "images:read images:write",
        "images:*",
        "*",
        "reports:read",
    ][n % 5]
        .to_owned();
    key.restrictions = n
        .is_multiple_of(2)
        .then(|| r#"{"addresses":{"allow":["203.0.113.0/24","2001:db8::/32"]}}"#.to_owned());
    let created = now.minus_ms(DAY_MS + count % 300 * DAY_MS + count * 61_000);
    key.created_at_ms = created.ms();
    key.secret_since_ms = created.ms();
    key.expires_at_ms = match n % 4 {
        0 => None,
        1 => Some(now.ms() + count % 10 * DAY_MS),
        _ => Some(now.ms() + (count % 300 - 20) * DAY_MS),
    };
    key.rotation_due_at_ms = Some(created.ms() + 90 * DAY_MS + count % 200 * DAY_MS);
    let status = match n % 20 {
        0 | 10 => KeyStatus::Revoked,
        7 => KeyStatus::Disabled,
        _ => KeyStatus::Active,
    };
    status.as_str().clone_into(&mut key.status);
}

/// Ninety days of it: counts, single requests, the last use, addresses, what was needed.
async fn traffic(work: &Work<'_>) {
    let now = work.now.ms();
    let numbers = |count: i64| {
        let rows: Vec<String> = (0..count).map(|n| format!("SELECT {n} AS n")).collect();
        format!("({}) numbers", rows.join(" UNION ALL "))
    };
    let used = "FROM api_keys k WHERE k.created_at_ms / 61000 % 5 <> 0";
    let crossed = |count: i64| {
        format!(
            "FROM api_keys k CROSS JOIN {} WHERE k.created_at_ms / 61000 % 5 <> 0",
            numbers(count)
        )
    };
    let roll_up = |grain: &str, width: i64, count: i64, requests: i64| {
        let (first, crossed) = (now - now % width, crossed(count));
        format!(
            "INSERT INTO usage_rollups (key_id, grain, bucket_at_ms, code, org_id, project_id, requests) SELECT k.id, '{grain}',
             {first} - CAST(numbers.n AS BIGINT) * {width}, 'VALID', k.org_id, k.project_id, {requests} + numbers.n {crossed}"
        )
    };
    for sql in [
        roll_up("minute", 60_000, 3, 2),
        roll_up("hour", 3_600_000, 26, 90),
        roll_up("day", DAY_MS, 30, 2_000),
        format!("INSERT INTO key_last_used (key_id, at_ms, ip, org_id) SELECT k.id, {now} - k.created_at_ms / 61000 % 40 * 5 * {DAY_MS} / 2, '203.0.113.7', k.org_id {used} AND k.created_at_ms / 61000 % 40 < 36"),
        "UPDATE api_keys SET idle_since_ms = (SELECT u.at_ms FROM key_last_used u WHERE u.key_id = api_keys.id)
             WHERE EXISTS (SELECT 1 FROM key_last_used u WHERE u.key_id = api_keys.id AND u.at_ms > api_keys.idle_since_ms)".to_owned(),
        format!("INSERT INTO key_addresses (key_id, ip, first_at_ms, last_at_ms, requests) SELECT k.id, '203.0.113.' || (k.created_at_ms % 97 + numbers.n),
             k.created_at_ms, {now} - 60000, 1000 {}", crossed(3)),
        format!("INSERT INTO key_uses (key_id, kind, name, first_at_ms, last_at_ms) SELECT k.id, 'grant', 'images:read', k.created_at_ms, {now} - 60000 {used}"),
        format!("INSERT INTO usage_events (at_ms, request_id, key_id, token_id, code, ip, told) SELECT {now} - numbers.n * 600000 - k.created_at_ms % 600000,
             'req_' || numbers.n || k.id, k.id, 'tok', 'VALID', '203.0.113.7', '{{\"method\":\"GET\",\"path\":\"/v1/images\"}}' {}", crossed(10)),
    ] {
        work.run(sql).await;
    }
}

/// What happened to some of the keys, by the ways of the application; and the ids that the pages are opened with.
async fn stories(work: &Work<'_>, people: &[String], plain: &KeyId) -> HashMap<Noun, String> {
    let (ctx, actor) = (work.ctx, work.actor());
    let member: AccountId = people[1].parse().expect("an id");
    let mut ids = HashMap::from([
        (Noun::Key, plain.to_string()),
        (Noun::Account, member.to_string()),
        (Noun::Member, member.to_string()),
        (Noun::SuspendedMember, people[PEOPLE - 1].clone()),
    ]);
    let project = work
        .texts("SELECT id FROM projects ORDER BY created_at_ms, id LIMIT 1")
        .await
        .remove(0);
    ids.insert(Noun::Project, project.clone());
    let project = project.parse().expect("an id");
    let owner = format!("member:{member}");
    let draft = |name: &'static str| KeyDraft {
        project: Some(&project),
        environment: "live",
        name,
        purpose: "",
        owner: &owner,
        scopes: vec!["images:*"],
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: true,
        scopes_required: false,
    };
    let rotating = issue::issue(ctx, &actor, &draft("Rotating"), None)
        .await
        .expect("a key")
        .id;
    let overlap = Overlap::parse("custom", "168", false).expect("a week");
    rotation::start(ctx, &actor, &rotating, overlap, None)
        .await
        .expect("a rotation");
    ids.insert(Noun::RotatingKey, rotating.to_string());
    let claim = ClaimDraft { email: "", days: "3" };
    let link = handover::issue(
        ctx,
        &actor,
        &draft("Pending"),
        None,
        (claim, &SecretText::from("")),
    )
    .await
    .expect("a link");
    ids.insert(Noun::PendingKey, link.key_id.to_string());
    ids.extend(open_incidents(work, plain).await);
    change_rules(work).await;
    for n in 0..OF_EACH {
        let (email, name) = (format!("guest{n}@acme.example"), format!("Service {n}"));
        invite::invite(ctx, &actor, &email, "developer")
            .await
            .expect("an invitation");
        let token = TokenDraft {
            project: Some(&project),
            name: &name,
            permissions: vec!["verify"],
            expiry: "none",
            expiry_date: "",
        };
        let token = tokens::create(ctx, &actor, &token, None).await.expect("a token");
        ids.insert(Noun::Token, token.id.to_string());
    }
    let invitation = work
        .texts("SELECT id FROM invitations ORDER BY id LIMIT 1")
        .await
        .remove(0);
    ids.insert(Noun::Invitation, invitation);
    let template = work
        .texts("SELECT id FROM key_templates ORDER BY id LIMIT 1")
        .await
        .remove(0);
    ids.insert(Noun::Template, template);
    ids.insert(Noun::Review, review(work).await);
    ids.insert(Noun::Approval, requests::requests(work, &project).await);
    ids
}

/// Some, most of them closed.
async fn open_incidents(work: &Work<'_>, plain: &KeyId) -> [(Noun, String); 2] {
    let mut keys = work
        .texts(&format!(
            "SELECT id FROM api_keys WHERE status <> 'revoked' ORDER BY name LIMIT {INCIDENTS}"
        ))
        .await;
    keys.retain(|id| id != plain.as_str());
    keys.push(plain.to_string());
    let mut last = String::new();
    for key in keys {
        let opening = OpenIncident {
            suspected_since: work.ctx.clock.now(),
            noticed: "Seen in a paste".to_owned(),
            freeze: false,
        };
        let key = key.parse().expect("an id");
        let opened = incidents::open(work.ctx, &work.actor(), &key, &opening).await;
        last = opened.expect("an incident").id.to_string();
    }
    work.run(format!(
        "UPDATE incidents SET status = 'closed', closed_at_ms = opened_at_ms, closed_by_type = 'operator', closed_by_id = 'bench'
         WHERE id <> '{last}'"
    ))
    .await;
    let closed = work
        .texts("SELECT id FROM incidents WHERE status = 'closed' ORDER BY id LIMIT 1")
        .await;
    [(Noun::Incident, last), (Noun::ClosedIncident, closed[0].clone())]
}

async fn change_rules(work: &Work<'_>) {
    let pairs = preview_form();
    let pairs = pairs.split('&').filter_map(|pair| pair.split_once('='));
    let values = FormValues::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let draft = PolicyDraft {
        rotation_days: "90",
        ..PolicyDraft::from_values(&values)
    };
    change::save(work.ctx, &work.actor(), Environment::Live, (&draft, ""), 0)
        .await
        .expect("rules");
}

/// One that runs over every key.
async fn review(work: &Work<'_>) -> String {
    let deadline = work.now.plus_ms(14 * DAY_MS).iso_date();
    let draft = ReviewDraft {
        name: "Autumn",
        filter: KeyFilter::default(),
        assignment: "owners",
        reviewers: Vec::new(),
        deadline: &deadline,
        on_undecided: "nothing",
    };
    let review = reviews::start(work.ctx, &work.actor(), &draft).await;
    review.expect("a review").to_string()
}
