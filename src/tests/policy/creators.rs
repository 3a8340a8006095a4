//! Who may create keys of an environment, and no one else, gives them other secrets and lets them do more.

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Denied, Origin};
use keywright::model::advice::WATCHED_MS;
use keywright::model::bulk::Chosen;
use keywright::model::id::AccountId;
use keywright::model::key::Environment;
use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::rotation::Overlap;
use keywright::server::domain::DomainError;
use keywright::server::domain::incidents::{self, OpenIncident, replace};
use keywright::server::domain::keys::edit::{self, AccessEdit, KeyEdit};
use keywright::server::domain::keys::{advice, openings, read, rotation};
use keywright::server::domain::policy::Policies;
use keywright::server::platform::clock::Clock;
use serde_json::json;

use super::save_for;
use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};

/// A developer with the powers that the policies give at this moment, and a fresh proof.
async fn developer(app: &TestApp, account: AccountId) -> Actor {
    let mut tx = app.ctx.db.begin_read().await.unwrap();
    let scope = app.operator().require(Permission::KeysRead).unwrap();
    let now = app.clock.now();
    let Policies { live, test } = Policies::in_force(&mut tx, &scope, now).await.unwrap();
    let membership = Some((app.org, Role::Developer));
    let actor = Actor::account(account, membership, SessionStage::Complete, Origin::default());
    actor.proved(now).under_policy(&live, &test)
}

fn overlap(choice: &str) -> Overlap {
    Overlap::parse(choice, "", false).unwrap()
}

async fn edited(app: &TestApp, who: &Actor, key: &Issued, scopes: &[&str]) -> Result<(), DomainError> {
    let name = read::find(&app.ctx, who, &key.id).await?.summary.name;
    let access = AccessEdit {
        scopes: scopes.to_vec(),
        ..AccessEdit::default()
    };
    let typed = KeyEdit {
        name: &name,
        purpose: "",
        rotation_days: "",
        access: Some(access),
    };
    edit::save(&app.ctx, who, &key.id, &typed).await
}

/// How many rotations they opened: those that are not theirs to open are left out.
async fn opened(app: &TestApp, who: &Actor, key: &Issued) -> i64 {
    let version = read::find(&app.ctx, who, &key.id).await.unwrap().version;
    let chosen = Chosen::Keys(vec![(key.id, Some(version))]);
    let done = openings::apply(&app.ctx, who, &chosen, (overlap("1h"), false))
        .await
        .unwrap();
    assert_eq!(done.opened + done.skipped, 1, "{done:?}");
    done.opened
}

/// A key of theirs that was tightened: it had `admin`, which nothing needed for 90 days.
async fn tightened(app: &TestApp, environment: Environment, owner: AccountId, name: &str) -> Issued {
    let made = app
        .try_issue(name, environment.as_str(), &["admin", "images:*"], "365")
        .await;
    let key = made.unwrap();
    app.give_key(key.id.as_str(), &owner).await;
    app.clock.advance_ms(WATCHED_MS);
    let asked =
        json!({ "key": key.secret, "permissions": "images:read OR admin", "clientIp": "203.0.113.7" });
    assert_eq!(app.ask(asked).await["code"], "VALID");
    app.ctx.usage.flush().await;
    advice::tighten(&app.ctx, &app.operator(), &key.id, &["scope admin"])
        .await
        .unwrap();
    key
}

/// Done, or not allowed.
fn is<T: std::fmt::Debug>(allowed: bool, done: Result<T, DomainError>, what: &str) {
    match allowed {
        true => assert!(done.is_ok(), "{what}: {done:?}"),
        false => assert!(
            matches!(done, Err(DomainError::Denied(Denied::Forbidden))),
            "{what}: {done:?}"
        ),
    }
}

on_both_databases! {
    async fn who_may_not_create_a_key_neither_rotates_nor_widens_their_own(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.person("grace@acme.example", Some((app.org, Role::Developer, "active"))).await;
        let rounds = [Environment::Live, Environment::Test].map(|environment| [(environment, false), (environment, true)]);
        for (environment, lets) in rounds.into_iter().flatten() {
            let creators = if lets { "developers" } else { "admins" };
            save_for(&app, environment, &[("creators", creators)], "").await.unwrap();
            let what = format!("{environment:?} by {creators}");
            let key = tightened(&app, environment, grace, &what).await;
            let who = developer(&app, grace).await;
            let told = read::find(&app.ctx, &who, &key.id).await.unwrap();
            assert_eq!((told.may_manage, told.may_rotate), (true, lets), "{what}");
            is(lets, advice::undo(&app.ctx, &who, &key.id).await, &format!("undo {what}"));
            is(true, edited(&app, &who, &key, &["images:read"]).await, &format!("narrow {what}"));
            is(lets, edited(&app, &who, &key, &["images:read", "admin"]).await, &format!("widen {what}"));
            assert_eq!(opened(&app, &who, &key).await, i64::from(lets), "open {what}");
            is(lets, rotation::start(&app.ctx, &who, &key.id, overlap("1h"), None).await.map(drop), &format!("rotate {what}"));
            if !lets {
                rotation::start(&app.ctx, &app.operator(), &key.id, overlap("1h"), None).await.unwrap();
            }
            is(lets, rotation::extend(&app.ctx, &who, &key.id, overlap("24h")).await, &format!("extend {what}"));
            is(lets, rotation::cancel(&app.ctx, &who, &key.id).await, &format!("cancel {what}"));
            if !lets {
                is(true, rotation::finish(&app.ctx, &who, &key.id).await, &format!("finish {what}"));
            }
            let opening = OpenIncident { suspected_since: app.clock.now(), noticed: String::new(), freeze: true };
            let incident = incidents::open(&app.ctx, &who, &key.id, &opening).await.unwrap().id;
            is(lets, replace::replace(&app.ctx, &who, (&incident, None), None).await.map(drop), &format!("replace {what}"));
        }
    }

    async fn nothing_is_offered_that_would_be_refused(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let key = app.try_issue("Hers", "test", &["images:read"], "90").await.unwrap();
        app.give_key(key.id.as_str(), &grace.account).await;
        let at = format!("/settings/api-keys/{}", key.id);
        for (creators, offered) in [("developers", true), ("admins", false)] {
            save_for(&app, Environment::Test, &[("creators", creators)], "").await.unwrap();
            let page = grace.browser.get(&at).await;
            assert_eq!(page.body.contains(&format!("{at}/rotate\"")), offered, "{creators}");
            assert!(page.body.contains(&format!("{at}/edit\"")) && page.body.contains(&format!("{at}/revoke\"")), "{creators}");
        }
    }
}
