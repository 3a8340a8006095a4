//! Approvals: what a second person decides, who that may be, and what comes of it.

mod asking;
mod deciding;
mod waiting;

use keywright::model::id::ApprovalId;
use keywright::model::org::Role;

use crate::keys::nonce;
use crate::kit::people::Member;
use crate::kit::{Answer, Browser, TestApp};

/// The rule that every new live key is approved.
pub const NEW: &[(&str, &str)] = &[("approve_new", "1")];
/// The rule that a change that widens a key is approved.
pub const WIDER: &[(&str, &str)] = &[("approve_wider", "1")];

/// An installation where somebody else may approve, under rules for live keys.
pub async fn under(app: &TestApp, rules: &[(&str, &str)]) -> Member {
    let grace = app.join("grace@acme.example", Role::Admin).await;
    crate::policy::save(app, rules, "").await.unwrap();
    grace
}

/// Sends the create form for a live key, filled in plainly and with `more`.
pub async fn fills_in(app: &TestApp, browser: &mut Browser, name: &str, more: &[(&str, &str)]) -> Answer {
    let mark = nonce(browser, "/settings/api-keys/new").await;
    let mut form = vec![
        ("nonce", mark.as_str()),
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("scopes", "images:read"),
        ("expiry", "90"),
    ];
    form.retain(|(field, _)| !more.iter().any(|(said, _)| said == field));
    form.extend(more);
    browser.post("/settings/api-keys/new", &form).await
}

pub const ASK: &[(&str, &str)] = &[("step", "ask"), ("justification", "The new shop needs it")];

/// Asks for a live key; gives the request.
pub async fn asks(app: &TestApp, browser: &mut Browser, name: &str) -> ApprovalId {
    asked(&fills_in(app, browser, name, ASK).await)
}

/// The request that a form made.
pub fn asked(answer: &Answer) -> ApprovalId {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let at = answer.header("location").to_owned();
    let id = at.strip_prefix("/settings/approvals/").unwrap();
    id.strip_suffix("?done=asked").unwrap().parse().unwrap()
}

/// Decides what the page shows at this moment.
pub async fn decides(browser: &mut Browser, id: &ApprovalId, step: &str, comment: &str) -> Answer {
    let page = page_of(browser, id).await;
    let seen = match page.body.contains("name=\"seen\"") {
        true => page.between("name=\"seen\" value=\"", "\"").to_owned(),
        false => String::new(),
    };
    let fields = [("step", step), ("comment", comment), ("seen", &seen)];
    browser.post(&format!("/settings/approvals/{id}"), &fields).await
}

pub async fn collects(browser: &mut Browser, id: &ApprovalId) -> Answer {
    browser
        .post(&format!("/settings/approvals/{id}/collect"), &[])
        .await
}

pub async fn page_of(browser: &mut Browser, id: &ApprovalId) -> Answer {
    browser.get(&format!("/settings/approvals/{id}")).await
}

pub async fn state_of(app: &TestApp, id: &ApprovalId) -> String {
    let sql = format!("SELECT state FROM approvals WHERE id = '{id}'");
    app.db.texts(&sql).await.remove(0)
}
