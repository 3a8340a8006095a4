//! Access reviews: who decides what, what comes of it, how they end, and what an auditor gets.

mod ends;
mod evidence;

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Denied, Origin};
use keywright::model::advice::WATCHED_MS;
use keywright::model::id::{AccountId, KeyId, ReviewId};
use keywright::model::key::{Environment, KeyFilter, KeyStatus, RevocationReason};
use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::review::{Decision, ReviewPage, Shown};
use keywright::model::time::DAY_MS;
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::{lifecycle, read};
use keywright::server::domain::reviews::{self, Choice, ReviewDraft};
use keywright::server::store::review_items;
use serde_json::json;

use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};

fn draft<'a>(assignment: &'a str, reviewers: &[&'a str], deadline: &'a str) -> ReviewDraft<'a> {
    ReviewDraft {
        name: "Fourth quarter",
        filter: KeyFilter::default(),
        assignment,
        reviewers: reviewers.to_vec(),
        deadline,
        on_undecided: "disable",
    }
}

fn day(app: &TestApp, days: i64) -> String {
    app.ctx.clock.now().plus_ms(days * DAY_MS).iso_date()
}

/// A member who has just signed in.
fn actor(app: &TestApp, account: AccountId, role: Role) -> Actor {
    let membership = Some((app.org, role));
    Actor::account(account, membership, SessionStage::Complete, Origin::default()).proved(app.ctx.clock.now())
}

async fn person(app: &TestApp, name: &str, role: Role) -> AccountId {
    app.person(&format!("{name}@example.com"), Some((app.org, role, "active")))
        .await
}

/// A review of all keys by these people.
async fn started(app: &TestApp, reviewers: &[&AccountId], days: i64) -> ReviewId {
    let ids: Vec<String> = reviewers.iter().map(ToString::to_string).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let last = day(app, days);
    reviews::start(&app.ctx, &app.owner_of(app.org), &draft("members", &ids, &last))
        .await
        .unwrap()
}

async fn look(app: &TestApp, actor: &Actor, id: &ReviewId, shown: Shown) -> ReviewPage {
    reviews::page(&app.ctx, actor, id, Some(shown), Some(1))
        .await
        .unwrap()
}

async fn decide(
    app: &TestApp,
    actor: &Actor,
    id: &ReviewId,
    key: &KeyId,
    decision: Option<Decision>,
    seen: Option<i64>,
) -> Result<usize, DomainError> {
    let choice = Choice {
        key: *key,
        decision,
        note: "as agreed",
        seen,
    };
    reviews::decide(&app.ctx, actor, id, &[choice]).await
}

async fn keys(app: &TestApp, count: usize) -> Vec<Issued> {
    let mut keys = Vec::new();
    for n in 0..count {
        keys.push(app.issue(&format!("key {n}"), &["images:read"]).await);
    }
    keys
}

fn said(outcome: Result<usize, DomainError>) -> String {
    outcome.unwrap_err().to_string()
}

