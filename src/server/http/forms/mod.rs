//! Forms with typed text: posted to the page's own address, hydrated or not. Success is a redirect (or, for a secret,
//! the answer itself); refusal is the page again with what was typed and what was wrong beside each field.

pub mod account;
pub mod advice;
pub mod approvals;
pub mod bulk;
pub mod factors;
pub mod handover;
pub mod import;
pub mod incidents;
pub mod instance;
pub mod invitations;
pub mod keys;
pub mod leaks;
pub mod mail;
pub mod members;
pub mod openings;
pub mod password;
pub mod policy;
pub mod profile;
pub mod projects;
pub mod reviews;
pub mod rotation;
pub mod sessions;
pub mod templates;
pub mod tokens;

use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::answer;
use super::leptos::{StepUp, form_again, step_up_page};
use super::middleware::session::{RequestSession, begin_cookie};
use super::router::has_no_page;
use super::state::AppState;
use crate::model::actor::{Actor, Denied};
use crate::model::error::{AppError, Code};
use crate::model::form::{FormState, FormValues};
use crate::model::request_id::RequestId;
use crate::server::domain::accounts::proof;
use crate::server::domain::accounts::session::{Caller, SignedIn};
use crate::server::domain::{DomainError, audit};
use crate::server::platform::crypto::secret::SecretText;

/// Most fields a form may have.
const FIELDS_MAX: usize = 500;
/// The field by which the page that asks who somebody is answers.
const STEP_UP: &str = "step_up";

/// A submitted form with the request it came in.
pub struct Submitted {
    pub parts: Parts,
    pub values: FormValues,
}

impl FromRequest<AppState> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let refuse = |parts: &Parts, error: AppError| {
            let mut request = Request::new(axum::body::Body::empty());
            (*request.uri_mut(), *request.headers_mut()) = (parts.uri.clone(), parts.headers.clone());
            *request.extensions_mut() = parts.extensions.clone();
            answer::for_request(state, &request, &error)
        };
        let media_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if media_type
            .split(';')
            .next()
            .is_none_or(|essence| essence.trim() != "application/x-www-form-urlencoded")
        {
            let detail = "Forms are sent as application/x-www-form-urlencoded.";
            return Err(refuse(&parts, AppError::new(Code::UnsupportedMediaType, detail)));
        }
        let body = Bytes::from_request(Request::new(body), state).await;
        let pairs = body.ok().and_then(|body| parse(&body));
        match pairs {
            Some(pairs) => {
                let form = Self {
                    parts,
                    values: FormValues::from_pairs(pairs),
                };
                if form.values.has(STEP_UP) {
                    return Err(form.confirm(state).await);
                }
                Ok(form)
            }
            None => {
                let detail = format!(
                    "The form could not be read: it must be UTF-8 and have at most {FIELDS_MAX} fields."
                );
                Err(refuse(&parts, AppError::new(Code::MalformedBody, detail)))
            }
        }
    }
}

/// Decodes strictly: broken escapes and broken UTF-8 are refused rather than replaced.
fn parse(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    });
    pairs
        .collect::<Option<Vec<_>>>()
        .filter(|pairs| pairs.len() <= FIELDS_MAX)
}

impl Submitted {
    pub fn session(&self) -> RequestSession {
        self.parts
            .extensions
            .get::<RequestSession>()
            .cloned()
            .unwrap_or_default()
    }

    /// Who acts. The access layer let nobody else through, but a handler does not rely on that.
    pub fn signed_in(&self) -> Result<SignedIn, AppError> {
        self.session()
            .signed_in
            .ok_or_else(|| Denied::Unauthenticated.into())
    }

    pub fn caller(&self) -> Caller {
        self.parts.extensions.get::<Caller>().cloned().unwrap_or_default()
    }

    fn request_id(&self) -> &str {
        self.parts
            .extensions
            .get::<RequestId>()
            .map_or("", RequestId::as_str)
    }

    /// The answer of the page that asked who somebody is: the form they came from, as it was, under a session with a
    /// fresh proof; or that page again. The act itself is not done: whoever confirmed looks once more (R26).
    async fn confirm(mut self, state: &AppState) -> Response {
        let proof = SecretText::new(self.values.take(STEP_UP));
        let session = self.session();
        let (Some(signed_in), Some(id)) = (session.signed_in, session.id) else {
            return self.again(state, AppError::unauthenticated()).await;
        };
        if let Err(denied) = signed_in.actor.require_complete() {
            return self.again(state, denied.into()).await;
        }
        match proof::step_up(&state.ctx, &signed_in, id.expose(), &proof, &self.caller()).await {
            Ok(session_id) => {
                let mut response =
                    form_again(state, &self.parts, FormState::confirmed(self.values), 200).await;
                let cookie = begin_cookie(state, &session_id);
                response.headers_mut().append(header::SET_COOKIE, cookie);
                response
            }
            Err(error) => self.ask_who(state, AppError::from(error), signed_in.has_factor),
        }
    }

