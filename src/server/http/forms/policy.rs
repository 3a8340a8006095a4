//! Policy: first what it would break, then saved.

use axum::extract::State;
use axum::response::Response;

use super::{Submitted, see_other};
use crate::model::form::FormState;
use crate::model::key::Environment;
use crate::model::policy::PolicyDraft;
use crate::server::domain::policy::change;
use crate::server::domain::policy::preview::seen;
use crate::server::http::leptos::form_again;
use crate::server::http::state::AppState;

const PAGE: &str = "/settings/policy";

/// `POST /settings/policy/live`
pub async fn save_live(State(state): State<AppState>, form: Submitted) -> Response {
    save(state, Environment::Live, form).await
}

/// `POST /settings/policy/test`
pub async fn save_test(State(state): State<AppState>, form: Submitted) -> Response {
    save(state, Environment::Test, form).await
}

/// `POST /settings/policy/live/cancel`
pub async fn cancel_live(State(state): State<AppState>, form: Submitted) -> Response {
    cancel(state, Environment::Live, form).await
}

/// `POST /settings/policy/test/cancel`
pub async fn cancel_test(State(state): State<AppState>, form: Submitted) -> Response {
    cancel(state, Environment::Test, form).await
}

/// The page again with what the rules would break, until exactly these were looked at.
async fn save(state: AppState, environment: Environment, form: Submitted) -> Response {
    let parts = form.parts.clone();
    let again = state.clone();
    form.act(&state, "policy.change", async move |signed_in, values| {
        let (ctx, actor) = (&again.ctx, &signed_in.actor);
        let draft = PolicyDraft::from_values(values);
        let from = values.first("from");
        let (policy, _) = change::check(ctx, actor, &draft, from).await?;
        if values.first("step") != "save" || values.first("seen") != seen(&policy)? {
            let looked_at = FormState {
                values: values.clone(),
                ..FormState::default()
            };
            return Ok(form_again(&again, &parts, looked_at, 200).await);
        }
        let version = values.first("version").parse().unwrap_or(-1);
        change::save(ctx, actor, environment, (&draft, from), version).await?;
        Ok(see_other(&format!("{PAGE}?done=policy-saved")))
    })
    .await
}

async fn cancel(state: AppState, environment: Environment, form: Submitted) -> Response {
    form.act(&state, "policy.change", async |signed_in, _| {
        change::cancel_plan(&state.ctx, &signed_in.actor, environment).await?;
        Ok(see_other(&format!("{PAGE}?done=plan-cancelled")))
    })
    .await
}
