//! Invitations: for one address, once, for a while, and never more than the inviter may give.

use keywright::model::org::Role;
use keywright::model::time::{DAY_MS, MINUTE_MS};
use keywright::server::domain::accounts::session::Caller;
use keywright::server::domain::members::{accept, invite};

use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::people::token_of;
use crate::kit::{TestApp, on_both_databases};

const INVITE: &str = "/settings/members/invite";

fn link_on(page: &str) -> String {
    let start = page.find("id=\"secret\">").expect("a link") + 12;
    page[start..].split('<').next().unwrap().to_owned()
}

on_both_databases! {
    async fn r54_an_invitation_is_for_its_address_and_works_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let shown = owner.post(INVITE, &[("email", "Grace@Acme.example"), ("role", "developer")]).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{}", shown.body);
        let token = token_of(&link_on(&shown.body));
        let letters = app.letters().await;
        assert_eq!((letters.len(), letters[0].to.email.as_str()), (1, "Grace@Acme.example"));
        let mut grace = app.browser();
        let address = format!("/invitation?token={token}");
        for _ in 0..2 {
            let page = grace.get(&address).await;
            assert_eq!((page.status, page.header("referrer-policy")), (200, "no-referrer"), "looking uses nothing up");
            assert!(page.body.contains("Acme") && page.body.contains("Grace@Acme.example"), "{}", page.body);
        }
        let fields = [("token", token.as_str()), ("name", "Grace Hopper"), ("password", PASSWORD), ("role", "owner"), ("email", "eve@evil.example")];
        let joined = grace.post("/invitation", &fields).await;
        assert_eq!((joined.status, joined.header("location")), (303, "/settings/api-keys"), "{}", joined.body);
        assert_eq!(grace.get("/settings/api-keys").await.status, 200, "signed in");
        let role = "SELECT m.role || ' ' || a.email FROM members m JOIN accounts a ON a.id = m.account_id WHERE a.name = 'Grace Hopper'";
        assert_eq!(app.db.texts(role).await, ["developer Grace@Acme.example"], "what the form adds does not count");
        let twice = app.browser().post("/invitation", &fields).await;
        assert_eq!(twice.status, 410, "{}", twice.body);
        assert_eq!(app.browser().get(&address).await.status, 410);
    }

    async fn r54_fifty_who_accept_at_once_make_one_member(backend: Backend) {
        let app = TestApp::on(backend).await;
        let token = app.invite("grace@acme.example", Role::Developer).await;
        // As one would by hand: a new account is made by argon2, of which few run at a time.
        let tries = (0..12).map(|_| {
            let (ctx, token) = (app.ctx.clone(), token.clone());
            async move { accept::join_as_newcomer(&ctx, &token, "", PASSWORD.into(), &Caller::default()).await.is_ok() }
        });
        let joined = futures_util::future::join_all(tries).await;
        assert_eq!(joined.into_iter().filter(|joined| *joined).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM accounts").await, 2);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM members").await, 2);
    }

    async fn an_invitation_runs_out_and_a_new_link_voids_the_old(backend: Backend) {
        let app = TestApp::on(backend).await;
        let old = app.invite("grace@acme.example", Role::Developer).await;
        let mut owner = app.owner().await;
        let id = app.db.texts("SELECT id FROM invitations").await.remove(0);
        let shown = owner.post(&format!("/settings/invitations/{id}/resend"), &[]).await;
        let new = token_of(&link_on(&shown.body));
        assert_eq!(app.browser().get(&format!("/invitation?token={old}")).await.status, 410);
        assert_eq!(app.browser().get(&format!("/invitation?token={new}")).await.status, 200);
        app.clock.advance_ms(7 * DAY_MS);
        assert_eq!(app.browser().get(&format!("/invitation?token={new}")).await.status, 410);
        let fresh = app.invite("grace@acme.example", Role::Auditor).await;
        assert_eq!(app.browser().get(&format!("/invitation?token={fresh}")).await.status, 200, "one that has run out is in nobody's way");
    }

    async fn a_revoked_invitation_opens_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let token = app.invite("grace@acme.example", Role::Developer).await;
        let id = app.db.texts("SELECT id FROM invitations").await.remove(0);
        let mut owner = app.owner().await;
        assert_eq!(owner.post(&format!("/settings/invitations/{id}/revoke"), &[]).await.status, 303);
        let late = app.browser().post("/invitation", &[("token", &token), ("password", PASSWORD)]).await;
        assert_eq!(late.status, 410);
        assert_eq!(owner.post(&format!("/settings/invitations/{id}/revoke"), &[]).await.status, 404, "twice");
    }

    async fn members_and_the_invited_are_told_apart(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let member = owner.post(INVITE, &[("email", EMAIL), ("role", "developer")]).await;
        assert!(member.status == 422 && member.body.contains("is a member already"), "{}", member.body);
        app.invite("grace@acme.example", Role::Developer).await;
        let twice = owner.post(INVITE, &[("email", " GRACE@acme.example"), ("role", "admin")]).await;
        assert!(twice.status == 422 && twice.body.contains("is invited already"), "{}", twice.body);
        let neither = owner.post(INVITE, &[("email", "nobody"), ("role", "root")]).await;
        assert!(neither.body.contains("not an e-mail address") && neither.body.contains("Choose one of the roles"), "{}", neither.body);
    }

    async fn r52_an_invitation_gives_no_more_than_the_inviter_has(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut admin = app.join("admin@acme.example", Role::Admin).await;
        let refused = admin.browser.post(INVITE, &[("email", "eve@acme.example"), ("role", "owner")]).await;
        assert_eq!(refused.status, 403);
        let actor = app.signed_in(&admin.browser).await.unwrap().actor;
        let made = invite::invite(&app.ctx, &actor, "eve@acme.example", "admin").await.unwrap();
        let token = token_of(made.link.expose());
        let address = format!("/invitation?token={token}");
        assert_eq!(app.browser().get(&address).await.status, 200);
        app.owner().await.post(&format!("/settings/members/{}/role", admin.account), &[("role", "developer")]).await;
        assert_eq!(app.browser().get(&address).await.status, 410, "whoever stood for it may not any more");
    }

    async fn an_existing_account_joins_after_signing_in(backend: Backend) {
        let app = TestApp::on(backend).await;
        let globex = app.another_org("Globex").await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let made = invite::invite(&app.ctx, &app.owner_of(globex), &grace.email, "admin").await.unwrap();
        let token = token_of(made.link.expose());
        let address = format!("/invitation?token={token}");
        let mut stranger = app.browser();
        let page = stranger.get(&address).await;
        assert!(page.body.contains("Sign in to join"), "{}", page.body);
        let kept = page.headers.get_all("set-cookie").iter().any(|cookie| {
            let cookie = cookie.to_str().unwrap();
            cookie.starts_with("kw_invitation=kwi_") && cookie.contains("Path=/invitation") && cookie.contains("HttpOnly")
        });
        assert!(kept, "so that one comes back to it");
        let taken = stranger.post("/invitation", &[("token", &token), ("password", PASSWORD)]).await;
        assert_eq!(taken.status, 422, "no second account of one address: {}", taken.body);
        let mut other = app.owner().await;
        let page = other.get(&address).await;
        assert!(page.body.contains("you are signed in as ada@acme.example"), "{}", page.body);
        assert_eq!(other.post("/invitation", &[("token", &token)]).await.status, 409);
        let joined = grace.browser.post("/invitation", &[("token", &token)]).await;
        assert_eq!(joined.status, 303, "{}", joined.body);
        let page = grace.browser.get("/settings/members").await;
        assert!(page.status == 200 && page.body.contains("Globex"), "she looks at it now, as an admin");
    }

    async fn r12_guesses_at_links_are_slowed_down(backend: Backend) {
        let app = TestApp::on(backend).await;
        let guess = keywright::model::key_text::compose("kwi", "0123456789AB", &"x".repeat(32));
        let mut browser = app.browser();
        let mut statuses = Vec::new();
        for _ in 0..14 {
            statuses.push(browser.post("/invitation", &[("token", &guess), ("password", PASSWORD)]).await.status);
        }
        assert!(statuses.contains(&429), "{statuses:?}");
        app.clock.advance_ms(MINUTE_MS);
        assert_eq!(app.ctx.passwords.runs(), 1, "and cost no argon2: the one is the owner's own");
    }

    async fn an_invitation_lifts_no_suspension(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let token = app.invite("other@acme.example", Role::Admin).await;
        app.db.tamper(&format!(
            "UPDATE accounts SET email = 'other@acme.example', email_folded = 'other@acme.example' WHERE id = '{}'",
            grace.account,
        )).await;
        app.db.tamper(&format!("UPDATE members SET status = 'suspended' WHERE account_id = '{}'", grace.account)).await;
        let refused = grace.browser.post("/invitation", &[("token", &token)]).await;
        assert!(refused.status == 409 && refused.body.contains("suspended"), "{}", refused.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM members WHERE status = 'suspended'").await, 1);
    }

    async fn r09_a_link_does_not_tell_who_has_an_account(backend: Backend) {
        let app = TestApp::on(backend).await;
        let globex = app.another_org("Globex").await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let mut pages = Vec::new();
        for email in [grace.email.as_str(), "grady@acme.example"] {
            let made = invite::invite(&app.ctx, &app.owner_of(globex), email, "developer").await.unwrap();
            let token = token_of(made.link.expose());
            let page = app.browser().get(&format!("/invitation?token={token}")).await;
            // The meter knows the words of the address, whoever has it.
            let local = email.split('@').next().unwrap();
            let page = page.between("<main", "</main>").replace(email, "EMAIL").replace(&token, "TOKEN");
            pages.push(page.replace(local, "LOCAL"));
        }
        assert_eq!(pages[0], pages[1]);
    }
}
