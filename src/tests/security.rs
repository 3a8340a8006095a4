//! The security checklist: each check follows its fact, counts what its link shows, and nothing of anybody else's.

use keywright::model::error::AppError;
use keywright::model::id::{KeyId, OrgId, ProjectId};
use keywright::model::key::{Concern, Environment, KeyFilter, RevocationReason};
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::review::Decision;
use keywright::model::security::{Check, CheckName, CheckState, Checklist};
use keywright::model::time::DAY_MS;
use keywright::server::domain::incidents::{self, OpenIncident};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::{lifecycle, read};
use keywright::server::domain::projects::{self, ProjectDraft};
use keywright::server::domain::reviews::{self, Choice, ReviewDraft};
use keywright::server::domain::tokens::{self, TokenDraft};
use keywright::server::domain::{members, security};
use keywright::server::platform::clock::Clock;

use crate::kit::app::catalogue;
use crate::kit::{TestApp, on_both_databases};
use crate::policy::save_for;

const ADDRESS: &[&str] = &["203.0.113.0/24"];

const OF_KEYS: [CheckName; 8] = [
    CheckName::Expiry,
    CheckName::Rotation,
    CheckName::LeastPrivilege,
    CheckName::Addresses,
    CheckName::Unused,
    CheckName::Owners,
    CheckName::ServiceOwned,
    CheckName::Stored,
];

/// A key that every check is content with, but for what is said otherwise.
fn sound<'a>(project: &'a ProjectId, name: &'a str) -> KeyDraft<'a> {
    KeyDraft {
        project: Some(project),
        environment: "live",
        name,
        purpose: "",
        owner: "team:Platform",
        scopes: vec!["images:read"],
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft {
            ip_allow: ADDRESS.to_vec(),
            ..RestrictionsDraft::default()
        },
        extend_catalogue: true,
        scopes_required: false,
    }
}

async fn make(app: &TestApp, draft: KeyDraft<'_>) -> KeyId {
    let id = issue::issue(&app.ctx, &app.operator(), &draft, None)
        .await
        .unwrap()
        .id;
    lifecycle::confirm_stored(&app.ctx, &app.operator(), &id, "", None)
        .await
        .unwrap();
    id
}

async fn checks(app: &TestApp) -> Checklist {
    security::checks(&app.ctx, &app.operator()).await.unwrap()
}

async fn of(app: &TestApp, name: CheckName) -> Check {
    let mut checks = checks(app).await.checks;
    checks.retain(|check| check.name == name);
    checks.remove(0)
}

async fn state(app: &TestApp, name: CheckName) -> CheckState {
    of(app, name).await.state
}

