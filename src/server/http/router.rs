//! The whole surface on one screen.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use leptos_axum::generate_route_list;
use server_fn::axum::server_fn_paths;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::forms::instance as installation;
use super::forms::{
    account, advice, approvals, bulk, factors, handover, import, incidents, invitations, keys, leaks, mail,
    members, openings, password, policy, profile, projects, reviews, rotation, sessions, templates, tokens,
};
use super::middleware::session::{RequestSession, invitation_cookie};
use super::middleware::{access, cross_site, host, outer, session};
use super::state::AppState;
use super::{answer, assets, export, health, leptos, openapi};
use crate::model::account::SessionStage;
use crate::model::error::{AppError, Code};
use crate::model::key_text::{TokenKind, parse_token};
use crate::server::domain::instance;

/// Forms with typed text, by the address of their page.
fn forms() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/setup", post(account::set_up)),
        ("/sign-in", post(account::sign_in)),
        ("/sign-in/second-factor", post(factors::second_factor)),
        ("/sign-out", post(account::sign_out)),
        ("/forgot-password", post(password::forgot)),
        ("/reset-password", post(password::reset)),
        ("/confirm-email", post(profile::confirm_email)),
        ("/found", post(leaks::found)),
        ("/account", post(profile::edit)),
        ("/account/password", post(password::change)),
        ("/account/email", post(profile::change_email)),
        ("/account/email/cancel", post(profile::cancel_email)),
        ("/account/export", post(profile::export)),
        ("/account/delete", post(profile::delete)),
        ("/account/two-factor", post(factors::begin)),
        ("/account/two-factor/replace", post(factors::replace)),
        ("/account/two-factor/confirm", post(factors::confirm)),
        ("/account/two-factor/codes", post(factors::new_codes)),
        ("/account/two-factor/codes/file", post(factors::codes_file)),
        ("/account/two-factor/off", post(factors::turn_off)),
        ("/instance/mail", post(mail::test)),
        ("/instance/mail/retry", post(mail::retry_all)),
        ("/instance/mail/{id}/retry", post(mail::retry)),
        ("/instance/mail/{id}/discard", post(mail::discard)),
        ("/account/sessions/{id}/end", post(sessions::end_one)),
        ("/account/sessions/end-others", post(sessions::end_others)),
        ("/account/notices/seen", post(sessions::notices_seen)),
        ("/theme", post(account::theme)),
        ("/session/organisation", post(account::switch_organisation)),
        ("/settings/api-keys/new", post(keys::create)),
        // The file has limits of its own.
        (
            import::PAGE,
            post(import::import).layer(DefaultBodyLimit::disable()),
        ),
        ("/settings/api-keys/bulk", post(bulk::stop)),
        ("/settings/api-keys/{id}/edit", post(keys::edit)),
        ("/settings/api-keys/{id}/revoke", post(keys::revoke)),
        ("/settings/api-keys/{id}/rotate", post(rotation::start)),
        ("/settings/api-keys/{id}/rotate/finish", post(rotation::finish)),
        ("/settings/api-keys/{id}/rotate/extend", post(rotation::extend)),
        ("/settings/api-keys/{id}/rotate/cancel", post(rotation::cancel)),
        ("/settings/api-keys/{id}/rotate/collect", post(openings::collect)),
        (
            "/settings/api-keys/{id}/rotate/call-off",
            post(openings::call_off),
        ),
        (openings::PAGE, post(openings::start)),
        ("/settings/api-keys/{id}/tighten", post(advice::tighten)),
        ("/settings/api-keys/{id}/tighten/undo", post(advice::undo)),
        ("/settings/api-keys/{id}/stored", post(keys::stored)),
        ("/settings/api-keys/{id}/handover", post(handover::make)),
        ("/claim", post(handover::claim)),
        ("/claim/stored", post(handover::stored)),
        ("/settings/api-keys/{id}/leaked", post(incidents::opened)),
        ("/settings/incidents/{id}", post(incidents::findings)),
        ("/settings/incidents/{id}/since", post(incidents::since)),
        ("/settings/incidents/{id}/freeze", post(incidents::freeze)),
        ("/settings/incidents/{id}/replace", post(incidents::replaced)),
        ("/settings/incidents/{id}/revoke", post(incidents::revoked)),
        ("/settings/incidents/{id}/checklist", post(incidents::checklist)),
        ("/settings/incidents/{id}/close", post(incidents::closed)),
        ("/settings/incidents/{id}/reopen", post(incidents::reopened)),
        ("/settings/incidents/{id}/export", post(incidents::exported)),
        ("/settings/env-file", post(keys::env_file)),
        ("/settings/policy/live", post(policy::save_live)),
        ("/settings/policy/test", post(policy::save_test)),
        ("/settings/policy/live/cancel", post(policy::cancel_live)),
        ("/settings/policy/test/cancel", post(policy::cancel_test)),
        ("/settings/approvals/{id}", post(approvals::decide)),
        ("/settings/approvals/{id}/withdraw", post(approvals::withdraw)),
        ("/settings/approvals/{id}/collect", post(approvals::collect)),
        ("/settings/reviews/new", post(reviews::start)),
        ("/settings/reviews/{id}", post(reviews::decide)),
        ("/settings/reviews/{id}/finish", post(reviews::finish)),
        ("/settings/reviews/{id}/cancel", post(reviews::cancel)),
        ("/settings/reviews/{id}/export", post(reviews::export)),
        ("/settings/projects/new", post(projects::create)),
        ("/settings/projects/{id}", post(projects::edit)),
        ("/settings/members/invite", post(invitations::invite)),
        ("/settings/members/{id}/role", post(members::role)),
        ("/settings/members/{id}/offboard", post(members::offboard)),
        ("/settings/members/{id}/resume", post(members::resume)),
        (
            "/settings/members/{id}/reset-factors",
            post(members::reset_factors),
        ),
        (
            "/settings/members/{id}/password-link",
            post(members::password_link),
        ),
        ("/settings/members/{id}/sign-out", post(members::sign_out)),
        ("/settings/members/{id}/unlock", post(members::unlock)),
        (
            "/instance/organisations/new",
            post(installation::create_organisation),
        ),
        (
            "/instance/accounts/{id}/reset-factors",
            post(installation::reset_factors),
        ),
        ("/instance/accounts/{id}/sign-out", post(installation::sign_out)),
        ("/instance/accounts/{id}/unlock", post(installation::unlock)),
        (
            "/instance/accounts/{id}/password-link",
            post(installation::password_link),
        ),
        ("/settings/invitations/{id}/resend", post(invitations::resend)),
        ("/settings/invitations/{id}/revoke", post(invitations::revoke)),
        ("/invitation", post(invitations::accept)),
        ("/settings/security", post(members::two_factor)),
        ("/settings/organisation", post(members::rename)),
        ("/settings/templates/new", post(templates::create)),
        ("/settings/templates/{id}", post(templates::edit)),
        ("/settings/templates/{id}/delete", post(templates::delete)),
        ("/settings/service-tokens/new", post(tokens::create)),
        ("/settings/service-tokens/{id}/revoke", post(tokens::revoke)),
        ("/settings/service-tokens/{id}/stored", post(tokens::stored)),
    ]
}

