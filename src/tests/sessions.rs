//! Where one is signed in, and ending that from elsewhere.

use keywright::model::time::{MINUTE_MS, SECOND_MS};
use keywright::server::domain::accounts::session::{self, Caller};
use keywright::server::domain::accounts::{proof, sessions};
use keywright::server::http::assets::EMBEDDED;
use keywright::server::http::router::router;
use keywright::server::http::state::AppState;
use sha2::{Digest, Sha256};

use crate::factors::{code, enrol, half_signed_in};
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::{Browser, TestApp, on_both_databases};

const PAGE: &str = "/account/sessions";
const OTHERS: &str = "/account/sessions/end-others";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The owner, signed in from another place with a browser that has a name.
async fn elsewhere(app: &TestApp) -> Browser {
    app.clock.advance_ms(5 * SECOND_MS);
    let mut browser = app.browser();
    browser.peer = "198.51.100.9:1000".to_owned();
    browser.agent = FIREFOX;
    let answer = browser
        .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

/// The public handle of a browser's session.
async fn handle(app: &TestApp, browser: &Browser) -> String {
    let id = browser.cookie.as_deref().unwrap();
    let signed_in = session::resolve(&app.ctx, id, &Caller::default()).await.unwrap();
    signed_in.unwrap().actor.origin().session_id.clone().unwrap()
}

async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/settings/api-keys").await.status == 200
}

