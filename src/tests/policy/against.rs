//! The filter for keys against the policy: the SQL says what the model says, whatever the rules and the keys.

use std::collections::BTreeSet;

use keywright::model::bulk::Chosen;
use keywright::model::form::FormValues;
use keywright::model::key::{Environment, KeyFilter};
use keywright::model::page::PageRequest;
use keywright::model::permission::Permission;
use keywright::model::policy::{Plan, Policy};
use keywright::model::restriction::{Restrictions, RestrictionsDraft};
use keywright::model::scope::ScopeSet;
use keywright::model::time::DAY_MS;
use keywright::server::domain::keys::{bulk, openings, read, restrictions};
use keywright::server::domain::reviews;
use keywright::server::platform::clock::Clock;
use keywright::server::platform::rng::Rng;
use keywright::server::store::policies;

use super::save;
use crate::kit::{TestApp, on_both_databases};

const KEYS: usize = 120;
const POLICIES: usize = 60;

/// Scopes and forbidden ones are drawn from here: below, above and beside each other, with letters that patterns know.
const SCOPES: [&str; 14] = [
    "*", "a", "a:*", "a:b", "a:b:*", "a:b:c", "ab", "ab:c", "a_b", "a_b:*", "axb", "axb:c", "b", "b:a",
];

/// Numbers from the house's own seeded chance.
struct Dice<'a>(&'a dyn Rng);

impl Dice<'_> {
    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % n as u64).unwrap()
    }

    fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn scopes(&self, from: &[&str], most: usize) -> ScopeSet {
        let names: BTreeSet<&str> = (0..self.below(most + 1))
            .map(|_| from[self.below(from.len())])
            .collect();
        ScopeSet::from_stored(&names.into_iter().collect::<Vec<_>>().join(" ")).unwrap()
    }

    fn policy(&self, environment: Environment) -> Policy {
        Policy {
            expiry_required: self.one_in(3),
            max_lifetime_days: self.one_in(3).then(|| [1, 30, 90][self.below(3)]),
            addresses_required: self.one_in(3),
            rotation_days: [1, 30, 90][self.below(3)],
            // To forbid everything is refused where rules are typed.
            forbidden_scopes: self.scopes(&SCOPES[1..], 2),
            ..Policy::default_of(environment)
        }
    }

    fn restrictions(&self) -> Restrictions {
        let draft = RestrictionsDraft {
            ip_allow: if self.one_in(2) {
                vec!["10.0.0.0/8 2001:db8::1"]
            } else {
                vec![]
            },
            ip_deny: if self.one_in(2) { vec!["10.9.9.9"] } else { vec![] },
            resource_allow: if self.one_in(3) {
                vec!["model-a addresses:allow:*"]
            } else {
                vec![]
            },
            ..RestrictionsDraft::default()
        };
        Restrictions::parse(&draft).unwrap()
    }
}

/// Keys of every kind, written behind the application's back: 120 forms would tell the same more slowly.
async fn keys(app: &TestApp, dice: &Dice<'_>) {
    let model = app.issue("Model", &[]).await;
    let now = app.clock.now().ms();
    for n in 0..KEYS {
        let environment = ["live", "test"][dice.below(2)];
        let created = now - i64::try_from(dice.below(100)).unwrap() * DAY_MS;
        let ends = [1, 2, 30, 31, 90, 91][dice.below(6)];
        let expires = match dice.one_in(3) {
            true => "NULL".to_owned(),
            // To the millisecond at the edge of what is allowed.
            false => (created + ends * DAY_MS - i64::from(dice.one_in(2))).to_string(),
        };
        let (rules, _) = restrictions::to_row(&dice.restrictions()).unwrap();
        let rules = rules.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let own = match dice.below(4) {
            0 => "1".to_owned(),
            1 => "31".to_owned(),
            2 => "91".to_owned(),
            _ => "NULL".to_owned(),
        };
        let status = ["active", "active", "active", "disabled", "revoked"][dice.below(5)];
        let scopes = dice.scopes(&SCOPES, 3).stored();
        app.db.tamper(&format!(
            "INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose, owner_team, scopes, status,
                expires_at_ms, created_by_type, created_by_id, created_at_ms, stored_note, revoked_note, version, row_mac, row_mac_key_id,
                restrictions, rotation_days)
             SELECT 'key_{n:012}', org_id, project_id, '{environment}', prefix, 'Key {n}', 'key {n}', '', 'tests', '{scopes}', '{status}',
                {expires}, 'operator', 'x', {created}, '', '', 1, 'm', 'i', {rules}, {own} FROM api_keys WHERE id = '{}'",
            model.id
        )).await;
    }
}

