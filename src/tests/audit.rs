//! The audit log cannot be changed unseen.

use keywright::server::domain::audit::verify;

use crate::kit::{Backend, SeededRng, TestApp, on_both_databases};

const UNLOCK_SQLITE: [&str; 2] = [
    "DROP TRIGGER audit_events_are_not_changed",
    "DROP TRIGGER audit_events_are_not_deleted",
];
const UNLOCK_POSTGRES: [&str; 2] = [
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "ALTER TABLE audit_heads DISABLE TRIGGER ALL",
];

async fn with_history(backend: Backend, keys: usize) -> TestApp {
    let app = TestApp::on(backend).await;
    for n in 0..keys {
        let key = app.issue(&format!("key {n}"), &["images:read"]).await;
        app.revoke(&key.id).await;
    }
    app
}

/// What somebody with the database, but not the master key, can do first.
async fn unlock(app: &TestApp, backend: Backend) {
    for sql in if backend == Backend::Sqlite {
        UNLOCK_SQLITE
    } else {
        UNLOCK_POSTGRES
    } {
        app.db.tamper(sql).await;
    }
}

on_both_databases! {
    async fn an_untouched_log_is_whole(backend: Backend) {
        let app = with_history(backend, 10).await;
        let report = verify(&app.ctx).await.unwrap();
        assert!(report.ok, "{report:?}");
        assert_eq!(report.events, app.db.number("SELECT COUNT(*) FROM audit_events").await);
    }

    async fn r80_the_table_refuses_changes_and_deletions(backend: Backend) {
        let app = with_history(backend, 1).await;
        let refused = |sql: &'static str| {
            let db = app.ctx.db.clone();
            async move {
                match &db {
                    keywright::server::store::db::Db::Sqlite { writer, .. } => sqlx::raw_sql(sql).execute(writer).await.is_err(),
                    keywright::server::store::db::Db::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.is_err(),
                }
            }
        };
        assert!(refused("UPDATE audit_events SET action = 'x'").await);
        assert!(refused("DELETE FROM audit_events").await);
    }

    async fn r80_a_thousand_tamperings_are_all_found(backend: Backend) {
        // PostgreSQL runs fewer: the rule is the same code, and each try costs several round trips.
        let tries = if backend == Backend::Sqlite { 1_000 } else { 100 };
        let app = with_history(backend, 12).await;
        unlock(&app, backend).await;
        app.db.tamper("CREATE TABLE kept_events AS SELECT * FROM audit_events").await;
        app.db.tamper("CREATE TABLE kept_heads AS SELECT * FROM audit_heads").await;
        let rng = SeededRng::new(7);
        for n in 0..tries {
            let what = tampering(&app, &rng, n).await;
            let report = verify(&app.ctx).await.unwrap();
            assert!(!report.ok, "not found: {what}");
            for (table, kept) in [("audit_events", "kept_events"), ("audit_heads", "kept_heads")] {
                app.db.tamper(&format!("DELETE FROM {table}")).await;
                app.db.tamper(&format!("INSERT INTO {table} SELECT * FROM {kept}")).await;
            }
            if n % 250 == 0 {
                assert!(verify(&app.ctx).await.unwrap().ok, "restored after {what}");
            }
        }
        println!("{tries} tamperings, all found");
    }
}

/// One random change by somebody who can write to the database; says what it was.
async fn tampering(app: &TestApp, rng: &SeededRng, n: usize) -> String {
    let count = u64::try_from(
        app.db
            .number(&format!(
                "SELECT COUNT(*) FROM audit_events WHERE chain = '{}'",
                app.org
            ))
            .await,
    )
    .unwrap();
    let seq = rng.next() % count + 1;
    let row = format!("chain = '{}' AND seq = {seq}", app.org);
    let other = rng.next() % count + 1;
    let sql = match n % 15 {
        0 => format!("UPDATE audit_events SET action = 'key.stored_' WHERE {row}"),
        1 => format!("UPDATE audit_events SET actor_id = 'somebody' WHERE {row}"),
        2 => format!("UPDATE audit_events SET at_ms = at_ms + {} WHERE {row}", 1 + rng.next() % 1_000),
        3 => format!("UPDATE audit_events SET detail = '{{\"x\":{}}}' WHERE {row}", rng.next() % 1_000),
        4 => format!("UPDATE audit_events SET target_id = 'key_{:012}' WHERE {row}", rng.next() % 1_000_000),
        5 => format!("UPDATE audit_events SET ip = COALESCE(ip, '') || '9' WHERE {row}"),
        6 => format!("UPDATE audit_events SET mac = '{:064x}' WHERE {row}", rng.next()),
        7 => format!("UPDATE audit_events SET prev = '{:064x}' WHERE {row}", rng.next()),
        8 => format!("DELETE FROM audit_events WHERE {row}"),
        9 => format!("DELETE FROM audit_events WHERE chain = '{}' AND seq >= {seq}", app.org),
        10 => format!(
            "INSERT INTO audit_events SELECT chain, {}, at_ms, actor_type, actor_id, ip, session_id, request_id, action, target_type,
             target_id, detail, key_id, prev, mac FROM audit_events WHERE {row}", count + 1),
        11 if other != seq => format!(
            "UPDATE audit_events SET seq = CASE seq WHEN {seq} THEN {other} + 1000000 ELSE {seq} + 1000000 END WHERE chain = '{0}' AND seq IN ({seq}, {other});
             UPDATE audit_events SET seq = seq - 1000000 WHERE chain = '{0}' AND seq > 1000000", app.org),
        11 => format!("UPDATE audit_events SET session_id = 'x' WHERE {row}"),
        12 => format!("UPDATE audit_heads SET seq = {}, mac = '{:064x}' WHERE chain = '{}'", seq.saturating_sub(1), rng.next(), app.org),
        13 => format!(
            "INSERT INTO audit_events SELECT chain, {}, at_ms, actor_type, actor_id, ip, session_id, request_id, action,
             target_type, target_id, detail, key_id, prev, mac FROM kept_events WHERE {row}", 1_000_000 + seq),
        _ => format!("DELETE FROM audit_events WHERE chain = '{0}'; DELETE FROM audit_heads WHERE chain = '{0}'", app.org),
    };
    app.db.tamper(&sql).await;
    sql
}
