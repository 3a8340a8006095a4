//! The same key, two secrets for a while (R63).

use keywright::model::actor::Actor;
use keywright::model::id::KeyId;
use keywright::model::key::RevocationReason;
use keywright::model::org::Role;
use keywright::model::rotation::{OVERLAP_MAX_MS, Overlap};
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::{lifecycle, rotation};
use keywright::server::platform::clock::Clock;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
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
async fn start(app: &TestApp, id: &KeyId, overlap: Overlap) -> Result<String, DomainError> {
    let made = rotation::start(&app.ctx, &app.operator(), id, overlap, None).await?;
    Ok(made.secret.expose().clone())
}

/// What may be done to a key that rotates.
#[derive(Clone, Debug)]
enum Step {
    Start { hours: i64, counted: bool },
    Use { newest: bool },
    Finish,
    Extend { hours: i64 },
    Cancel,
    Wait { minutes: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let hours = prop_oneof![Just(0_i64), 1_i64..72, Just(720)];
    prop_oneof![
        3 => (hours.clone(), any::<bool>()).prop_map(|(hours, counted)| Step::Start { hours, counted }),
        3 => any::<bool>().prop_map(|newest| Step::Use { newest }),
        1 => Just(Step::Finish),
        2 => (1_i64..720).prop_map(|hours| Step::Extend { hours }),
        1 => Just(Step::Cancel),
        4 => (1_i64..4_000).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// The rules, written once more and as plainly as possible.
struct Expected {
    expires_at: Timestamp,
    started_at: Timestamp,
    current: String,
    /// The previous secret, when it ends, and how long after the first use of the current one.
    previous: Option<(String, Timestamp, Option<i64>)>,
    dead: Vec<String>,
}

impl Expected {
    fn is_running(&self, now: Timestamp) -> bool {
        self.previous.as_ref().is_some_and(|(_, end, _)| *end > now)
    }

    fn code(&self, secret: &str, now: Timestamp) -> &'static str {
        let known = secret == self.current || self.previous.as_ref().is_some_and(|(text, ..)| text == secret);
        match () {
            () if !known => "NOT_FOUND",
            () if self.expires_at <= now => "EXPIRED",
            () if secret == self.current || self.is_running(now) => "VALID",
            () => "EXPIRED",
        }
    }
}

/// Does a step to the key and to what is expected of it; both must agree on whether it can be done.
async fn take(app: &TestApp, key: &KeyId, expected: &mut Expected, step: &Step) {
    let now = app.clock.now();
    let (alive, running) = (expected.expires_at > now, expected.is_running(now));
    let operator = app.operator();
    let of_hours = |hours: i64, from_first_use| Overlap {
        length_ms: hours * HOUR_MS,
        from_first_use,
    };
    match step {
        Step::Start { hours, counted } => {
            let started = start(app, key, of_hours(*hours, *counted)).await;
            assert_eq!(started.is_ok(), alive && !running, "{step:?}");
            let Ok(secret) = started else { return };
            if let Some((dead, ..)) = expected.previous.take() {
                expected.dead.push(dead);
            }
            let countdown = (*counted && *hours > 0).then_some(hours * HOUR_MS);
            let length = countdown.map_or(hours * HOUR_MS, |_| OVERLAP_MAX_MS);
            let end = now.plus_ms(length).min(expected.expires_at);
            let former = std::mem::replace(&mut expected.current, secret);
            expected.previous = Some((former, end, countdown));
            expected.started_at = now;
        }
        Step::Use { newest } => {
            let secret = match (&expected.previous, newest) {
                (Some((previous, ..)), false) => previous.clone(),
                _ => expected.current.clone(),
            };
            let code = app.verify(&secret).await;
            app.ctx.usage.flush().await;
            let began = code == "VALID" && secret == expected.current && running;
            if let Some((_, end, countdown @ Some(_))) = expected.previous.as_mut().filter(|_| began) {
                *end = now.plus_ms(countdown.take().unwrap()).min(*end);
            }
        }
        Step::Finish => {
            let done = rotation::finish(&app.ctx, &operator, key).await;
            assert_eq!(done.is_ok(), running, "{step:?}");
            if let Some((_, end, countdown)) = expected.previous.as_mut().filter(|_| running) {
                (*end, *countdown) = (now, None);
            }
        }
        Step::Extend { hours } => {
            let wanted = now.plus_ms(hours * HOUR_MS);
            let allowed = running && wanted <= expected.started_at.plus_ms(OVERLAP_MAX_MS);
            let done = rotation::extend(&app.ctx, &operator, key, of_hours(*hours, false)).await;
            assert_eq!(done.is_ok(), allowed, "{step:?}");
            if let Some((_, end, countdown)) = expected.previous.as_mut().filter(|_| allowed) {
                (*end, *countdown) = (wanted.min(expected.expires_at), None);
            }
        }
        Step::Cancel => {
            let done = rotation::cancel(&app.ctx, &operator, key).await;
            assert_eq!(done.is_ok(), running, "{step:?}");
            if running {
                let (former, ..) = expected.previous.take().unwrap();
                expected
                    .dead
                    .push(std::mem::replace(&mut expected.current, former));
            }
        }
        Step::Wait { minutes } => app.clock.advance_ms(minutes * MINUTE_MS),
    }
}

/// Asks without leaving a trace.
async fn peek(app: &TestApp, secret: &str) -> String {
    let answer = app.ask(json!({ "key": secret, "dryRun": true })).await;
    answer["code"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn r63_the_algebra_of_rotation_holds(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut runner = TestRunner::deterministic();
        for n in 0..24 {
            let steps = prop::collection::vec(step(), 4..24).new_tree(&mut runner).unwrap().current();
            let key = app.issue(&format!("key {n}"), &[]).await;
            let mut expected = Expected {
                expires_at: app.clock.now().plus_ms(90 * DAY_MS),
                started_at: app.clock.now(),
                current: key.secret.clone(),
                previous: None,
                dead: Vec::new(),
            };
            for (at, step) in steps.iter().enumerate() {
                take(&app, &key.id, &mut expected, step).await;
                let now = app.clock.now();
                let previous = expected.previous.iter().map(|(secret, ..)| secret);
                for secret in previous.chain([&expected.current]).chain(&expected.dead) {
                    assert_eq!(peek(&app, secret).await, expected.code(secret, now), "step {at} of {steps:#?}");
                }
            }
        }
    }

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
        assert!(over["denial"]["detail"].as_str().unwrap().contains("replaced on"), "{over}");
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
        let made: Vec<String> = futures_util::future::join_all(tries).await.into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        assert_eq!((app.verify(&key.secret).await, app.verify(&made[0]).await), ("VALID".into(), "VALID".into()));
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

    async fn a_countdown_edited_in_the_database_is_found(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Edited", &[]).await;
        let new = start(&app, &key.id, from_first_use("1h")).await.unwrap();
        for edit in [
            "UPDATE key_secrets SET countdown_ms = NULL WHERE slot = 'previous'",
            "UPDATE key_secrets SET countdown_ms = 999999999 WHERE slot = 'previous'",
            "UPDATE key_secrets SET expires_at_ms = expires_at_ms + 1 WHERE slot = 'previous'",
            "DELETE FROM key_secrets WHERE slot = 'previous'",
        ] {
            app.db.tamper(edit).await;
            app.ctx.key_cache.forget_everything();
            assert_eq!((app.verify(&key.secret).await, app.verify(&new).await), ("NOT_FOUND".into(), "NOT_FOUND".into()), "{edit}");
        }
    }

    async fn cancelling_brings_back_the_secret_and_where_it_is_stored(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &[]).await;
        lifecycle::confirm_stored(&app.ctx, &app.operator(), &key.id, "Vault").await.unwrap();
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
        edit_interval(&mut owner, &old, "100").await;
        assert!(owner.get("/settings/rotation").await.body.contains("Due within 14 days"), "the key’s own interval counts");
        start(&app, &old.id, overlap("7d")).await.unwrap();
        let page = owner.get("/settings/rotation").await;
        assert!(page.body.contains("Running") && !page.body.contains("Due within"), "{}", page.body);
    }

    async fn a_developer_rotates_what_is_their_own(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let key = app.issue("Hers", &[]).await;
        let theirs = app.issue("Not hers", &[]).await;
        app.give_key(key.id.as_str(), &grace.account).await;
        let actor: Actor = app.signed_in(&grace.browser).await.unwrap().actor;
        assert!(rotation::start(&app.ctx, &actor, &key.id, overlap("1h"), None).await.is_ok());
        assert!(matches!(rotation::start(&app.ctx, &actor, &theirs.id, overlap("1h"), None).await, Err(DomainError::Denied(_))));
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
