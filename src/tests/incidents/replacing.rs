//! Another secret without overlap: the leaked one is dead before or as the key passes again, never after.

use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::{HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::incidents::{findings, replace};
use keywright::server::domain::keys::{lifecycle, rotation};

use super::{acts, member, open, open_as, page, said};
use crate::kit::{TestApp, on_both_databases};

async fn replaced(app: &TestApp, id: &keywright::model::id::IncidentId) -> String {
    let made = replace::replace(&app.ctx, &app.operator(), (id, None), None)
        .await
        .unwrap();
    made.secret.expose().clone()
}

on_both_databases! {
    async fn the_new_secret_passes_and_the_leaked_one_never_again(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        let id = open(&app, &key.id, true).await;
        let frozen_at = page(&app, &id).await.incident.frozen_at.unwrap();
        app.clock.advance_ms(HOUR_MS);
        let new = replaced(&app, &id).await;
        assert_eq!(new[..22], key.secret[..22], "the same prefix and id");
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()));
        let ended = app.db.number("SELECT expires_at_ms FROM key_secrets WHERE slot = 'previous'").await;
        assert_eq!(ended, frozen_at.ms(), "as of the freezing: a server whose clock is behind refuses it as well");
        let seen = page(&app, &id).await;
        assert!(seen.incident.replaced_at.is_some() && seen.key.summary.scopes.iter().any(|scope| scope.as_str() == "images:read"));
        assert!(rotation::cancel(&app.ctx, &app.operator(), &key.id).await.is_err(), "nobody brings it back");
        let newest = replaced(&app, &id).await;
        assert_eq!((app.verify(&new).await, app.verify(&newest).await), ("EXPIRED".into(), "VALID".into()), "and again, if the new one leaked, too");
    }

    async fn while_it_is_replaced_no_request_with_the_leaked_secret_slips_through(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..5 {
            let key = app.issue(&format!("Busy {n}"), &[]).await;
            let id = open(&app, &key.id, true).await;
            let asked = async {
                let mut codes = Vec::new();
                for _ in 0..40 {
                    codes.push(app.verify(&key.secret).await);
                }
                codes
            };
            let (new, codes) = tokio::join!(replaced(&app, &id), asked);
            assert!(codes.iter().all(|code| code == "DISABLED" || code == "EXPIRED"), "{codes:?}");
            assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()));
        }
    }

    async fn both_secrets_of_a_rotation_that_runs_end(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Rotating", &[]).await;
        let week = Overlap::parse("7d", "", false).unwrap();
        let second = rotation::start(&app.ctx, &app.operator(), &key.id, week, None).await.unwrap().secret.expose().clone();
        let id = open(&app, &key.id, false).await;
        let new = replaced(&app, &id).await;
        assert_eq!((app.verify(&key.secret).await, app.verify(&second).await, app.verify(&new).await), ("NOT_FOUND".into(), "EXPIRED".into(), "VALID".into()));
    }

    async fn a_key_that_was_disabled_for_another_reason_stays_so(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Disabled before", &[]).await;
        lifecycle::disable(&app.ctx, &app.operator(), &key.id).await.unwrap();
        let id = open(&app, &key.id, true).await;
        let new = replaced(&app, &id).await;
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("DISABLED".into(), "DISABLED".into()));
        lifecycle::enable(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()));

        let key = app.issue("Disabled since", &[]).await;
        let id = open(&app, &key.id, true).await;
        crate::incidents::work::close(&app, &app.operator(), &id, true).await.unwrap();
        lifecycle::enable(&app.ctx, &app.operator(), &key.id).await.unwrap();
        app.clock.advance_ms(MINUTE_MS);
        lifecycle::disable(&app.ctx, &app.operator(), &key.id).await.unwrap();
        findings::reopen(&app.ctx, &app.operator(), &id).await.unwrap();
        let new = replaced(&app, &id).await;
        assert_eq!(app.verify(&new).await, "DISABLED", "by somebody else’s will");
    }

    async fn what_an_incident_froze_nobody_enables_while_it_is_open(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}", key.id);
        let shown = owner.get(&at).await.body;
        assert!(shown.contains("It is frozen until the incident is dealt with") && !shown.contains(">Enable</button>"), "{shown}");
        assert!(said(lifecycle::enable(&app.ctx, &app.operator(), &key.id).await).contains("Replace its secret"));
        assert_eq!(app.verify(&key.secret).await, "DISABLED");
        crate::incidents::work::close(&app, &app.operator(), &id, true).await.unwrap();
        assert!(owner.get(&at).await.body.contains(">Enable</button>"));
        lifecycle::enable(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "VALID");
    }

    async fn r63_of_two_who_saw_the_same_secret_one_replaces_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        app.clock.advance_ms(MINUTE_MS);
        let at = format!("/settings/incidents/{id}/replace");
        let (mut owner, mut other) = (app.owner().await, app.owner().await);
        let mut made = Vec::new();
        let mut forms = Vec::new();
        for browser in [&mut owner, &mut other] {
            let page = browser.get(&at).await;
            forms.push((page.between("name=\"nonce\" value=\"", "\"").to_owned(), page.between("name=\"secret_since\" value=\"", "\"").to_owned()));
        }
        for (browser, (nonce, since)) in [&mut owner, &mut other].into_iter().zip(&forms) {
            made.push(browser.post(&at, &[("nonce", nonce), ("secret_since", since)]).await);
        }
        assert_eq!(made[0].status, 200);
        assert!(made[1].status == 409 && made[1].body.contains("got another secret since"), "{}", made[1].body);
        assert_eq!(app.verify(made[0].between("id=\"secret\">", "<")).await, "VALID", "the first one’s is not killed");
    }

    async fn it_asks_for_what_a_rotation_asks_for_and_works_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        let id = open(&app, &key.id, true).await;
        let at = format!("/settings/incidents/{id}/replace");
        let mut owner = app.owner().await;
        let mark = owner.get(&at).await.between("name=\"nonce\" value=\"", "\"").to_owned();
        app.clock.advance_ms(11 * MINUTE_MS);
        assert!(owner.post(&at, &[("nonce", &mark)]).await.asks_who(), "a live key’s secret needs a fresh proof");
        let mut owner = app.owner().await;
        let shown = owner.post(&at, &[("nonce", &mark)]).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
        let new = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!(app.verify(&new).await, "VALID");
        let again = owner.post(&at, &[("nonce", &mark)]).await;
        assert!(again.status == 409 && !again.body.contains(&new), "{}", again.body);
        assert_eq!(app.verify(&new).await, "VALID", "a reload kills nothing");
        assert_eq!(acts(&app, "incident.replaced").await, 1);
    }

    async fn a_developer_freezes_their_own_live_key_and_an_admin_replaces_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let developer = member(&app, "alan@acme.example", Role::Developer).await;
        let key = app.issue("Own", &[]).await;
        app.give_key(key.id.as_str(), developer.account_id().unwrap()).await;
        let id = open_as(&app, &developer, &key.id, true).await.unwrap().id;
        let outcome = replace::replace(&app.ctx, &developer, (&id, None), None).await;
        assert!(matches!(outcome, Err(DomainError::Denied(_))), "{:?}", outcome.err());
        assert_eq!(app.verify(&key.secret).await, "DISABLED", "and it stays frozen");
        assert!(replace::replace(&app.ctx, &app.member(Role::Admin), (&id, None), None).await.is_ok());
    }

    async fn revoked_meanwhile_it_gets_no_other_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Gone", &[]).await;
        let id = open(&app, &key.id, true).await;
        let (mut owner, mut other) = (app.owner().await, app.owner().await);
        let at = format!("/settings/incidents/{id}");
        let mark = owner.get(&format!("{at}/replace")).await.between("name=\"nonce\" value=\"", "\"").to_owned();
        let done = other.post(&format!("{at}/revoke"), &[("again", "1")]).await;
        assert_eq!(done.header("location"), format!("/settings/api-keys/new?from={}", key.id));
        let refused = owner.post(&format!("{at}/replace"), &[("nonce", &mark)]).await;
        assert!(refused.status == 409 && refused.body.contains("A revoked key stays revoked"), "{}", refused.body);
        assert_eq!(owner.post(&format!("{at}/revoke"), &[]).await.status, 409);
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
        let why = app.db.texts("SELECT revoked_reason FROM api_keys").await;
        assert_eq!(why, ["keyCompromise"]);
        assert_eq!(app.db.texts("SELECT revoked_note FROM api_keys").await, [format!("Incident {id}")]);
        let page = owner.get(&at).await;
        assert!(page.body.contains("The leaked secret opens nothing any more"), "{}", page.body);
    }
}
