//! One SQL text on two databases.

use keywright::model::actor::Actor;
use keywright::model::id::KeyId;
use keywright::model::key::{Badge, Environment, KeyFilter, KeySort, KeyStatus, Standing, badge};
use keywright::model::org::Role;
use keywright::model::page::PageRequest;
use keywright::model::permission::Permission;
use keywright::model::time::{DAY_MS, Timestamp};
use keywright::server::domain::keys::lifecycle;
use keywright::server::domain::{DomainError, audit};
use keywright::server::store::db::Db;
use keywright::server::store::{accounts, all_batches, all_statements, keys};
use sqlx::{Executor, SqlSafeStr};

use crate::kit::app::EMAIL;
use crate::kit::{Backend, TestApp, TestDb, on_both_databases, takes_part};

on_both_databases! {
    async fn every_statement_is_understood(backend: Backend) {
        let test = TestDb::new(backend).await;
        let statements = all_statements();
        assert!(statements.len() > 70, "only {} statements are listed", statements.len());
        for (file, name, sql) in statements {
            let sql = sqlx::AssertSqlSafe(sql.to_owned()).into_sql_str();
            let outcome = match &test.db {
                Db::Sqlite { writer, .. } => writer.acquire().await.unwrap().prepare(sql).await.map(drop),
                Db::Postgres(pool) => pool.acquire().await.unwrap().prepare(sql).await.map(drop),
            };
            assert!(outcome.is_ok(), "{file}::{name}: {:?}", outcome.err());
        }
        for (file, name, sqlite, postgres) in all_batches() {
            let outcome = match &test.db {
                Db::Sqlite { writer, .. } => writer.acquire().await.unwrap().prepare(sqlite.into_sql_str()).await.map(drop),
                Db::Postgres(pool) => pool.acquire().await.unwrap().prepare(postgres.into_sql_str()).await.map(drop),
            };
            assert!(outcome.is_ok(), "{file}::{name}: {:?}", outcome.err());
        }
    }

    async fn a_database_of_an_earlier_release_is_brought_up_with_its_keys(backend: Backend) {
        let bare = TestDb::bare(backend).await;
        let kind = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
        let folder = format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"));
        let mut steps: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        steps.sort();
        let (before, after) = steps.split_at(13);
        let (after, last) = after.split_at(15);
        for step in before {
            bare.tamper(&std::fs::read_to_string(step).unwrap()).await;
        }
        bare.tamper(
            "INSERT INTO organisations (id, name, name_folded, slug, created_at_ms) VALUES ('org_a', 'A', 'a', 'a', 0);
             INSERT INTO projects (id, org_id, name, name_folded, slug, prefix, status, version, created_at_ms)
                VALUES ('prj_a', 'org_a', 'A', 'a', 'a', 'acme', 'active', 1, 0);
             INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose, owner_team, scopes, status,
                created_by_type, created_by_id, created_at_ms, stored_note, revoked_note, version, row_mac, row_mac_key_id)
                VALUES ('key_a', 'org_a', 'prj_a', 'live', 'acme', 'k', 'k', '', 't', '', 'active', 'operator', 'x', 1000, '', '', 1, 'm', 'i');
             INSERT INTO key_secrets (key_id, slot, hash, hash_alg, pepper_id, created_at_ms) VALUES ('key_a', 'current', 'h', 'a', 'p', 1000)",
        ).await;
        for step in after {
            bare.tamper(&std::fs::read_to_string(step).unwrap()).await;
        }
        for id in ["key_b", "key_c", "key_d"] {
            bare.tamper(&format!(
                "INSERT INTO api_keys (id, org_id, project_id, environment, prefix, name, name_folded, purpose, owner_team, scopes, status,
                    created_by_type, created_by_id, created_at_ms, stored_note, revoked_note, version, row_mac, row_mac_key_id)
                 VALUES ('{id}', 'org_a', 'prj_a', 'live', 'acme', '{id}', '{id}', '', 't', '', 'active', 'operator', 'x', 1000, '', '', 1, 'm', 'i')"
            )).await;
        }
        bare.tamper(
            "INSERT INTO key_last_used (key_id, org_id, at_ms) VALUES ('key_b', 'org_a', 3000), ('key_d', 'org_a', 4000);
             INSERT INTO unused_keys (key_id, enabled_at_ms) VALUES ('key_b', 2000), ('key_c', 500), ('key_d', 5000)"
        ).await;
        for step in last {
            bare.tamper(&std::fs::read_to_string(step).unwrap()).await;
        }
        let idle = bare.texts("SELECT id || ' ' || idle_since_ms FROM api_keys ORDER BY id").await;
        assert_eq!(idle, ["key_a 1000", "key_b 3000", "key_c 1000", "key_d 5000"]);
        assert_eq!(bare.number("SELECT rotation_due_at_ms FROM api_keys WHERE id = 'key_a'").await, 1000 + 90 * DAY_MS);
        assert_eq!(bare.number("SELECT secret_since_ms + secret_count FROM api_keys WHERE id = 'key_a'").await, 1001);
        assert_eq!(bare.number("SELECT number FROM key_secrets").await, 1);
    }

    async fn the_badge_in_sql_is_the_badge_of_the_model(backend: Backend) {
        let app = TestApp::on(backend).await;
        let now = app.ctx.clock.now();
        for (name, expiry) in [
            ("short", "7"), ("long", "90"), ("off", "90"), ("gone", "90"), ("both", "7"), ("rotating", "90"), ("overdue", "90"), ("later", "90"),
        ] {
            app.try_issue(name, "live", &[], expiry).await.unwrap();
        }
        let ms = now.ms();
        app.db.tamper(&format!("UPDATE api_keys SET not_before_ms = {} WHERE name = 'later'", ms + DAY_MS)).await;
        app.db.tamper(&format!("UPDATE api_keys SET overlap_until_ms = {} WHERE name IN ('rotating', 'short')", ms + DAY_MS)).await;
        app.db.tamper(&format!("UPDATE api_keys SET rotation_due_at_ms = {} WHERE name IN ('rotating', 'overdue')", ms)).await;
        let gone = app.join("gone@acme.example", Role::Developer).await.account;
        app.db.tamper(&format!("UPDATE api_keys SET owner_account_id = '{gone}', owner_team = '' WHERE name = 'long'")).await;
        app.db.tamper(&format!("UPDATE members SET status = 'suspended' WHERE account_id = '{gone}'")).await;
        let scope = Actor::operator("tests", Some(app.org)).require(Permission::KeysRead).unwrap();
        let mut all = Vec::new();
        for (days, archived) in [(0, false), (8, false), (0, true), (8, true)] {
            app.db.tamper("UPDATE api_keys SET status = 'disabled' WHERE name IN ('off', 'both')").await;
            app.db.tamper("UPDATE api_keys SET status = 'revoked' WHERE name = 'gone'").await;
            app.db.tamper(&format!("UPDATE projects SET status = '{}'", if archived { "archived" } else { "active" })).await;
            let at = now.plus_ms(days * DAY_MS);
            let mut tx = app.ctx.db.begin_read().await.unwrap();
            let filter = KeyFilter { with_revoked: true, ..KeyFilter::default() };
            for key in keys::list(&mut tx, &scope, &filter, at).await.unwrap().rows.into_iter().map(|key| key.summary) {
                let status = match key.name.as_str() {
                    "off" | "both" => KeyStatus::Disabled,
                    "gone" => KeyStatus::Revoked,
                    _ => KeyStatus::Active,
                };
                let standing = Standing {
                    has_secret: true,
                    status,
                    project_archived: archived,
                    expires_at: key.expires_at,
                    not_before: (key.name == "later").then(|| now.plus_ms(DAY_MS)),
                    owner_active: key.name != "long",
                    overlap_until: key.overlap_until,
                    rotation_due_at: key.rotation_due_at,
                };
                assert_eq!(key.badge, badge(standing, at), "{} {days} {archived}", key.name);
                all.push(key.badge);
            }
            // A filter finds by other words what the list marks.
            for badge in Badge::ALL {
                let marked = all[all.len() - 8..].iter().filter(|shown| *shown == badge).count();
                let filter = KeyFilter { badge: Some(*badge), ..KeyFilter::default() };
                let found = keys::list(&mut tx, &scope, &filter, at).await.unwrap();
                assert!(found.rows.iter().all(|key| key.summary.badge == *badge), "{badge:?} {days} {archived}");
                assert_eq!((found.rows.len(), found.total), (marked, marked as i64), "{badge:?} {days} {archived}");
            }
            let counts = keys::counts(&mut tx, &scope, at).await.unwrap();
            let active = all[all.len() - 8..].iter().filter(|badge| badge.passes() || **badge == Badge::NotYetValid).count() as i64;
            assert_eq!((counts.active, counts.not_confirmed, counts.all), (active, active, 8), "{days} {archived}");
            let overdue = all[all.len() - 8..].iter().filter(|badge| **badge == Badge::RotationOverdue).count() as i64;
            assert_eq!((counts.overdue, counts.pending), (overdue, 0), "{days} {archived}");
        }
        for expected in [
            Badge::Active, Badge::Disabled, Badge::Expired, Badge::Revoked, Badge::Rotating, Badge::RotationOverdue,
            Badge::NotYetValid, Badge::OwnerInactive,
        ] {
            assert!(all.contains(&expected), "{expected:?} never occurred");
        }
    }

    async fn many_keys_stand_in_their_order_page_by_page(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..410 {
            app.clock.advance_ms(1_000);
            app.issue(&format!("{} key {n}", ["b", "a", "c"][n % 3]), &[]).await;
        }
        let scope = app.operator().require(Permission::KeysRead).unwrap();
        let mut tx = app.ctx.db.begin_read().await.unwrap();
        for sort in [KeySort::Created, KeySort::Name] {
            let mut found = Vec::new();
            for number in 1..=5 {
                let page = PageRequest { number, size: 100 };
                let filter = KeyFilter { sort: Some(sort), page, environment: Some(Environment::Live), ..KeyFilter::default() };
                let page = keys::list(&mut tx, &scope, &filter, app.ctx.clock.now()).await.unwrap();
                assert_eq!(page.total, 410);
                found.extend(page.rows.into_iter().map(|key| key.summary));
            }
            assert_eq!(found.len(), 410);
            match sort {
                KeySort::Created => assert!(found.is_sorted_by(|a, b| a.created_at > b.created_at)),
                _ => assert!(found.is_sorted_by(|a, b| a.name[..1] <= b.name[..1]) && found[0].name.starts_with('a')),
            }
        }
    }

    async fn sorted_by_last_use_every_key_stands_on_one_page(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut made = Vec::new();
        for n in 0..7 {
            made.push(app.issue(&format!("key {n}"), &[]).await);
        }
        for n in [5, 2, 6, 0] {
            app.clock.advance_ms(DAY_MS / 24);
            assert_eq!(app.verify(&made[n].secret).await, "VALID");
            app.ctx.usage.flush().await;
        }
        let scope = app.operator().require(Permission::KeysRead).unwrap();
        // In the database's own order of ids, which on PostgreSQL is that of its locale.
        let ids = app.db.texts("SELECT id FROM api_keys ORDER BY id").await.into_iter().map(|id| id.parse().unwrap());
        let never: Vec<KeyId> = ids.filter(|id| [1, 3, 4].iter().any(|n| made[*n].id == *id)).collect();
        assert_eq!(never.len(), 3);
        let expected: Vec<_> = [0, 6, 2, 5].map(|n| made[n].id).into_iter().chain(never).collect();
        let mut tx = app.ctx.db.begin_read().await.unwrap();
        for size in 1..=8_u32 {
            let mut found = Vec::new();
            for number in 1..=8 {
                let page = PageRequest { number, size };
                let filter = KeyFilter { sort: Some(KeySort::LastUsed), page, ..KeyFilter::default() };
                let page = keys::list(&mut tx, &scope, &filter, app.ctx.clock.now()).await.unwrap();
                assert_eq!(page.total, 7);
                found.extend(page.rows.into_iter().map(|key| key.summary.id));
            }
            assert_eq!(found, expected, "{size} on a page");
        }
    }

    async fn whoever_waits_for_others_of_their_organisation_keeps_nobody_else_from_the_database(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("one", &[]).await;
        let held = audit::begin_in(&app.ctx, Some(&app.org)).await.unwrap();
        let acts: Vec<_> = (0..40).map(|n| {
            let (ctx, actor, id) = (app.ctx.clone(), app.operator(), key.id);
            tokio::spawn(async move {
                match n % 3 {
                    0 => lifecycle::disable(&ctx, &actor, &id).await,
                    1 => lifecycle::enable(&ctx, &actor, &id).await,
                    _ => {
                        audit::record_denial(&ctx, &actor, "keys.revoke").await;
                        Ok(())
                    }
                }
            })
        }).collect();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(acts.iter().all(|act| !act.is_finished()), "all of them wait");
        app.ctx.db.ping().await.unwrap();
        drop(held);
        for act in acts {
            let done = act.await.unwrap();
            assert!(!matches!(done, Err(DomainError::Store(_))), "{done:?}");
        }
    }

    async fn r55_a_change_touches_its_own_row_and_no_other(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut keys = Vec::new();
        for n in 0..40 {
            keys.push(app.issue(&format!("neighbour {n}"), &["images:read"]).await);
        }
        let rows = "SELECT id || status || scopes || name || CAST(version AS TEXT) || row_mac FROM api_keys ORDER BY id";
        let before = app.db.texts(rows).await;
        app.revoke(&keys[17].id).await;
        let after = app.db.texts(rows).await;
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed.len(), 1);
        assert!(changed[0].1.starts_with(keys[17].id.as_str()));
    }

    async fn r07_a_password_takes_the_place_of_the_one_that_was_proved_and_of_no_other(backend: Backend) {
        let app = TestApp::on(backend).await;
        let now = app.ctx.clock.now();
        let hashed = async |text: &str| app.ctx.passwords.hash(text.into()).await.unwrap();
        let (new, by_link) = (hashed("a new phrase for tests").await, hashed("one set by a link").await);
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        let proved = accounts::find_for_sign_in(&mut tx, EMAIL).await.unwrap().unwrap().password;
        accounts::set_password(&mut tx, &app.account, &by_link, now).await.unwrap();
        assert!(!accounts::replace_password(&mut tx, &app.account, &proved, &new, now).await.unwrap(), "it was reset meanwhile");
        assert!(accounts::replace_password(&mut tx, &app.account, &by_link, &new, now).await.unwrap());
    }

    async fn searching_is_literal_and_ignores_case(backend: Backend) {
        let app = TestApp::on(backend).await;
        for name in ["100% Größe", "100x groß", "under_score", "underXscore"] {
            app.issue(name, &[]).await;
        }
        let scope = app.operator().require(Permission::KeysRead).unwrap();
        let mut tx = app.ctx.db.begin_read().await.unwrap();
        for (search, expected) in [("100%", 1), ("GRÖSSE", 0), ("größe", 1), ("GRÖ", 1), ("100", 2), ("r_s", 1), ("\\", 0), ("acme_live_", 4), ("key_", 4)] {
            let filter = KeyFilter { search: search.to_owned(), page: PageRequest::default(), ..KeyFilter::default() };
            let page = keys::list(&mut tx, &scope, &filter, app.ctx.clock.now()).await.unwrap();
            assert_eq!(page.total, expected, "{search}");
        }
    }
}

/// Table, column, whether it may be null: as both databases tell it.
const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '!' ELSE '?' END
    FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
    AND m.name <> '_sqlx_migrations' ORDER BY 1";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '!' ELSE '?' END
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'
    AND table_name <> 'active_membership' ORDER BY (table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '!' ELSE '?' END) COLLATE \"C\"";

#[tokio::test]
async fn both_schemas_have_the_same_tables_columns_and_nulls() {
    if !(takes_part(Backend::Sqlite) && takes_part(Backend::Postgres)) {
        return;
    }
    let sqlite = TestDb::new(Backend::Sqlite).await.texts(SQLITE_COLUMNS).await;
    let postgres = TestDb::new(Backend::Postgres).await.texts(POSTGRES_COLUMNS).await;
    assert!(sqlite.len() > 100);
    assert_eq!(sqlite, postgres);
}

#[test]
fn both_schemas_have_the_same_migrations() {
    let names = |folder: &str| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(folder);
        let mut names: Vec<_> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn moments_beyond_the_calendar_do_not_reach_the_database() {
    assert_eq!(Timestamp::from_ms(i64::MAX).rfc3339(), "9999-12-31T23:59:59Z");
}