on_both_databases! {
    async fn keys_are_dealt_out_in_turns_and_nobody_gets_their_own(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 9).await;
        let (ann, ben) = (person(&app, "ann", Role::Admin).await, person(&app, "ben", Role::Admin).await);
        for key in &keys[..3] {
            app.give_key(key.id.as_str(), &ann).await;
        }
        app.revoke(&keys[8].id).await;
        let id = started(&app, &[&ann, &ben], 14).await;
        let rows = app.db.texts("SELECT reviewer_id FROM review_items").await;
        assert_eq!(rows.len(), 8, "a revoked key is not reviewed");
        let of = |account: &AccountId| rows.iter().filter(|id| **id == account.to_string()).count();
        assert_eq!((of(&ann), of(&ben)), (4, 4), "evenly, whichever keys come first: {rows:?}");
        let own = format!("SELECT COUNT(*) FROM review_items i JOIN api_keys k ON k.id = i.key_id WHERE k.owner_account_id = i.reviewer_id AND i.review_id = '{id}'");
        assert_eq!(app.db.number(&own).await, 0);
        assert_eq!(app.letters().await.len(), 2, "both are told");
        let anns = actor(&app, ann, Role::Admin);
        let mine = look(&app, &anns, &id, Shown::Mine).await;
        assert_eq!(mine.items.total, of(&ann) as i64);
        assert!(mine.items.rows.iter().all(|item| item.may_decide && item.reviewer == ann));
        let all = look(&app, &anns, &id, Shown::All).await;
        assert_eq!((all.items.total, all.items.rows.iter().filter(|item| !item.may_decide).count()), (8, 3), "not her own");
    }

    async fn a_wrong_review_is_refused_with_each_reason(backend: Backend) {
        let app = TestApp::on(backend).await;
        let owner = app.owner_of(app.org);
        let developer = person(&app, "dev", Role::Developer).await;
        let fields = async |draft: ReviewDraft<'_>| match reviews::start(&app.ctx, &owner, &draft).await {
            Err(DomainError::Invalid(errors)) => errors.into_iter().map(|error| format!("{}:{}", error.field, error.code)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let me = app.account.to_string();
        let (today, later, far) = (day(&app, 0), day(&app, 14), day(&app, 181));
        assert_eq!(fields(draft("members", &[&me], &later)).await, ["filter:empty"]);
        let key = app.issue("one", &[]).await;
        assert_eq!(fields(draft("members", &[], &today)).await, ["deadline:past", "reviewers:required"]);
        assert_eq!(fields(draft("members", &[&developer.to_string()], &far)).await, ["deadline:too_far", "reviewers:choice"]);
        assert_eq!(fields(ReviewDraft { name: " ", on_undecided: "burn", ..draft("nobody", &[], "soon") }).await,
            ["name:required", "deadline:date", "assignment:choice", "on_undecided:choice"]);
        app.give_key(key.id.as_str(), &app.account).await;
        assert_eq!(fields(draft("members", &[&me], &later)).await, ["reviewers:own"]);
        let filter = KeyFilter { environment: Some(Environment::Test), ..KeyFilter::default() };
        assert_eq!(fields(ReviewDraft { filter, ..draft("owners", &[], &later) }).await, ["filter:empty"]);
        for role in [Role::Developer, Role::Auditor] {
            let refused = reviews::start(&app.ctx, &actor(&app, developer, role), &draft("owners", &[], &later)).await;
            assert!(matches!(refused, Err(DomainError::Denied(Denied::Forbidden))), "{role:?}");
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM reviews").await, 0);
    }

    async fn decisions_take_effect_at_once_and_say_who_and_why(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 2).await;
        let ann = person(&app, "ann", Role::Admin).await;
        let id = started(&app, &[&ann], 14).await;
        let ann = actor(&app, ann, Role::Admin);
        decide(&app, &ann, &id, &keys[0].id, Some(Decision::Keep), None).await.unwrap();
        decide(&app, &ann, &id, &keys[1].id, Some(Decision::Revoke), None).await.unwrap();
        assert_eq!((app.verify(&keys[0].secret).await, app.verify(&keys[1].secret).await), ("VALID".into(), "REVOKED".into()));
        let detail = read::find(&app.ctx, &ann, &keys[1].id).await.unwrap();
        assert_eq!((detail.revoked_reason, detail.revoked_note.as_str()), (Some(RevocationReason::PrivilegeWithdrawn), "Access review: Fourth quarter"));
        let page = look(&app, &ann, &id, Shown::Decided).await;
        assert_eq!((page.review.progress.kept, page.review.progress.revoked, page.review.progress.open), (1, 1, 0));
        assert!(page.items.rows.iter().all(|item| item.note == "as agreed" && item.decided_by.as_deref() == Some("ann@example.com")));
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'review.decided'").await, 2);
        assert!(said(decide(&app, &ann, &id, &keys[1].id, None, page_stamp(&app, &keys[1].id).await).await).contains("stays revoked"));
    }

    async fn what_was_kept_can_be_taken_back_and_what_is_stale_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 1).await;
        let (ann, ben) = (person(&app, "ann", Role::Admin).await, person(&app, "ben", Role::Admin).await);
        let id = started(&app, &[&ann], 14).await;
        let (ann, ben) = (actor(&app, ann, Role::Admin), actor(&app, ben, Role::Admin));
        decide(&app, &ann, &id, &keys[0].id, Some(Decision::Keep), None).await.unwrap();
        let late = said(decide(&app, &ben, &id, &keys[0].id, Some(Decision::Revoke), None).await);
        assert!(late.contains("ann@example.com decided about key 0 meanwhile: keep"), "{late}");
        assert_eq!(app.verify(&keys[0].secret).await, "VALID");
        let seen = page_stamp(&app, &keys[0].id).await;
        decide(&app, &ann, &id, &keys[0].id, None, seen).await.unwrap();
        assert_eq!(look(&app, &ann, &id, Shown::Open).await.items.total, 1);
        decide(&app, &ben, &id, &keys[0].id, Some(Decision::Revoke), None).await.unwrap();
        assert_eq!(app.verify(&keys[0].secret).await, "REVOKED");
    }

    async fn of_two_who_decide_at_once_one_wins_and_the_other_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 1).await;
        let (ann, ben) = (person(&app, "ann", Role::Admin).await, person(&app, "ben", Role::Admin).await);
        let id = started(&app, &[&ann, &ben], 14).await;
        let (ann, ben) = (actor(&app, ann, Role::Admin), actor(&app, ben, Role::Admin));
        let (one, two) = tokio::join!(
            decide(&app, &ann, &id, &keys[0].id, Some(Decision::Keep), None),
            decide(&app, &ben, &id, &keys[0].id, Some(Decision::Revoke), None),
        );
        assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
        let told = said(if one.is_ok() { two } else { one });
        assert!(told.contains("meanwhile"), "{told}");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'review.decided'").await, 1);
    }

    async fn tighten_follows_the_advice_or_says_that_there_is_none(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.try_issue("Export", "live", &["admin", "images:*"], "365").await.unwrap();
        let quiet = app.try_issue("New", "live", &["admin"], "365").await.unwrap();
        app.clock.advance_ms(WATCHED_MS);
        let ask = json!({ "key": key.secret, "permissions": "images:read", "clientIp": "203.0.113.7" });
        app.ask(ask.clone()).await;
        app.ask(json!({ "key": quiet.secret, "permissions": "admin" })).await;
        app.ctx.usage.flush().await;
        let ann = person(&app, "ann", Role::Admin).await;
        let id = started(&app, &[&ann], 14).await;
        let ann = actor(&app, ann, Role::Admin);
        let refused = said(decide(&app, &ann, &id, &quiet.id, Some(Decision::Tighten), None).await);
        assert!(refused.contains("New: There is nothing to tighten"), "{refused}");
        decide(&app, &ann, &id, &key.id, Some(Decision::Tighten), None).await.unwrap();
        assert_eq!(app.ask(json!({ "key": key.secret, "permissions": "admin", "clientIp": "203.0.113.7" })).await["code"], "INSUFFICIENT_SCOPE");
        assert_eq!(app.ask(ask).await["code"], "VALID");
        let seen = page_stamp(&app, &key.id).await;
        assert!(said(decide(&app, &ann, &id, &key.id, Some(Decision::Keep), seen).await).contains("tightened already"));
        decide(&app, &ann, &id, &key.id, Some(Decision::Revoke), seen).await.unwrap();
    }

    async fn a_developer_decides_about_their_own_keys_alone_and_sees_no_others(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 3).await;
        let (dora, eve) = (person(&app, "dora", Role::Developer).await, person(&app, "eve", Role::Developer).await);
        app.give_key(keys[0].id.as_str(), &dora).await;
        let last = day(&app, 14);
        let id = reviews::start(&app.ctx, &app.owner_of(app.org), &draft("owners", &[], &last)).await.unwrap();
        let (dora, eve) = (actor(&app, dora, Role::Developer), actor(&app, eve, Role::Developer));
        let page = look(&app, &dora, &id, Shown::All).await;
        assert_eq!((page.items.total, page.items.rows[0].key_id, page.may_manage, page.may_export), (1, keys[0].id, false, false));
        let foreign = decide(&app, &dora, &id, &keys[1].id, Some(Decision::Revoke), None).await;
        assert!(matches!(foreign, Err(DomainError::Denied(Denied::Forbidden))), "{foreign:?}");
        assert!(matches!(reviews::page(&app.ctx, &eve, &id, None, Some(1)).await, Err(DomainError::NotFound)), "it does not concern her");
        assert!(matches!(decide(&app, &eve, &id, &keys[0].id, Some(Decision::Keep), None).await, Err(DomainError::NotFound)));
        decide(&app, &dora, &id, &keys[0].id, Some(Decision::Revoke), None).await.unwrap();
        assert_eq!(app.verify(&keys[0].secret).await, "REVOKED");
        let owners = look(&app, &app.owner_of(app.org), &id, Shown::Mine).await;
        assert_eq!(owners.items.total, 2, "keys of teams are the starter's");
    }

    async fn items_of_reviewers_who_cannot_go_on_fall_back(backend: Backend) {
        let app = TestApp::on(backend).await;
        keys(&app, 4).await;
        let (ann, ben) = (person(&app, "ann", Role::Admin).await, person(&app, "ben", Role::Admin).await);
        let id = started(&app, &[&ann, &ben], 14).await;
        let owner = app.owner_of(app.org);
        assert_eq!(look(&app, &owner, &id, Shown::Mine).await.items.total, 0);
        app.db.tamper(&format!("UPDATE members SET status = 'suspended' WHERE account_id = '{ann}'")).await;
        assert_eq!(look(&app, &owner, &id, Shown::Mine).await.items.total, 2);
        app.db.tamper(&format!("UPDATE members SET role = 'developer' WHERE account_id = '{ben}'")).await;
        assert_eq!(look(&app, &owner, &id, Shown::Mine).await.items.total, 4, "a developer may not decide about others' keys");
    }

    async fn what_waits_for_somebody_stands_on_one_page_each_their_own_first(backend: Backend) {
        let app = TestApp::on(backend).await;
        keys(&app, 7).await;
        let ann = person(&app, "ann", Role::Admin).await;
        let id = started(&app, &[&app.account, &ann], 14).await;
        let owner = app.owner_of(app.org);
        let mine = look(&app, &owner, &id, Shown::Mine).await;
        let own = mine.items.total;
        assert!((3..=4).contains(&own), "{own}");
        app.db.tamper(&format!("UPDATE members SET role = 'auditor' WHERE account_id = '{ann}'")).await;
        let page = look(&app, &owner, &id, Shown::Mine).await;
        assert_eq!((page.items.total, page.review.mine), (7, 7));
        let scope = owner.require(Permission::KeysRead).unwrap();
        let mut tx = app.ctx.db.begin_read().await.unwrap();
        for limit in 1..=8 {
            let mut found = Vec::new();
            for number in 0..8 {
                let place = (limit, number * limit);
                let part = review_items::list_turn(&mut tx, &scope, &page.review, &app.account, place, app.ctx.clock.now()).await;
                found.extend(part.unwrap().into_iter().map(|found| (found.chosen == app.account.as_str(), found.item.key_id.to_string())));
            }
            assert!(found.is_sorted_by_key(|(own, _)| !own), "{limit} on a page: one's own first");
            found.sort();
            found.dedup();
            assert_eq!((found.len(), found.iter().filter(|(own, _)| *own).count()), (7, own as usize));
            let counted = review_items::count_turn(&mut tx, &scope, &page.review, &app.account, limit).await.unwrap();
            assert_eq!(counted, limit.min(7), "no more are counted than are asked for");
        }
    }

    async fn nothing_is_anybodys_to_decide_once_a_review_was_cancelled(backend: Backend) {
        let app = TestApp::on(backend).await;
        keys(&app, 3).await;
        let id = started(&app, &[&app.account], 14).await;
        let owner = app.owner_of(app.org);
        assert_eq!(look(&app, &owner, &id, Shown::Mine).await.review.mine, 3);
        reviews::cancel(&app.ctx, &owner, &id).await.unwrap();
        let page = look(&app, &owner, &id, Shown::Mine).await;
        assert_eq!((page.shown, page.review.mine, page.items.total, page.items.rows.len()), (Shown::Open, 0, 3, 3));
    }

    async fn another_organisation_sees_nothing_and_a_strange_key_is_none_of_the_review(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 1).await;
        let globex = app.another_org("Globex").await;
        let id = started(&app, &[&app.account], 14).await;
        let later = app.issue("later", &[]).await;
        let stranger = app.owner_of(globex);
        assert!(matches!(reviews::page(&app.ctx, &stranger, &id, None, Some(1)).await, Err(DomainError::NotFound)));
        assert!(matches!(decide(&app, &stranger, &id, &keys[0].id, Some(Decision::Keep), None).await, Err(DomainError::NotFound)));
        assert!(matches!(reviews::finish(&app.ctx, &stranger, &id).await, Err(DomainError::NotFound)));
        let owner = app.owner_of(app.org);
        assert!(matches!(decide(&app, &owner, &id, &later.id, Some(Decision::Revoke), None).await, Err(DomainError::NotFound)), "made after the start");
        assert_eq!(reviews::list(&app.ctx, &stranger, 1).await.unwrap().page.total, 0);
    }

    async fn a_key_that_was_revoked_or_disabled_meanwhile_is_told(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 2).await;
        let id = started(&app, &[&app.account], 14).await;
        app.revoke(&keys[0].id).await;
        lifecycle::disable(&app.ctx, &app.operator(), &keys[1].id).await.unwrap();
        let owner = app.owner_of(app.org);
        assert!(said(decide(&app, &owner, &id, &keys[0].id, Some(Decision::Keep), None).await).contains("was revoked meanwhile"));
        decide(&app, &owner, &id, &keys[1].id, Some(Decision::Keep), None).await.unwrap();
        assert_eq!(read::find(&app.ctx, &owner, &keys[1].id).await.unwrap().status, KeyStatus::Disabled, "to keep it is not to enable it");
        reviews::finish(&app.ctx, &owner, &id).await.unwrap();
        assert_eq!(app.db.texts("SELECT outcome FROM review_items WHERE outcome IS NOT NULL").await, ["revoked"]);
    }

    async fn the_page_takes_decisions_and_gives_back_what_was_typed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let keys = keys(&app, 3).await;
        let mut owner = app.owner().await;
        let form = owner.get("/settings/reviews/new?environment=live").await;
        assert!(form.body.contains("Start with 3 keys"), "{}", form.body);
        let empty = owner.get("/settings/reviews/new?environment=test").await;
        assert!(empty.body.contains("None of them can be reviewed"));
        let last = day(&app, 14);
        let me = app.account.to_string();
        let fields = [("name", "Fourth <quarter>"), ("environment", "live"), ("assignment", "members"), ("reviewers", me.as_str()), ("deadline", ""), ("on_undecided", "nothing")];
        let refused = owner.post("/settings/reviews/new", &fields).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("Fourth &lt;quarter&gt;") && refused.body.contains("Choose the last day"), "{}", refused.body);
        let fields = fields.map(|(name, value)| if name == "deadline" { (name, last.as_str()) } else { (name, value) });
        let done = owner.post("/settings/reviews/new", &fields).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let address = done.header("location").split('?').next().unwrap().to_owned();
        assert!(owner.get("/settings/reviews").await.body.contains("3 keys to decide"));
        let page = owner.get(&address).await;
        assert!(page.body.contains("Fourth &lt;quarter&gt;") && page.body.contains("Save decisions"));
        let (keep, revoke, rest) = (format!("decision.{}", keys[0].id), format!("decision.{}", keys[1].id), format!("decision.{}", keys[2].id));
        let note = format!("note.{}", keys[0].id);
        let saved = owner.post(&address, &[(&keep, "keep"), (&note, "still needed"), (&revoke, "revoke"), (&rest, "undecided"), ("show", "mine")]).await;
        assert_eq!((saved.status, saved.header("location")), (303, format!("{address}?done=decided&show=mine").as_str()), "{}", saved.body);
        let stale = owner.post(&address, &[(&keep, "revoke"), (&note, "typed in vain")]).await;
        assert_eq!(stale.status, 409);
        assert!(stale.body.contains("decided about key 0 meanwhile"), "{}", stale.body);
        assert_eq!(owner.post(&address, &[("decision.key_x", "keep")]).await.status, 404);
        assert_eq!(owner.post(&address, &[(&rest, "burn")]).await.status, 422);
        let early = owner.post(&format!("{address}/finish"), &[]).await;
        assert_eq!(early.status, 409);
        assert!(early.body.contains("1 key is not decided"), "{}", early.body);
        assert_eq!(owner.post(&address, &[(&rest, "keep")]).await.status, 303);
        assert_eq!(owner.post(&format!("{address}/finish"), &[]).await.status, 303);
        assert_eq!(owner.post(&address, &[(&rest, "revoke")]).await.status, 409, "it is over");
    }
}

/// When a key was decided about, as a page would show it.
async fn page_stamp(app: &TestApp, key: &KeyId) -> Option<i64> {
    let sql = format!("SELECT decided_at_ms FROM review_items WHERE key_id = '{key}'");
    Some(app.db.number(&sql).await)
}
