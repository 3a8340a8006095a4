//! Pages: rendered whole on the server, hydrated in the browser.
//!
//! Every page goes through [`page`], a refused form through [`form_again`], and pages that must not hydrate (the
//! secret, errors) through `static_page`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::*;
use leptos_axum::render_app_async_with_context;

use super::assets::Assets;
use super::middleware::session::{RequestSession, preference};
use super::state::AppState;
use crate::app::{Shell, shell, static_shell};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::session::Session;
use crate::model::waiting::Waiting;
use crate::server::ctx::Ctx;
use crate::server::domain::accounts::notices;
use crate::server::domain::keys::issue;
use crate::server::domain::waiting;
use crate::ui::pages::{enrolment, problem, reveal, step_up};

pub use crate::ui::pages::enrolment::Picture;
pub use crate::ui::pages::reveal::{AlreadyShown, LinkShown, Revealed};
pub use crate::ui::pages::step_up::StepUp;

/// What pages are given besides the request itself.
#[derive(Clone, Default)]
pub struct PageContext {
    pub form: Option<FormState>,
    pub status: Option<StatusCode>,
}

/// A page as its address asks for it.
pub async fn page(State(state): State<AppState>, request: Request) -> Response {
    render(&state, request, PageContext::default()).await
}

/// The page of a form that was refused: the same page, with what was typed and what was wrong.
pub async fn form_again(state: &AppState, parts: &Parts, form: FormState, status: u16) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    *request.extensions_mut() = parts.extensions.clone();
    let status = StatusCode::from_u16(status).ok();
    render(
        state,
        request,
        PageContext {
            form: Some(form),
            status,
        },
    )
    .await
}

async fn render(state: &AppState, request: Request, context: PageContext) -> Response {
    let shell_of_page = shell_for(state.assets, Some(request.headers()), state.ctx.site.development);
    let nonce = request.extensions().get::<Nonce>().cloned();
    let waiting = waiting_for(&state.ctx, request.extensions().get()).await;
    let session = session_of(&state.ctx, request.extensions().get().cloned()).await;
    let ctx = state.ctx.clone();
    let status = context.status;
    let form = context.form;
    let provide = move || {
        provide_request(&ctx, nonce.clone(), form.clone());
        if let Some(session) = session.clone() {
            provide_context(session);
        }
        provide_context(waiting);
    };
    let mut response =
        render_app_async_with_context(provide, move || shell(shell_of_page.clone()))(request).await;
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

/// Who is signed in, for the frame. What they have not seen yet is told another time if it cannot be read now.
async fn session_of(ctx: &Ctx, session: Option<RequestSession>) -> Option<Session> {
    let signed_in = session?.signed_in?;
    signed_in.actor.require_complete().ok()?;
    let notices = notices::unseen(ctx, &signed_in.actor).await.unwrap_or_default();
    let org_id = signed_in.actor.org_id().copied();
    let here = signed_in.memberships.iter().find(|m| Some(m.org_id) == org_id);
    Some(Session {
        is_instance_admin: signed_in.actor.is_instance_admin(),
        comes_to_keys: issue::require_some_way(&signed_in.actor).is_ok(),
        org_id: here.map(|m| m.org_id),
        org_name: here.map_or_else(String::new, |m| m.org_name.clone()),
        role: here.map(|m| m.role),
        has_factor: signed_in.has_factor,
        owes_enrolment: signed_in.actor.owes_enrolment(),
        now: ctx.clock.now(),
        account_name: signed_in.account_name,
        account_email: signed_in.account_email,
        memberships: signed_in.memberships,
        notices,
    })
}

/// What waits for whoever is signed in, for the sidebar. It is told another time if it cannot be read now.
async fn waiting_for(ctx: &Ctx, session: Option<&RequestSession>) -> Waiting {
    match session.and_then(|session| session.signed_in.as_ref()) {
        Some(signed_in) => waiting::count(ctx, &signed_in.actor).await.unwrap_or_default(),
        None => Waiting::default(),
    }
}

/// Contexts that pages and server functions find during rendering. The nonce is the one in the answer's policy.
fn provide_request(ctx: &Ctx, nonce: Option<Nonce>, form: Option<FormState>) {
    provide_context(ctx.clone());
    if let Some(nonce) = nonce {
        provide_context(nonce);
    }
    if let Some(form) = form {
        provide_context(form);
    }
}

/// A server function called over HTTP.
pub async fn server_function(State(state): State<AppState>, request: Request) -> Response {
    let ctx = state.ctx.clone();
    let provide = move || provide_context(ctx.clone());
    let response = leptos_axum::handle_server_fns_with_context(provide, request)
        .await
        .into_response();
    with_status(response).await
}

/// Leptos answers 500 to arguments it cannot read, before our code runs: what the error says of itself counts.
async fn with_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, ERROR_MAX).await else {
        return (parts, Body::empty()).into_response();
    };
    let told = serde_json::from_slice::<AppError>(&bytes).ok();
    if let Some(status) = told.and_then(|error| StatusCode::from_u16(error.status()).ok()) {
        parts.status = status;
    }
    (parts, Body::from(bytes)).into_response()
}

