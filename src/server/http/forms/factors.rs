//! The second factor: at sign-in, and on the account's own pages. Secrets and codes are shown in the answer to the POST
//! that made them and nowhere else.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::account::{HOME, signed_in_at};
use super::{Submitted, see_other};
use crate::model::account::{Ended, SessionStage};
use crate::model::actor::Denied;
use crate::model::error::{AppError, Code};
use crate::model::factor::{Proof, RECOVERY_CODES, grouped, parse_proof};
use crate::model::form::FormState;
use crate::server::domain::DomainError;
use crate::server::domain::accounts::enrolment::{self, Enrolment};
use crate::server::domain::accounts::factors::{self, NewCodes};
use crate::server::domain::accounts::second_half;
use crate::server::domain::accounts::session::SignedIn;
use crate::server::http::middleware::access::is_own_path;
use crate::server::http::middleware::session::{begin_cookie, end_cookie};
use crate::server::http::reveal;
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::{Secret, SecretText};

pub const PAGE: &str = "/account/two-factor";
pub const AT_SIGN_IN: &str = "/sign-in/second-factor";

/// Where the second half of signing in stands, leading on to `next`.
pub fn second_half_at(next: &str) -> String {
    if is_own_path(next) && next != "/" && next != HOME {
        format!(
            "{AT_SIGN_IN}?next={}",
            utf8_percent_encode(next, NON_ALPHANUMERIC)
        )
    } else {
        AT_SIGN_IN.to_owned()
    }
}

/// The sign-in page, once more: where they wanted to go is kept, and the page says why they are there again.
#[must_use]
pub fn sign_in_again(next: &str, ended: Ended) -> String {
    let next = match is_own_path(next) && next != "/" && next != HOME {
        true => format!("next={}&", utf8_percent_encode(next, NON_ALPHANUMERIC)),
        false => String::new(),
    };
    format!("/sign-in?{next}ended={}", ended.as_str())
}

/// Who is signed in, completely, and the cookie's value.
pub(super) fn whole(form: &Submitted) -> Result<(SignedIn, SecretText), AppError> {
    let session = form.session();
    match (session.signed_in, session.id) {
        (Some(signed_in), Some(id)) if signed_in.actor.stage() == SessionStage::Complete => {
            Ok((signed_in, id))
        }
        _ => Err(AppError::unauthenticated()),
    }
}

/// `POST /sign-in/second-factor`
pub async fn second_factor(State(state): State<AppState>, mut form: Submitted) -> Response {
    let proof = Secret::new(form.values.take("code"));
    let session = form.session();
    let next = form.values.first("next").to_owned();
    let next = if is_own_path(&next) { next.as_str() } else { HOME };
    let (Some(pending), Some(id)) = (session.signed_in, session.id) else {
        return see_other(&sign_in_again(next, Ended::Time));
    };
    if pending.actor.stage() == SessionStage::Complete {
        return see_other(next);
    }
    let caller = form.caller();
    match second_half::finish_sign_in(&state.ctx, &pending, id.expose(), proof.expose(), &caller).await {
        Ok(session_id) => signed_in_at(&state, next, &session_id),
        Err(DomainError::Refused(Code::Unauthenticated, _)) => {
            let mut response = see_other(&sign_in_again(next, Ended::Codes));
            response
                .headers_mut()
                .append(header::SET_COOKIE, end_cookie(&state));
            response
        }
        // The cookie stays: of a form that was sent twice, the other sending may just have got a whole session.
        Err(DomainError::Denied(Denied::Unauthenticated)) => see_other(&sign_in_again(next, Ended::Time)),
        Err(error) => form.refused(&state, None, "second-factor", error).await,
    }
}

/// `POST /account/two-factor`: begins an enrolment; the answer shows the secret.
pub async fn begin(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let begun = enrolment::begin(&state.ctx, &signed_in, id.expose(), &password, &form.caller()).await;
    enrolment_shown(&state, form, &signed_in, begun).await
}

