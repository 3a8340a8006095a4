//! Ending a service token.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::error::AppError;
use crate::model::token::{TokenStatus, TokenSummary};
use crate::rpc::tokens::list_tokens;
use crate::ui::components::{PageTitle, ask, loaded};
use crate::ui::pages::problem::problem_section;

#[component]
pub fn RevokeTokenPage() -> impl IntoView {
    let params = use_params_map();
    let tokens = ask(|| (), |()| list_tokens());
    loaded(tokens, move |list| {
        let id = params.read_untracked().get("id").unwrap_or_default();
        match list.tokens.into_iter().find(|token| token.id.as_str() == id) {
            Some(token) => draw(&token, list.now),
            None => problem_section(AppError::not_found()),
        }
    })
}

fn draw(token: &TokenSummary, now: crate::model::time::Timestamp) -> AnyView {
    let revoked = token.status == TokenStatus::Revoked;
    let used = match token.last_used_at {
        Some(at) => format!("It was used {}.", at.ago(now)),
        None => "It was never used.".to_owned(),
    };
    let title = if revoked {
        format!("{} is revoked already", token.name)
    } else {
        format!("Revoke {}?", token.name)
    };
    let body = (!revoked).then(|| {
        view! {
            <p>{used}" The service that holds it can ask about no key from the next request on. This cannot be undone."</p>
            <form class="form" method="post" action=format!("/settings/service-tokens/{}/revoke", token.id)>
                <div class="form-actions"><button class="button primary danger">"Revoke token"</button></div>
            </form>
        }
    });
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title.clone()}</h1>
            {body}
            <a class="button quiet" href="/settings/service-tokens">"Back to service tokens"</a>
        </section>
    }
    .into_any()
}
