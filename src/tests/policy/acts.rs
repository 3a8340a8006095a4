//! The acts that a policy is held against, and what follows from its rules beside.

use keywright::model::error::FieldError;
use keywright::model::org::Role;
use keywright::model::rotation::Overlap;
use keywright::model::time::{DAY_MS, HOUR_MS};
use keywright::server::domain::DomainError;
use keywright::server::domain::keys::edit::{self, AccessEdit, KeyEdit};
use keywright::server::domain::keys::issue::{self, KeyDraft};
use keywright::server::domain::keys::rotation;
use keywright::server::platform::clock::Clock;

use super::{save, save_for};
use crate::keys::import::{import, old_key, sha256};
use crate::kit::app::Issued;
use crate::kit::{TestApp, on_both_databases};

/// A key as somebody would have it.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) scopes: &'static [&'static str],
    pub(super) ip_allow: &'static str,
    pub(super) expiry: &'static str,
    pub(super) rotation_days: &'static str,
}

pub(super) const PLAIN: Wanted = Wanted {
    scopes: &["images:read"],
    ip_allow: "",
    expiry: "90",
    rotation_days: "",
};

pub(super) fn draft<'a>(app: &'a TestApp, name: &'a str, wanted: Wanted) -> KeyDraft<'a> {
    let mut draft = KeyDraft {
        project: Some(&app.project),
        environment: "live",
        name,
        purpose: "",
        owner: "team:tests",
        scopes: wanted.scopes.to_vec(),
        expiry: wanted.expiry,
        expiry_date: "",
        rotation_days: wanted.rotation_days,
        restrictions: Default::default(),
        extend_catalogue: true,
        scopes_required: true,
    };
    draft.restrictions.ip_allow = vec![wanted.ip_allow];
    draft
}

pub(super) async fn created(app: &TestApp, name: &str, wanted: Wanted) -> Result<Issued, DomainError> {
    let draft = draft(app, name, wanted);
    let made = issue::issue(&app.ctx, &app.operator(), &draft, None).await?;
    Ok(Issued {
        id: made.id,
        secret: made.secret.expose().clone(),
    })
}

pub(super) async fn edited(
    app: &TestApp,
    key: &Issued,
    name: &str,
    wanted: Wanted,
) -> Result<(), DomainError> {
    let mut access = AccessEdit {
        scopes: wanted.scopes.to_vec(),
        expiry: wanted.expiry,
        ..AccessEdit::default()
    };
    access.restrictions.ip_allow = vec![wanted.ip_allow];
    let typed = KeyEdit {
        name,
        purpose: "",
        rotation_days: wanted.rotation_days,
        access: Some(access),
    };
    edit::save(&app.ctx, &app.operator(), &key.id, &typed).await
}

pub(super) async fn rotated(app: &TestApp, key: &Issued, overlap: &str) -> Result<(), DomainError> {
    let overlap = Overlap::parse(overlap, "", false)?;
    rotation::start(&app.ctx, &app.operator(), &key.id, overlap, None)
        .await
        .map(drop)
}

/// A file of one row. What is wrong with it is told as the other acts tell it.
pub(super) async fn imported(app: &TestApp, n: usize, name: &str, wanted: Wanted) -> Result<(), DomainError> {
    let key = old_key(n);
    let expires = match wanted.expiry.parse::<i64>() {
        Ok(days) => app.clock.now().plus_ms((days - 1) * DAY_MS).iso_date(),
        Err(_) => String::new(),
    };
    let file = format!(
        "digest,name,environment,owner,scopes,expires,ip_allow,rotation_days\n{},{name},live,team:tests,{},{expires},{},{}\n",
        sha256(&key),
        wanted.scopes.join(" "),
        wanted.ip_allow,
        wanted.rotation_days,
    );
    let summary = import(app, &file).await?;
    let from = serde_json::json!({ "key": key, "clientIp": "10.1.2.3" });
    if summary.is_fine() {
        assert_eq!(app.ask(from).await["code"], "VALID", "{name}");
        return Ok(());
    }
    assert_eq!(
        app.ask(from).await["code"],
        "NOT_FOUND",
        "{name}: nothing is half done"
    );
    let told = summary.mistakes.into_iter().map(|mistake| {
        let field = match mistake.column.as_str() {
            "expires" => "expiry",
            column => column,
        };
        FieldError::new(field, &mistake.code, mistake.message)
    });
    Err(DomainError::Invalid(told.collect()))
}

pub(super) fn is_told<T>(act: &str, done: Result<T, DomainError>, (field, code, says): (&str, &str, &str)) {
    let Err(DomainError::Invalid(errors)) = done else {
        panic!("{act}: {code} was not refused");
    };
    let [error] = &errors[..] else {
        panic!("{act}: {errors:?}");
    };
    assert_eq!(
        (error.field.as_str(), error.code.as_str()),
        (field, code),
        "{act}"
    );
    assert!(error.message.contains(says), "{act}: {}", error.message);
}

