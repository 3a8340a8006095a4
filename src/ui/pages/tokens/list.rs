//! Settings › Service tokens.

use leptos::prelude::*;

use crate::model::time::Timestamp;
use crate::model::token::{TokenList, TokenStatus, TokenSummary};
use crate::rpc::tokens::list_tokens;
use crate::ui::components::{
    Column, Icon, PageHead, ask, expiry, flash, loaded, moment, never, table, token_badge,
};

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Project"),
    Column::Text("May"),
    Column::Text("Last used"),
    Column::Text("Expires"),
    Column::Text("Status"),
    Column::Unseen("Actions"),
];

#[component]
pub fn TokenListPage() -> impl IntoView {
    let tokens = ask(|| (), |()| list_tokens());
    view! {
        {flash()}
        {loaded(tokens, |list| draw(&list))}
    }
}

fn draw(list: &TokenList) -> AnyView {
    let lede = "A service proves itself to Keywright with a token when it asks about a key.".into_any();
    let create = || view! { <a class="button primary" href="/settings/service-tokens/new"><Icon name="plus"/>"Create token"</a> };
    let rows = list
        .tokens
        .iter()
        .map(|token| row(token, list.now))
        .collect_view();
    let body = if list.tokens.is_empty() {
        view! {
            <div class="empty">
                <svg class="icon large" aria-hidden="true"><use href="/icons.svg#i-token"></use></svg>
                <h2>"No service tokens yet"</h2>
                <p>"Create one for each service that verifies keys, so that each can be revoked alone."</p>
                {create()}
            </div>
        }
        .into_any()
    } else {
        view! {
            {table("Service tokens", COLUMNS, rows)}
        }
        .into_any()
    };
    view! {
        <PageHead title="Service tokens" lede=lede actions=create().into_any()/>
        {body}
    }
    .into_any()
}

fn row(token: &TokenSummary, now: Timestamp) -> AnyView {
    let used = match (token.last_used_at, token.last_used_ip.clone()) {
        (Some(at), Some(ip)) => {
            view! { {moment(at, now)}<small class="mono" title=ip.clone()>{ip.clone()}</small> }.into_any()
        }
        (Some(at), None) => moment(at, now),
        (None, _) => never(),
    };
    let may = token
        .permissions
        .iter()
        .map(|permission| permission.label())
        .collect::<Vec<_>>()
        .join(", ");
    let active = token.status == TokenStatus::Active;
    let unconfirmed = (active && token.stored_at.is_none()).then(|| view! { <small>"Not confirmed"</small> });
    let address = format!("/settings/service-tokens/{}", token.id);
    let label = format!("Revoke {}", token.name);
    view! {
        <tr>
            <th scope="row">{token.name.clone()}<small class="mono">{token.id.to_string()}</small></th>
            <td data-label="Project">{token.project_name.clone()}</td>
            <td data-label="May">{may}</td>
            <td data-label="Last used">{used}</td>
            <td data-label="Expires">{expiry(token.expires_at, now)}</td>
            <td data-label="Status">{token_badge(token.status)}{unconfirmed}</td>
            <td class="more">
                {active.then(|| view! { <a class="button small danger" href=format!("{address}/revoke") aria-label=label>"Revoke…"</a> })}
            </td>
        </tr>
    }
    .into_any()
}
