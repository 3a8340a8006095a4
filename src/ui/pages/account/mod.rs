//! What a person manages of themselves.

pub mod delete;
pub mod email;
pub mod export;
pub mod password;
pub mod profile;
pub mod sessions;
pub mod two_factor;

use leptos::prelude::*;

use crate::ui::components::Crumb;

/// The account's pages, by address and label.
const TABS: [(&str, &str); 4] = [
    ("/account", "Profile"),
    ("/account/password", "Password"),
    ("/account/two-factor", "Two-factor"),
    ("/account/sessions", "Sessions"),
];

/// Links between the account's pages, for the head of each; `here` is the address of the one that is open.
pub(in crate::ui::pages) fn tabs(here: &'static str) -> AnyView {
    let links = TABS
        .into_iter()
        .map(|(href, label)| view! { <a href=href aria-current=(href == here).then_some("page")>{label}</a> })
        .collect_view();
    view! { <nav class="tabs" aria-label="Account">{links}</nav> }.into_any()
}

/// The way back from a page that is none of the tabs.
fn account_crumb() -> Vec<Crumb> {
    vec![("Profile".to_owned(), "/account".to_owned())]
}