/// The new secret, or the form again.
async fn enrolment_shown(
    state: &AppState,
    form: Submitted,
    signed_in: &SignedIn,
    begun: Result<Enrolment, DomainError>,
) -> Response {
    match begun {
        Ok(enrolment) => reveal::enrolment(state, &form.parts.headers, &enrolment, FormState::default()),
        Err(error) => {
            form.refused(state, Some(&signed_in.actor), "account.two_factor", error)
                .await
        }
    }
}

/// `POST /account/two-factor/replace`: begins to move to another app; the answer shows the new secret.
pub async fn replace(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let code = Secret::new(form.values.take("code"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let proofs = (&password, code.expose().as_str());
    let begun =
        enrolment::begin_replacement(&state.ctx, &signed_in, id.expose(), proofs, &form.caller()).await;
    enrolment_shown(&state, form, &signed_in, begun).await
}

/// `POST /account/two-factor/confirm`: the code that proves it; the answer shows the recovery codes. A wrong one brings
/// the same secret again.
pub async fn confirm(State(state): State<AppState>, mut form: Submitted) -> Response {
    let code = Secret::new(form.values.take("code"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let confirmed =
        enrolment::confirm(&state.ctx, &signed_in, id.expose(), code.expose(), &form.caller()).await;
    let error = match confirmed {
        Ok(made) => return shown(&state, &form, &made, true),
        Err(error) => AppError::from(error),
    };
    // Nothing is under way any more: sent twice, or begun anew elsewhere.
    let under_way = enrolment::under_way(&state.ctx, &signed_in, id.expose()).await;
    let Ok(enrolment) = under_way else {
        return see_other(PAGE);
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let headers = form.parts.headers.clone();
    let mut response = reveal::enrolment(
        &state,
        &headers,
        &enrolment,
        FormState::refused(form.values, error),
    );
    *response.status_mut() = status;
    response
}

/// `POST /account/two-factor/codes`
pub async fn new_codes(State(state): State<AppState>, mut form: Submitted) -> Response {
    let code = Secret::new(form.values.take("code"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    match factors::new_codes(&state.ctx, &signed_in, id.expose(), code.expose(), &form.caller()).await {
        Ok(made) => shown(&state, &form, &made, false),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.two_factor", error)
                .await
        }
    }
}

fn shown(state: &AppState, form: &Submitted, made: &NewCodes, first: bool) -> Response {
    let mut response = reveal::recovery_codes(state, &form.parts.headers, &made.codes, first);
    response
        .headers_mut()
        .append(header::SET_COOKIE, begin_cookie(state, &made.session_id));
    response
}

/// `POST /account/two-factor/off`
pub async fn turn_off(State(state): State<AppState>, mut form: Submitted) -> Response {
    let password = Secret::new(form.values.take("password"));
    let code = Secret::new(form.values.take("code"));
    let (signed_in, id) = match whole(&form) {
        Ok(whole) => whole,
        Err(error) => return form.again(&state, error).await,
    };
    let proofs = (&password, code.expose().as_str());
    match factors::remove(&state.ctx, &signed_in, id.expose(), proofs, &form.caller()).await {
        Ok(session_id) => signed_in_at(&state, PAGE, &session_id),
        Err(error) => {
            form.refused(&state, Some(&signed_in.actor), "account.two_factor", error)
                .await
        }
    }
}

/// `POST /account/two-factor/codes/file`: gives back, as a file, the codes that the page just showed. Nothing is looked
/// up or kept.
pub async fn codes_file(State(state): State<AppState>, form: Submitted) -> Response {
    let codes: Vec<String> = form
        .values
        .all("code")
        .iter()
        .filter_map(|text| match parse_proof("code", text) {
            Ok(Proof::Recovery(code)) => Some(grouped(&code)),
            _ => None,
        })
        .collect();
    if codes.len() != RECOVERY_CODES {
        let detail = "These are not the recovery codes that Keywright just showed.";
        return form
            .again(&state, AppError::new(Code::MalformedBody, detail))
            .await;
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"keywright-recovery-codes.txt\"",
        ),
    ];
    let text = format!(
        "Recovery codes for {}\nEach signs in once in place of a code from the app.\n\n{}\n",
        state.ctx.site.public_origin.as_str(),
        codes.join("\n")
    );
    let mut response = (headers, text).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}
