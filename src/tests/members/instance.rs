//! The last resort: whoever looks after the installation.

use keywright::model::actor::Actor;
use keywright::model::org::Role;
use keywright::server::domain::accounts::operate;
use keywright::server::domain::members::invite;

use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::people::token_of;
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn an_instance_administrator_makes_organisations_and_nobody_else(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut admin = app.join("admin@acme.example", Role::Admin).await;
        for address in ["/instance/organisations", "/instance/accounts", "/instance/mail"] {
            assert_eq!(admin.browser.get(address).await.status, 403, "{address}");
        }
        let refused = admin.browser.post("/instance/organisations/new", &[("name", "Mine")]).await;
        assert_eq!(refused.status, 403);
        let mut owner = app.owner().await;
        let taken = owner.post("/instance/organisations/new", &[("name", "ACME")]).await;
        assert!(taken.status == 422 && taken.body.contains("Choose another"), "{}", taken.body);
        let made = owner.post("/instance/organisations/new", &[("name", "Globex")]).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let page = owner.get("/instance/organisations").await;
        assert!(page.body.contains("Globex"), "{}", page.body);
        let page = owner.get("/settings/api-keys").await;
        assert!(page.body.contains(">Globex<") && page.body.contains(">Acme<"), "both in the switcher");
    }

    async fn the_operator_appoints_administrators_and_one_always_stays(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let operator = Actor::operator("tests", None);
        let set = async |email: &str, yes| operate::set_administrator(&app.ctx, &operator, email, yes).await;
        assert!(set(EMAIL, false).await.is_err(), "the only one");
        assert_eq!(grace.browser.get("/instance/accounts").await.status, 403);
        assert!(set(&grace.email, true).await.unwrap());
        assert!(!set(&grace.email, true).await.unwrap(), "twice is no error");
        assert_eq!(grace.browser.get("/instance/accounts").await.status, 200, "in the open session, too");
        // At once, one of the two stays.
        let (first, second) = futures_util::join!(set(EMAIL, false), set(&grace.email, false));
        assert_eq!([first, second].iter().filter(|done| done.is_ok()).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM accounts WHERE is_instance_admin").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action LIKE 'account.administrator%'").await, 2);
        assert!(set("nobody@acme.example", true).await.is_err());
    }

    async fn r10_a_locked_account_is_released_by_an_administrator(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let bucket = keywright::server::domain::accounts::throttle::account_bucket(&app.ctx, &grace.email);
        app.db.tamper(&format!(
            "INSERT INTO throttles (bucket, failures, blocked_until_ms, updated_at_ms) VALUES ('{bucket}', 100, 0, 0)"
        )).await;
        let right = [("email", grace.email.as_str()), ("password", PASSWORD)];
        assert_eq!(app.browser().post("/sign-in", &right).await.status, 401, "locked");
        app.clock.advance_ms(20_000);
        let mut owner = app.owner().await;
        for base in ["/settings/members", "/instance/accounts"] {
            let page = owner.get(&format!("{base}/{}", grace.account)).await;
            assert!(page.body.contains("/unlock"), "{base}: {}", page.body);
        }
        assert_eq!(owner.post(&format!("/settings/members/{}/unlock", grace.account), &[]).await.status, 303);
        assert_eq!(app.browser().post("/sign-in", &right).await.status, 303, "released");
    }

    async fn r25_an_instance_administrator_helps_accounts_of_any_organisation(backend: Backend) {
        let app = TestApp::on(backend).await;
        let globex = app.another_org("Globex").await;
        let made = invite::invite(&app.ctx, &app.owner_of(globex), "hank@globex.example", "owner").await.unwrap();
        let mut hank = app.accept(&token_of(made.link.expose()), "hank@globex.example").await;
        app.enrol(&mut hank.browser).await;
        let mut owner = app.owner().await;
        let here = format!("/instance/accounts/{}", hank.account);
        let link = owner.post(&format!("{here}/password-link"), &[]).await;
        assert!(link.status == 200 && link.body.contains("/reset-password?token=kwr_"), "{}", link.body);
        assert_eq!(owner.post(&format!("{here}/reset-factors"), &[]).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 0);
        let unknown = owner.post("/instance/accounts/acc_000000000000/sign-out", &[]).await;
        assert_eq!(unknown.status, 404);
        app.clock.advance_ms(11 * 60_000);
        assert!(owner.post(&format!("{here}/sign-out"), &[]).await.asks_who(), "with a fresh proof alone");
    }
}