on_both_databases! {
    async fn r33_the_list_names_each_session_and_marks_this_one(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut here = app.owner().await;
        let there = elsewhere(&app).await;
        let page = here.get(PAGE).await.body;
        assert!(page.contains("Firefox on Linux") && page.contains("198.51.100.9"), "{page}");
        assert_eq!(page.matches("This session").count(), 1);
        let (mine, other) = (handle(&app, &here).await, handle(&app, &there).await);
        assert!(page.contains(&format!("{PAGE}/{other}/end")) && !page.contains(&format!("{PAGE}/{mine}/end")));
        let hidden = app.db.texts("SELECT id_sha256 FROM sessions").await;
        let cookies = [here.cookie.clone().unwrap(), there.cookie.clone().unwrap()];
        for secret in hidden.iter().map(|digest| &digest[..13]).chain(cookies.iter().map(String::as_str)) {
            assert!(!page.contains(secret), "a handle is not enough to know a session by");
        }
    }

    async fn r33_one_session_is_signed_out_from_another_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (mut here, mut there) = (app.owner().await, elsewhere(&app).await);
        let end = format!("{PAGE}/{}/end", handle(&app, &there).await);
        let done = here.post(&end, &[]).await;
        assert_eq!((done.status, done.header("location")), (303, "/account/sessions?done=ended"));
        assert!(!is_in(&mut there).await && is_in(&mut here).await);
        assert_eq!(here.post(&end, &[]).await.status, 404, "it is over already");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM audit_events WHERE action = 'session.ended_remotely'").await, 1);
        let out = here.post(&format!("{PAGE}/{}/end", handle(&app, &here).await), &[]).await;
        assert_eq!(out.header("location"), "/sign-in", "ending one's own is signing out");
        assert!(here.cookie.is_none() && !out.header("clear-site-data").is_empty());
    }

    async fn r50_another_person_s_session_does_not_exist(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (mut here, mut theirs) = (app.owner().await, elsewhere(&app).await);
        let foreign = handle(&app, &theirs).await;
        app.db.tamper(
            "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status, is_instance_admin,
             session_epoch, created_at_ms) SELECT 'acc_00000000bob0', 'bob@x.org', 'bob@x.org', 'Bob', password_hash,
             password_pepper_id, 'active', is_instance_admin, session_epoch, created_at_ms FROM accounts",
        ).await;
        app.db.tamper("UPDATE sessions SET account_id = 'acc_00000000bob0' WHERE ip = '198.51.100.9'").await;
        assert!(!here.get(PAGE).await.body.contains(&foreign));
        let answer = here.post(&format!("{PAGE}/{foreign}/end"), &[]).await;
        let random = here.post(&format!("{PAGE}/0123456789ab/end"), &[]).await;
        assert_eq!((answer.status, random.status), (404, 404));
        here.post(OTHERS, &[]).await;
        assert_eq!(theirs.get(PAGE).await.status, 200, "theirs goes on");
    }

    async fn r33_all_others_end_and_this_one_goes_on_under_a_new_id(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (mut here, mut there) = (app.owner().await, elsewhere(&app).await);
        let old = here.cookie.clone();
        app.clock.advance_ms(11 * MINUTE_MS);
        let done = here.post(OTHERS, &[]).await;
        assert_eq!(done.header("location"), "/account/sessions?done=others-ended", "{}", done.body);
        assert!(is_in(&mut here).await && !is_in(&mut there).await);
        let mut copy = app.browser();
        copy.cookie = old;
        assert!(!is_in(&mut copy).await, "whoever held a copy of the cookie is out");
        assert_eq!(copy.post(OTHERS, &[]).await.status, 401, "and ends nothing");
        assert!(is_in(&mut here).await);
        let proved = "SELECT COUNT(*) FROM sessions WHERE step_up_at_ms IS NOT NULL OR auth_at_ms = last_seen_at_ms";
        assert_eq!(app.db.number(proved).await, 0, "nothing was proved by it");
        let told = app.db.texts("SELECT detail FROM audit_events WHERE action = 'session.others_ended'").await;
        assert_eq!(told, ["{\"ended\":1}"]);
    }

    async fn r32_ending_the_others_beats_what_is_still_on_its_way(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (mut here, there) = (app.owner().await, elsewhere(&app).await);
        // A slow request of the other session: found before it was ended, finished afterwards.
        let id = there.cookie.clone().unwrap();
        let slow = session::resolve(&app.ctx, &id, &Caller::default()).await.unwrap().unwrap();
        let epoch = app.db.number("SELECT session_epoch FROM accounts").await;
        here.post(OTHERS, &[]).await;
        let (password, caller) = (PASSWORD.into(), Caller::default());
        assert!(proof::step_up(&app.ctx, &slow, &id, &password, &caller).await.is_err());
        assert!(sessions::end_others(&app.ctx, &slow, &id, &caller).await.is_err());
        assert_eq!(app.db.number("SELECT COUNT(*) FROM sessions").await, 1);
        // A sign-in that read its account before, and whose session is written afterwards.
        let mut late = app.browser();
        late.cookie = Some("latelatelatelatelatelatelatelate".to_owned());
        let digest = Sha256::digest(late.cookie.as_ref().unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        app.db.tamper(&format!(
            "INSERT INTO sessions (id_sha256, account_id, stage, session_epoch, created_at_ms, last_seen_at_ms, auth_at_ms, expires_at_ms,
             user_agent) SELECT '{digest}', account_id, stage, session_epoch, created_at_ms, last_seen_at_ms, auth_at_ms, expires_at_ms, ''
             FROM sessions"
        )).await;
        assert!(is_in(&mut late).await, "as it would be with today's epoch");
        app.db.tamper(&format!("UPDATE sessions SET session_epoch = {epoch} WHERE id_sha256 = '{digest}'")).await;
        assert!(!is_in(&mut late).await, "but it has the one from before");
        assert_eq!(here.get(PAGE).await.body.matches("<tr>").count(), 2, "nor is it listed: the head and this one");
    }

    async fn r32_of_two_sessions_that_end_each_other_one_goes_on(backend: Backend) {
        let app = TestApp::on(backend).await;
        for _ in 0..5 {
            app.clock.advance_ms(5 * SECOND_MS);
            let (mut a, mut b) = (app.owner().await, elsewhere(&app).await);
            let (one, two) = tokio::join!(a.post(OTHERS, &[]), b.post(OTHERS, &[]));
            assert!(one.status < 500 && two.status < 500, "{} {}", one.body, two.body);
            assert!(is_in(&mut a).await != is_in(&mut b).await);
        }
    }

    async fn r33_a_sign_in_that_is_half_done_is_listed_and_ended(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut enrolled = enrol(&app).await;
        let mut half = half_signed_in(&app).await;
        let page = enrolled.browser.get(PAGE).await;
        assert!(page.body.contains("Waiting for the second factor"), "{}", page.body);
        assert_eq!(half.get(PAGE).await.status, 303, "which sees nothing of it");
        let end = format!("{PAGE}/{}/end", handle(&app, &half).await);
        assert_eq!(half.post(&end, &[]).await.status, 403);
        assert_eq!(enrolled.browser.post(&end, &[]).await.status, 303);
        let right = code(&app, &enrolled.secret, 0);
        let answer = half.post("/sign-in/second-factor", &[("code", &right)]).await;
        assert_eq!(answer.header("location"), "/sign-in?ended=time");
    }

    async fn r32_another_process_sees_the_end_with_the_next_request(backend: Backend) {
        let app = TestApp::on(backend).await;
        let second = app.another_process().await;
        let (mut here, there) = (app.owner().await, elsewhere(&app).await);
        let mut over_there = Browser::new(router(AppState { ctx: second, assets: &EMBEDDED }));
        over_there.cookie.clone_from(&there.cookie);
        assert!(is_in(&mut over_there).await);
        here.post(OTHERS, &[]).await;
        assert!(!is_in(&mut over_there).await);
        over_there.cookie.clone_from(&here.cookie);
        assert!(is_in(&mut over_there).await, "who ended them is known there, too");
        let mut tx = app.ctx.db.begin_write().await.unwrap();
        sessions::end_all_of(&mut tx, &app.account).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!is_in(&mut over_there).await && !is_in(&mut here).await, "all of them, when an administrator says so");
    }
}
