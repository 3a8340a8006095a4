//! The same key, two secrets for a while (R63).

use keywright::model::actor::Actor;
use keywright::model::id::KeyId;
use keywright::model::key::RevocationReason;
use keywright::model::org::Role;
use keywright::model::rotation::{OVERLAP_MAX_MS, Overlap};
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::looked::LookedAt;
use keywright::server::domain::keys::{lifecycle, rotation};
use keywright::server::platform::clock::Clock;
use serde_json::json;

use super::nonce;
use crate::kit::app::Issued;
use crate::kit::{Browser, TestApp, on_both_databases};

fn overlap(choice: &str) -> Overlap {
    Overlap::parse(choice, "", false).unwrap()
}

fn from_first_use(choice: &str) -> Overlap {
    Overlap::parse(choice, "", true).unwrap()
}

/// Starts a rotation and gives the new secret.
pub async fn start(app: &TestApp, id: &KeyId, overlap: Overlap) -> Result<String, DomainError> {
    let made = rotation::start(&app.ctx, &app.operator(), id, overlap, None).await?;
    Ok(made.secret.expose().clone())
}

on_both_databases! {
    async fn r63_the_old_secret_goes_on_to_the_end_of_the_overlap_and_not_a_moment_longer(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        let new = start(&app, &key.id, overlap("1h")).await.unwrap();
        assert_ne!(new, key.secret);
        assert_eq!(new[..22], key.secret[..22], "the same prefix and id");
        app.clock.advance_ms(HOUR_MS - 1);
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("VALID".into(), "VALID".into()));
        app.clock.advance_ms(1);
        let over = app.ask(json!({ "key": key.secret })).await;
        assert_eq!(over["code"], "EXPIRED");
        assert!(over["denial"]["detail"].as_str().unwrap().contains("replaced by another"), "{over}");
        assert_eq!(app.verify(&new).await, "VALID");
    }

    async fn r63_an_overlap_never_passes_the_end_of_the_key(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Short", "live", &[], "7").await.unwrap();
        app.clock.advance_ms(6 * DAY_MS);
        let new = start(&app, &key.id, overlap("7d")).await.unwrap();
        app.clock.advance_ms(DAY_MS);
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("EXPIRED".into(), "EXPIRED".into()));
        assert!(matches!(start(&app, &key.id, overlap("1h")).await, Err(DomainError::Refused(..))), "an expired key gets no secret");
    }

    async fn r63_of_many_who_start_at_once_one_gets_the_successor(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Contested", &[]).await;
        let tries = (0..8).map(|_| start(&app, &key.id, overlap("24h")));
        let (made, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(tries).await.into_iter().partition(Result::is_ok);
        let made: Vec<String> = made.into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        for error in refused.into_iter().filter_map(Result::err) {
            let said = error.to_string();
            assert!(said.contains("running already") || said.contains("at the same moment"), "{said}");
        }
        assert_eq!((app.verify(&key.secret).await, app.verify(&made[0]).await), ("VALID".into(), "VALID".into()));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }

    async fn r63_of_many_who_look_at_one_secret_one_replaces_it_without_overlap(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        let seen = LookedAt { id: &key.id, secret_since: Some(app.clock.now()) };
        app.clock.advance_ms(HOUR_MS);
        let operator = app.operator();
        let tries = (0..8).map(|_| rotation::start(&app.ctx, &operator, seen, overlap("now"), None));
        let (made, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(tries).await.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (1, 7));
        for error in refused.into_iter().filter_map(Result::err) {
            assert!(error.to_string().contains("got another secret since"), "{error}");
        }
        let made = made.into_iter().flatten().next().unwrap().secret.expose().clone();
        assert_eq!((app.verify(&key.secret).await, app.verify(&made).await), ("EXPIRED".into(), "VALID".into()));
    }

    async fn a_page_that_is_old_ends_no_other_rotation_than_the_one_it_shows(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Twice", &[]).await;
        app.clock.advance_ms(HOUR_MS);
        start(&app, &key.id, overlap("24h")).await.unwrap();
        let mut owner = app.owner().await;
        let mut old = Vec::new();
        for act in ["finish", "extend", "cancel"] {
            let at = format!("/settings/api-keys/{}/rotate/{act}", key.id);
            let since = owner.get(&at).await.between("name=\"secret_since\" value=\"", "\"").to_owned();
            old.push((at, since));
        }
        app.clock.advance_ms(HOUR_MS);
        rotation::finish(&app.ctx, &app.operator(), &key.id).await.unwrap();
        start(&app, &key.id, overlap("24h")).await.unwrap();
        let mut owner = app.owner().await;
        for (at, since) in &old {
            let answer = owner.post(at, &[("secret_since", since), ("overlap", "7d")]).await;
            assert!(answer.status == 409 && answer.body.contains("got another secret since"), "{at} {}", answer.body);
            let present = answer.between("name=\"secret_since\" value=\"", "\"");
            assert_ne!(present, since, "sent again, it is on purpose");
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }

    async fn r63_revoking_kills_both_with_the_next_request(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        let new = start(&app, &key.id, overlap("7d")).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "VALID");
        lifecycle::revoke(&app.ctx, &app.operator(), &key.id, RevocationReason::KeyCompromise, "").await.unwrap();
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("REVOKED".into(), "REVOKED".into()));
        assert!(start(&app, &key.id, overlap("1h")).await.is_err());
    }

    async fn no_overlap_ends_the_old_secret_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        let new = start(&app, &key.id, overlap("now")).await.unwrap();
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()));
        let again = start(&app, &key.id, overlap("now")).await.unwrap();
        assert_eq!((app.verify(&new).await, app.verify(&again).await), ("EXPIRED".into(), "VALID".into()));
        assert_eq!(app.verify(&key.secret).await, "NOT_FOUND", "two are remembered");
    }

    async fn the_countdown_begins_with_the_first_use_of_the_new_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        let new = start(&app, &key.id, from_first_use("1h")).await.unwrap();
        app.clock.advance_ms(5 * DAY_MS);
        assert_eq!(app.verify(&key.secret).await, "VALID", "the old one's use begins nothing");
        let refused = app.ask(json!({ "key": new, "permissions": "admin" })).await;
        assert_eq!(refused["code"], "INSUFFICIENT_SCOPE");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(2 * HOUR_MS);
        assert_eq!(app.verify(&key.secret).await, "VALID", "nor does a use that was refused");
        assert_eq!(app.verify(&new).await, "VALID");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(HOUR_MS - 1);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        app.clock.advance_ms(1);
        assert_eq!(app.verify(&key.secret).await, "EXPIRED");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.rotation_counting'").await, 1);
        let unused = app.issue("Never used", &[]).await;
        start(&app, &unused.id, from_first_use("7d")).await.unwrap();
        app.clock.advance_ms(OVERLAP_MAX_MS);
        assert_eq!(app.verify(&unused.secret).await, "EXPIRED", "thirty days at most");
    }

    async fn the_service_is_told_which_secret_was_used(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        assert_eq!(app.ask(json!({ "key": key.secret })).await.get("rotation"), None);
        let new = start(&app, &key.id, overlap("24h")).await.unwrap();
        let ends = app.clock.now().plus_ms(DAY_MS).rfc3339();
        let told = app.ask(json!({ "key": key.secret })).await;
        assert_eq!(told["rotation"], json!({ "secret": "previous", "previousExpiresAt": ends }));
        let told = app.ask(json!({ "key": new })).await;
        assert_eq!(told["rotation"]["secret"], "current");
        rotation::finish(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(app.ask(json!({ "key": new })).await.get("rotation"), None, "over");
    }

    async fn r80_what_a_rotation_rests_on_is_under_the_mac(backend: Backend) {
        let app = TestApp::on(backend).await;
        for (n, edit) in [
            "UPDATE key_secrets SET countdown_ms = NULL WHERE slot = 'previous'",
            "UPDATE key_secrets SET countdown_ms = 999999999 WHERE slot = 'previous'",
            "UPDATE key_secrets SET expires_at_ms = expires_at_ms + 1 WHERE slot = 'previous'",
            "UPDATE key_secrets SET number = 7 WHERE slot = 'current'",
            "UPDATE api_keys SET secret_since_ms = secret_since_ms + 86400000",
            "DELETE FROM key_secrets WHERE slot = 'previous'",
        ].into_iter().enumerate() {
            let key = app.issue(&format!("Edited {n}"), &[]).await;
            let new = start(&app, &key.id, from_first_use("1h")).await.unwrap();
            app.db.tamper(edit).await;
            app.ctx.key_cache.forget_everything();
            assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("NOT_FOUND".into(), "NOT_FOUND".into()), "{edit}");
            app.db.tamper("DELETE FROM key_secrets").await;
            app.db.tamper("DELETE FROM api_keys").await;
        }
        let plain = app.issue("Plain", &[]).await;
        app.db.tamper("UPDATE key_secrets SET countdown_ms = 5").await;
        assert_eq!(app.verify(&plain.secret).await, "VALID", "without a second secret it means nothing");
        app.db.tamper("UPDATE api_keys SET not_before_ms = 5").await;
        app.ctx.key_cache.forget_everything();
        assert_eq!(app.verify(&plain.secret).await, "NOT_FOUND", "what is added counts as well");
    }

    async fn a_use_that_belonged_to_another_rotation_begins_no_countdown(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Tried twice", &[]).await;
        let first = start(&app, &key.id, from_first_use("1h")).await.unwrap();
        app.verify(&first).await;
        // Before the use is written down the rotation is taken back and begun again.
        rotation::cancel(&app.ctx, &app.operator(), &key.id).await.unwrap();
        let second = start(&app, &key.id, from_first_use("1h")).await.unwrap();
        app.ctx.usage.flush().await;
        app.clock.advance_ms(2 * HOUR_MS);
        assert_eq!(app.verify(&key.secret).await, "VALID", "the second one’s secret was never used");
        let actor = app.operator();
        let seen = keywright::server::domain::keys::read::find(&app.ctx, &actor, &key.id).await.unwrap().rotation.unwrap();
        assert_eq!((seen.current.last, seen.countdown_ms), (None, Some(HOUR_MS)), "nor is the first one’s use shown as its own");
        assert_eq!(app.verify(&second).await, "VALID");
    }

    async fn the_end_can_be_the_first_use_itself(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("At once", &[]).await;
        let new = start(&app, &key.id, from_first_use("now")).await.unwrap();
        app.clock.advance_ms(DAY_MS);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        assert_eq!(app.verify(&new).await, "VALID");
        app.ctx.usage.flush().await;
        assert_eq!(app.verify(&key.secret).await, "EXPIRED");
    }

    async fn a_revoked_key_stays_as_it_is(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Leaked", &[]).await;
        let new = start(&app, &key.id, overlap("7d")).await.unwrap();
        app.revoke(&key.id).await;
        assert!(rotation::cancel(&app.ctx, &app.operator(), &key.id).await.is_err());
        assert!(rotation::extend(&app.ctx, &app.operator(), &key.id, Overlap::parse("custom", "300", false).unwrap()).await.is_err());
        assert_eq!(app.verify(&new).await, "REVOKED");
        let answer = app.ask(json!({ "key": new })).await;
        assert_eq!(answer.get("rotation"), None, "no secret of it is good");
        let page = app.owner().await.get(&format!("/settings/api-keys/{}", key.id)).await;
        assert!(!page.body.contains("/rotate/"), "{}", page.body);
    }

    async fn confirming_says_which_secret_is_stored(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Two tabs", &[]).await;
        let mut owner = app.owner().await;
        let since = app.db.number("SELECT secret_since_ms FROM api_keys").await.to_string();
        app.clock.advance_ms(MINUTE_MS);
        start(&app, &key.id, overlap("1h")).await.unwrap();
        let at = format!("/settings/api-keys/{}/stored", key.id);
        assert_eq!(owner.post(&at, &[("secret_since", &since)]).await.status, 409, "the former one");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys WHERE stored_at_ms IS NULL").await, 1);
        let since = app.db.number("SELECT secret_since_ms FROM api_keys").await.to_string();
        assert_eq!(owner.post(&at, &[("secret_since", &since)]).await.status, 303);
    }

    async fn cancelling_brings_back_the_secret_and_where_it_is_stored(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        lifecycle::confirm_stored(&app.ctx, &app.operator(), &key.id, "Vault", None).await.unwrap();
        let due = app.db.number("SELECT rotation_due_at_ms FROM api_keys").await;
        app.clock.advance_ms(DAY_MS);
        let new = start(&app, &key.id, overlap("24h")).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys WHERE stored_at_ms IS NULL AND stored_note = ''").await, 1, "of the new one nothing is said");
        assert_eq!(app.db.number("SELECT rotation_due_at_ms FROM api_keys").await, due + DAY_MS);
        rotation::cancel(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("VALID".into(), "NOT_FOUND".into()));
        assert_eq!(app.db.texts("SELECT stored_note FROM api_keys").await, ["Vault"]);
        assert_eq!(app.db.number("SELECT rotation_due_at_ms FROM api_keys").await, due);
    }

    async fn through_the_browser_the_new_secret_is_shown_once_and_the_evidence_as_it_comes(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}", key.id);
        let mark = nonce(&mut owner, &format!("{at}/rotate")).await;
        let form = [("nonce", mark.as_str()), ("overlap", "now")];
        let shown = owner.post(&format!("{at}/rotate"), &form).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
        let new = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!(app.verify(&new).await, "VALID");
        let reloaded = owner.post(&format!("{at}/rotate"), &form).await;
        assert_eq!(reloaded.status, 409);
        assert!(!reloaded.body.contains(&new) && app.verify(&new).await == "VALID", "a reload kills nothing");

        let mark = nonce(&mut owner, &format!("{at}/rotate")).await;
        let wrong = owner.post(&format!("{at}/rotate"), &[("nonce", &mark), ("overlap", "custom"), ("overlap_hours", "721")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("from 1 to 720") && wrong.body.contains("value=\"721\""), "{}", wrong.body);
        let mark = nonce(&mut owner, &format!("{at}/rotate")).await;
        let shown = owner.post(&format!("{at}/rotate"), &[("nonce", &mark), ("overlap", "24h")]).await;
        let newest = shown.between("id=\"secret\">", "<").to_owned();
        let page = owner.get(&at).await;
        assert!(page.body.contains("The new secret has not been used yet.") && page.body.contains("Rotating"), "{}", page.body);
        app.ask(json!({ "key": new, "clientIp": "10.0.2.7" })).await;
        app.ask(json!({ "key": newest, "clientIp": "10.0.9.9" })).await;
        app.ctx.usage.flush().await;
        app.clock.advance_ms(4 * MINUTE_MS);
        let page = owner.get(&at).await;
        assert!(page.body.contains("The old secret was last used 4 minutes ago from 10.0.2.7."), "{}", page.body);
        assert!(page.body.contains("10.0.9.9"));
        let second = owner.get(&format!("{at}/rotate")).await;
        assert!(second.body.contains("running already"), "{}", second.body);
        let finished = owner.post(&format!("{at}/rotate/finish"), &[]).await;
        assert_eq!(finished.status, 303, "{}", finished.body);
        assert_eq!((app.verify(&new).await, app.verify(&newest).await), ("EXPIRED".into(), "VALID".into()));
        assert_eq!(owner.post(&format!("{at}/rotate/cancel"), &[]).await.status, 409, "over");
    }

    async fn r26_another_secret_of_a_live_key_asks_who_it_is(backend: Backend) {
        let app = TestApp::on(backend).await;
        let live = app.issue("Live", &[]).await;
        let test = app.try_issue("Test", "test", &[], "90").await.unwrap();
        let mut owner = app.owner().await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let rotate = |key: &Issued| format!("/settings/api-keys/{}/rotate", key.id);
        let mark = nonce(&mut owner, &rotate(&live)).await;
        let form = [("nonce", mark.as_str()), ("overlap", "1h")];
        assert!(owner.post(&rotate(&live), &form).await.asks_who());
        start(&app, &live.id, overlap("1h")).await.unwrap();
        for (act, longer) in [("extend", "7d"), ("cancel", "")] {
            let asked = owner.post(&format!("{}/{act}", rotate(&live)), &[("overlap", longer)]).await;
            assert!(asked.asks_who(), "{act}: {}", asked.status);
        }
        assert_eq!(owner.post(&rotate(&test), &form).await.status, 200, "never for test keys");
    }

    async fn the_page_of_rotations_lists_what_is_overdue_due_and_running(backend: Backend) {
        let app = TestApp::on(backend).await;
        let old = app.try_issue("Old", "live", &[], "365").await.unwrap();
        app.clock.advance_ms(80 * DAY_MS);
        app.try_issue("Fresh", "live", &[], "365").await.unwrap();
        let mut owner = app.owner().await;
        let page = owner.get("/settings/rotation").await;
        assert!(page.body.contains("Due within 14 days") && page.body.contains(">Old<") && !page.body.contains(">Fresh<"), "{}", page.body);
        app.clock.advance_ms(10 * DAY_MS);
        let mut owner = app.owner().await;
        let page = owner.get("/settings/rotation").await;
        assert!(page.body.contains("Overdue") && !page.body.contains("Due within 14 days"), "{}", page.body);
        let listed = owner.get("/settings/api-keys?status=rotation_overdue").await;
        assert!(listed.body.contains(">Old<") && !listed.body.contains(">Fresh<"), "{}", listed.body);
        assert!(listed.body.contains("1 key matches") && !owner.get("/settings/api-keys").await.body.contains("key matches"));
        crate::policy::save(&app, &[("rotation_days", "200")], "").await.unwrap();
        let told = owner.get("/settings/rotation").await.body;
        assert!(told.contains("every 200 days on live keys and every 180 days on test keys"), "{told}");
        assert!(!owner.get("/settings/rotation").await.body.contains("Overdue"), "the policy’s interval counts");
        edit_interval(&mut owner, &old, "100").await;
        assert!(owner.get("/settings/rotation").await.body.contains("Due within 14 days"), "the key’s own interval counts");
        start(&app, &old.id, overlap("7d")).await.unwrap();
        let page = owner.get("/settings/rotation").await;
        assert!(page.body.contains("Running") && !page.body.contains("Due within"), "{}", page.body);
    }

    async fn a_developer_gets_no_live_secret_by_rotating(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let live = app.issue("Hers, live", &[]).await;
        let test = app.try_issue("Hers, test", "test", &[], "90").await.unwrap();
        let theirs = app.try_issue("Not hers", "test", &[], "90").await.unwrap();
        for key in [&live, &test] {
            app.give_key(key.id.as_str(), &grace.account).await;
        }
        let actor: Actor = app.signed_in(&grace.browser).await.unwrap().actor;
        for key in [&live, &theirs] {
            let refused = rotation::start(&app.ctx, &actor, &key.id, overlap("1h"), None).await;
            assert!(matches!(refused, Err(DomainError::Denied(_))));
        }
        assert!(rotation::start(&app.ctx, &actor, &test.id, overlap("1h"), None).await.is_ok());
        // To end one is another matter.
        start(&app, &live.id, overlap("7d")).await.unwrap();
        rotation::finish(&app.ctx, &actor, &live.id).await.unwrap();
    }

    async fn extending_is_later_and_not_past_thirty_days(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Long", "live", &[], "365").await.unwrap();
        start(&app, &key.id, overlap("7d")).await.unwrap();
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}/rotate/extend", key.id);
        let sooner = owner.post(&at, &[("overlap", "24h")]).await;
        assert!(sooner.status == 422 && sooner.body.contains("It goes on until"), "{}", sooner.body);
        app.clock.advance_ms(DAY_MS);
        let mut owner = app.owner().await;
        let late = owner.post(&at, &[("overlap", "custom"), ("overlap_hours", "720")]).await;
        assert!(late.status == 422 && late.body.contains("thirty days at most"), "{}", late.body);
        assert_eq!(owner.post(&at, &[("overlap", "custom"), ("overlap_hours", "696")]).await.status, 303);
        assert_eq!(app.verify(&key.secret).await, "VALID");
    }
}

async fn edit_interval(browser: &mut Browser, key: &Issued, days: &str) {
    let address = format!("/settings/api-keys/{}/edit", key.id);
    let wrong = browser
        .post(&address, &[("name", "Old"), ("rotation_days", "0")])
        .await;
    assert!(
        wrong.status == 422 && wrong.body.contains("from 1 to 3653"),
        "{}",
        wrong.body
    );
    let saved = browser
        .post(&address, &[("name", "Old"), ("rotation_days", days)])
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
}
