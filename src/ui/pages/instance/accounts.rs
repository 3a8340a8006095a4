//! Installation › Accounts: everybody who may sign in, and the last resort for those who cannot.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::account::{AccountList, AccountSummary, PersonPage};
use crate::model::error::AppError;
use crate::model::time::Timestamp;
use crate::rpc::instance::{get_account, list_accounts};
use crate::ui::components::{Column, Loaded, PageHead, ask, flash, loaded, moment, never, table};
use crate::ui::form::use_form_state;
use crate::ui::pages::members::acts::{Act, PASSWORD_LINK, RESET_FACTORS, SIGN_OUT, UNLOCK, act_form};

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Last sign-in"),
    Column::Text("Since"),
    Column::Text("State"),
];

#[component]
pub fn AccountListPage() -> impl IntoView {
    let all = ask(|| (), |()| list_accounts());
    loaded(all, |all| draw_list(&all))
}

fn address(account: &AccountSummary) -> String {
    format!("/instance/accounts/{}", account.id)
}

fn draw_list(all: &AccountList) -> AnyView {
    let rows = all
        .accounts
        .iter()
        .map(|account| row(account, all.now))
        .collect_view();
    let lede = "Everybody who may sign in, of whichever organisation.";
    view! {
        <PageHead title="Accounts" root="Installation" lede=lede.into_any()/>
        {table("Accounts", COLUMNS, rows)}
    }
    .into_any()
}

fn row(account: &AccountSummary, now: Timestamp) -> AnyView {
    let admin = account
        .is_instance_admin
        .then(|| view! { " "<span class="tag">"instance administrator"</span> });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address(account)>{account.name.clone()}</a>{admin}
                <small>{account.email.clone()}</small>
            </th>
            <td data-label="Last sign-in">{account.last_sign_in_at.map_or_else(never, |at| moment(at, now))}</td>
            <td data-label="Since">{moment(account.created_at, now)}</td>
            <td data-label="State">{state(account)}</td>
        </tr>
    }
    .into_any()
}

fn state(account: &AccountSummary) -> AnyView {
    match account.locked {
        true => view! { <span class="badge danger">"Locked"</span> }.into_any(),
        false => view! { <span class="badge ok">"Open"</span> }.into_any(),
    }
}

/// The account that the address names.
fn account_of_address() -> Loaded<PersonPage> {
    let id = || {
        use_params_map()
            .read_untracked()
            .get("id")
            .and_then(|id| id.parse().ok())
    };
    ask(id, async |id| match id {
        Some(id) => get_account(id).await,
        None => Err(AppError::not_found()),
    })
}

#[component]
pub fn AccountDetailPage() -> impl IntoView {
    view! {
        {flash()}
        {loaded(account_of_address(), |page| draw(&page))}
    }
}

fn draw(page: &PersonPage) -> AnyView {
    let account = &page.account;
    let here = address(account);
    let crumbs = vec![("Accounts".to_owned(), "/instance/accounts".to_owned())];
    let memberships = page
        .memberships
        .iter()
        .map(|m| format!("{} ({})", m.org_name, m.role.label().to_lowercase()))
        .collect::<Vec<_>>()
        .join(", ");
    let memberships = if memberships.is_empty() {
        "None".to_owned()
    } else {
        memberships
    };
    let unlock = account
        .locked
        .then(|| view! { <a class="button" href=format!("{here}/unlock")>"Unlock…"</a> });
    let reset = page
        .has_factor
        .then(|| view! { <a class="button" href=format!("{here}/reset-factors")>"Reset two-factor…"</a> });
    view! {
        <PageHead title=account.name.clone() root="Installation" crumbs=crumbs beside=state(account) lede=account.email.clone().into_any()/>
        <section class="section">
            <dl class="facts">
                <div><dt>"Organisations"</dt><dd>{memberships}</dd></div>
                <div><dt>"Two-factor"</dt><dd>{if page.has_factor { "On" } else { "Off" }}</dd></div>
                <div><dt>"Last sign-in"</dt><dd>{account.last_sign_in_at.map_or_else(never, |at| moment(at, page.now))}</dd></div>
                <div><dt>"Account"</dt><dd><code class="mono">{account.id.to_string()}</code></dd></div>
            </dl>
            <div class="button-row">
                {unlock}
                <a class="button" href=format!("{here}/password-link")>"New password link…"</a>
                {reset}
                <a class="button" href=format!("{here}/sign-out")>"Sign out everywhere…"</a>
            </div>
        </section>
    }
    .into_any()
}

fn act_page(act: &'static Act) -> impl IntoView {
    let state = use_form_state();
    loaded(account_of_address(), move |page| {
        act_form(&address(&page.account), &page.account.name, act, &state)
    })
}

#[component]
pub fn UnlockAccountPage() -> impl IntoView {
    act_page(&UNLOCK)
}

#[component]
pub fn ResetAccountFactorsPage() -> impl IntoView {
    act_page(&RESET_FACTORS)
}

#[component]
pub fn AccountPasswordLinkPage() -> impl IntoView {
    act_page(&PASSWORD_LINK)
}

#[component]
pub fn SignAccountOutPage() -> impl IntoView {
    act_page(&SIGN_OUT)
}
