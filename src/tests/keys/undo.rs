//! Undoing a tightening lets a key do more, so it takes what widening takes.

use keywright::model::advice::WATCHED_MS;
use keywright::model::error::Code;
use keywright::model::org::Role;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::advice;
use serde_json::json;

use crate::approvals::{ASK, WIDER, asked};
use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};
use crate::policy::save;

async fn scopes_of(app: &TestApp, key: &Issued) -> String {
    let sql = format!("SELECT scopes FROM api_keys WHERE id = '{}'", key.id);
    app.db.texts(&sql).await.remove(0)
}

/// Keys that were tightened as the advisor says: each by its name and the advice.
async fn tightened(app: &TestApp, asked: &[(&str, &str)]) -> Vec<Issued> {
    let mut keys = Vec::new();
    for (name, _) in asked {
        let made = app.try_issue(name, "live", &["admin", "images:*"], "365").await;
        keys.push(made.unwrap());
    }
    app.clock.advance_ms(WATCHED_MS);
    for key in &keys {
        let used =
            json!({ "key": key.secret, "permissions": "images:read OR admin", "clientIp": "203.0.113.7" });
        assert_eq!(app.ask(used).await["code"], "VALID");
    }
    app.ctx.usage.flush().await;
    for (key, (_, advised)) in keys.iter().zip(asked) {
        advice::tighten(&app.ctx, &app.operator(), &key.id, &[advised])
            .await
            .unwrap();
    }
    keys
}

async fn one_tightened(app: &TestApp) -> Issued {
    tightened(app, &[("Export", "scope admin")]).await.remove(0)
}

/// The reason why it has to be asked for instead.
fn is_to_be_asked_for(done: Result<(), DomainError>) -> String {
    match done {
        Err(DomainError::Refused(Code::ApprovalRequired, why)) => why,
        other => panic!("{other:?}"),
    }
}

on_both_databases! {
    async fn rules_that_came_after_a_tightening_hold_for_undoing_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.second_admin().await;
        let key = one_tightened(&app).await;
        let owner = app.owner_of(app.org);
        save(&app, WIDER, "").await.unwrap();
        let why = is_to_be_asked_for(advice::undo(&app.ctx, &owner, &key.id).await);
        assert!(why.contains("it may do more than before") && why.contains("Edit the key instead"), "{why}");
        assert_eq!(scopes_of(&app, &key).await, "images:*");
        save(&app, &[("approve_wider", "1"), ("owners_exempt", "1")], "").await.unwrap();
        advice::undo(&app.ctx, &owner, &key.id).await.unwrap();
        assert_eq!(scopes_of(&app, &key).await, "admin images:*");
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'key.tightening_undone'").await;
        assert!(told[0].contains("exemptFromApproval"), "{told:?}");
    }

    async fn a_scope_that_became_sensitive_does_not_come_back_unseen(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.second_admin().await;
        save(&app, &[("approve_sensitive", "1")], "").await.unwrap();
        let keys = tightened(&app, &[("Export", "scope admin"), ("Import", "narrow images:*")]).await;
        app.db.tamper("UPDATE project_scopes SET sensitive = TRUE WHERE name = 'admin'").await;
        let owner = app.owner_of(app.org);
        let why = is_to_be_asked_for(advice::undo(&app.ctx, &owner, &keys[0].id).await);
        assert!(why.contains("it gets a sensitive scope"), "{why}");
        advice::undo(&app.ctx, &owner, &keys[1].id).await.unwrap();
        assert_eq!(scopes_of(&app, &keys[1]).await, "admin images:*", "what is not sensitive is nobody else’s to approve");
    }

    async fn the_page_leads_to_where_it_can_be_asked_for(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.second_admin().await;
        let key = one_tightened(&app).await;
        save(&app, WIDER, "").await.unwrap();
        let mut owner = app.owner().await;
        let at = format!("/settings/api-keys/{}", key.id);
        let undo = format!("{at}/tighten/undo");
        let page = owner.get(&undo).await;
        assert!(page.body.contains("it may do more than before") && page.body.contains(&format!("href=\"{at}/edit\"")), "{}", page.body);
        assert!(!page.body.contains(&format!("action=\"{undo}\"")), "no button that would be refused");
        let refused = owner.post(&undo, &[]).await;
        assert!(refused.status == 409 && refused.body.contains("Edit the key instead"), "{} {}", refused.status, refused.body);
        let mut form = vec![("access", "1"), ("name", "Export"), ("scopes", "admin"), ("scopes", "images:*")];
        form.extend(ASK);
        asked(&owner.post(&format!("{at}/edit"), &form).await);
        assert_eq!(scopes_of(&app, &key).await, "images:*", "it waits");
    }

    async fn who_may_not_undo_is_not_offered_to(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = one_tightened(&app).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        app.give_key(key.id.as_str(), &grace.account).await;
        let at = format!("/settings/api-keys/{}", key.id);
        let page = grace.browser.get(&at).await;
        assert!(page.body.contains("If something is refused for it") && !page.body.contains("Undo…"), "{}", page.body);
        assert_eq!(grace.browser.post(&format!("{at}/tighten/undo"), &[]).await.status, 403);
        save(&app, &[("creators", "developers")], "").await.unwrap();
        assert!(grace.browser.get(&at).await.body.contains("Undo…"));
        assert_eq!(grace.browser.post(&format!("{at}/tighten/undo"), &[]).await.status, 303);
    }
}
