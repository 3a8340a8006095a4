//! What is remembered between requests, for how long, and what is not believed.

use keywright::model::key::RevocationReason;
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::verification::follow_changes;
use serde_json::json;

use crate::kit::{TestApp, on_both_databases};

on_both_databases! {
    async fn another_process_s_change_arrives_with_the_news(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        // Another process has its own memory: its revocation evicts nothing here.
        let other = app.another_process().await;
        lifecycle::revoke(&other, &app.operator(), &key.id, RevocationReason::Superseded, "").await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn without_news_of_changes_memory_is_not_trusted(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let other = app.another_process().await;
        lifecycle::revoke(&other, &app.operator(), &key.id, RevocationReason::Superseded, "").await.unwrap();
        app.clock.advance_ms(3_001);
        assert_eq!(app.verify(&key.secret).await, "REVOKED");
    }

    async fn r80_a_row_edited_behind_our_back_fails_closed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let columns = [
            ("scopes", "scopes = '*'"),
            ("status", "status = 'disabled'"),
            ("expiry", "expires_at_ms = NULL"),
            ("project", "version = version + 1"),
            ("prefix", "prefix = 'acm2'"),
            ("environment", "environment = 'test'"),
            ("owner", "owner_team = 'somebody'"),
        ];
        for (name, change) in columns {
            let key = app.issue(name, &["images:read"]).await;
            assert_eq!(app.verify(&key.secret).await, "VALID");
            assert_eq!(app.db.tamper(&format!("UPDATE api_keys SET {change} WHERE id = '{}'", key.id)).await, 1);
            app.clock.advance_ms(5_001);
            assert_eq!(app.verify(&key.secret).await, "NOT_FOUND", "{name}");
        }
        let victim = app.issue("victim", &["admin"]).await;
        let thief = app.issue("thief", &[]).await;
        let stolen = format!(
            "UPDATE key_secrets SET hash = (SELECT hash FROM key_secrets WHERE key_id = '{}') WHERE key_id = '{}'",
            thief.id, victim.id
        );
        app.db.tamper(&stolen).await;
        assert_eq!(app.verify(&victim.secret).await, "NOT_FOUND", "a hash moved to another row");
    }

    async fn the_database_is_asked_once_per_cold_key_and_never_for_junk(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        follow_changes(&app.ctx).await.unwrap();
        app.verify("warm the token").await;
        let before = app.ctx.key_cache.reads();
        let asks = (0..64).map(|_| app.verify(&key.secret));
        let codes = futures_join(asks.collect()).await;
        assert!(codes.iter().all(|code| code == "VALID"));
        assert_eq!(app.ctx.key_cache.reads() - before, 1, "64 askers, one reader");
        app.verify("acme_live_junk").await;
        assert_eq!(app.ctx.key_cache.reads() - before, 1, "junk is not looked up");
        let unknown = "acme_live_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub";
        for _ in 0..5 {
            assert_eq!(app.verify(unknown).await, "NOT_FOUND");
        }
        assert_eq!(app.ctx.key_cache.reads() - before, 2, "what does not exist is remembered too");
    }

    async fn r69_while_the_database_is_down_nothing_is_valid_and_nothing_invalid(backend: Backend) {
        let app = TestApp::on(backend).await;
        let known = app.issue("known", &[]).await;
        let cold = app.issue("cold", &[]).await;
        assert_eq!(app.verify(&known.secret).await, "VALID");
        app.ctx.db.close().await;
        let body = json!({ "key": cold.secret }).to_string();
        let answer = app.verify_raw(&app.token, "application/json", body, "").await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("\"code\":\"unavailable\"") && !answer.body.contains("valid\":"), "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
        let ready = app.browser().get("/readyz").await;
        let alive = app.browser().get("/healthz").await;
        assert_eq!((ready.status, alive.status), (503, 200));
        let page = app.browser().get("/sign-in").await;
        assert_eq!(page.status, 503);
        assert!(page.body.contains("<h1>Unavailable right now</h1>"), "{}", page.body);
    }
}

/// Polls many futures at once on one task.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(move |context| {
        let mut waiting = false;
        for (future, output) in &mut pending {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        match waiting {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(
                pending
                    .iter_mut()
                    .map(|(_, output)| output.take().unwrap())
                    .collect(),
            ),
        }
    })
    .await
}
