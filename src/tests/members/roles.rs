//! Roles: nobody above themselves, never without an owner, from the next request on.

use keywright::model::org::Role;
use keywright::server::domain::accounts::session::{self, Caller};
use keywright::server::domain::members::{account_acts, roles};

use crate::kit::app::PASSWORD;
use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn r32_a_role_changes_with_the_next_request(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        assert_eq!(grace.browser.get("/settings/members").await.status, 403);
        let address = format!("/settings/members/{}/role", grace.account);
        let changed = app.owner().await.post(&address, &[("role", "auditor")]).await;
        assert_eq!(changed.status, 303, "{}", changed.body);
        assert_eq!(grace.browser.get("/settings/members").await.status, 200);
        let detail = app.db.texts("SELECT detail FROM audit_events WHERE action = 'member.role_changed'").await;
        assert_eq!(detail, ["{\"after\":\"auditor\",\"before\":\"developer\"}"]);
    }

    async fn r52_nobody_gives_or_touches_a_role_above_their_own(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut admin = app.join("admin@acme.example", Role::Admin).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let role_of = |account| format!("/settings/members/{account}/role");
        let raised = admin.browser.post(&role_of(grace.account), &[("role", "owner")]).await;
        assert_eq!(raised.status, 403, "a crafted form raises nobody");
        let own = admin.browser.post(&role_of(admin.account), &[("role", "owner")]).await;
        assert_eq!(own.status, 403, "nor oneself");
        let owner = admin.browser.post(&role_of(app.account), &[("role", "auditor")]).await;
        assert_eq!(owner.status, 403, "an owner is above an admin");
        for act in ["offboard", "reset-factors", "password-link", "sign-out"] {
            let address = format!("/settings/members/{}/{act}", app.account);
            let refused = admin.browser.post(&address, &[("departure", "remove")]).await;
            assert_eq!(refused.status, 403, "{act}");
        }
        let strange = admin.browser.post(&role_of(grace.account), &[("role", "root")]).await;
        assert!(strange.status == 422 && strange.body.contains("Choose one of the roles"), "{}", strange.body);
        let done = admin.browser.post(&role_of(grace.account), &[("role", "admin")]).await;
        assert_eq!(done.status, 303, "up to their own role they may");
    }

    async fn r54_the_last_owner_stays_even_when_fifty_try_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let second = app.join("grace@acme.example", Role::Owner).await;
        let both = [app.account, second.account];
        let tries = (0..50).map(|n| {
            let (ctx, actor, who) = (app.ctx.clone(), app.owner_of(app.org), both[n % 2]);
            async move { roles::change(&ctx, &actor, &who, "admin").await.is_ok() }
        });
        let changed = futures_util::future::join_all(tries).await;
        assert!(changed.iter().any(|done| *done));
        let owners = "SELECT COUNT(*) FROM active_membership WHERE role = 'owner'";
        assert_eq!(app.db.number(owners).await, 1);
    }

    async fn r50_members_of_another_organisation_do_not_exist(backend: Backend) {
        let app = TestApp::on(backend).await;
        let other = app.another_org("Globex").await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let globex = app.owner_of(other);
        let foreign = roles::change(&app.ctx, &globex, &grace.account, "admin").await.unwrap_err();
        let random = "acc_000000000000".parse().unwrap();
        let missing = roles::change(&app.ctx, &globex, &random, "admin").await.unwrap_err();
        assert_eq!(foreign.to_string(), missing.to_string());
    }

    async fn r25_an_administrator_resets_factors_only_of_whom_they_may(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut admin = app.join("admin@acme.example", Role::Admin).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        app.enrol(&mut grace.browser).await;
        let address = format!("/settings/members/{}/reset-factors", grace.account);
        assert_eq!(admin.browser.post(&address, &[]).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
        assert_eq!(grace.browser.get("/account/two-factor").await.status, 303, "signed out");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'factor.reset'").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM notices WHERE kind = 'factor_reset'").await, 1);
        let told = app.letters().await.into_iter().filter(|sealed| sealed.letter.kind() == "security");
        assert!(told.into_iter().any(|sealed| sealed.to.email == grace.email));
    }

    async fn r25_an_account_of_several_organisations_is_no_one_organisations_to_reset(backend: Backend) {
        let app = TestApp::on(backend).await;
        let admin = app.join("admin@acme.example", Role::Admin).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let globex = app.another_org("Globex").await;
        app.db.tamper(&format!(
            "INSERT INTO members (org_id, account_id, role, status, created_at_ms) VALUES ('{globex}', '{}', 'auditor', 'suspended', 0)",
            grace.account,
        )).await;
        let actor = app.signed_in(&admin.browser).await.unwrap().actor;
        let refused = account_acts::reset_factors(&app.ctx, &actor, &grace.account).await.unwrap_err();
        assert!(refused.to_string().contains("other organisations"), "{refused}");
        let by_instance_admin = account_acts::reset_factors(&app.ctx, &app.owner_of(app.org), &grace.account).await;
        assert!(by_instance_admin.is_ok());
        // The owner looks after the installation: an owner of one organisation does not take that over.
        let second = app.join("second@acme.example", Role::Owner).await;
        let second = app.signed_in(&second.browser).await.unwrap().actor;
        let refused = account_acts::reset_factors(&app.ctx, &second, &app.account).await.unwrap_err();
        assert!(refused.to_string().contains("whole installation"), "{refused}");
    }

    async fn r33_an_administrator_signs_a_member_out_everywhere(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let mut second = app.browser();
        let again = second.post("/sign-in", &[("email", &grace.email), ("password", PASSWORD)]).await;
        assert_eq!(again.status, 303);
        let address = format!("/settings/members/{}/sign-out", grace.account);
        assert_eq!(app.owner().await.post(&address, &[]).await.status, 303);
        for browser in [&mut grace.browser, &mut second] {
            assert_eq!(browser.get("/settings/api-keys").await.status, 303);
        }
    }

    async fn r14_an_administrators_link_sets_a_password_and_shows_none(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/password-link", grace.account);
        let page = owner.post(&address, &[]).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.body);
        assert!(page.body.contains("/reset-password?token=kwr_"), "{}", page.body);
        let letter = app.letters().await.into_iter().any(|sealed| sealed.letter.kind() == "password_reset");
        assert!(letter, "and by mail");
        let again = session::resolve(&app.ctx, grace.browser.cookie.as_ref().unwrap(), &Caller::default()).await;
        assert!(again.unwrap().is_some(), "nothing ends before the link is used");
    }

    async fn r07_helping_oneself_does_not_get_round_ones_own_pages(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        app.enrol(&mut owner).await;
        for base in ["/settings/members", "/instance/accounts"] {
            for act in ["password-link", "reset-factors", "sign-out", "unlock"] {
                let refused = owner.post(&format!("{base}/{}/{act}", app.account), &[]).await;
                assert!(refused.status == 409 && refused.body.contains("your own account"), "{base} {act}: {}", refused.status);
            }
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM factors").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM one_time_links").await, 0);
    }
}
