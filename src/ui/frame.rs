//! The frame of every settings page: organisation, navigation, account.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::components::{Icon, moment};
use crate::model::error::AppError;
use crate::model::notice::Notice;
use crate::model::org::{Membership, Role};
use crate::model::permission::Permission;
use crate::model::session::Session;
use crate::model::time::{DAY_MS, Timestamp};
use crate::model::waiting::{Waiting, shown};
use crate::ui::pages::problem::problem_section;

/// For whoever may create or ask for a key, which is a matter of policy, too.
const TEMPLATES: &str = "/settings/templates";

/// Label, address, picture, and who sees it. Only what works is listed.
const SETTINGS: &[(&str, &str, &str, Permission)] = &[
    ("API keys", "/settings/api-keys", "key", Permission::KeysRead),
    ("Rotation", "/settings/rotation", "rotate", Permission::KeysRead),
    (
        "Approvals",
        "/settings/approvals",
        "approve",
        Permission::KeysRead,
    ),
    ("Reviews", "/settings/reviews", "review", Permission::KeysRead),
    (
        "Incidents",
        "/settings/incidents",
        "incident",
        Permission::KeysRead,
    ),
    (
        "Projects",
        "/settings/projects",
        "folder",
        Permission::ProjectsRead,
    ),
    ("Templates", TEMPLATES, "copy", Permission::KeysRead),
    (
        "Service tokens",
        "/settings/service-tokens",
        "token",
        Permission::TokensRead,
    ),
    ("Members", "/settings/members", "users", Permission::MembersRead),
    ("Policy", "/settings/policy", "policy", Permission::KeysRead),
    ("Security", "/settings/security", "shield", Permission::KeysRead),
    (
        "Organisation",
        "/settings/organisation",
        "home",
        Permission::OrganisationManage,
    ),
    ("Audit log", "/settings/audit-log", "log", Permission::AuditRead),
];

/// The same of the installation as a whole; for those who administer it.
const INSTALLATION: [(&str, &str, &str); 3] = [
    ("Organisations", "/instance/organisations", "home"),
    ("Accounts", "/instance/accounts", "user"),
    ("Mail", "/instance/mail", "mail"),
];

/// The session, which the server gives to every page before it is drawn; none for whoever is not signed in.
#[must_use]
pub fn use_session() -> Option<Session> {
    use_context::<Session>()
}

/// Whether whoever looks has the permission.
#[must_use]
pub fn may(permission: Permission) -> bool {
    use_session().is_some_and(|session| session.may(permission))
}

/// Draws a page for whoever has the permission, and says so to everybody else.
pub fn for_whoever_may(permission: Permission, draw: impl FnOnce(&Session) -> AnyView) -> AnyView {
    match use_session().filter(|session| session.may(permission)) {
        Some(session) => draw(&session),
        None => problem_section(AppError::forbidden()),
    }
}

#[component]
pub fn Frame() -> impl IntoView {
    let session = use_session();
    let location = use_location();
    let here = move || {
        let path = location.pathname.read();
        let settings = SETTINGS.iter().map(|(label, href, ..)| (label, href));
        let installation = INSTALLATION.iter().map(|(label, href, _)| (label, href));
        settings
            .chain(installation)
            .find(|(_, href)| path.starts_with(**href))
            .map_or(
                if path.starts_with("/account") {
                    "Account"
                } else {
                    "Settings"
                },
                |(label, _)| label,
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
                    <div class="drawer-body">{session.as_ref().map(sidebar)}</div>
                </details>
            </aside>
            <main class="page" id="main" tabindex="-1">{session.as_ref().map(banners)}<Outlet/></main>
        </div>
    }
}

/// What somebody must know whatever page they are on.
fn banners(session: &Session) -> AnyView {
    view! { {enrolment_banner(session)}{notices(session)} }.into_any()
}

/// How long somebody still has to set up the second factor that the organisation asks for.
fn enrolment_banner(session: &Session) -> Option<AnyView> {
    let due = session.enrolment_due_at()?;
    let organisation = session.org_name.clone();
    let left_ms = due.since_ms(session.now);
    let text = if left_ms <= 0 {
        format!("{organisation} asks everybody for a second factor. Set yours up to go on working here.")
    } else {
        let when = match (left_ms + DAY_MS - 1) / DAY_MS {
            1 => "within a day".to_owned(),
            days => format!("within {days} days"),
        };
        format!(
            "{organisation} asks everybody for a second factor. Set yours up {when}; from then on nothing else opens."
        )
    };
    let class = if left_ms <= DAY_MS {
        "notice danger"
    } else {
        "notice warn"
    };
    let banner = view! {
        <div class=class role="status">
            <Icon name="shield"/>
            <div><p>{text}</p></div>
            <div class="actions"><a class="button small" href="/account/two-factor">"Set up two-factor"</a></div>
        </div>
    };
    Some(banner.into_any())
}

/// What happened to the account that its owner has not seen yet.
fn notices(session: &Session) -> Option<AnyView> {
    if session.notices.is_empty() {
        return None;
    }
    let now = session.now;
    let lines = session.notices.iter().map(|notice| line(notice, now));
    let shown = session
        .notices
        .iter()
        .map(|notice| view! { <input type="hidden" name="notice" value=notice.id.to_string()/> });
    let banner = view! {
        <section class="notice warn" aria-label="About your account">
            <Icon name="shield"/>
            <div>
                <ul>{lines.collect_view()}</ul>
                <p><a href="/account/sessions">"See where you are signed in"</a></p>
            </div>
            <form class="actions" method="post" action="/account/notices/seen">
                {shown.collect_view()}
                <button class="button small">"Got it"</button>
            </form>
        </section>
    };
    Some(banner.into_any())
}

fn line(notice: &Notice, now: Timestamp) -> AnyView {
    let happening = &notice.happening;
    let from = match (happening.device.as_str(), happening.ip.as_deref()) {
        ("", None) => String::new(),
        ("", Some(ip)) => format!(", from {ip}"),
        (device, None) => format!(", {device}"),
        (device, Some(ip)) => format!(", {device} at {ip}"),
    };
    view! { <li>{happening.event.sentence()}" "<span class="muted">{moment(happening.at, now)}{from}</span></li> }
        .into_any()
}

fn sidebar(session: &Session) -> AnyView {
    let location = use_location();
    let waiting = use_context::<Waiting>().unwrap_or_default();
    let item = move |(label, href, icon): (&'static str, &'static str, &'static str)| {
        let pathname = location.pathname;
        let current = move || pathname.read().starts_with(href).then_some("page");
        let count = waiting.beside(href).map(shown).map(|number| {
            let told = format!(" ({number} waiting)");
            view! { <span class="count" aria-hidden="true">{number}</span><span class="vh">{told}</span> }
        });
        view! { <li><a href=href aria-current=current><Icon name=icon/>{label}{count}</a></li> }
    };
    let items = SETTINGS
        .iter()
        .filter(|(.., permission)| session.may(*permission))
        .filter(|(_, href, ..)| *href != TEMPLATES || session.comes_to_keys)
        .map(|(label, href, icon, _)| item((label, href, icon)))
        .collect_view();
    let installation = session.is_instance_admin.then(|| {
        let items = INSTALLATION.into_iter().map(&item).collect_view();
        view! {
            <h2>"Installation"</h2>
            <ul>{items}</ul>
        }
    });
    view! {
        {switcher(session)}
        <nav class="nav" aria-label="Main">
            <h2>"Settings"</h2>
            <ul>{items}</ul>
            {installation}
        </nav>
        {account_menu(session)}
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
        Some(role) => role.label(),
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
