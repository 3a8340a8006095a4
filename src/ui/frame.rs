//! The frame of every settings page: organisation, navigation, account.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::components::{Icon, loaded};
use crate::model::org::{Membership, Role};
use crate::model::permission::Permission;
use crate::rpc::session::{Session, current_session};

/// Label, address, picture, and who sees it. Only what works is listed.
const SETTINGS: [(&str, &str, &str, Permission); 4] = [
    ("API keys", "/settings/api-keys", "key", Permission::KeysRead),
    (
        "Projects",
        "/settings/projects",
        "folder",
        Permission::ProjectsRead,
    ),
    (
        "Service tokens",
        "/settings/service-tokens",
        "token",
        Permission::TokensRead,
    ),
    ("Audit log", "/settings/audit-log", "log", Permission::AuditRead),
];

/// The session, for pages that hide by it.
#[derive(Clone, Copy)]
pub struct CurrentSession(pub Resource<Result<Session, crate::model::error::AppError>>);

#[component]
pub fn Frame() -> impl IntoView {
    let session = Resource::new_blocking(|| (), |()| current_session());
    provide_context(CurrentSession(session));
    let location = use_location();
    let here = move || {
        let path = location.pathname.read();
        SETTINGS
            .iter()
            .find(|(_, href, ..)| path.starts_with(href))
            .map_or(
                if path.starts_with("/account") {
                    "Account"
                } else {
                    "Settings"
                },
                |(label, ..)| label,
            )
    };
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="frame">
            <aside class="sidebar" aria-label="Sidebar">
                <details class="drawer">
                    <summary>
                        <svg class="icon large" aria-hidden="true"><use href="/icons.svg#i-menu"></use></svg>
                        <span>"Menu"</span>
                        <span class="here">{here}</span>
                    </summary>
                    <div class="drawer-body">{loaded(session, sidebar)}</div>
                </details>
            </aside>
            <main class="page" id="main" tabindex="-1"><Outlet/></main>
        </div>
    }
}

fn sidebar(session: Session) -> AnyView {
    let location = use_location();
    let items = SETTINGS
        .into_iter()
        .filter(|(.., permission)| session.may(*permission))
        .map(|(label, href, icon, _)| {
            let current = move || location.pathname.read().starts_with(href).then_some("page");
            view! { <li><a href=href aria-current=current><Icon name=icon/>{label}</a></li> }
        })
        .collect_view();
    view! {
        {switcher(&session)}
        <nav class="nav" aria-label="Main">
            <h2>"Settings"</h2>
            <ul>{items}</ul>
        </nav>
        {account_menu(&session)}
    }
    .into_any()
}

fn initials(name: &str, count: usize) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(count)
        .collect::<String>()
        .to_uppercase()
}

const fn role_label(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Owner) => "Owner",
        Some(Role::Admin) => "Admin",
        Some(Role::Developer) => "Developer",
        Some(Role::Auditor) => "Auditor",
        None => "No organisation",
    }
}

fn switcher(session: &Session) -> AnyView {
    let choices = session
        .memberships
        .iter()
        .map(|membership| organisation(membership, session))
        .collect_view();
    view! {
        <details class="switcher menu" name="menu">
            <summary>
                <span class="avatar square" aria-hidden="true">{initials(&session.org_name, 1)}</span>
                <span class="grow"><b>{session.org_name.clone()}</b><small>{role_label(session.role)}</small></span>
                <Icon name="updown"/>
            </summary>
            <div class="menu-list">
                <form method="post" action="/session/organisation">{choices}</form>
            </div>
        </details>
    }
    .into_any()
}

fn organisation(membership: &Membership, session: &Session) -> AnyView {
    let current = session.org_id.as_ref() == Some(&membership.org_id);
    view! {
        <button name="organisation" value=membership.org_id.to_string() aria-current=current.then_some("true")>
            {membership.org_name.clone()}
        </button>
    }
    .into_any()
}

fn account_menu(session: &Session) -> AnyView {
    view! {
        <details class="menu account up" name="menu">
            <summary>
                <span class="avatar" aria-hidden="true">{initials(&session.account_name, 2)}</span>
                <span class="grow"><b>{session.account_name.clone()}</b><small>{session.account_email.clone()}</small></span>
                <Icon name="updown"/>
            </summary>
            <div class="menu-list">
                <form method="post" action="/theme">
                    <div class="segments small" role="group" aria-label="Theme">
                        <button name="theme" value="auto">"Auto"</button>
                        <button name="theme" value="light">"Light"</button>
                        <button name="theme" value="dark">"Dark"</button>
                    </div>
                </form>
                <hr/>
                <a href="/account">"Account"</a>
                <a href="/account/two-factor">"Two-factor"</a>
                <a href="/account/sessions">"Sessions"</a>
                <hr/>
                <form method="post" action="/sign-out"><button>"Sign out"</button></form>
            </div>
        </details>
    }
    .into_any()
}
