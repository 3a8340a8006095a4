//! The comforts of creating a key: groups of scopes, templates, links, resources, snippets.

mod command_line;
mod link;
mod picker;
mod resources;
mod templates;
mod who;

use crate::kit::{Answer, Browser, TestApp};

const FORM: &str = "/settings/api-keys/new";

/// The form as it stands, with its mark.
async fn nonce(browser: &mut Browser) -> String {
    let page = browser.get(FORM).await;
    page.between("name=\"nonce\" value=\"", "\"").to_owned()
}

/// Sends the create form with these fields beside those that every key needs.
async fn send(app: &TestApp, browser: &mut Browser, name: &str, more: &[(&str, &str)]) -> Answer {
    let mark = nonce(browser).await;
    let mut fields = vec![
        ("nonce", mark.as_str()),
        ("project", app.project.as_str()),
        ("environment", "live"),
        ("name", name),
        ("owner", ""),
        ("expiry", "90"),
    ];
    fields.retain(|(name, _)| !more.iter().any(|(own, _)| own == name));
    fields.extend(more);
    browser.post(FORM, &fields).await
}

/// What is stored of a key of this name.
async fn stored(app: &TestApp, column: &str, name: &str) -> String {
    let sql = format!("SELECT COALESCE(CAST({column} AS TEXT), '') FROM api_keys WHERE name = '{name}'");
    app.db.texts(&sql).await.pop().unwrap()
}

/// Whether the page has this control, checked or chosen.
fn is_checked(page: &Answer, name: &str, value: &str) -> bool {
    let tags = page.body.split('<').filter(|tag| tag.starts_with("input"));
    let has = |tag: &&str, attribute: &str, value: &str| tag.contains(&format!("{attribute}=\"{value}\""));
    tags.into_iter()
        .find(|tag| has(tag, "name", name) && has(tag, "value", value))
        .unwrap_or_else(|| panic!("no {name}={value} in {}", page.body))
        .contains("checked")
}