/// How many keys the list shows under the link of a check.
async fn listed(app: &TestApp, check: &Check) -> Option<i64> {
    let (_, address) = check.name.link();
    let query = address.strip_prefix("/settings/api-keys?")?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
    let of = |name: &str| {
        let found = pairs.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let page = read::list(&app.ctx, &app.operator(), &KeyFilter::asked(of))
        .await
        .unwrap();
    assert_eq!(page.total, i64::try_from(page.rows.len()).unwrap());
    Some(page.total)
}

/// The number that a check begins with.
fn number(check: &Check) -> i64 {
    let digits = check.found.split(' ').next().unwrap_or_default();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no number: {}", check.found))
}

on_both_databases! {
    async fn each_check_of_keys_follows_its_fact(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        make(&app, sound(&app.project, "Sound")).await;
        for name in OF_KEYS {
            assert_eq!(state(&app, name).await, CheckState::Passes, "{name:?}");
        }
        let of_grace = format!("member:{}", grace.account);
        let base = || sound(&app.project, "Another");
        let deny = RestrictionsDraft { ip_deny: ADDRESS.to_vec(), ..RestrictionsDraft::default() };
        let resources = RestrictionsDraft { resource_allow: vec!["gpt-*"], ..RestrictionsDraft::default() };
        let cases: Vec<(CheckName, KeyDraft<'_>)> = vec![
            (CheckName::Expiry, KeyDraft { expiry: "none", ..base() }),
            (CheckName::LeastPrivilege, KeyDraft { scopes: vec!["images:read", "*", "admin"], ..base() }),
            (CheckName::Addresses, KeyDraft { restrictions: RestrictionsDraft::default(), ..base() }),
            (CheckName::Addresses, KeyDraft { restrictions: deny, ..base() }),
            (CheckName::Addresses, KeyDraft { restrictions: resources, ..base() }),
            (CheckName::ServiceOwned, KeyDraft { owner: &of_grace, ..base() }),
        ];
        for (name, draft) in cases {
            let id = make(&app, draft).await;
            for one in OF_KEYS {
                let check = of(&app, one).await;
                let expected = if one == name { CheckState::Attention } else { CheckState::Passes };
                assert_eq!(check.state, expected, "{one:?} with a key against {name:?}: {}", check.found);
                if let Some(listed) = listed(&app, &check).await {
                    assert_eq!(number(&check), listed, "{one:?}");
                }
            }
            assert!(of(&app, name).await.found.starts_with("1 of 2 "), "{name:?}");
            // What does not pass is of no concern any more.
            lifecycle::disable(&app.ctx, &app.operator(), &id).await.unwrap();
            assert_eq!(state(&app, name).await, CheckState::Passes, "{name:?} of a disabled key");
            lifecycle::revoke(&app.ctx, &app.operator(), &id, RevocationReason::Unspecified, "").await.unwrap();
        }
    }

    async fn a_check_is_content_with_what_is_right(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let alan = app.join("alan@acme.example", Role::Developer).await;
        let of_grace = format!("member:{}", grace.account);
        make(&app, sound(&app.project, "Sound")).await;
        // A wildcard of a part is not every scope; nor is a test key asked for an end or addresses.
        make(&app, KeyDraft { scopes: vec!["images:*"], ..sound(&app.project, "Part") }).await;
        let test = KeyDraft { environment: "test", expiry: "none", owner: &of_grace, restrictions: RestrictionsDraft::default(), ..sound(&app.project, "Test") };
        let test = make(&app, test).await;
        for name in OF_KEYS {
            assert_eq!(state(&app, name).await, CheckState::Passes, "{name:?}");
        }
        let unsure = issue::issue(&app.ctx, &app.operator(), &sound(&app.project, "Unsure"), None).await.unwrap().id;
        let check = of(&app, CheckName::Stored).await;
        assert_eq!((check.state, listed(&app, &check).await), (CheckState::Attention, Some(1)));
        lifecycle::confirm_stored(&app.ctx, &app.operator(), &unsure, "", None).await.unwrap();
        assert_eq!(state(&app, CheckName::Stored).await, CheckState::Passes);
        // The owner goes, and comes back.
        app.give_key(test.as_str(), &alan.account).await;
        let status = async |status: &str| app.db.tamper(&format!("UPDATE members SET status = '{status}' WHERE account_id = '{}'", alan.account)).await;
        status("suspended").await;
        let check = of(&app, CheckName::Owners).await;
        assert_eq!((check.state, listed(&app, &check).await), (CheckState::Attention, Some(1)));
        assert!(check.found.starts_with("1 of 4 keys belongs"), "{}", check.found);
        status("active").await;
        assert_eq!(state(&app, CheckName::Owners).await, CheckState::Passes);
    }

    async fn time_makes_keys_overdue_and_unused(backend: Backend) {
        let app = TestApp::on(backend).await;
        make(&app, KeyDraft { expiry: "365", rotation_days: "1", ..sound(&app.project, "Daily") }).await;
        let used = make(&app, KeyDraft { expiry: "365", ..sound(&app.project, "Used") }).await;
        app.clock.advance_ms(2 * DAY_MS);
        let check = of(&app, CheckName::Rotation).await;
        assert_eq!((check.state, check.found.as_str()), (CheckState::Attention, "1 of 2 keys is overdue."));
        assert_eq!(listed(&app, &check).await, Some(1));
        app.db.tamper(&format!("UPDATE api_keys SET overlap_until_ms = {} WHERE name = 'Daily'", app.clock.now().ms() + 1)).await;
        assert_eq!(state(&app, CheckName::Rotation).await, CheckState::Passes, "while it rotates it is not overdue");
        app.clock.advance_ms(87 * DAY_MS);
        assert_eq!(state(&app, CheckName::Unused).await, CheckState::Passes, "after 89 days");
        app.db.tamper(&format!("INSERT INTO key_last_used (key_id, at_ms) VALUES ('{used}', {})", app.clock.now().ms())).await;
        app.clock.advance_ms(DAY_MS);
        let check = of(&app, CheckName::Unused).await;
        assert_eq!(check.state, CheckState::Attention, "after 90 days");
        assert_eq!(check.found, "1 of 2 keys was not used for 90 days or more.");
        let mut owner = app.owner().await;
        let page = owner.get(check.name.link().1).await;
        assert!(page.body.contains("Daily") && !page.body.contains("Used</a>"), "{}", page.body);
    }

    async fn each_rule_of_the_policy_is_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        make(&app, sound(&app.project, "Sound")).await;
        for name in [CheckName::ExpiryRule, CheckName::AddressRule, CheckName::UnusedRule] {
            assert_eq!(state(&app, name).await, CheckState::Attention, "{name:?}");
        }
        save_for(&app, Environment::Live, &[("expiry_required", "1")], "").await.unwrap();
        assert_eq!(state(&app, CheckName::ExpiryRule).await, CheckState::Passes);
        save_for(&app, Environment::Live, &[("max_lifetime_days", "365")], "").await.unwrap();
        assert_eq!(of(&app, CheckName::ExpiryRule).await.found, "A live key lives 365 days at most.");
        save_for(&app, Environment::Live, &[("addresses_required", "1"), ("unused_days", "90")], "").await.unwrap();
        assert_eq!(state(&app, CheckName::AddressRule).await, CheckState::Passes);
        assert_eq!(of(&app, CheckName::UnusedRule).await.found, "Unused test keys stay as they are.");
        save_for(&app, Environment::Test, &[("unused_days", "30")], "").await.unwrap();
        assert_eq!(state(&app, CheckName::UnusedRule).await, CheckState::Passes);
        assert_eq!(state(&app, CheckName::LeakRule).await, CheckState::Passes);
        save_for(&app, Environment::Test, &[("unused_days", "30"), ("on_leak", "alert")], "").await.unwrap();
        assert_eq!(state(&app, CheckName::LeakRule).await, CheckState::Attention);
        // Rules that are only planned do not hold yet.
        let day = app.clock.now().plus_ms(10 * DAY_MS).iso_date();
        save_for(&app, Environment::Test, &[("unused_days", "30")], &day).await.unwrap();
        assert_eq!(state(&app, CheckName::LeakRule).await, CheckState::Attention);
        app.clock.advance_ms(10 * DAY_MS);
        assert_eq!(state(&app, CheckName::LeakRule).await, CheckState::Passes);
    }

    async fn people_and_their_second_factors_are_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        // The owner has no second factor, and is the only one.
        assert_eq!(of(&app, CheckName::Factors).await.found, "1 of 1 active member has no second factor.");
        assert_eq!(state(&app, CheckName::TwoOwners).await, CheckState::Attention);
        let second = app.person("second@acme.example", Some((app.org, Role::Owner, "active"))).await;
        assert_eq!(of(&app, CheckName::TwoOwners).await.found, "There are 2 owners.");
        assert_eq!(of(&app, CheckName::Factors).await.found, "2 of 2 active members have no second factor.");
        for account in [app.account, second] {
            let id = app.unique("factor");
            app.db.tamper(&format!("INSERT INTO factors (id, account_id, kind, sealed, created_at_ms, confirmed_at_ms, last_step, session_sha256)
                VALUES ('{id}', '{account}', 'totp', '', 0, 1, 0, '')")).await;
        }
        assert_eq!(state(&app, CheckName::Factors).await, CheckState::Passes);
        assert_eq!(state(&app, CheckName::FactorRule).await, CheckState::Attention);
        members::two_factor::require(&app.ctx, &app.owner_of(app.org), "7").await.unwrap();
        assert_eq!(state(&app, CheckName::FactorRule).await, CheckState::Passes);
    }

    async fn service_tokens_are_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        // The kit's token never expires, and nobody has used it.
        assert_eq!(of(&app, CheckName::TokenExpiry).await.found, "1 of 1 service token has no expiry.");
        assert_eq!(state(&app, CheckName::TokenUnused).await, CheckState::Passes, "it is young");
        app.clock.advance_ms(91 * DAY_MS);
        assert_eq!(state(&app, CheckName::TokenUnused).await, CheckState::Attention);
        app.db.tamper(&format!("INSERT INTO token_last_used (token_id, at_ms) SELECT id, {} FROM service_tokens", app.clock.now().ms())).await;
        assert_eq!(state(&app, CheckName::TokenUnused).await, CheckState::Passes);
        app.db.tamper(&format!("UPDATE service_tokens SET expires_at_ms = {}", app.clock.now().ms() + 1)).await;
        assert_eq!(state(&app, CheckName::TokenExpiry).await, CheckState::Passes);
        app.clock.advance_ms(1);
        assert_eq!(state(&app, CheckName::TokenExpiry).await, CheckState::NotChecked, "none is in force any more");
    }

    async fn incidents_reviews_and_mail_are_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        assert_eq!(state(&app, CheckName::Reviews).await, CheckState::NotChecked);
        let key = make(&app, sound(&app.project, "Sound")).await;
        assert_eq!(state(&app, CheckName::Incidents).await, CheckState::Passes);
        let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: false };
        incidents::open(&app.ctx, &app.operator(), &key, &opening).await.unwrap();
        let check = of(&app, CheckName::Incidents).await;
        assert_eq!((check.state, check.found.as_str()), (CheckState::Attention, "1 incident is open."));
        app.db.tamper("UPDATE incidents SET status = 'closed', closed_at_ms = opened_at_ms").await;
        assert_eq!(state(&app, CheckName::Incidents).await, CheckState::Passes);

        assert_eq!(of(&app, CheckName::Reviews).await.found, "Nobody has reviewed the keys yet.");
        let deadline = app.clock.now().plus_ms(10 * DAY_MS).iso_date();
        let draft = ReviewDraft {
            name: "Autumn",
            filter: KeyFilter::default(),
            assignment: "owners",
            reviewers: Vec::new(),
            deadline: &deadline,
            on_undecided: "nothing",
        };
        let owner = app.owner_of(app.org);
        let review = reviews::start(&app.ctx, &owner, &draft).await.unwrap();
        assert_eq!(of(&app, CheckName::Reviews).await.found, "A review is running. It is the first.");
        let kept = Choice { key, decision: Some(Decision::Keep), note: "", seen: None };
        reviews::decide(&app.ctx, &owner, &review, &[kept]).await.unwrap();
        reviews::finish(&app.ctx, &owner, &review).await.unwrap();
        assert_eq!(state(&app, CheckName::Reviews).await, CheckState::Passes);
        app.clock.advance_ms(184 * DAY_MS);
        make(&app, sound(&app.project, "Younger")).await;
        assert_eq!(state(&app, CheckName::Reviews).await, CheckState::Attention);

        assert_eq!(state(&app, CheckName::Mail).await, CheckState::Passes);
        let silent = TestApp::on_without_mail(backend).await;
        assert_eq!(state(&silent, CheckName::Mail).await, CheckState::Attention);
    }

    async fn nothing_of_another_organisation_is_counted(backend: Backend) {
        let app = TestApp::on(backend).await;
        make(&app, sound(&app.project, "Sound")).await;
        let before = checks(&app).await;
        let globex = app.another_org("Globex").await;
        all_sins(&app, globex).await;
        assert_eq!(checks(&app).await, before);
        let theirs = security::checks(&app.ctx, &app.owner_of(globex)).await.unwrap();
        for name in [CheckName::Expiry, CheckName::LeastPrivilege, CheckName::Addresses, CheckName::ServiceOwned, CheckName::Stored,
            CheckName::Incidents, CheckName::TokenExpiry, CheckName::Unused] {
            let check = theirs.checks.iter().find(|check| check.name == name).unwrap();
            assert_eq!(check.state, CheckState::Attention, "{name:?}: {}", check.found);
        }
    }

    async fn each_role_sees_what_it_may_see_elsewhere(backend: Backend) {
        let app = TestApp::on(backend).await;
        let names = async |role: Role| {
            let list = security::checks(&app.ctx, &app.member(role)).await.unwrap();
            list.checks.into_iter().map(|check| check.name).collect::<Vec<_>>()
        };
        let owner = names(Role::Owner).await;
        assert_eq!(owner, CheckName::ALL);
        assert_eq!(names(Role::Admin).await, owner);
        let hidden = |seen: &[CheckName]| owner.iter().filter(|name| !seen.contains(name)).copied().collect::<Vec<_>>();
        assert_eq!(hidden(&names(Role::Auditor).await), [CheckName::TokenExpiry, CheckName::TokenUnused]);
        assert_eq!(hidden(&names(Role::Developer).await), [
            CheckName::Factors, CheckName::FactorRule, CheckName::TwoOwners, CheckName::TokenExpiry, CheckName::TokenUnused,
            CheckName::Mail, CheckName::AuditLog,
        ]);

        let mut developer = app.join("dev@acme.example", Role::Developer).await;
        let page = developer.browser.get("/settings/security").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("There is no live key in force.") && page.body.contains("Not checked"), "{}", page.body);
        for absent in ["Two-factor authentication", "second factor", "ada@acme.example", "Service tokens expire", "audit verify"] {
            assert!(!page.body.contains(absent), "{absent}");
        }
        let mut auditor = app.join("aud@acme.example", Role::Auditor).await;
        let page = auditor.browser.get("/settings/security").await;
        assert!(page.body.contains("Two-factor authentication") && page.body.contains("have no second factor"), "{}", page.body);
        // Only whoever administers the installation can open the page about mail.
        assert!(!page.body.contains("href=\"/instance/mail\""));
        assert!(app.owner().await.get("/settings/security").await.body.contains("aria-label=\"Mail: Warnings reach people\""));
    }

    async fn a_concern_narrows_every_list_of_keys(backend: Backend) {
        let app = TestApp::on(backend).await;
        make(&app, sound(&app.project, "Sound")).await;
        make(&app, KeyDraft { expiry: "none", ..sound(&app.project, "Endless") }).await;
        let mut owner = app.owner().await;
        for address in ["/settings/api-keys", "/settings/api-keys/export.csv", "/settings/reviews/new"] {
            let page = owner.get(&format!("{address}?status=no_end")).await;
            assert_eq!(page.status, 200, "{address}");
            if address.ends_with("/new") {
                assert!(page.body.contains("name=\"status\" value=\"no_end\""), "{}", page.body);
                assert!(page.body.contains("1 key"), "{}", page.body);
            } else {
                assert!(page.body.contains("Endless") && !page.body.contains("Sound"), "{address}: {}", page.body);
            }
        }
        let none = owner.get("/settings/api-keys?status=all_scopes").await;
        assert!(none.body.contains("filtered by “every scope”"), "{}", none.body);
        let filter = KeyFilter { concern: Some(Concern::NoEnd), ..KeyFilter::default() };
        let page = read::list(&app.ctx, &app.operator(), &filter).await.unwrap();
        assert_eq!(page.total, 1);
    }
}

