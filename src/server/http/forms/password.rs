//! A new password: changed by its owner, asked for at the door, set by a link.

use axum::extract::State;
use axum::response::Response;

use super::account::signed_in_at;
use super::factors::whole;
use super::{Submitted, see_other};
use crate::server::domain::accounts::password::{self, NewPassword};
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::Secret;

/// `POST /account/password`
pub async fn change(State(state): State<AppState>, mut form: Submitted) -> Response {
    let current = Secret::new(form.values.take("password"));
    let code = Secret::new(form.values.take("code"));
    let new = Secret::new(form.values.take("new_password"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let wanted = NewPassword {
        current: &current,
        code: &code,
        new,
        end_others: form.values.has("end_others"),
    };
    match password::change(&state.ctx, &signed_in, id.expose(), wanted, &form.caller()).await {
        Ok(session_id) => signed_in_at(&state, "/account?done=password", &session_id),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.password", error)
                .await
        }
    }
}

/// `POST /forgot-password`: one answer, whoever exists.
pub async fn forgot(State(state): State<AppState>, form: Submitted) -> Response {
    match password::ask(&state.ctx, form.values.first("email"), &form.caller()).await {
        Ok(()) => see_other("/forgot-password?done=sent"),
        Err(error) => form.refused(&state, None, "forgot-password", error).await,
    }
}

/// `POST /reset-password`: takes the link and the password. Signs nobody in.
pub async fn reset(State(state): State<AppState>, mut form: Submitted) -> Response {
    let new = Secret::new(form.values.take("new_password"));
    let token = Secret::new(form.values.first("token").to_owned());
    match password::reset(&state.ctx, token.expose(), new, &form.caller()).await {
        Ok(()) => see_other("/sign-in?done=reset"),
        Err(error) => form.refused(&state, None, "reset-password", error).await,
    }
}
