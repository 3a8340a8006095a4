//! The least-privilege advisor: from the request to the advice, to the narrower key, and back.

use keywright::model::actor::Actor;
use keywright::model::advice::{Advice, Blind, KeyAdvice, Knowledge, UNDO_MS, WATCHED_MS};
use keywright::model::id::KeyId;
use keywright::model::key::RevocationReason;
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::model::usage::UsageRange;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::edit::{self, AccessEdit, KeyEdit};
use keywright::server::domain::keys::{advice, lifecycle, read};
use keywright::server::domain::retention::prune;
use serde_json::json;

use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};

const HERE: &str = "203.0.113.7";

/// A request that passes, asked with what the service needs.
async fn used(app: &TestApp, key: &Issued, permissions: &str) {
    let answer = app
        .ask(json!({ "key": key.secret, "permissions": permissions, "clientIp": HERE }))
        .await;
    assert_eq!(answer["code"], "VALID", "{answer}");
}

async fn told(app: &TestApp, id: &KeyId) -> KeyAdvice {
    app.ctx.usage.flush().await;
    let page = read::page(&app.ctx, &app.operator(), id, UsageRange::Day)
        .await
        .unwrap();
    page.least_privilege.unwrap().advice
}

fn ids(told: &KeyAdvice) -> Vec<String> {
    told.advice.iter().map(Advice::id).collect()
}

async fn edit_access(
    app: &TestApp,
    actor: &Actor,
    key: &Issued,
    scopes: &[&str],
    restrictions: RestrictionsDraft<'_>,
) -> Result<(), DomainError> {
    let edit = KeyEdit {
        name: "Export",
        purpose: "",
        rotation_days: "",
        access: Some(AccessEdit {
            scopes: scopes.to_vec(),
            restrictions,
            ..AccessEdit::default()
        }),
    };
    edit::save(&app.ctx, actor, &key.id, &edit).await
}

/// A key that has been watched for ninety days and was used as reading alone, from one address.
async fn overpowered(app: &TestApp) -> Issued {
    let key = app
        .try_issue("Export", "live", &["admin", "images:*"], "365")
        .await
        .unwrap();
    app.clock.advance_ms(WATCHED_MS);
    used(app, &key, "images:read OR admin").await;
    key
}