/// An error of ours is far shorter.
const ERROR_MAX: usize = 64 * 1024;

/// An error that is no page's own.
#[must_use]
pub fn problem_page(state: &AppState, error: &AppError) -> String {
    let error = error.clone();
    static_page(state, None, false, move || problem::problem_page(error))
}

/// The page that shows a secret.
#[must_use]
pub fn reveal_page(state: &AppState, headers: &HeaderMap, revealed: Revealed) -> String {
    static_page(state, Some(headers), true, move || reveal::reveal_page(revealed))
}

/// The page that shows a link to hand over.
#[must_use]
pub fn link_page(state: &AppState, headers: &HeaderMap, shown: LinkShown) -> String {
    static_page(state, Some(headers), true, move || reveal::link_page(shown))
}

/// The page that shows an authenticator's secret.
#[must_use]
pub fn enrolment_page(
    state: &AppState,
    headers: &HeaderMap,
    secret: String,
    picture: Option<Picture>,
    form: FormState,
) -> String {
    static_page(state, Some(headers), true, move || {
        enrolment::enrolment_page(secret, picture, form)
    })
}

/// The page that shows recovery codes.
#[must_use]
pub fn codes_page(state: &AppState, headers: &HeaderMap, codes: Vec<String>, first: bool) -> String {
    static_page(state, Some(headers), true, move || {
        enrolment::codes_page(codes, first)
    })
}

/// The page that asks who somebody is.
#[must_use]
pub fn step_up_page(state: &AppState, headers: &HeaderMap, asked: StepUp) -> String {
    static_page(state, Some(headers), false, move || step_up::step_up_page(asked))
}

/// The page that cannot show it a second time.
#[must_use]
pub fn already_shown_page(state: &AppState, headers: &HeaderMap, page: AlreadyShown) -> String {
    static_page(state, Some(headers), false, move || {
        reveal::already_shown_page(page)
    })
}

/// A complete page that does not hydrate: no state travels with it.
fn static_page<V: IntoView + 'static>(
    state: &AppState,
    headers: Option<&HeaderMap>,
    with_script: bool,
    body: impl FnOnce() -> V,
) -> String {
    let shell = shell_for(state.assets, headers, false);
    let owner = Owner::new();
    let html = owner.with(|| static_shell(shell, with_script, body()).to_html());
    format!("<!DOCTYPE html>{html}")
}

fn shell_for(assets: &Assets, headers: Option<&HeaderMap>, development: bool) -> Shell {
    let theme = headers.and_then(|headers| preference(headers, "kw_theme"));
    Shell {
        style: assets.path_of("keywright.css"),
        script: assets.path_of("keywright.js"),
        wasm: assets.path_of("keywright.wasm"),
        boot: assets.path_of("boot.js"),
        reveal: assets.path_of("reveal.js"),
        theme: theme
            .filter(|theme| matches!(*theme, "light" | "dark"))
            .unwrap_or("auto")
            .to_owned(),
        development,
    }
}