/// Addresses that only take a form: somebody who opens one is sent where the form stands.
const FORMS_WITHOUT_PAGE: &[(&str, &str)] = &[
    ("/account/email/cancel", "/account"),
    ("/account/two-factor/confirm", factors::PAGE),
    ("/account/two-factor/codes/file", factors::PAGE),
    ("/instance/mail/retry", mail::PAGE),
    ("/instance/mail/{id}/retry", mail::PAGE),
    ("/instance/mail/{id}/discard", mail::PAGE),
    ("/account/sessions/{id}/end", sessions::PAGE),
    ("/account/sessions/end-others", sessions::PAGE),
    ("/account/notices/seen", sessions::PAGE),
    ("/settings/env-file", "/settings/api-keys"),
    ("/settings/incidents/{id}/export", "/settings/incidents"),
    ("/sign-out", "/"),
    ("/theme", "/"),
    ("/session/organisation", "/"),
    ("/settings/api-keys/{id}/stored", "/settings/api-keys"),
    ("/settings/approvals/{id}/withdraw", approvals::PAGE),
    ("/settings/approvals/{id}/collect", approvals::PAGE),
    ("/settings/policy/live/cancel", "/settings/policy"),
    ("/settings/policy/test/cancel", "/settings/policy"),
    ("/settings/service-tokens/{id}/stored", "/settings/service-tokens"),
];