    /// The page that asks who somebody is, holding what they typed. Passwords were taken out before and are asked for
    /// again.
    fn ask_who(self, state: &AppState, error: AppError, has_factor: bool) -> Response {
        let error = error.with_request_id(self.request_id());
        if !answer::wants_html(&self.parts.uri, &self.parts.headers) {
            return answer::problem(&error);
        }
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::FORBIDDEN);
        let target = self
            .parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let asked = StepUp {
            target: target.to_owned(),
            has_factor,
            first: error.code == Code::StepUpRequired,
            form: FormState::refused(self.values, error),
        };
        let html = step_up_page(state, &self.parts.headers, asked);
        (status, Html(html)).into_response()
    }

    /// The form as it was, with what it means.
    pub async fn reviewed(self, state: &AppState, said: Vec<String>) -> Response {
        form_again(state, &self.parts, FormState::reviewed(self.values, said), 200).await
    }

    /// The form again. Errors that are not about what was typed get a page of their own.
    pub async fn again(self, state: &AppState, error: AppError) -> Response {
        let error = error.with_request_id(self.request_id());
        if error.code == Code::StepUpRequired {
            let has_factor = self
                .session()
                .signed_in
                .is_some_and(|signed_in| signed_in.has_factor);
            return self.ask_who(state, error, has_factor);
        }
        let about_the_form = matches!(
            error.code,
            Code::Invalid
                | Code::Conflict
                | Code::Unauthenticated
                | Code::Throttled
                | Code::Busy
                | Code::ProjectArchived
                | Code::ApprovalRequired
        ) || (error.code == Code::Forbidden && self.parts.uri.path() == "/setup");
        let pattern = self.parts.extensions.get::<MatchedPath>();
        if !about_the_form || pattern.is_some_and(|pattern| has_no_page(pattern.as_str())) {
            return answer::render(
                state,
                answer::wants_html(&self.parts.uri, &self.parts.headers),
                &error,
            );
        }
        let (status, retry_after_s) = (error.status(), error.retry_after_s);
        let mut response =
            form_again(state, &self.parts, FormState::refused(self.values, error), status).await;
        if let Some(seconds) = retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Runs an act of whoever is signed in and gives its answer, or the form again; a denial is noted as `what`.
    pub async fn act(
        self,
        state: &AppState,
        what: &'static str,
        act: impl AsyncFnOnce(&SignedIn, &FormValues) -> Result<Response, DomainError>,
    ) -> Response {
        let signed_in = match self.signed_in() {
            Ok(signed_in) => signed_in,
            Err(error) => return self.again(state, error).await,
        };
        match act(&signed_in, &self.values).await {
            Ok(response) => response,
            Err(error) => self.refused(state, Some(&signed_in.actor), what, error).await,
        }
    }

    /// The form again after a use case failed; a denial is noted in the audit log.
    pub async fn refused(
        self,
        state: &AppState,
        actor: Option<&Actor>,
        what: &'static str,
        error: DomainError,
    ) -> Response {
        let error = AppError::from(error);
        if let (Code::Forbidden, Some(actor)) = (error.code, actor) {
            audit::record_denial(&state.ctx, actor, what).await;
        }
        self.again(state, error).await
    }
}

/// The id in an address; one that is none is nobody's.
pub fn id_of<T: std::str::FromStr>(text: &str) -> Result<T, DomainError> {
    text.parse().map_err(|_| DomainError::NotFound)
}

/// 303: what was posted is done, look there.
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_encodings_are_refused_not_replaced() {
        assert_eq!(
            parse(b"a=1&b=%C3%A9+x&c").unwrap(),
            [
                ("a".into(), "1".into()),
                ("b".into(), "é x".into()),
                ("c".into(), String::new()),
            ]
        );
        assert!(parse(b"a=%FF").is_none());
        assert!(parse(b"a=\xff").is_none());
        assert!(parse("a=1&".repeat(501).as_bytes()).is_none());
    }
}
