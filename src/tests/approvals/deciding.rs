//! Who decides, and what a decision does.

use keywright::model::org::Role;
use keywright::server::domain::{DomainError, approvals};
use keywright::server::platform::clock::Clock;

use super::{NEW, WIDER, asked, asks, collects, decides, fills_in, page_of, state_of, under};
use crate::kit::{Browser, TestApp, on_both_databases};

/// A live key that its owner may widen, with what its form says.
async fn edits(browser: &mut Browser, id: &str, more: &[(&str, &str)]) -> crate::kit::Answer {
    let mut form = vec![
        ("name", "CI"),
        ("access", "1"),
        ("scopes", "images:read"),
        ("expiry", "keep"),
    ];
    form.retain(|(field, _)| !more.iter().any(|(said, _)| said == field));
    form.extend(more);
    browser
        .post(&format!("/settings/api-keys/{id}/edit"), &form)
        .await
}

const WIDEN: &[(&str, &str)] = &[
    ("scopes", "images:*"),
    ("ip_deny", "198.51.100.0/24"),
    ("step", "ask"),
    ("justification", "CI uploads, too"),
];

on_both_databases! {
    async fn the_secret_is_born_after_approval_and_collected_once_by_whoever_asked(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        assert_eq!(collects(&mut owner, &id).await.status, 409, "not before");
        let approved = decides(&mut grace.browser, &id, "approve", "Go ahead").await;
        assert_eq!(approved.status, 303, "{}", approved.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0, "nobody has a secret yet");
        let key = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let there = owner.get(&format!("/settings/api-keys/{key}")).await;
        assert!(there.body.contains("Collect the secret"), "{}", there.body);
        assert!(grace.browser.get(&format!("/settings/api-keys/{key}")).await.body.contains("It waits for Ada Lovelace to collect"));
        assert_eq!(collects(&mut grace.browser, &id).await.status, 403, "whoever approved collects nothing");
        let shown = collects(&mut owner, &id).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{}", shown.body);
        let secret = shown.between("id=\"secret\">", "<").to_owned();
        assert_eq!(app.verify(&secret).await, "VALID");
        assert_eq!(collects(&mut owner, &id).await.status, 409, "once");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 1);
        let page = page_of(&mut owner, &id).await;
        assert!(page.body.contains("Go ahead") && page.body.contains("The secret was collected"), "{}", page.body);
        assert!(!page.body.contains(&secret[secret.len() - 38..]));
        assert_eq!(app.db.texts("SELECT action FROM audit_events WHERE action LIKE 'approval.%' OR action LIKE 'key.%' ORDER BY seq").await,
            ["approval.requested", "key.created", "approval.approved", "key.collected"]);
        let created = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.created'").await;
        assert!(created[0].contains(&format!("\"approvalId\":\"{id}\"")), "{created:?}");
    }

    async fn nobody_approves_what_they_asked_for_and_no_developer_anything(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let mut auditor = app.join("audit@acme.example", Role::Auditor).await;
        let id = asks(&app, &mut owner, "Shop").await;
        let own = decides(&mut owner, &id, "approve", "").await;
        assert!(own.status == 409 && own.body.contains("You asked for this yourself"), "{}", own.body);
        assert_eq!(decides(&mut owner, &id, "decline", "No").await.status, 409);
        assert_eq!(page_of(&mut dev.browser, &id).await.status, 404, "others’ requests are not a developer’s business");
        assert_eq!(decides(&mut dev.browser, &id, "approve", "").await.status, 403);
        assert_eq!(decides(&mut dev.browser, &id, "comment", "Me too").await.status, 404);
        assert_eq!(page_of(&mut auditor.browser, &id).await.status, 200);
        assert_eq!(decides(&mut auditor.browser, &id, "approve", "").await.status, 403);
        assert_eq!(decides(&mut auditor.browser, &id, "comment", "Hm").await.status, 403);
        assert_eq!(state_of(&app, &id).await, "waiting");
        let mut list = dev.browser.get("/settings/approvals").await;
        assert!(!list.body.contains("Shop"), "{}", list.body);
        list = auditor.browser.get("/settings/approvals?state=waiting").await;
        assert!(list.body.contains("New key Shop"), "{}", list.body);
    }

    async fn an_approver_who_was_demoted_or_removed_meanwhile_decides_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        // The page was open, and the powers read, before they went.
        let actor = app.signed_in(&grace.browser).await.unwrap().actor;
        for change in ["role = 'developer'", "role = 'admin', status = 'removed'"] {
            let sql = format!("UPDATE members SET {change} WHERE account_id = '{}'", grace.account);
            assert_eq!(app.db.tamper(&sql).await, 1);
            let late = approvals::approve(&app.ctx, &actor, &id, ("", None)).await;
            assert!(matches!(late, Err(DomainError::Denied(_))), "{late:?}");
        }
        assert_eq!(state_of(&app, &id).await, "waiting");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn of_two_who_decide_at_once_one_does(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = under(&app, NEW).await;
        let alan = app.join("alan@acme.example", Role::Admin).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let mut actors = Vec::new();
        for member in [&grace, &alan] {
            actors.push(app.signed_in(&member.browser).await.unwrap().actor);
        }
        let (yes, no) = tokio::join!(
            approvals::approve(&app.ctx, &actors[0], &id, ("", None)),
            approvals::decline(&app.ctx, &actors[1], &id, "No"),
        );
        assert_ne!(yes.is_ok(), no.is_ok(), "{yes:?} {no:?}");
        let keys = app.db.number("SELECT COUNT(*) FROM api_keys").await;
        assert_eq!(keys, i64::from(yes.is_ok()));
        assert_eq!(state_of(&app, &id).await, if yes.is_ok() { "approved" } else { "declined" });
    }

    async fn of_two_who_collect_at_once_one_gets_the_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        decides(&mut grace.browser, &id, "approve", "").await;
        let actor = app.signed_in(&owner).await.unwrap().actor;
        let tries = (0..4).map(|_| approvals::collect(&app.ctx, &actor, &id));
        let done = futures_util::future::join_all(tries).await;
        assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }

    async fn a_change_holds_only_after_approval_and_its_difference_is_shown(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, WIDER).await;
        let key = app.issue("CI", &["images:read"]).await;
        let mut owner = app.owner().await;
        let id = key.id.as_str();
        let direct = edits(&mut owner, id, &[("scopes", "images:*")]).await;
        assert!(direct.status == 409 && direct.body.contains("it may do more than before"), "{}", direct.body);
        let narrower = edits(&mut owner, id, &[("ip_allow", "10.0.0.0/8")]).await;
        assert_eq!(narrower.status, 303, "what narrows needs nobody: {}", narrower.body);
        let request = asked(&edits(&mut owner, id, WIDEN).await);
        let scopes = async || app.db.texts("SELECT scopes FROM api_keys").await.remove(0);
        assert_eq!(scopes().await, "images:read", "nothing has changed");
        let page = page_of(&mut grace.browser, &request).await;
        for said in ["What it would change", "images:*", "images:read", "10.0.0.0/8", "198.51.100.0/24", "CI uploads, too"] {
            assert!(page.body.contains(said), "{said}: {}", page.body);
        }
        let twice = edits(&mut owner, id, WIDEN).await;
        assert!(twice.status == 409 && twice.body.contains("waits for approval already"), "{}", twice.body);
        assert!(owner.get(&format!("/settings/api-keys/{id}")).await.body.contains("A change of this key waits for approval"));
        assert_eq!(decides(&mut grace.browser, &request, "approve", "").await.status, 303);
        assert_eq!(scopes().await, "images:*");
        let verdict = app.ask(serde_json::json!({ "key": key.secret, "permissions": "images:write", "clientIp": "10.1.2.3" })).await;
        assert_eq!(verdict["code"], "VALID", "{verdict}");
        assert_eq!(collects(&mut owner, &request).await.status, 409, "a change makes no secret");
        let edited = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.edited' ORDER BY seq").await;
        assert!(edited[1].contains(&format!("\"approvalId\":\"{request}\"")), "{edited:?}");
    }

    async fn a_key_that_changed_after_it_was_asked_for_is_not_changed_again(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, WIDER).await;
        let key = app.issue("CI", &["images:read"]).await;
        let mut owner = app.owner().await;
        let request = asked(&edits(&mut owner, key.id.as_str(), WIDEN).await);
        assert_eq!(edits(&mut owner, key.id.as_str(), &[("ip_allow", "10.0.0.0/8")]).await.status, 303);
        assert!(page_of(&mut grace.browser, &request).await.body.contains("The key was changed after this was asked for"));
        let late = decides(&mut grace.browser, &request, "approve", "").await;
        assert!(late.status == 409 && late.body.contains("The key was changed after this was asked for"), "{}", late.body);
        assert_eq!(state_of(&app, &request).await, "waiting");
        app.revoke(&key.id).await;
        assert_eq!(decides(&mut grace.browser, &request, "approve", "").await.status, 409, "revoked meanwhile");
        assert_eq!(decides(&mut grace.browser, &request, "decline", "Outdated").await.status, 303);
    }

    async fn whoever_asked_and_left_gets_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let (gone, demoted) = (asks(&app, &mut dev.browser, "Gone").await, asks(&app, &mut dev.browser, "Demoted").await);
        let change = async |set: &str| {
            app.db.tamper(&format!("UPDATE members SET {set} WHERE account_id = '{}'", dev.account)).await;
        };
        change("status = 'removed'").await;
        let late = decides(&mut grace.browser, &gone, "approve", "").await;
        assert!(late.status == 409 && late.body.contains("is no active member any more"), "{}", late.body);
        change("status = 'active', role = 'auditor'").await;
        let late = decides(&mut grace.browser, &demoted, "approve", "").await;
        assert!(late.status == 409 && late.body.contains("may not do this any more"), "{}", late.body);
        change("role = 'developer'").await;
        assert_eq!(decides(&mut grace.browser, &gone, "approve", "").await.status, 303);
        change("status = 'removed'").await;
        assert_ne!(collects(&mut dev.browser, &gone).await.status, 200, "approved, and then left");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
    }

    async fn what_cannot_be_done_as_asked_keeps_waiting(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        app.issue("Shop", &["images:read"]).await;
        let taken = decides(&mut grace.browser, &id, "approve", "").await;
        assert!(taken.status == 409 && taken.body.contains("it still waits") && taken.body.contains("has this name"), "{}", taken.body);
        app.db.tamper("UPDATE projects SET status = 'archived'").await;
        let page = page_of(&mut grace.browser, &id).await;
        assert!(page.body.contains("It cannot be done as it was asked for") && page.body.contains("is archived"), "{}", page.body);
        assert_eq!(decides(&mut grace.browser, &id, "approve", "").await.status, 409);
        assert_eq!(state_of(&app, &id).await, "waiting");
    }

    async fn rules_that_came_later_count_when_it_is_approved(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        crate::policy::save(&app, &[("approve_new", "1"), ("addresses_required", "1")], "").await.unwrap();
        let late = decides(&mut grace.browser, &id, "approve", "").await;
        assert!(late.status == 409 && late.body.contains("names the addresses"), "{}", late.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn declining_needs_a_reason_and_is_the_end(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let silent = decides(&mut grace.browser, &id, "decline", " ").await;
        assert!(silent.status == 422 && silent.body.contains("Say why you decline it"), "{}", silent.body);
        assert_eq!(decides(&mut grace.browser, &id, "comment", "Which shop?").await.status, 303);
        assert_eq!(decides(&mut owner, &id, "comment", "<b>Ours</b>").await.status, 303);
        assert_eq!(decides(&mut grace.browser, &id, "decline", "Use the test key").await.status, 303);
        let page = page_of(&mut owner, &id).await;
        assert!(page.body.contains("Shop is a live key of") && page.body.contains("/settings/api-keys/new?project="), "what was asked for stays, and can be asked for again: {}", page.body);
        for said in ["Declined", "Which shop?", "&lt;b&gt;Ours&lt;/b&gt;", "Use the test key"] {
            assert!(page.body.contains(said), "{said}: {}", page.body);
        }
        for step in ["approve", "decline", "comment"] {
            let late = decides(&mut grace.browser, &id, step, "x").await;
            assert!(late.status == 409 && late.body.contains("was declined"), "{step}: {}", late.body);
        }
        assert_eq!(collects(&mut owner, &id).await.status, 409);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }

    async fn whoever_asked_takes_it_back_and_nobody_else(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let at = format!("/settings/approvals/{id}/withdraw");
        assert_eq!(grace.browser.post(&at, &[]).await.status, 403);
        assert_eq!(owner.post(&at, &[]).await.status, 303);
        assert_eq!(owner.post(&at, &[]).await.status, 409);
        assert_eq!(decides(&mut grace.browser, &id, "approve", "").await.status, 409);
        assert_eq!(state_of(&app, &id).await, "withdrawn");
    }

    async fn a_link_made_meanwhile_gives_no_second_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        decides(&mut grace.browser, &id, "approve", "").await;
        let key = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let link = owner.post(&format!("/settings/api-keys/{key}/handover"), &[("claim_days", "1")]).await;
        let token = crate::kit::people::token_of(link.between("id=\"secret\">", "<"));
        assert_eq!(collects(&mut owner, &id).await.status, 200);
        assert_eq!(app.browser().post("/claim", &[("token", token.as_str())]).await.status, 410);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }

    async fn what_was_approved_long_ago_is_not_handed_over_either(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        decides(&mut grace.browser, &id, "approve", "").await;
        let key = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let at = format!("/settings/api-keys/{key}/handover");
        app.clock.advance_ms(13 * keywright::model::time::DAY_MS);
        let mut owner = app.owner().await;
        let link = owner.post(&at, &[("claim_days", "7")]).await;
        let token = crate::kit::people::token_of(link.between("id=\"secret\">", "<"));
        app.clock.advance_ms(keywright::model::time::DAY_MS);
        let late = app.browser().post("/claim", &[("token", token.as_str())]).await;
        assert!(late.status == 409 && late.body.contains("within 14 days"), "{}", late.body);
        let mut owner = app.owner().await;
        assert_eq!(owner.post(&at, &[("claim_days", "1")]).await.status, 409);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
    }

    async fn r26_approving_and_collecting_a_live_key_need_a_fresh_proof(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        app.clock.advance_ms(11 * keywright::model::time::MINUTE_MS);
        assert!(decides(&mut grace.browser, &id, "approve", "").await.asks_who());
        assert_eq!(state_of(&app, &id).await, "waiting");
        let actor = app.signed_in(&grace.browser).await.unwrap().actor.proved(app.clock.now());
        approvals::approve(&app.ctx, &actor, &id, ("", None)).await.unwrap();
        assert!(collects(&mut owner, &id).await.asks_who());
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
    }

    async fn another_organisation_sees_and_does_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let globex = app.another_org("Globex").await;
        let stranger = app.owner_of(globex);
        for outcome in [
            approvals::approve(&app.ctx, &stranger, &id, ("", None)).await,
            approvals::decline(&app.ctx, &stranger, &id, "No").await,
            approvals::withdraw(&app.ctx, &stranger, &id).await,
            approvals::comment(&app.ctx, &stranger, &id, "Hello").await,
            approvals::page(&app.ctx, &stranger, &id).await.map(drop),
            approvals::collect(&app.ctx, &stranger, &id).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(DomainError::NotFound)), "{outcome:?}");
        }
        let filled = fills_in(&app, &mut owner, "Shop", &[("step", "review")]).await;
        assert_eq!(filled.status, 200);
    }

    async fn each_entry_of_a_long_list_is_shown(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, WIDER).await;
        let key = app.issue("CI", &["images:read"]).await;
        let mut owner = app.owner().await;
        let six = |last: &str| format!("10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 {last}");
        let first = edits(&mut owner, key.id.as_str(), &[("ip_allow", &six("10.0.0.6"))]).await;
        assert_eq!(first.status, 303, "{}", first.body);
        let wider = six("128.0.0.0/1");
        let request = asked(&edits(&mut owner, key.id.as_str(), &[("ip_allow", wider.as_str()), ("step", "ask"), ("justification", "x")]).await);
        let page = page_of(&mut grace.browser, &request).await;
        assert!(page.body.contains("Allowed address 128.0.0.0/1") && page.body.contains("Allowed address 10.0.0.6"), "{}", page.body);
        assert!(!page.body.contains("Allowed address 10.0.0.1<"), "what stays is no difference");
        crate::policy::save(&app, NEW, "").await.unwrap();
        let new = [("ip_allow", wider.as_str()), ("step", "ask"), ("justification", "x")];
        let new = asked(&fills_in(&app, &mut owner, "New", &new).await);
        assert!(page_of(&mut grace.browser, &new).await.body.contains("Allowed address 128.0.0.0/1"));
    }

    async fn what_is_approved_is_what_was_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        let id = asks(&app, &mut owner, "Shop").await;
        let page = page_of(&mut grace.browser, &id).await;
        let seen = page.between("name=\"seen\" value=\"", "\"").to_owned();
        app.db.tamper("UPDATE projects SET name = 'Another name'").await;
        let form = [("step", "approve"), ("seen", seen.as_str())];
        let stale = grace.browser.post(&format!("/settings/approvals/{id}"), &form).await;
        assert!(stale.status == 409 && stale.body.contains("has changed since you opened the page"), "{}", stale.body);
        assert_eq!(state_of(&app, &id).await, "waiting");
        assert_eq!(decides(&mut grace.browser, &id, "approve", "").await.status, 303);
        assert!(page_of(&mut owner, &id).await.body.contains("is a live key of Another name"), "what was approved is kept");
    }

    async fn nobody_but_whoever_asked_gets_the_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let id = asks(&app, &mut dev.browser, "Mine").await;
        decides(&mut grace.browser, &id, "approve", "").await;
        let key = app.db.texts("SELECT id FROM api_keys").await.remove(0);
        let link = grace.browser.post(&format!("/settings/api-keys/{key}/handover"), &[("claim_days", "1")]).await;
        assert!(link.status == 409 && link.body.contains("Whoever asked for this key collects its secret"), "{}", link.body);
        app.db.tamper(&format!("UPDATE members SET status = 'removed' WHERE account_id = '{}'", dev.account)).await;
        assert_eq!(grace.browser.post(&format!("/settings/api-keys/{key}/handover"), &[("claim_days", "1")]).await.status, 200, "when they have left");
    }

    async fn whoever_may_less_now_or_comes_late_collects_nothing(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = under(&app, NEW).await;
        let mut alan = app.join("alan@acme.example", Role::Admin).await;
        let team = [("owner", "team"), ("owner_team", "ops"), ("step", "ask"), ("justification", "x")];
        let id = asked(&fills_in(&app, &mut alan.browser, "Team", &team).await);
        assert_eq!(decides(&mut grace.browser, &id, "approve", "").await.status, 303);
        let role = async |role: &str| {
            app.db.tamper(&format!("UPDATE members SET role = '{role}' WHERE account_id = '{}'", alan.account)).await;
        };
        role("developer").await;
        assert_eq!(collects(&mut alan.browser, &id).await.status, 403, "the key is a team’s");
        role("admin").await;
        let actor = app.signed_in(&alan.browser).await.unwrap().actor;
        app.clock.advance_ms(14 * keywright::model::time::DAY_MS);
        let late = approvals::collect(&app.ctx, &actor.proved(app.clock.now()), &id).await;
        assert!(late.err().unwrap().to_string().contains("within 14 days"));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM key_secrets").await, 0);
    }

    async fn a_rule_about_the_end_lets_nobody_ask_for_more_access(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, &[("approve_beyond_days", "30")]).await;
        let mut dev = app.join("dev@acme.example", Role::Developer).await;
        let key = app.try_issue("CI", "live", &["images:read"], "30").await.unwrap();
        app.give_key(key.id.as_str(), &dev.account).await;
        let wide = [("scopes", "images:*"), ("expiry", "none"), ("step", "ask"), ("justification", "x")];
        let beyond = edits(&mut dev.browser, key.id.as_str(), &wide).await;
        assert_eq!(beyond.status, 403, "{}", beyond.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM approvals").await, 0);
    }

    async fn a_change_that_lapsed_is_not_in_the_way_of_the_next(backend: Backend) {
        let app = TestApp::on(backend).await;
        under(&app, WIDER).await;
        let key = app.issue("CI", &["images:read"]).await;
        let mut owner = app.owner().await;
        let first = asked(&edits(&mut owner, key.id.as_str(), WIDEN).await);
        app.clock.advance_ms(7 * keywright::model::time::DAY_MS);
        let mut owner = app.owner().await;
        let second = asked(&edits(&mut owner, key.id.as_str(), WIDEN).await);
        assert_eq!((state_of(&app, &first).await.as_str(), state_of(&app, &second).await.as_str()), ("lapsed", "waiting"));
    }

    async fn a_comment_and_a_decision_at_once_do_not_lock_each_other_out(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = under(&app, NEW).await;
        let mut owner = app.owner().await;
        for n in 0..4 {
            let id = asks(&app, &mut owner, &format!("Shop {n}")).await;
            let actors = [app.signed_in(&owner).await.unwrap().actor, app.signed_in(&grace.browser).await.unwrap().actor];
            let (said, approved) = tokio::join!(
                approvals::comment(&app.ctx, &actors[0], &id, "Please"),
                approvals::approve(&app.ctx, &actors[1], &id, ("Yes", None)),
            );
            approved.unwrap();
            assert!(matches!(said, Ok(()) | Err(DomainError::Refused(..))), "{said:?}");
        }
    }
}
