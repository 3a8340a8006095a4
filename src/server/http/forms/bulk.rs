//! Stopping several keys at once: first what it would do, then done to what was looked at.

use axum::extract::State;
use axum::response::Response;

use super::{Submitted, see_other};
use crate::model::bulk::{BulkAct, Chosen};
use crate::model::error::FieldError;
use crate::model::form::FormState;
use crate::server::domain::keys::bulk::{self, Why};
use crate::server::http::leptos::form_again;
use crate::server::http::state::AppState;

/// `POST /settings/api-keys/bulk`
pub async fn stop(State(state): State<AppState>, form: Submitted) -> Response {
    let parts = form.parts.clone();
    let again = state.clone();
    form.act(&state, "keys.bulk", async move |signed_in, values| {
        let (ctx, actor) = (&again.ctx, &signed_in.actor);
        let choice = || FieldError::new("key", "choice", "Choose what is to happen: disable, or revoke.");
        let chosen = Chosen::from_values(values);
        let act = BulkAct::parse(values.first("act"));
        if values.first("step") != "apply" {
            // Refused here, where the answer can say so; the page asks for itself.
            bulk::preview(ctx, actor, act.unwrap_or(BulkAct::Disable), &chosen).await?;
            act.ok_or_else(choice)?;
            let looked_at = FormState {
                values: values.clone(),
                ..FormState::default()
            };
            return Ok(form_again(&again, &parts, looked_at, 200).await);
        }
        let act = act.ok_or_else(choice)?;
        let why = Why {
            reason: values.first("reason"),
            note: values.first("note"),
        };
        let done = bulk::apply(ctx, actor, act, &chosen, why).await?;
        Ok(see_other(&format!(
            "/settings/api-keys/bulk?done={}&n={}&already={}&changed={}&left={}",
            act.as_str(),
            done.stopped,
            done.already,
            done.changed,
            done.left_out
        )))
    })
    .await
}