/// A key against every check there is, a token without an end, and an open incident.
async fn all_sins(app: &TestApp, org: OrgId) {
    let actor = app.owner_of(org);
    let draft = ProjectDraft {
        name: "Theirs",
        prefix: "globex",
        scopes: Ok(catalogue(&["read"])),
    };
    let project = projects::create(&app.ctx, &actor, draft).await.unwrap();
    let draft = KeyDraft {
        owner: "me",
        expiry: "none",
        scopes: vec!["*"],
        restrictions: RestrictionsDraft::default(),
        ..sound(&project, "Bad")
    };
    let key = issue::issue(&app.ctx, &actor, &draft, None).await.unwrap().id;
    app.db
        .tamper(&format!(
            "UPDATE api_keys SET created_at_ms = 1, idle_since_ms = 1 WHERE id = '{key}'"
        ))
        .await;
    let opening = OpenIncident {
        suspected_since: app.clock.now(),
        noticed: String::new(),
        freeze: false,
    };
    incidents::open(&app.ctx, &actor, &key, &opening).await.unwrap();
    let draft = TokenDraft {
        project: Some(&project),
        name: "theirs",
        permissions: vec!["verify"],
        expiry: "none",
        expiry_date: "",
    };
    tokens::create(&app.ctx, &actor, &draft, None).await.unwrap();
}

#[tokio::test]
async fn nobody_sees_the_checks_without_signing_in() {
    let app = TestApp::on(crate::kit::Backend::Sqlite).await;
    let nobody = keywright::model::actor::Actor::anonymous(keywright::model::actor::Origin::default());
    let refused: AppError = security::checks(&app.ctx, &nobody).await.unwrap_err().into();
    assert_eq!(refused, AppError::unauthenticated());
}