on_both_databases! {
    async fn what_no_request_needed_for_ninety_days_can_be_taken_away(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Export", "live", &["admin", "images:*"], "365").await.unwrap();
        used(&app, &key, "images:read").await;
        let early = told(&app, &key.id).await;
        assert!(matches!(early.knowledge, Knowledge::Watching { .. }) && early.advice.is_empty(), "{early:?}");
        app.clock.advance_ms(WATCHED_MS - 1);
        used(&app, &key, "images:read").await;
        assert!(matches!(told(&app, &key.id).await.knowledge, Knowledge::Watching { .. }));
        app.clock.advance_ms(1);
        assert_eq!(ids(&told(&app, &key.id).await), ["scope admin", "narrow images:*", "addresses"]);
        advice::tighten(&app.ctx, &app.operator(), &key.id, &["scope admin", "narrow images:*"]).await.unwrap();
        let answer = app.ask(json!({ "key": key.secret, "permissions": "admin" })).await;
        assert_eq!(answer["code"], "INSUFFICIENT_SCOPE", "from the next request on");
        used(&app, &key, "images:read").await;
        assert_eq!(ids(&told(&app, &key.id).await), ["addresses"], "what was not chosen stays advised");
        advice::tighten(&app.ctx, &app.operator(), &key.id, &["addresses"]).await.unwrap();
        let elsewhere = app.ask(json!({ "key": key.secret, "permissions": "images:read", "clientIp": "198.51.100.1" })).await;
        assert_eq!(elsewhere["code"], "IP_NOT_ALLOWED");
        let audited = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.tightened' ORDER BY seq").await;
        let first: serde_json::Value = serde_json::from_str(&audited[0]).unwrap();
        assert_eq!((first["before"]["scopes"].as_str(), first["after"]["scopes"].as_str()), (Some("admin images:*"), Some("images:read")));
    }

    async fn refused_requests_and_dry_runs_are_no_use(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.ask(json!({ "key": key.secret, "permissions": "admin AND images:write AND other", "clientIp": HERE })).await;
        app.ask(json!({ "key": key.secret, "permissions": "admin", "clientIp": HERE, "dryRun": true })).await;
        assert_eq!(ids(&told(&app, &key.id).await), ["scope admin", "narrow images:*", "addresses"]);
        used(&app, &key, "admin").await;
        let now = told(&app, &key.id).await;
        assert_eq!(ids(&now), ["narrow images:*", "addresses"]);
        let late = advice::tighten(&app.ctx, &app.operator(), &key.id, &["scope admin"]).await.unwrap_err();
        assert!(late.to_string().contains("advice has changed"), "{late}");
    }

    async fn services_that_do_not_say_what_they_need_keep_the_advisor_silent(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.verify(&key.secret).await;
        let silent = told(&app, &key.id).await;
        assert_eq!((ids(&silent).len(), silent.blind), (0, vec![Blind::Scopes, Blind::Addresses]));
    }

    async fn a_change_of_the_access_begins_the_watch_anew(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        edit_access(&app, &app.operator(), &key, &["admin", "images:*", "images:read"], RestrictionsDraft::default()).await.unwrap();
        assert!(matches!(told(&app, &key.id).await.knowledge, Knowledge::Watching { .. }));
        app.clock.advance_ms(WATCHED_MS + 2 * HOUR_MS);
        used(&app, &key, "images:read").await;
        edit_access(&app, &app.operator(), &key, &["admin", "images:*", "images:read"], RestrictionsDraft::default()).await.unwrap();
        assert_eq!(ids(&told(&app, &key.id).await), ["scope admin", "scope images:*", "addresses"], "saving the same is no change");
    }

    async fn patterns_and_networks_without_traffic_are_found(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Export", "live", &["images:read"], "365").await.unwrap();
        let rules = RestrictionsDraft {
            ip_allow: vec!["203.0.113.0/24 10.0.0.0/8"],
            resource_allow: vec!["gpt-4* dall-e*"],
            ..RestrictionsDraft::default()
        };
        edit_access(&app, &app.operator(), &key, &["images:read"], rules).await.unwrap();
        app.clock.advance_ms(WATCHED_MS);
        let asked = json!({ "key": key.secret, "permissions": "images:read", "clientIp": HERE, "resource": "gpt-4.1" });
        assert_eq!(app.ask(asked.clone()).await["code"], "VALID");
        let now = told(&app, &key.id).await;
        assert_eq!(ids(&now), ["resource dall-e*", "network 10.0.0.0/8"]);
        let chosen: Vec<String> = ids(&now);
        let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
        advice::tighten(&app.ctx, &app.operator(), &key.id, &chosen).await.unwrap();
        assert_eq!(app.ask(asked).await["code"], "VALID");
        let other = json!({ "key": key.secret, "permissions": "images:read", "clientIp": HERE, "resource": "dall-e-3" });
        assert_eq!(app.ask(other).await["code"], "RESOURCE_NOT_ALLOWED");
        assert!(ids(&told(&app, &key.id).await).is_empty());
    }

    async fn a_key_that_nobody_uses_is_told_to_go(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Forgotten", "live", &["admin"], "365").await.unwrap();
        app.clock.advance_ms(WATCHED_MS - 1);
        assert!(matches!(told(&app, &key.id).await.knowledge, Knowledge::Watching { .. }));
        app.clock.advance_ms(1);
        assert!(matches!(told(&app, &key.id).await.knowledge, Knowledge::Unused { .. }));
        let mut owner = app.owner().await;
        let page = owner.get(&format!("/settings/api-keys/{}", key.id)).await;
        assert!(page.body.contains("Unused.") && page.body.contains("Nobody has used it"), "{}", page.body);
    }

    async fn r26_undo_gives_back_exactly_and_asks_what_widening_asks(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.ctx.usage.flush().await;
        let row = "SELECT scopes || COALESCE(restrictions, '-') FROM api_keys";
        let before = app.db.texts(row).await;
        let owner = app.owner_of(app.org);
        advice::tighten(&app.ctx, &owner, &key.id, &["scope admin", "narrow images:*", "addresses"]).await.unwrap();
        assert_ne!(app.db.texts(row).await, before);
        app.clock.advance_ms(11 * MINUTE_MS);
        let stale = advice::undo(&app.ctx, &owner, &key.id).await.unwrap_err();
        assert!(matches!(stale, DomainError::Denied(keywright::model::actor::Denied::StepUpDue)), "{stale}");
        let developer = app.member(Role::Developer);
        assert!(matches!(advice::undo(&app.ctx, &developer, &key.id).await, Err(DomainError::Denied(_))));
        app.clock.advance_ms(UNDO_MS - 11 * MINUTE_MS - 1);
        let owner = app.owner_of(app.org);
        advice::undo(&app.ctx, &owner, &key.id).await.unwrap();
        assert_eq!(app.db.texts(row).await, before);
        used(&app, &key, "admin AND images:write").await;
        let twice = advice::undo(&app.ctx, &owner, &key.id).await.unwrap_err();
        assert!(twice.to_string().contains("nothing to undo"), "{twice}");
        assert!(matches!(told(&app, &key.id).await.knowledge, Knowledge::Watching { .. }), "what was refused meanwhile is not known");
    }

    async fn undo_is_over_after_seven_days_after_another_change_and_after_a_forgery(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.ctx.usage.flush().await;
        let actor = app.operator();
        advice::tighten(&app.ctx, &actor, &key.id, &["scope admin"]).await.unwrap();
        edit_access(&app, &actor, &key, &["images:read"], RestrictionsDraft::default()).await.unwrap();
        let changed = advice::undo(&app.ctx, &actor, &key.id).await.unwrap_err();
        assert!(changed.to_string().contains("has been changed since"), "{changed}");
        edit_access(&app, &actor, &key, &["images:*"], RestrictionsDraft::default()).await.unwrap();
        app.db.tamper("UPDATE key_tightenings SET before = replace(before, 'admin', 'zadmin')").await;
        let forged = advice::undo(&app.ctx, &actor, &key.id).await.unwrap_err();
        assert!(forged.to_string().contains("outside Keywright"), "{forged}");
        app.db.tamper("UPDATE key_tightenings SET before = replace(before, 'zadmin', 'admin')").await;
        app.clock.advance_ms(UNDO_MS);
        let late = advice::undo(&app.ctx, &actor, &key.id).await.unwrap_err();
        assert!(late.to_string().contains("nothing to undo"), "{late}");
    }

    async fn a_revoked_key_is_neither_tightened_nor_widened(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.ctx.usage.flush().await;
        advice::tighten(&app.ctx, &app.operator(), &key.id, &["scope admin"]).await.unwrap();
        lifecycle::revoke(&app.ctx, &app.operator(), &key.id, RevocationReason::Superseded, "").await.unwrap();
        assert!(advice::undo(&app.ctx, &app.operator(), &key.id).await.is_err());
        assert!(advice::tighten(&app.ctx, &app.operator(), &key.id, &["addresses"]).await.is_err());
    }

    async fn uses_are_noted_once_an_hour_bounded_and_forgotten(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Export", "live", &["images:*"], "365").await.unwrap();
        for _ in 0..3 {
            used(&app, &key, "images:read").await;
            app.ctx.usage.flush().await;
            app.clock.advance_ms(HOUR_MS / 4);
        }
        let span = "SELECT CAST(MAX(last_at_ms - first_at_ms) AS BIGINT) FROM key_uses";
        assert_eq!(app.db.number(span).await, 0);
        app.clock.advance_ms(HOUR_MS);
        used(&app, &key, "images:read").await;
        app.ctx.usage.flush().await;
        assert_eq!(app.db.number(span).await, HOUR_MS + 3 * (HOUR_MS / 4));
        for batch in 0..3 {
            for n in 0..90 {
                used(&app, &key, &format!("images:r{batch}.{n}")).await;
            }
            app.ctx.usage.flush().await;
        }
        let kept = app.db.number("SELECT COUNT(*) FROM key_uses WHERE kind = 'concrete'").await;
        assert!((100..=200).contains(&kept), "{kept}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_uses WHERE kind = 'more'").await, 1);
        app.clock.advance_ms(WATCHED_MS);
        prune(&app.ctx).await.unwrap();
        assert!(app.db.number("SELECT COUNT(*) FROM key_uses").await > 100, "asked for to the hour");
        app.clock.advance_ms(2 * DAY_MS);
        prune(&app.ctx).await.unwrap();
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_uses").await, 0);
    }

    async fn the_form_tightens_what_is_ticked_and_says_what_is_wrong(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = overpowered(&app).await;
        app.ctx.usage.flush().await;
        let mut owner = app.owner().await;
        let address = format!("/settings/api-keys/{}", key.id);
        let page = owner.get(&address).await;
        for words in ["Take away admin", "Grant images:read instead of images:*", "Allow it only from 203.0.113.7"] {
            assert!(page.body.contains(words), "{words} in {}", page.body);
        }
        let empty = owner.post(&format!("{address}/tighten"), &[]).await;
        assert_eq!(empty.status, 422, "{}", empty.body);
        assert!(empty.body.contains("Choose at least one thing"));
        let unknown = owner.post(&format!("{address}/tighten"), &[("advice", "scope images:*")]).await;
        assert_eq!(unknown.status, 409, "{}", unknown.body);
        let done = owner.post(&format!("{address}/tighten"), &[("advice", "scope admin")]).await;
        assert_eq!((done.status, done.header("location")), (303, format!("{address}?done=tightened").as_str()));
        let page = owner.get(&address).await;
        assert!(page.body.contains("Undo…"));
        let ask = owner.get(&format!("{address}/tighten/undo")).await;
        assert!(ask.body.contains("The scope admin."), "{}", ask.body);
        let done = owner.post(&format!("{address}/tighten/undo"), &[]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(app.db.texts("SELECT scopes FROM api_keys").await, ["admin images:*"]);
    }
}