/// Lays rules down as they are, and for some only as a plan whose day has come or not.
async fn lay_down(app: &TestApp, dice: &Dice<'_>) {
    let scope = app.operator().require(Permission::PolicyManage).unwrap();
    let now = app.clock.now();
    for environment in Environment::ALL {
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        let mut standing = policies::find(&mut tx, &scope, *environment).await.unwrap();
        standing.policy = dice.policy(*environment);
        standing.plan = dice.one_in(3).then(|| Plan {
            policy: dice.policy(*environment),
            from: now.plus_ms([0, 1][dice.below(2)]),
        });
        assert!(policies::save(&mut tx, &scope, &standing, now).await.unwrap());
        tx.commit().await.unwrap();
    }
}

on_both_databases! {
    async fn the_filter_finds_exactly_the_keys_that_the_list_marks(backend: Backend) {
        let app = TestApp::on(backend).await;
        let dice = Dice(app.ctx.rng.as_ref());
        keys(&app, &dice).await;
        let page = PageRequest::clamped(1, 200);
        let (mut broken, mut kept) = (0, 0);
        for round in 0..POLICIES {
            lay_down(&app, &dice).await;
            let all = KeyFilter { with_revoked: true, page, ..KeyFilter::default() };
            let listed = read::list(&app.ctx, &app.operator(), &all).await.unwrap();
            let marked: BTreeSet<_> = listed.rows.iter().filter(|key| key.breaks_policy).map(|key| key.name.clone()).collect();
            let filter = KeyFilter { against_policy: true, ..all };
            let found = read::list(&app.ctx, &app.operator(), &filter).await.unwrap();
            assert!(found.rows.iter().all(|key| key.breaks_policy), "{round}");
            assert_eq!(usize::try_from(found.total).unwrap(), found.rows.len(), "{round}: the count agrees");
            let found: BTreeSet<_> = found.rows.into_iter().map(|key| key.name).collect();
            assert_eq!(found, marked, "{round}");
            broken += marked.len();
            kept += listed.rows.len() - marked.len();
            let narrower = KeyFilter { environment: Some(Environment::Test), search: "key 1".to_owned(), ..filter };
            let expected: BTreeSet<_> = listed.rows.iter()
                .filter(|key| marked.contains(&key.name) && key.environment == Environment::Test && key.name.starts_with("Key 1"))
                .map(|key| key.name.clone()).collect();
            let found = read::list(&app.ctx, &app.operator(), &narrower).await.unwrap();
            assert_eq!(found.rows.into_iter().map(|key| key.name).collect::<BTreeSet<_>>(), expected, "{round}: with other filters");
        }
        assert!(broken > POLICIES * 20 && kept > POLICIES * 20, "{broken} {kept}: both must come up");
    }

    async fn file_bulk_review_and_rotations_follow_the_same_filter(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.issue("Short", &["images:read"]).await;
        app.try_issue("Endless", "live", &["images:read"], "none").await.unwrap();
        app.try_issue("Endless test", "test", &["images:read"], "none").await.unwrap();
        save(&app, &[("expiry_required", "1")], "").await.unwrap();
        let mut owner = app.owner().await;
        let list = owner.get("/settings/api-keys?policy=against").await.body;
        assert!(list.contains(">Endless<") && !list.contains(">Short<") && !list.contains(">Endless test<"), "{list}");
        assert!(list.contains("export.csv?policy=against"), "{list}");
        let csv = owner.get("/settings/api-keys/export.csv?policy=against").await.body;
        assert_eq!(csv.lines().count(), 2, "{csv}");
        assert!(csv.contains("Endless") && !csv.contains("Short"), "{csv}");
        let form = [("all".to_owned(), "1".to_owned()), ("policy".to_owned(), "against".to_owned())];
        let chosen = Chosen::from_values(&FormValues::from_pairs(form));
        let stopped = bulk::preview(&app.ctx, &app.operator(), keywright::model::bulk::BulkAct::Disable, &chosen).await.unwrap();
        assert_eq!(stopped.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["Endless"]);
        let overlap = keywright::model::rotation::Overlap::parse("now", "", false).unwrap();
        let started = openings::preview(&app.ctx, &app.operator(), &chosen, overlap).await.unwrap();
        assert_eq!(started.rows.len(), 1);
        let filter = KeyFilter { against_policy: true, ..KeyFilter::default() };
        let review = reviews::form(&app.ctx, &app.owner_of(app.org), filter).await.unwrap();
        assert_eq!(review.matching, 1);
        let page = owner.get("/settings/reviews/new?policy=against").await.body;
        assert!(page.contains("Against the policy") && page.contains("<input type=\"hidden\" name=\"policy\" value=\"against\""), "{page}");
        let none = owner.get("/settings/api-keys?policy=against&environment=test").await.body;
        assert!(none.contains("filtered by environment test, against the policy"), "{none}");
    }
}
