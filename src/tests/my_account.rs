//! The account's own pages: profile, address, export, deletion.

use keywright::model::account::Email;
use keywright::model::actor::Actor;
use keywright::model::id::AccountId;
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::time::{DAY_MS, HOUR_MS, SECOND_MS};
use keywright::server::domain::accounts::session::{self, Caller};
use keywright::server::domain::accounts::{deletion, operate};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::mail::{Enveloped, Letter};
use keywright::server::domain::mint;
use keywright::server::domain::verification::follow_changes;
use keywright::server::store::accounts::{self, NewAccount};
use keywright::server::store::orgs;
use serde_json::Value;

use crate::factors::enrol;
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::browser::{Answer, Browser, ORIGIN};
use crate::kit::{Backend, TestApp, on_both_databases};

const NEW: &str = "countess@acme.example";

/// Another member of the organisation, with the owner's password.
pub async fn join(app: &TestApp, email: &str, name: &str, role: Role) -> AccountId {
    let now = app.ctx.clock.now();
    let mut tx = app.ctx.db.begin_write().await.unwrap();
    let owner = accounts::find_for_sign_in(&mut tx, EMAIL).await.unwrap().unwrap();
    let (id, email) = (
        mint::account_id(&app.ctx).unwrap(),
        Email::parse("email", email).unwrap(),
    );
    let new = NewAccount {
        id: &id,
        email: &email,
        name,
        password: &owner.password,
        is_instance_admin: false,
    };
    accounts::insert(&mut tx, &new, now).await.unwrap();
    orgs::insert_member(&mut tx, &app.org, &id, role, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

pub async fn signed_in(app: &TestApp, email: &str) -> Browser {
    let mut browser = app.browser();
    let answer = browser
        .post("/sign-in", &[("email", email), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

/// Links and recipients of the letters about a new address: the old end's, the new end's.
async fn ends(app: &TestApp) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for Enveloped { to, letter } in app.letters().await {
        let path = |link: String| link.strip_prefix(ORIGIN).unwrap().to_owned();
        match letter {
            Letter::EmailChangeOld { link, .. } => old.push((to.email, path(link))),
            Letter::EmailChangeNew { link, .. } => new.push((to.email, path(link))),
            _ => {}
        }
    }
    (old, new)
}

async fn begin(app: &TestApp, browser: &mut Browser, email: &str) -> (String, String) {
    let answer = browser.post("/account/email", &[("email", email)]).await;
    assert_eq!(
        answer.header("location"),
        "/account?done=email-begun",
        "{}",
        answer.body
    );
    let (mut old, mut new) = ends(app).await;
    app.clock.advance_ms(1);
    (old.pop().unwrap().1, new.pop().unwrap().1)
}

async fn agree(browser: &mut Browser, link: &str) -> Answer {
    let token = link.split_once("?token=").unwrap().1;
    browser.post("/confirm-email", &[("token", token)]).await
}

/// A key that its signed-in owner made.
async fn own_key(app: &TestApp, id: AccountId, role: Role) -> String {
    let draft = KeyDraft {
        project: Some(&app.project),
        environment: "live",
        name: "owned",
        purpose: "",
        owner: "me",
        scopes: vec![],
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: false,
        scopes_required: false,
    };
    let stage = keywright::model::account::SessionStage::Complete;
    let actor =
        Actor::account(id, Some((app.org, role)), stage, Default::default()).proved(app.ctx.clock.now());
    let made = issue::issue(&app.ctx, &actor, &draft, None).await.unwrap();
    made.secret.expose().clone()
}

on_both_databases! {
    async fn name_and_time_zone_are_one_s_own_to_change(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let page = browser.get("/account").await;
        assert!(page.status == 200 && page.body.contains("value=\"Ada Lovelace\"") && page.body.contains(EMAIL));
        assert!(page.body.contains("<option value=\"UTC\" selected"), "{}", page.body);
        let fields = [("name", " Ada  King "), ("time_zone", "Europe/London"), ("language", "en")];
        let done = browser.post("/account", &fields).await;
        assert_eq!(done.header("location"), "/account?done=saved", "{}", done.body);
        let page = browser.get("/account?done=saved").await;
        assert!(page.body.contains("<option value=\"Europe/London\" selected"), "{}", page.body);
        let detail = app.db.texts("SELECT detail FROM audit_events WHERE action = 'account.edited'").await;
        assert_eq!(detail, ["{\"changed\":[\"name\",\"timeZone\"]}"], "what changed, not into what");
        browser.post("/account", &fields).await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.edited'").await, 1, "nothing new, no trace");
    }

    async fn an_address_changes_when_both_ends_have_agreed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let (old, new) = begin(&app, &mut browser, NEW).await;
        let (to_old, to_new) = ends(&app).await;
        assert_eq!((to_old[0].0.as_str(), to_new[0].0.as_str()), (EMAIL, NEW));
        assert!(browser.get("/account").await.body.contains("is to become countess@acme.example"));
        for link in [&old, &new] {
            for _ in 0..2 {
                let page = app.browser().get(link).await;
                assert_eq!((page.status, page.header("referrer-policy")), (200, "no-referrer"));
            }
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM email_changes WHERE old_confirmed_at_ms IS NULL AND new_confirmed_at_ms IS NULL").await, 1, "looking confirms nothing");
        let half = agree(&mut app.browser(), &new).await;
        assert_eq!(half.header("location"), "/confirm-email?done=half", "{}", half.body);
        assert_eq!(half.header("set-cookie"), "", "signs nobody in");
        assert_eq!(app.db.texts("SELECT email FROM accounts").await, [EMAIL], "not yet");
        let twice = agree(&mut app.browser(), &new).await;
        assert_eq!((twice.status, app.browser().get(&new).await.status), (410, 410));
        let whole = agree(&mut app.browser(), &old).await;
        assert_eq!(whole.header("location"), "/confirm-email?done=whole", "{}", whole.body);
        assert_eq!(app.db.texts("SELECT email_folded FROM accounts").await, [NEW]);
        let mut told: Vec<String> = app.letters().await.into_iter().filter(|l| matches!(l.letter, Letter::Security { .. })).map(|l| l.to.email).collect();
        told.sort_unstable();
        assert_eq!(told, [EMAIL, NEW], "both are told");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM notices WHERE kind = 'email_changed'").await, 1);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.email_changed'").await, 1);
        assert_eq!(browser.get("/account").await.status, 200, "sessions go on");
        signed_in(&app, NEW).await;
        let gone = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(gone.status, 401);
    }

    async fn both_ends_may_agree_at_the_same_moment(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (old, new) = begin(&app, &mut app.owner().await, NEW).await;
        let (mut a, mut b) = (app.browser(), app.browser());
        let (one, two) = tokio::join!(agree(&mut a, &old), agree(&mut b, &new));
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(app.db.texts("SELECT email FROM accounts").await, [NEW]);
    }

    async fn a_change_of_address_tells_nobody_who_exists(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let mut browser = app.owner().await;
        let taken = browser.post("/account/email", &[("email", "Ben@acme.example")]).await;
        assert_eq!(taken.header("location"), "/account?done=email-begun", "as for any other address");
        let (old, new) = ends(&app).await;
        assert_eq!((old.len(), new.len()), (1, 0), "only the letter to the taken address is not sent");
        let half = agree(&mut app.browser(), &old[0].1).await;
        assert_eq!(half.header("location"), "/confirm-email?done=half");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM accounts WHERE email_folded = 'ben@acme.example'").await, 1);
    }

    async fn an_address_that_was_taken_meanwhile_is_told_at_the_end(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (old, new) = begin(&app, &mut app.owner().await, NEW).await;
        agree(&mut app.browser(), &old).await;
        join(&app, NEW, "Quick", Role::Developer).await;
        let late = agree(&mut app.browser(), &new).await;
        assert_eq!(late.status, 422);
        assert!(late.body.contains("Another account has this address now."), "{}", late.body);
        assert_eq!(app.db.number(&format!("SELECT COUNT(*) FROM accounts WHERE email = '{EMAIL}'")).await, 1);
    }

    async fn a_change_of_address_needs_a_fresh_proof_and_can_be_cancelled(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        app.clock.advance_ms(11 * 60 * SECOND_MS);
        let asked = browser.post("/account/email", &[("email", NEW)]).await;
        assert!(asked.status == 403 && asked.body.contains("Confirm that it is you") && asked.body.contains(NEW), "{}", asked.body);
        assert!(app.letters().await.is_empty());
        let filled = browser.post("/account/email", &[("email", NEW), ("step_up", PASSWORD)]).await;
        assert!(filled.status == 200 && filled.body.contains(NEW), "{}", filled.body);
        let (old, new) = begin(&app, &mut browser, NEW).await;
        assert_eq!(browser.post("/account/email/cancel", &[]).await.status, 303);
        for link in [old, new] {
            assert_eq!((app.browser().get(&link).await.status, agree(&mut app.browser(), &link).await.status), (410, 410));
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM email_changes").await, 0);
    }

    async fn a_newer_change_voids_the_older_and_a_day_ends_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let (first, _) = begin(&app, &mut browser, NEW).await;
        let (second, new) = begin(&app, &mut browser, "lady@acme.example").await;
        assert_eq!(app.browser().get(&first).await.status, 410);
        assert!(app.browser().get(&second).await.body.contains("lady@acme.example"));
        begin(&app, &mut browser, NEW).await;
        let fourth = browser.post("/account/email", &[("email", NEW)]).await;
        assert_eq!(fourth.status, 429, "letters to strangers are not for the asking");
        assert_eq!(app.browser().get(&new).await.status, 410);
        app.clock.advance_ms(DAY_MS);
        let (_, last) = ends(&app).await;
        assert_eq!(app.browser().get(&last.last().unwrap().1).await.status, 410, "a day is over");
    }

    async fn a_link_to_agree_is_for_its_account_whoever_opens_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let (old, new) = begin(&app, &mut app.owner().await, NEW).await;
        app.clock.advance_ms(5 * SECOND_MS);
        let mut ben = signed_in(&app, "ben@acme.example").await;
        let page = ben.get(&old).await;
        assert!(page.body.contains("signed in with another account") && page.body.contains("a…@acme.example"), "{}", page.body);
        let cookie = ben.cookie.clone();
        agree(&mut ben, &old).await;
        agree(&mut ben, &new).await;
        assert_eq!(ben.cookie, cookie, "Ben stays who he is");
        assert!(ben.get("/account").await.body.contains("ben@acme.example"));
        assert_eq!(app.db.number(&format!("SELECT COUNT(*) FROM accounts WHERE email = '{NEW}'")).await, 1);
    }

    async fn the_operator_changes_an_address_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let operator = Actor::operator("tests", None);
        assert!(operate::set_email(&app.ctx, &operator, EMAIL, "ben@acme.example").await.is_err(), "taken");
        assert!(operate::set_email(&app.ctx, &operator, "nobody@acme.example", NEW).await.is_err());
        operate::set_email(&app.ctx, &operator, EMAIL, NEW).await.unwrap();
        signed_in(&app, NEW).await;
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.email_changed' AND actor_type = 'operator'").await, 1);
    }

    async fn an_export_holds_everything_about_a_person_and_no_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let mut enrolled = enrol(&app).await;
        let secret = own_key(&app, app.account, Role::Owner).await;
        enrolled.browser.post("/account", &[("name", "Ada King"), ("time_zone", "UTC"), ("language", "en")]).await;
        let answer = enrolled.browser.post("/account/export", &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "no-store"));
        assert!(answer.header("content-disposition").starts_with("attachment"));
        let export: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(export["account"]["email"], EMAIL);
        for (list, least) in [("memberships", 1), ("secondFactors", 1), ("sessions", 1), ("keys", 1), ("acts", 3)] {
            assert!(export[list].as_array().unwrap().len() >= least, "{list}: {}", export[list]);
        }
        assert!(!answer.body.contains("ben@acme.example") && !answer.body.contains("Ben"), "nothing about others");
        let mut hidden = app.db.texts("SELECT password_hash FROM accounts").await;
        hidden.extend(app.db.texts("SELECT sealed FROM factors").await);
        hidden.extend(app.db.texts("SELECT mac FROM recovery_codes").await);
        hidden.extend(app.db.texts("SELECT hash FROM key_secrets").await);
        hidden.extend(app.db.texts("SELECT id_sha256 FROM sessions").await);
        hidden.extend(app.db.texts("SELECT mac FROM audit_events").await);
        hidden.extend(enrolled.recovery.iter().cloned());
        hidden.extend([enrolled.secret.clone(), enrolled.browser.cookie.clone().unwrap(), secret, app.token.clone(), "$argon2".to_owned()]);
        for text in hidden {
            assert!(!answer.body.contains(&text), "{text}");
        }
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'account.exported'").await, 1);
    }

    async fn r26_an_export_and_a_deletion_need_a_fresh_proof(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        let mut ben = signed_in(&app, "ben@acme.example").await;
        app.clock.advance_ms(11 * 60 * SECOND_MS);
        assert_eq!(ben.post("/account/export", &[]).await.status, 403);
        assert_eq!(ben.post("/account/delete", &[("email", "ben@acme.example")]).await.status, 403);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action LIKE 'account.%ed' AND target_type = 'account'").await, 0);
        let filled = ben.post("/account/delete", &[("email", "ben@acme.example"), ("step_up", PASSWORD)]).await;
        assert!(filled.status == 200 && filled.body.contains("value=\"ben@acme.example\""), "{}", filled.body);
        assert_eq!(ben.post("/account/delete", &[("email", "ben@acme.example")]).await.status, 303);
    }

    async fn r54_the_last_owner_stays(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut browser = app.owner().await;
        let page = browser.get("/account/delete").await;
        assert!(page.body.contains("You are the last owner of Acme.") && !page.body.contains("Delete the account of"), "{}", page.body);
        let answer = browser.post("/account/delete", &[("email", EMAIL)]).await;
        assert!(answer.status == 409 && answer.body.contains("last owner of Acme"), "{}", answer.body);
        join(&app, "ben@acme.example", "Ben", Role::Owner).await;
        let answer = browser.post("/account/delete", &[("email", EMAIL)]).await;
        assert!(answer.status == 409 && answer.body.contains("last administrator"), "{}", answer.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM accounts WHERE deleted_at_ms IS NOT NULL").await, 0);
    }

    async fn r54_of_fifty_owners_who_leave_at_once_one_stays(backend: Backend) {
        let app = TestApp::on(backend).await;
        app.db.tamper("UPDATE members SET role = 'developer'").await;
        let mut leaving = Vec::new();
        for n in 0..50 {
            let email = format!("owner{n}@acme.example");
            let id = join(&app, &email, "Owner", Role::Owner).await;
            let mut tx = app.ctx.db.begin_write().await.unwrap();
            let stage = keywright::model::account::SessionStage::Complete;
            let now = app.ctx.clock.now();
            let (cookie, _) = session::begin(&app.ctx, &mut tx, (&id, 0), Some(&app.org), stage, &Caller::default(), now).await.unwrap();
            tx.commit().await.unwrap();
            let signed_in = session::resolve(&app.ctx, cookie.expose(), &Caller::default()).await.unwrap().unwrap();
            leaving.push((signed_in, email));
        }
        let tries = leaving.iter().map(|(signed_in, email)| deletion::delete(&app.ctx, signed_in, email));
        let outcomes = futures_util::future::join_all(tries).await;
        let gone = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let left = app.db.number("SELECT COUNT(*) FROM active_membership WHERE role = 'owner'").await;
        assert_eq!((gone, left), (49, 1));
    }

    async fn a_deleted_account_leaves_keys_that_are_refused_at_once_and_no_name(backend: Backend) {
        let app = TestApp::on(backend).await;
        let ben = join(&app, "ben@acme.example", "Ben Franklin", Role::Admin).await;
        let secret = own_key(&app, ben, Role::Admin).await;
        let other = app.issue("of the team", &[]).await;
        assert_eq!((app.verify(&secret).await, app.verify(&other.secret).await), ("VALID".into(), "VALID".into()));
        let mut browser = signed_in(&app, "ben@acme.example").await;
        app.clock.advance_ms(5 * SECOND_MS);
        let mut second = signed_in(&app, "ben@acme.example").await;
        let page = browser.get("/account/delete").await;
        assert!(page.body.contains("owned") && page.body.contains("ask Ada Lovelace to take them over"), "{}", page.body);
        let wrong = browser.post("/account/delete", &[("email", EMAIL)]).await;
        assert!(wrong.status == 422 && wrong.body.contains("Type ben@acme.example to confirm."), "{}", wrong.body);
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&secret).await, "VALID", "and memory knows it");
        let done = browser.post("/account/delete", &[("email", "BEN@acme.example ")]).await;
        assert_eq!(done.header("location"), "/sign-in?done=deleted", "{}", done.body);
        assert_eq!(browser.cookie, None);
        assert_eq!(second.get("/account").await.status, 303, "signed out everywhere");
        assert_eq!(app.verify(&secret).await, "OWNER_INACTIVE");
        assert_eq!(app.verify(&other.secret).await, "VALID");
        let again = app.browser().post("/sign-in", &[("email", "ben@acme.example"), ("password", PASSWORD)]).await;
        assert_eq!(again.status, 401);
        let row = app.db.texts(&format!("SELECT name || ' ' || email || ' ' || email_folded || ' ' || password_hash || status FROM accounts WHERE id = '{ben}'")).await;
        assert_eq!(row, [format!("Deleted account deleted:{ben} deleted:{ben} disabled")]);
        for table in ["sessions", "factors", "recovery_codes", "notices", "known_places", "email_changes"] {
            let rows = app.db.number(&format!("SELECT COUNT(*) FROM {table} WHERE account_id = '{ben}'")).await;
            assert_eq!(rows, 0, "{table}");
        }
        let audit = format!("SELECT COUNT(*) FROM audit_events WHERE action = 'account.deleted' AND chain = '{}'", app.org);
        assert_eq!(app.db.number(&audit).await, 1);
        join(&app, "ben@acme.example", "Another Ben", Role::Developer).await;
    }

    async fn a_deletion_elsewhere_arrives_with_the_news(backend: Backend) {
        let app = TestApp::on(backend).await;
        let ben = join(&app, "ben@acme.example", "Ben", Role::Admin).await;
        let secret = own_key(&app, ben, Role::Admin).await;
        let browser = signed_in(&app, "ben@acme.example").await;
        let who = session::resolve(&app.ctx, browser.cookie.as_ref().unwrap(), &Caller::default()).await.unwrap().unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&secret).await, "VALID");
        let elsewhere = app.another_process().await;
        deletion::delete(&elsewhere, &who, "ben@acme.example").await.unwrap();
        follow_changes(&app.ctx).await.unwrap();
        assert_eq!(app.verify(&secret).await, "OWNER_INACTIVE");
    }

    async fn invitations_of_somebody_who_goes_go_too(backend: Backend) {
        let app = TestApp::on(backend).await;
        join(&app, "ben@acme.example", "Ben", Role::Developer).await;
        app.db.tamper(&format!(
            "INSERT INTO invitations (id, org_id, email, email_folded, role, status, invited_by, created_at_ms, sent_at_ms, expires_at_ms)
             VALUES ('inv_000000000001', '{}', 'Ben@acme.example', 'ben@acme.example', 'admin', 'pending', '{}', 1, 1, 99)",
            app.org, app.account
        )).await;
        let mut ben = signed_in(&app, "ben@acme.example").await;
        assert_eq!(ben.post("/account/delete", &[("email", "ben@acme.example")]).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM invitations WHERE status = 'revoked' AND email_folded LIKE 'deleted:%'").await, 1);
    }
}