/// Whether the address takes a form and shows no page itself.
#[must_use]
pub fn has_no_page(pattern: &str) -> bool {
    FORMS_WITHOUT_PAGE.iter().any(|(form, _)| *form == pattern)
}

/// Every route a request may take: method and pattern, for the test that walks them all.
#[must_use]
pub fn surface() -> Vec<(Method, String)> {
    let pages = page_paths().into_iter().map(|path| (Method::GET, path));
    let forms = forms()
        .into_iter()
        .map(|(path, _)| (Method::POST, path.to_owned()));
    let functions = server_fn_paths().map(|(path, method)| (method, path.to_owned()));
    let raw = [
        "/",
        "/healthz",
        "/readyz",
        "/favicon.svg",
        "/icons.svg",
        "/wordmark.svg",
        "/pkg/{file}",
        export::CSV,
        export::JSON_LINES,
    ];
    let raw = raw.into_iter().map(|path| (Method::GET, path.to_owned()));
    let v1 = openapi::document()
        .paths
        .paths
        .into_keys()
        .map(|path| (Method::POST, path));
    pages.chain(forms).chain(functions).chain(raw).chain(v1).collect()
}

/// The patterns of every page, from the list of the application's own routes.
#[must_use]
pub fn page_paths() -> Vec<String> {
    let listed = generate_route_list(crate::app::App);
    listed
        .iter()
        .map(|route| route.path().to_owned())
        .filter(|path| path != "/")
        .collect()
}

/// Puts the house together.
pub fn router(state: AppState) -> Router {
    let (v1, _) = openapi::v1().split_for_parts();
    let machines = v1
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/v1", axum::routing::any(nothing_here))
        .route("/v1/", axum::routing::any(nothing_here))
        .route("/v1/{*rest}", axum::routing::any(nothing_here));
    let people = site(&state)
        .layer(
            CompressionLayer::new()
                .br(true)
                .gzip(true)
                .compress_when(SizeAbove::new(512).and(NotForContentType::IMAGES)),
        )
        .layer(from_fn_with_state(state.clone(), access::layer))
        .layer(from_fn_with_state(state.clone(), session::layer))
        .layer(from_fn_with_state(state.clone(), cross_site::layer))
        .layer(from_fn_with_state(state.clone(), host::layer));
    machines
        .merge(people)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(state.clone(), outer::layer))
        .with_state(state)
}

fn site(state: &AppState) -> Router<AppState> {
    let mut router = Router::new()
        .route("/", get(home))
        .route("/pkg/{file}", get(assets::hashed))
        .route(export::CSV, get(export::csv))
        .route(export::JSON_LINES, get(export::json_lines))
        .route("/favicon.svg", get(assets::plain))
        .route("/icons.svg", get(assets::plain))
        .route("/wordmark.svg", get(assets::plain));
    for path in page_paths() {
        let is_hidden = path == "/styleguide" && !state.ctx.site.development;
        router = match path.as_str() {
            // The pages' own router knows it, so it must be refused before.
            _ if is_hidden => router.route(&path, get(nothing_here)),
            "/setup" => router.route(&path, get(set_up_page)),
            "/sign-in" => router.route(&path, get(sign_in_page)),
            factors::AT_SIGN_IN => router.route(&path, get(second_factor_page)),
            path if LINK_PAGES.contains(&path) => router.route(path, get(link_page)),
            _ => router.route(&path, get(page)),
        };
    }
    for (path, method_router) in forms() {
        router = router.route(path, method_router);
    }
    for &(path, form_stands_at) in FORMS_WITHOUT_PAGE {
        router = router.route(path, get(move || async move { Redirect::to(form_stands_at) }));
    }
    for (path, _) in server_fn_paths() {
        // Whatever a function says of itself: POST only (R36).
        router = router.route(path, post(server_function));
    }
    router.fallback(page)
}

