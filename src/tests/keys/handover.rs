//! Handing a key over: the secret is born when it is collected, once, by whom it is for.

use keywright::model::error::Code;
use keywright::model::id::AccountId;
use keywright::model::org::Role;
use keywright::model::time::{DAY_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::accounts::session::Caller;
use keywright::server::domain::keys::handover;
use keywright::server::platform::clock::Clock;
use keywright::server::platform::crypto::secret::Secret;

use super::nonce;
use crate::kit::people::token_of;
use crate::kit::{Answer, Browser, TestApp, on_both_databases};

/// Creates a live key that is handed over; gives the answer, which shows the link.
async fn hands_over(app: &TestApp, browser: &mut Browser, name: &str, more: &[(&str, &str)]) -> Answer {
    let mark = nonce(browser, "/settings/api-keys/new").await;
    let mut form = vec![
        ("nonce", mark.as_str()),
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("scopes", "images:read"),
        ("expiry", "90"),
        ("handover", "link"),
    ];
    form.extend(more);
    browser.post("/settings/api-keys/new", &form).await
}

/// The link's token, out of the page that shows it once.
fn token(shown: &Answer) -> String {
    token_of(shown.between("id=\"secret\">", "<"))
}

async fn claims(browser: &mut Browser, token: &str, passphrase: &str) -> Answer {
    browser
        .post("/claim", &[("token", token), ("passphrase", passphrase)])
        .await
}

on_both_databases! {
    async fn the_secret_is_made_when_it_is_collected_and_only_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let shown = hands_over(&app, &mut owner, "Partner", &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0, "nobody has it yet, not even we");
        let listed = owner.get("/settings/api-keys?status=pending").await;
        assert!(listed.body.contains(">Partner<") && listed.body.contains("1 key matches"), "{}", listed.body);
        assert!(owner.get("/settings/api-keys").await.body.contains("0 active"));
        let link = token(&shown);
        let mut stranger = app.browser();
        for _ in 0..3 {
            let looked = stranger.get(&format!("/claim?token={link}")).await;
            assert!(looked.status == 200 && looked.body.contains("Partner"), "looking, as chat programs do, collects nothing: {}", looked.body);
        }
        let revealed = claims(&mut stranger, &link, "").await;
        assert_eq!(revealed.status, 200, "{}", revealed.body);
        assert_eq!(revealed.header("cache-control"), "no-store");
        let secret = revealed.between("id=\"secret\">", "<").to_owned();
        assert_eq!(app.verify(&secret).await, "VALID");
        assert_eq!(claims(&mut stranger, &link, "").await.status, 410, "once");
        let stored = stranger.post("/claim/stored", &[("token", link.as_str()), ("note", "Vault")]).await;
        assert_eq!(stored.status, 303, "{}", stored.body);
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let page = owner.get(&format!("/settings/api-keys/{id}")).await;
        assert!(page.body.contains("was collected by a link") && page.body.contains("Vault"), "{}", page.body);
        assert!(!page.body.contains(&secret[secret.len() - 38..]));
        assert_eq!(app.db.texts("SELECT action FROM audit_events WHERE target_id LIKE 'key_%' ORDER BY seq").await,
            ["key.created", "key.link_made", "key.collected", "key.stored"]);
    }

    async fn of_two_who_open_the_link_at_once_one_gets_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let link = token(&hands_over(&app, &mut owner, "Contested", &[]).await);
        let nothing = Secret::new(String::new());
        let caller = Caller::default();
        let tries = (0..6).map(|_| handover::claim(&app.ctx, &link, &nothing, None, &caller));
        let done = futures_util::future::join_all(tries).await;
        assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }

    async fn a_passphrase_may_be_guessed_at_five_times(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let short = hands_over(&app, &mut owner, "Short", &[("claim_passphrase", "seven77")]).await;
        assert!(short.status == 422 && short.body.contains("Use 8 to 128"), "{}", short.body);
        let with = [("claim_passphrase", "correct horse")];
        let shown = hands_over(&app, &mut owner, "Told", &with).await;
        assert!(!shown.body.contains("correct horse"));
        let link = token(&shown);
        let mut stranger = app.browser();
        let wrong = claims(&mut stranger, &link, "wrong horse").await;
        assert!(wrong.status == 422 && wrong.body.contains("4 tries are left"), "{}", wrong.body);
        assert!(!wrong.body.contains("wrong horse"));
        assert_eq!(claims(&mut stranger, &link, "correct horse").await.status, 200);

        let link = token(&hands_over(&app, &mut owner, "Guessed", &with).await);
        for _ in 0..5 {
            assert_eq!(claims(&mut stranger, &link, "guess").await.status, 422);
        }
        assert_eq!(claims(&mut stranger, &link, "correct horse").await.status, 410, "the right one comes too late");
    }

    async fn a_link_for_somebody_is_for_nobody_else(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let mut alan = app.join("alan@acme.example", Role::Developer).await;
        let unknown = hands_over(&app, &mut owner, "Hers", &[("claim_email", "nobody@acme.example")]).await;
        assert!(unknown.status == 422 && unknown.body.contains("No active member"), "{}", unknown.body);
        let link = token(&hands_over(&app, &mut owner, "Hers", &[("claim_email", "Grace@acme.example")]).await);
        let mut stranger = app.browser();
        assert!(stranger.get(&format!("/claim?token={link}")).await.body.contains("Sign in, then open the link again"));
        assert_eq!(claims(&mut stranger, &link, "").await.status, 409);
        let theirs = alan.browser.get(&format!("/claim?token={link}")).await;
        assert!(theirs.body.contains("another account than alan@acme.example"), "{}", theirs.body);
        assert_eq!(claims(&mut alan.browser, &link, "").await.status, 409);
        assert_eq!(claims(&mut grace.browser, &link, "").await.status, 200);
    }

    async fn a_link_ends_after_its_days_with_its_key_and_with_another_link(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let late = hands_over(&app, &mut owner, "Late", &[("claim_days", "8")]).await;
        assert!(late.status == 422 && late.body.contains("from 1 to 7"), "{}", late.body);
        let first = token(&hands_over(&app, &mut owner, "Replaced", &[("claim_days", "7")]).await);
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let again = owner.post(&format!("/settings/api-keys/{id}/handover"), &[("claim_days", "1")]).await;
        assert_eq!(again.status, 200, "{}", again.body);
        let mut stranger = app.browser();
        assert_eq!(claims(&mut stranger, &first, "").await.status, 410, "replaced");
        app.clock.advance_ms(DAY_MS);
        assert_eq!(claims(&mut stranger, &token(&again), "").await.status, 410, "run out");
        let mut owner = app.owner().await;
        let third = owner.post(&format!("/settings/api-keys/{id}/handover"), &[]).await;
        app.revoke(&id.parse().unwrap()).await;
        assert_eq!(claims(&mut stranger, &token(&third), "").await.status, 410, "revoked");
        assert_eq!(owner.post(&format!("/settings/api-keys/{id}/handover"), &[]).await.status, 409);
    }

    async fn a_link_outlives_no_maker(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Admin).await;
        let link = token(&hands_over(&app, &mut grace.browser, "Left behind", &[("owner", "team"), ("owner_team", "ops")]).await);
        app.db.tamper("UPDATE members SET status = 'removed' WHERE role = 'admin'").await;
        assert_eq!(claims(&mut app.browser(), &link, "").await.status, 410);
    }

    async fn a_link_outlives_no_power_of_its_maker_and_no_membership_of_whom_it_is_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Admin).await;
        let alan = app.join("alan@acme.example", Role::Developer).await;
        let team = [("owner", "team"), ("owner_team", "ops")];
        let open = token(&hands_over(&app, &mut grace.browser, "Of an admin", &team).await);
        let bound = [team[0], team[1], ("claim_email", "alan@acme.example")];
        let mut owner = app.owner().await;
        let his = token(&hands_over(&app, &mut owner, "For Alan", &bound).await);
        let role = async |account: &AccountId, set: &str| app.db.tamper(&format!("UPDATE members SET {set} WHERE account_id = '{account}'")).await;
        role(&grace.account, "role = 'developer'").await;
        assert_eq!(claims(&mut app.browser(), &open, "").await.status, 410, "a developer makes no live key");
        role(&grace.account, "role = 'admin'").await;
        role(&alan.account, "status = 'removed'").await;
        let mut stays = alan.browser;
        assert_eq!(stays.get(&format!("/claim?token={his}")).await.status, 410);
        assert_eq!(claims(&mut stays, &his, "").await.status, 410);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
        app.clock.advance_ms(DAY_MS);
        assert_eq!(claims(&mut app.browser(), &open, "").await.status, 200, "an admin again");
        let idle = "SELECT idle_since_ms FROM api_keys WHERE secret_count > 0";
        assert_eq!(app.db.number(idle).await, app.clock.now().ms(), "while it waited nobody could use it");
    }

    async fn the_rules_are_those_of_the_moment_at_which_the_secret_is_made(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let link = token(&hands_over(&app, &mut owner, "Late", &[]).await);
        crate::policy::save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let refused = claims(&mut app.browser(), &link, "").await;
        assert!(refused.status == 409 && refused.body.contains("rules have changed"), "{}", refused.body);
        crate::policy::save(&app, &[], "").await.unwrap();
        app.db.tamper("UPDATE projects SET status = 'archived'").await;
        let refused = claims(&mut app.browser(), &link, "").await;
        assert!(refused.status == 409 && refused.body.contains("is archived"), "{}", refused.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
        app.db.tamper("UPDATE projects SET status = 'active'").await;
        assert_eq!(claims(&mut app.browser(), &link, "").await.status, 200, "nothing was used up");
    }

    async fn a_key_that_waits_cannot_be_rotated_and_is_answered_as_unknown(backend: Backend) {
        use keywright::model::rotation::Overlap;
        use keywright::server::domain::keys::rotation;
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        hands_over(&app, &mut owner, "Waiting", &[]).await;
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0).parse().unwrap();
        let overlap = Overlap::parse("now", "", false).unwrap();
        let refused = rotation::start(&app.ctx, &app.operator(), &id, overlap, None).await;
        assert!(matches!(refused, Err(DomainError::Refused(Code::KeyNotActive, _))));
        let guess = keywright::model::key_text::compose("acme_live", id.random_part(), &"0".repeat(32));
        assert_eq!(app.verify(&guess).await, "NOT_FOUND");
    }

    async fn r26_a_link_to_a_live_key_asks_who_it_is_and_developers_make_none(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        hands_over(&app, &mut owner, "Waiting", &[]).await;
        let id = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        app.give_key(&id, &grace.account).await;
        let at = format!("/settings/api-keys/{id}/handover");
        assert_eq!(grace.browser.post(&at, &[]).await.status, 403);
        app.clock.advance_ms(11 * MINUTE_MS);
        assert!(owner.post(&at, &[]).await.asks_who());
        let other = app.another_org("Umbrella").await;
        let foreign = handover::make_link(&app.ctx, &app.owner_of(other), &id.parse().unwrap(), (Default::default(), &Secret::new(String::new()))).await;
        assert!(matches!(foreign, Err(DomainError::NotFound)));
        assert!(app.clock.now().ms() > 0);
    }
}
