//! When somebody leaves, nothing of theirs stays behind unseen.

use keywright::model::key::KeyFilter;
use keywright::model::org::Role;
use keywright::model::restriction::RestrictionsDraft;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::{edit, read, rotation};
use keywright::server::domain::mail::Letter;

use crate::keys::nonce;
use crate::kit::app::Issued;
use crate::kit::people::Member;
use crate::kit::{TestApp, on_both_databases};
use crate::policy;

/// A key that the member owns, or with another owner only made.
async fn key_of(app: &TestApp, member: &Member, name: &str, owner: &str) -> Issued {
    let actor = app.signed_in(&member.browser).await.unwrap().actor;
    let draft = KeyDraft {
        project: Some(&app.project),
        environment: "live",
        name,
        purpose: "",
        owner,
        scopes: vec!["images:read"],
        expiry: "90",
        expiry_date: "",
        rotation_days: "",
        restrictions: RestrictionsDraft::default(),
        extend_catalogue: false,
        scopes_required: false,
    };
    let made = issue::issue(&app.ctx, &actor, &draft, None).await.unwrap();
    Issued {
        id: made.id,
        secret: made.secret.expose().clone(),
    }
}

on_both_databases! {
    async fn tokens_of_whoever_leaves_are_listed_and_go_on(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Admin).await;
        for (name, nonce) in [("edge", "012345678901234567890123"), ("forgotten", "987654321098765432109876")] {
            let form = [
                ("project", app.project.as_str()), ("name", name), ("permissions", "verify"), ("expiry", "none"),
                ("nonce", nonce),
            ];
            let made = grace.browser.post("/settings/service-tokens/new", &form).await;
            assert_eq!(made.status, 200, "{}", made.body);
        }
        let ids = app.db.texts("SELECT id FROM service_tokens WHERE name = 'forgotten'").await;
        let mut owner = app.owner().await;
        owner.post(&format!("/settings/service-tokens/{}/revoke", ids[0]), &[]).await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        let page = owner.get(&address).await;
        assert!(page.body.contains("Service tokens they made") && page.body.contains("Revoke edge"), "{}", page.body);
        assert!(!page.body.contains("Revoke forgotten"), "what is revoked is done with");
        let done = owner.post(&address, &[("departure", "remove")]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let left = app.db.number("SELECT COUNT(*) FROM service_tokens WHERE name = 'edge' AND revoked_at_ms IS NULL").await;
        assert_eq!(left, 1);
    }

    async fn offboarding_lists_every_key_and_does_what_was_decided(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let busy = key_of(&app, &grace, "Busy", "me").await;
        let idle = key_of(&app, &grace, "Idle", "me").await;
        let made = key_of(&app, &grace, "Made for others", "team:ops").await;
        app.issue("Not hers", &["images:read"]).await;
        assert_eq!(app.verify(&busy.secret).await, "VALID");
        app.ctx.usage.flush().await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        let page = owner.get(&address).await;
        for id in [&busy.id, &idle.id, &made.id] {
            assert!(page.body.contains(id.as_str()), "{}", page.body);
        }
        assert!(!page.body.contains("Not hers"));
        let heir = app.account.to_string();
        let decided = |busy_fate| {
            vec![
                ("departure", "remove"), ("heir", heir.as_str()), (busy.id.as_str(), busy_fate),
                (idle.id.as_str(), "revoke"), (made.id.as_str(), "leave"),
            ]
        };
        let half = owner.post(&address, &decided("transfer")[..4]).await;
        assert!(half.status == 422 && half.body.contains("1 of the keys need a decision"), "{}", half.body);
        assert_eq!(app.verify(&idle.secret).await, "VALID", "nothing was done");
        let done = owner.post(&address, &decided("transfer")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(app.verify(&busy.secret).await, "VALID", "transferred: it goes on");
        assert_eq!(app.verify(&idle.secret).await, "REVOKED");
        assert_eq!(app.verify(&made.secret).await, "VALID");
        let actions = app.db.texts("SELECT action FROM audit_events WHERE target_type IN ('key', 'account') ORDER BY seq").await;
        assert_eq!(actions.iter().filter(|action| ["key.transferred", "key.revoked", "member.removed"].contains(&action.as_str())).count(), 3);
        let kinds: Vec<_> = app.letters().await.iter().map(|sealed| sealed.letter.kind()).collect();
        assert!(kinds.contains(&"membership_ended") && kinds.contains(&"keys_transferred"), "{kinds:?}");
        let listed = read::list(&app.ctx, &app.owner_of(app.org), &KeyFilter::default()).await.unwrap();
        assert!(listed.rows.iter().any(|key| key.name == "Busy"));
        assert_eq!(owner.post(&address, &decided("leave")).await.status, 409, "removed already");
    }

    async fn what_is_transferred_and_rotated_outlives_the_leaver_s_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let mut alan = app.join("alan@acme.example", Role::Developer).await;
        let (busy, other) = (key_of(&app, &grace, "Busy", "me").await, key_of(&app, &grace, "Other", "me").await);
        assert_eq!(app.verify(&busy.secret).await, "VALID");
        app.ctx.usage.flush().await;
        app.clock.advance_ms(MINUTE_MS);
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        let page = owner.get(&address).await;
        assert!(page.body.contains("<option value=\"transfer_and_rotate\" selected>"), "in use, that is suggested: {}", page.body);
        let heir = alan.account.to_string();
        let mut form = vec![
            ("departure", "remove"), ("heir", heir.as_str()), (busy.id.as_str(), "transfer_and_rotate"), (other.id.as_str(), "transfer"),
            ("overlap", "custom"), ("overlap_hours", "800"),
        ];
        let wrong = owner.post(&address, &form).await;
        assert!(wrong.status == 422 && wrong.body.contains("Give the hours as a number from 1 to 720"), "{}", wrong.body);
        policy::save(&app, &[("max_overlap_hours", "24")], "").await.unwrap();
        (form[4], form[5]) = (("overlap", "7d"), ("overlap_hours", ""));
        let long = owner.post(&address, &form).await;
        assert!(long.status == 422 && long.body.contains("lets an old secret go on for 24 hours at most"), "{}", long.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM members WHERE status = 'removed'").await, 0, "nothing was done");
        assert_eq!(app.db.number("SELECT COUNT(*) FROM opened_rotations").await, 0);
        form[4] = ("overlap", "1h");
        let done = owner.post(&address, &form).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM opened_rotations").await, 1);
        let detail = app.db.texts("SELECT detail FROM audit_events WHERE action = 'member.removed'").await;
        assert!(detail[0].contains("\"keysTransferred\":2") && detail[0].contains("\"rotationsOpened\":1"), "{detail:?}");
        let waits: Vec<_> = app.letters().await.into_iter().filter_map(|sent| match sent.letter {
            Letter::KeysTransferred { keys, to_collect, .. } => Some((sent.to.email, keys, to_collect)),
            _ => None,
        }).collect();
        assert_eq!(waits, [("alan@acme.example".to_owned(), vec!["Other".to_owned()], vec!["Busy".to_owned()])]);
        // Nobody has collected: the old secret goes on, overdue, and the page says why.
        app.clock.advance_ms(3 * DAY_MS);
        assert_eq!(app.verify(&busy.secret).await, "VALID");
        let at = format!("/settings/api-keys/{}", busy.id);
        alan.browser.cookie = app.signed_in_again(&alan).await;
        let told = alan.browser.get(&at).await.body;
        assert!(told.contains("The key changed hands then, and who had it before knows the secret."), "{told}");
        assert!(told.contains("rotation due since ") && told.contains("Collect it…"), "{told}");
        let mark = nonce(&mut alan.browser, &format!("{at}/rotate/collect")).await;
        let shown = alan.browser.post(&format!("{at}/rotate/collect"), &[("nonce", &mark)]).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let new = shown.between("id=\"secret\">", "<").to_owned();
        app.clock.advance_ms(HOUR_MS - 1);
        assert_eq!((app.verify(&busy.secret).await, app.verify(&new).await), ("VALID".into(), "VALID".into()));
        app.clock.advance_ms(1);
        assert_eq!((app.verify(&busy.secret).await, app.verify(&new).await), ("EXPIRED".into(), "VALID".into()));
        let told = alan.browser.get(&at).await.body;
        assert!(!told.contains("changed hands"), "the leaver knows nothing any more: {told}");
    }

    async fn what_changed_hands_stays_due_whatever_else_happens_until_it_has_another_secret(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        app.clock.advance_ms(DAY_MS);
        let mut owner = app.owner().await;
        let heir = app.account.to_string();
        let form = [("departure", "remove"), ("heir", heir.as_str()), (key.id.as_str(), "transfer")];
        assert_eq!(owner.post(&format!("/settings/members/{}/offboard", grace.account), &form).await.status, 303);
        let since = app.db.number("SELECT rotation_due_at_ms FROM api_keys WHERE name = 'Hers'").await;
        let due = async || app.db.number("SELECT rotation_due_at_ms FROM api_keys").await;
        policy::save(&app, &[("rotation_days", "31")], "").await.unwrap();
        assert_eq!(due().await, since, "another interval of the policy's");
        let edited = edit::KeyEdit { name: "Hers", purpose: "", rotation_days: "20", access: None };
        edit::save(&app.ctx, &app.operator(), &key.id, &edited).await.unwrap();
        assert_eq!(due().await, since, "or of the key's own");
        let overlap = Overlap::parse("7d", "", false).unwrap();
        app.clock.advance_ms(DAY_MS);
        rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None).await.unwrap();
        assert!(due().await > since + 15 * DAY_MS);
        rotation::cancel(&app.ctx, &app.operator(), &key.id).await.unwrap();
        assert_eq!(due().await, since, "the secret that is back is the one that is known");
        rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None).await.unwrap();
        policy::save(&app, &[("rotation_days", "40")], "").await.unwrap();
        assert!(due().await > since + 15 * DAY_MS, "done with");
    }

    async fn an_auditor_who_takes_over_leaves_the_new_secret_to_the_admins(backend: Backend) {
        let app = TestApp::on(backend).await;
        let (grace, eve) = (app.join("grace@acme.example", Role::Admin).await, app.join("eve@acme.example", Role::Auditor).await);
        app.join("hedy@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        let mut owner = app.owner().await;
        let heir = eve.account.to_string();
        let form = [("departure", "remove"), ("heir", heir.as_str()), (key.id.as_str(), "transfer_and_rotate"), ("overlap", "24h")];
        assert_eq!(owner.post(&format!("/settings/members/{}/offboard", grace.account), &form).await.status, 303);
        let mut told: Vec<_> = app.letters().await.into_iter().filter_map(|sent| match sent.letter {
            Letter::KeysTransferred { keys, to_collect, .. } => Some((sent.to.email, keys, to_collect)),
            Letter::RotationsOpened { keys, .. } => Some((sent.to.email, Vec::new(), keys)),
            _ => None,
        }).collect();
        told.sort();
        let hers = || vec!["Hers".to_owned()];
        assert_eq!(told, [("eve@acme.example".to_owned(), hers(), vec![]), ("hedy@acme.example".to_owned(), vec![], hers())]);
        assert!(owner.get("/settings/rotation").await.body.contains("Collect the new secret of Hers"));
    }

    async fn r51_a_key_of_somebody_who_is_no_active_member_is_refused_at_once(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let mut owner = app.owner().await;
        let member = format!("/settings/members/{}", grace.account);
        let suspend = [("departure", "suspend"), (key.id.as_str(), "leave")];
        assert_eq!(owner.post(&format!("{member}/offboard"), &suspend).await.status, 303);
        assert_eq!(app.verify(&key.secret).await, "OWNER_INACTIVE");
        assert_eq!(grace.browser.get("/settings/api-keys").await.status, 403, "no organisation is left to her");
        assert_eq!(owner.post(&format!("{member}/resume"), &[]).await.status, 303);
        assert_eq!(app.verify(&key.secret).await, "VALID", "back again");
        assert_eq!(grace.browser.get("/settings/api-keys").await.status, 200);
    }

    async fn a_key_made_while_the_page_was_open_brings_the_form_back(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let one = key_of(&app, &grace, "One", "me").await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        key_of(&app, &grace, "Two", "me").await;
        let stale = owner.post(&address, &[("departure", "remove"), (one.id.as_str(), "revoke")]).await;
        assert!(stale.status == 422 && stale.body.contains("Two"), "{}", stale.body);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM members WHERE status = 'removed'").await, 0);
    }

    async fn keys_go_to_no_stranger_and_not_to_whoever_leaves(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        for heir in [grace.account.as_str(), "acc_000000000000", "nobody", ""] {
            let refused = owner.post(&address, &[("departure", "remove"), (key.id.as_str(), "transfer"), ("heir", heir)]).await;
            assert!(refused.status == 422 && refused.body.contains("Choose an active member"), "{heir}: {}", refused.status);
        }
        let strange = owner.post(&address, &[("departure", "explode"), (key.id.as_str(), "revoke")]).await;
        assert_eq!(strange.status, 422);
    }

    async fn r54_the_only_owner_cannot_be_removed(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", app.account);
        let refused = owner.post(&address, &[("departure", "remove")]).await;
        assert!(refused.status == 409 && refused.body.contains("only owner"), "{}", refused.body);
    }

    async fn invitations_of_somebody_who_leaves_are_void(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut admin = app.join("admin@acme.example", Role::Admin).await;
        admin.browser.post("/settings/members/invite", &[("email", "eve@acme.example"), ("role", "admin")]).await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", admin.account);
        assert_eq!(owner.post(&address, &[("departure", "remove")]).await.status, 303);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM invitations WHERE status = 'pending'").await, 0);
        assert_eq!(app.db.number("SELECT COUNT(*) FROM one_time_links WHERE purpose = 'invitation' AND used_at_ms IS NULL").await, 0);
    }

    async fn keys_that_were_left_can_be_taken_over_later(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        let mut owner = app.owner().await;
        let address = format!("/settings/members/{}/offboard", grace.account);
        let leave = [("departure", "remove"), (key.id.as_str(), "leave")];
        assert_eq!(owner.post(&address, &leave).await.status, 303);
        assert_eq!(app.verify(&key.secret).await, "OWNER_INACTIVE");
        let page = owner.get(&format!("/settings/members/{}", grace.account)).await;
        assert!(page.body.contains("Decide about their keys") && !page.body.contains("grace@acme.example"), "{}", page.body);
        let heir = app.account.to_string();
        let take = [("departure", "remove"), (key.id.as_str(), "transfer"), ("heir", heir.as_str())];
        assert_eq!(owner.post(&address, &take).await.status, 303);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let told = app.letters().await.iter().filter(|sealed| sealed.letter.kind() == "membership_ended").count();
        assert_eq!(told, 1, "they left once");
    }

    async fn r26_taking_keys_over_needs_a_fresh_proof_and_stopping_them_none(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        let key = key_of(&app, &grace, "Hers", "me").await;
        let mut owner = app.owner().await;
        app.clock.advance_ms(11 * MINUTE_MS);
        let address = format!("/settings/members/{}/offboard", grace.account);
        let heir = app.account.to_string();
        let take = [("departure", "remove"), (key.id.as_str(), "transfer"), ("heir", heir.as_str())];
        assert!(owner.post(&address, &take).await.asks_who());
        assert_eq!(app.db.number("SELECT COUNT(*) FROM members WHERE status = 'removed'").await, 0);
        assert_eq!(owner.post(&address, &[("departure", "remove"), (key.id.as_str(), "revoke")]).await.status, 303);
    }

    async fn nothing_is_made_by_somebody_who_has_just_left(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Admin).await;
        // As a request would that was let in before she was removed.
        let actor = app.signed_in(&grace.browser).await.unwrap().actor;
        let address = format!("/settings/members/{}/offboard", grace.account);
        app.owner().await.post(&address, &[("departure", "remove")]).await;
        let draft = KeyDraft {
            project: Some(&app.project),
            environment: "live",
            name: "Late",
            purpose: "",
            owner: "team:ops",
            scopes: vec!["images:read"],
            expiry: "90",
            expiry_date: "",
            rotation_days: "",
            restrictions: RestrictionsDraft::default(),
            extend_catalogue: false,
            scopes_required: false,
        };
        assert!(issue::issue(&app.ctx, &actor, &draft, None).await.is_err());
        assert_eq!(app.db.number("SELECT COUNT(*) FROM api_keys").await, 0);
    }
}