#[tokio::test]
async fn odd_input_on_the_account_s_pages_is_told_beside_its_field() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let long = "x".repeat(201);
    let cases = [
        (
            vec![("name", ""), ("time_zone", "UTC"), ("language", "en")],
            "Your name is missing.",
        ),
        (
            vec![("name", long.as_str()), ("time_zone", "UTC"), ("language", "en")],
            "at most 200 fit",
        ),
        (
            vec![("name", "a\nb"), ("time_zone", "UTC"), ("language", "en")],
            "invisible character",
        ),
        (
            vec![("name", "Ada"), ("time_zone", "Mars/Olympus"), ("language", "en")],
            "There is no such time zone.",
        ),
        (
            vec![("name", "Ada"), ("time_zone", "utc"), ("language", "en")],
            "There is no such time zone.",
        ),
        (
            vec![("name", "Ada"), ("time_zone", "UTC"), ("language", "tlh")],
            "does not speak this language",
        ),
        (vec![], "need your attention"),
    ];
    for (fields, expected) in cases {
        let answer = browser.post("/account", &fields).await;
        assert!(
            answer.status == 422 && answer.body.contains(expected),
            "{expected}: {}",
            answer.body
        );
    }
    for email in ["", "ada", "a b@c", EMAIL, long.as_str()] {
        assert_eq!(
            browser.post("/account/email", &[("email", email)]).await.status,
            422,
            "{email}"
        );
    }
    assert_eq!(browser.post("/confirm-email", &[]).await.status, 410);
    let markup = browser
        .post(
            "/account",
            &[
                ("name", "<script>x</script>"),
                ("time_zone", "UTC"),
                ("language", "en"),
            ],
        )
        .await;
    assert_eq!(markup.status, 303);
    assert!(!browser.get("/account").await.body.contains("<script>x"));
}

#[tokio::test]
async fn without_mail_the_operator_is_named() {
    let app = TestApp::on_without_mail(Backend::Sqlite).await;
    let mut browser = app.owner().await;
    let page = browser.get("/account/email").await;
    assert!(
        page.body
            .contains("keywright accounts set-email ada@acme.example NEW"),
        "{}",
        page.body
    );
    assert_eq!(
        browser.post("/account/email", &[("email", NEW)]).await.status,
        409
    );
    app.clock.advance_ms(HOUR_MS);
}