async fn home() -> Redirect {
    Redirect::to("/settings/api-keys")
}

/// A page; unless its address carries a whole key, which is taken out of it first.
async fn page(state: State<AppState>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return wrong_method(state, request).await;
    }
    match access::without_secret(request.uri()) {
        Some(address) => Redirect::to(&address).into_response(),
        None => leptos::page(state, request).await,
    }
}

/// Set-up exists until it is done, then never again (R13).
async fn set_up_page(State(state): State<AppState>, request: Request) -> Response {
    let no_referrer = HeaderValue::from_static("no-referrer");
    let mut response = match instance::is_set_up(&state.ctx).await {
        Ok(false) => leptos::page(State(state), request).await,
        Ok(true) => answer::for_request(&state, &request, &AppError::not_found()),
        Err(error) => answer::for_request(&state, &request, &AppError::from(error)),
    };
    // The link carries the token: it must not travel on.
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, no_referrer);
    response
}

/// Pages whose address carries a single-use secret (R13, R14): looking consumes nothing, and it must not travel on.
const LINK_PAGES: [&str; 4] = ["/invitation", "/reset-password", "/confirm-email", "/claim"];

async fn link_page(state: State<AppState>, request: Request) -> Response {
    let kept = kept_invitation(&state, request.uri());
    let mut response = leptos::page(state, request).await;
    if let Some(cookie) = kept {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let no_referrer = HeaderValue::from_static("no-referrer");
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, no_referrer);
    response
}

/// Whoever opens an invitation may have to sign in before: the browser keeps it meanwhile.
fn kept_invitation(state: &AppState, uri: &Uri) -> Option<HeaderValue> {
    let query: Vec<(String, String)> = serde_urlencoded::from_str(uri.query()?).ok()?;
    let (_, token) = query.iter().find(|(name, _)| name == "token")?;
    let is_one = uri.path() == "/invitation" && parse_token(TokenKind::Invitation, token).is_some();
    is_one.then(|| invitation_cookie(state, token))
}

async fn sign_in_page(State(state): State<AppState>, request: Request) -> Response {
    match instance::is_set_up(&state.ctx).await {
        Ok(true) => page(State(state), request).await,
        Ok(false) => Redirect::to("/setup").into_response(),
        Err(error) => answer::for_request(&state, &request, &AppError::from(error)),
    }
}

/// Only for whoever has given the password and not yet the code.
async fn second_factor_page(state: State<AppState>, request: Request) -> Response {
    let session = request.extensions().get::<RequestSession>();
    let signed_in = session.and_then(|session| session.signed_in.as_ref());
    match signed_in.map(|signed_in| signed_in.actor.stage()) {
        Some(SessionStage::SecondFactorDue) => page(state, request).await,
        Some(SessionStage::Complete) => Redirect::to("/").into_response(),
        None => {
            let query = request.uri().query().unwrap_or_default();
            let asked: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
            let next = asked.iter().find(|(name, _)| name == "next");
            let next = next
                .map(|(_, next)| next.as_str())
                .filter(|next| access::is_own_path(next));
            access::to_sign_in(next.unwrap_or("/"))
        }
    }
}

/// Server functions take what Leptos sends and nothing else.
async fn server_function(state: State<AppState>, request: Request) -> Response {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !matches!(essence, "application/x-www-form-urlencoded" | "application/json") {
        let error = AppError::new(Code::UnsupportedMediaType, "Send a form or JSON.");
        return answer::for_request(&state, &request, &error);
    }
    leptos::server_function(state, request).await
}

async fn nothing_here(State(state): State<AppState>, request: Request) -> Response {
    answer::for_request(&state, &request, &AppError::not_found())
}

async fn wrong_method(State(state): State<AppState>, request: Request) -> Response {
    let error = AppError::new(Code::MethodNotAllowed, "This address does not take this method.");
    answer::for_request(&state, &request, &error)
}
