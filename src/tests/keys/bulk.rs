//! Several keys stopped at once: exactly what was looked at, by whoever may, and told key by key.

use keywright::model::bulk::{BulkAct, BulkDone, Chosen};
use keywright::model::id::KeyId;
use keywright::model::key::KeyFilter;
use keywright::model::org::Role;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::bulk::{self, Why};
use keywright::server::domain::keys::{edit, lifecycle};

use crate::kit::app::Issued;
use crate::kit::{Browser, TestApp, on_both_databases};

const HERE: &str = "/settings/api-keys/bulk";
const WHY: Why<'_> = Why {
    reason: "superseded",
    note: "",
};

async fn three(app: &TestApp) -> [Issued; 3] {
    [
        app.issue("One", &[]).await,
        app.issue("Two", &[]).await,
        app.issue("Three", &[]).await,
    ]
}

/// What the preview sends on: each key with the version it was looked at in.
async fn looked_at(browser: &mut Browser, act: &str, keys: &[&Issued]) -> Vec<String> {
    let ids: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
    let mut fields = vec![("act", act)];
    fields.extend(ids.iter().map(|id| ("key", id.as_str())));
    let page = browser.post(HERE, &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page.body
        .split("name=\"key\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

async fn applied(
    browser: &mut Browser,
    act: &str,
    keys: &[String],
    more: &[(&str, &str)],
) -> crate::kit::Answer {
    let mut fields = vec![("act", act), ("step", "apply")];
    fields.extend(keys.iter().map(|key| ("key", key.as_str())));
    fields.extend(more);
    browser.post(HERE, &fields).await
}

async fn statuses(app: &TestApp) -> Vec<String> {
    app.db
        .texts("SELECT name || ' ' || status FROM api_keys ORDER BY name")
        .await
}

on_both_databases! {
    async fn what_was_looked_at_is_revoked_with_reason_and_note(backend: Backend) {
        let app = TestApp::on(backend).await;
        let [one, two, three] = three(&app).await;
        assert_eq!(app.verify(&one.secret).await, "VALID");
        app.ctx.usage.flush().await;
        let mut owner = app.owner().await;
        let list = owner.get("/settings/api-keys").await;
        assert!(list.body.contains(&format!("name=\"key\" value=\"{}\"", one.id)), "{}", list.body);
        let page = owner.post(HERE, &[("act", "revoke"), ("key", one.id.as_str()), ("key", two.id.as_str())]).await;
        for words in ["Revoke 2 keys?", "1 request in the last hour used them. They will be refused at once.", "In use: refused at once", ">One<", ">Two<", "tests"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert!(!page.body.contains(">Three<"));
        let keys = looked_at(&mut owner, "revoke", &[&one, &two]).await;
        assert_eq!(keys, [format!("{}:1", one.id), format!("{}:1", two.id)], "the busy one first");
        let wrong = applied(&mut owner, "revoke", &keys, &[("reason", "boredom")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("Choose why the keys are revoked") && wrong.body.contains(">One<"), "{}", wrong.body);
        assert_eq!(app.verify(&one.secret).await, "VALID");
        let done = applied(&mut owner, "revoke", &keys, &[("reason", "superseded"), ("note", "Winter cleaning")]).await;
        assert_eq!((done.status, done.header("location")), (303, "/settings/api-keys/bulk?done=revoke&n=2&already=0&changed=0&left=0"));
        let told = owner.get(done.header("location")).await;
        assert!(told.body.contains("2 revoked."), "{}", told.body);
        for (key, code) in [(&one, "REVOKED"), (&two, "REVOKED"), (&three, "VALID")] {
            assert_eq!(app.verify(&key.secret).await, code);
        }
        let noted = app.db.texts("SELECT revoked_by_type || ' ' || revoked_reason || ' ' || revoked_note FROM api_keys WHERE status = 'revoked'").await;
        assert_eq!(noted, ["account superseded Winter cleaning", "account superseded Winter cleaning"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 2);
        // Sent again, nothing is left to do.
        let again = applied(&mut owner, "revoke", &keys, &[("reason", "superseded")]).await;
        assert!(again.header("location").contains("n=0&already=2"), "{}", again.header("location"));
    }

    async fn what_changed_underneath_is_told_and_left(backend: Backend) {
        let app = TestApp::on(backend).await;
        let [one, two, three] = three(&app).await;
        let mut owner = app.owner().await;
        let keys = looked_at(&mut owner, "revoke", &[&one, &two, &three]).await;
        app.revoke(&two.id).await;
        let edited = edit::KeyEdit { name: "Other", purpose: "", rotation_days: "", access: None };
        edit::save(&app.ctx, &app.operator(), &three.id, &edited).await.unwrap();
        let done = applied(&mut owner, "revoke", &keys, &[("reason", "superseded")]).await;
        let told = owner.get(done.header("location")).await;
        let words = "1 revoked, 1 was revoked already, 1 changed meanwhile and was left.";
        assert!(told.body.contains(words), "{} {}", done.header("location"), told.body);
        assert_eq!(statuses(&app).await, ["One revoked", "Other active", "Two revoked"]);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 2);
    }

    async fn disabling_leaves_what_is_stopped_and_can_be_taken_back(backend: Backend) {
        let app = TestApp::on(backend).await;
        let [one, two, three] = three(&app).await;
        lifecycle::disable(&app.ctx, &app.operator(), &two.id).await.unwrap();
        app.revoke(&three.id).await;
        let mut owner = app.owner().await;
        let keys = looked_at(&mut owner, "disable", &[&one, &two, &three]).await;
        let done = applied(&mut owner, "disable", &keys, &[]).await;
        assert!(done.header("location").ends_with("done=disable&n=1&already=2&changed=0&left=0"), "{}", done.header("location"));
        assert_eq!(app.verify(&one.secret).await, "DISABLED");
        assert_eq!(app.verify(&three.secret).await, "REVOKED");
        lifecycle::enable(&app.ctx, &app.operator(), &one.id).await.unwrap();
        assert_eq!(app.verify(&one.secret).await, "VALID");
    }

    async fn r49_r50_others_keys_are_left_out_and_foreign_ones_are_nobody_s(backend: Backend) {
        let app = TestApp::on(backend).await;
        let [one, two, _] = three(&app).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        app.give_key(one.id.as_str(), &grace.account).await;
        let list = grace.browser.get("/settings/api-keys").await.body;
        assert!(list.contains(&format!("value=\"{}\"", one.id)) && !list.contains(&format!("value=\"{}\"", two.id)), "only her own can be ticked");
        let keys = [format!("{}:2", one.id), format!("{}:1", two.id), "key_zzzzzzzzzzzz:1".to_owned()];
        let done = applied(&mut grace.browser, "revoke", &keys, &[("reason", "superseded")]).await;
        assert!(done.header("location").ends_with("n=1&already=0&changed=0&left=2"), "{} {}", done.header("location"), done.body);
        assert_eq!(statuses(&app).await, ["One revoked", "Three active", "Two active"]);
        let eve = app.join("eve@acme.example", Role::Auditor).await;
        let mut eve = eve.browser;
        assert!(!eve.get("/settings/api-keys").await.body.contains("name=\"key\""));
        assert_eq!(eve.post(HERE, &[("act", "revoke"), ("key", two.id.as_str())]).await.status, 403);
        assert_eq!(applied(&mut eve, "revoke", &keys, &[("reason", "superseded")]).await.status, 403);
        // Another organisation's owner, with an id of this one.
        let globex = app.another_org("Globex").await;
        let chosen = Chosen::Keys(vec![(two.id, Some(1))]);
        let seen = bulk::preview(&app.ctx, &app.owner_of(globex), BulkAct::Revoke, &chosen).await.unwrap();
        assert_eq!((seen.count, seen.rows.len(), seen.left_out), (0, 0, 1));
        let done = bulk::apply(&app.ctx, &app.owner_of(globex), BulkAct::Revoke, &chosen, WHY).await.unwrap();
        assert_eq!(done, BulkDone { left_out: 1, ..BulkDone::default() });
        assert_eq!(app.verify(&two.secret).await, "VALID");
    }

    async fn a_whole_list_is_stopped_only_as_it_was_looked_at(backend: Backend) {
        let app = TestApp::on(backend).await;
        for n in 0..120 {
            app.issue(&format!("Worker {n}"), &[]).await;
        }
        let kept = app.issue("Server", &[]).await;
        let filter = KeyFilter { search: "worker".to_owned(), ..KeyFilter::default() };
        let actor = app.owner_of(app.org);
        let look = async || {
            let chosen = Chosen::Matching { filter: filter.clone(), seen: None };
            bulk::preview(&app.ctx, &actor, BulkAct::Revoke, &chosen).await.unwrap()
        };
        let seen = look().await;
        assert_eq!((seen.count, seen.already, seen.rows.len()), (120, 0, 120));
        app.issue("Worker late", &[]).await;
        let apply = async |seen: Option<String>| {
            let chosen = Chosen::Matching { filter: filter.clone(), seen };
            bulk::apply(&app.ctx, &actor, BulkAct::Revoke, &chosen, WHY).await
        };
        for stale in [seen.seen.clone(), None] {
            let refused = apply(stale).await.unwrap_err();
            assert!(matches!(&refused, DomainError::Refused(_, text) if text.contains("The list changed")), "{refused:?}");
        }
        let done = apply(look().await.seen).await.unwrap();
        assert_eq!(done, BulkDone { stopped: 121, ..BulkDone::default() });
        assert_eq!(app.verify(&kept.secret).await, "VALID");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 121);
        // By the form, the same: the filter goes, not the ids.
        let mut owner = app.owner().await;
        let page = owner.post(HERE, &[("act", "disable"), ("all", "1"), ("q", "server")]).await;
        assert!(page.status == 200 && page.body.contains("Disable 1 key?") && !page.body.contains("name=\"key\""), "{}", page.body);
        let seen = page.between("name=\"seen\" value=\"", "\"").to_owned();
        let done = owner.post(HERE, &[("act", "disable"), ("step", "apply"), ("all", "1"), ("q", "server"), ("seen", &seen)]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(app.verify(&kept.secret).await, "DISABLED");
    }

    async fn of_two_at_once_each_key_is_stopped_by_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut keys: Vec<(KeyId, Option<i64>)> = Vec::new();
        for n in 0..30 {
            keys.push((app.issue(&format!("Key {n}"), &[]).await.id, Some(1)));
        }
        let (actor, chosen) = (app.owner_of(app.org), Chosen::Keys(keys));
        let run = || bulk::apply(&app.ctx, &actor, BulkAct::Revoke, &chosen, WHY);
        let (a, b) = tokio::join!(run(), run());
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.stopped + b.stopped, 30, "{a:?} {b:?}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoked'").await, 30);
    }

    async fn a_bad_choice_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("One", &[]).await;
        let mut owner = app.owner().await;
        let empty = owner.post(HERE, &[("act", "revoke")]).await;
        assert!(empty.status == 422 && empty.body.contains("Tick the keys first"), "{}", empty.body);
        let junk = owner.post(HERE, &[("act", "revoke"), ("key", "x")]).await;
        assert_eq!(junk.status, 422);
        let nothing = owner.post(HERE, &[("act", "explode"), ("key", key.id.as_str())]).await;
        assert!(nothing.status == 422 && nothing.body.contains("disable, or revoke"), "{}", nothing.body);
        let many = Chosen::Keys((0..401).map(|n| (format!("key_{n:012}").parse().unwrap(), None)).collect());
        let refused = bulk::preview(&app.ctx, &app.operator(), BulkAct::Revoke, &many).await.unwrap_err();
        assert!(matches!(&refused, DomainError::Invalid(wrong) if wrong[0].message.contains("400 are the most")), "{refused:?}");
        assert!(owner.get(HERE).await.body.contains("No keys chosen"));
        assert_eq!(statuses(&app).await, ["One active"]);
    }

    async fn revoked_keys_are_kept_apart_and_found_by_reason(backend: Backend) {
        let app = TestApp::on(backend).await;
        let [one, two, _] = three(&app).await;
        let mut owner = app.owner().await;
        let keys = looked_at(&mut owner, "revoke", &[&one]).await;
        applied(&mut owner, "revoke", &keys, &[("reason", "keyCompromise"), ("note", "Seen in a Screenshot")]).await;
        app.revoke(&two.id).await;
        let mut listed = async |query: &str| {
            let body = owner.get(&format!("/settings/api-keys{query}")).await.body;
            ["One", "Two", "Three"].map(|name| body.contains(&format!(">{name}</a>")))
        };
        assert_eq!(listed("").await, [false, false, true]);
        assert_eq!(listed("?status=revoked").await, [true, true, false]);
        assert_eq!(listed("?status=any").await, [true, true, true]);
        assert_eq!(listed("?status=revoked&q=compromise").await, [true, false, false]);
        assert_eq!(listed("?status=revoked&q=screenshot").await, [true, false, false]);
        assert_eq!(listed(&format!("?status=revoked&q={}", two.id)).await, [false, true, false]);
        assert_eq!(listed("?q=compromise").await, [false, false, false]);
        let head = owner.get("/settings/api-keys").await.body;
        assert!(head.contains("1 active"), "{head}");
        app.db.tamper("UPDATE api_keys SET status = 'revoked'").await;
        assert!(owner.get("/settings/api-keys").await.body.contains("Every key is revoked"));
    }
}