on_both_databases! {
    async fn a_name_is_edited_only_of_a_key_that_keeps_the_policy(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Old worker", &["images:read"]).await;
        save(&app, &[("addresses_required", "1")], "").await.unwrap();
        let typed = KeyEdit { name: "Worker", purpose: "", rotation_days: "", access: None };
        let refused = edit::save(&app.ctx, &app.operator(), &key.id, &typed).await;
        is_told("edit", refused, ("ip_allow", "policy_addresses_required", "Give at least one"));
    }

    async fn an_overlap_is_as_long_as_the_policy_lets_it(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        save(&app, &[("max_overlap_hours", "24")], "").await.unwrap();
        is_told("rotate", rotated(&app, &key, "3d").await, ("overlap", "policy_overlap", "24 hours at most"));
        let first_use = Overlap::parse("1h", "", true).unwrap();
        rotation::start(&app.ctx, &app.operator(), &key.id, first_use, None).await.unwrap();
        app.clock.advance_ms(DAY_MS - 1);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let longer = Overlap::parse("24h", "", false).unwrap();
        let extended = rotation::extend(&app.ctx, &app.operator(), &key.id, longer).await;
        is_told("extend", extended, ("overlap", "too_long", "24 hours, says the policy, at most"));
        app.clock.advance_ms(1);
        assert_eq!(app.verify(&key.secret).await, "EXPIRED", "a first use that does not come is not waited for any longer");
        save(&app, &[("max_overlap_hours", "0")], "").await.unwrap();
        is_told("rotate", rotated(&app, &key, "1h").await, ("overlap", "policy_overlap", "Choose none"));
        assert!(rotated(&app, &key, "now").await.is_ok());
    }

    async fn who_creates_keys_is_policy(backend: Backend) {
        let app = TestApp::on(backend).await;
        let mut grace = app.join("grace@acme.example", Role::Developer).await;
        let mut auditor = app.join("alan@acme.example", Role::Auditor).await;
        let wants = async |browser: &mut crate::kit::Browser, environment: &str, name: &str| {
            let mark = crate::keys::nonce(browser, "/settings/api-keys/new").await;
            let form = [("nonce", mark.as_str()), ("project", app.project.as_str()), ("environment", environment),
                ("name", name), ("scopes", "images:read"), ("expiry", "90")];
            browser.post("/settings/api-keys/new", &form).await.status
        };
        assert_eq!(wants(&mut grace.browser, "live", "One").await, 403);
        assert_eq!(wants(&mut grace.browser, "test", "One").await, 200);
        save(&app, &[("creators", "developers")], "").await.unwrap();
        assert_eq!(wants(&mut grace.browser, "live", "Two").await, 200);
        save(&app, &[], "").await.unwrap();
        save_for(&app, keywright::model::key::Environment::Test, &[("creators", "admins"), ("rotation_days", "180")], "").await.unwrap();
        let page = grace.browser.get("/settings/api-keys/new").await;
        assert_eq!(page.status, 403, "nothing is left that she may create");
        assert_eq!(auditor.browser.get("/settings/api-keys/new").await.status, 403, "no policy lets an auditor");
    }

    async fn a_later_end_is_a_wider_door(backend: Backend) {
        let app = TestApp::on(backend).await;
        let grace = app.join("grace@acme.example", Role::Developer).await;
        let key = app.try_issue("Hers", "live", &["images:read"], "30").await.unwrap();
        app.give_key(key.id.as_str(), &grace.account).await;
        let actor = app.signed_in(&grace.browser).await.unwrap().actor;
        let ends = async |actor, expiry: &str| {
            let access = AccessEdit { scopes: vec!["images:read"], expiry, ..AccessEdit::default() };
            let typed = KeyEdit { name: "Hers", purpose: "", rotation_days: "", access: Some(access) };
            edit::save(&app.ctx, actor, &key.id, &typed).await
        };
        for expiry in ["31", "none"] {
            assert!(matches!(ends(&actor, expiry).await, Err(DomainError::Denied(_))), "{expiry}");
        }
        assert!(ends(&actor, "keep").await.is_ok());
        assert!(ends(&actor, "7").await.is_ok(), "an earlier one is theirs");
        app.clock.advance_ms(7 * DAY_MS - 1);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        app.clock.advance_ms(1);
        assert_eq!(app.verify(&key.secret).await, "EXPIRED");
        assert!(ends(&app.operator(), "30").await.is_ok());
        assert_eq!(app.verify(&key.secret).await, "VALID", "an owner gives it more time");
    }

    async fn an_earlier_end_takes_a_running_rotation_along(backend: Backend) {
        let app = TestApp::on(backend).await;
        let key = app.issue("Nightly export", &["images:read"]).await;
        rotated(&app, &key, "7d").await.unwrap();
        edited(&app, &key, "Nightly export", Wanted { expiry: "1", ..PLAIN }).await.unwrap();
        app.clock.advance_ms(DAY_MS - HOUR_MS);
        assert_eq!(app.verify(&key.secret).await, "VALID");
        let end = app.db.number("SELECT overlap_until_ms FROM api_keys").await;
        assert_eq!(end, app.clock.now().plus_ms(HOUR_MS).ms());
        assert_eq!(app.db.number("SELECT expires_at_ms FROM key_secrets WHERE slot = 'previous'").await, end);
    }
}
