//! From the cookie to whoever is signed in.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::model::error::{AppError, Code};
use crate::server::domain::accounts::session::{self, Caller, SignedIn};
use crate::server::http::answer;
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::SecretText;

/// What is known of the session of this request.
#[derive(Clone, Default)]
pub struct RequestSession {
    pub signed_in: Option<SignedIn>,
    /// The cookie's value, for acts on the session itself.
    pub id: Option<SecretText>,
}

/// `__Host-` needs `Secure`, which plain http on loopback cannot have (R29).
const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-kw_s" } else { "kw_s" }
}

/// Cookies of a name; the header may come in several lines.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// The one cookie of a name that is no credential: a preference.
#[must_use]
pub fn preference<'a>(headers: &'a HeaderMap, name: &'a str) -> Option<&'a str> {
    cookies(headers, name).next()
}

/// Keeps an invitation while its holder signs in and comes back: for its own page alone, a quarter of an hour.
const INVITATION: &str = "kw_invitation";

/// The invitation that the browser keeps, if any.
#[must_use]
pub fn invitation_of(headers: &HeaderMap) -> Option<SecretText> {
    preference(headers, INVITATION).map(|token| SecretText::new(token.to_owned()))
}

/// The `Set-Cookie` that keeps an invitation, or with an empty one forgets it.
#[must_use]
pub fn invitation_cookie(state: &AppState, token: &str) -> HeaderValue {
    let secure = if state.ctx.site.public_origin.is_https() {
        "; Secure"
    } else {
        ""
    };
    let age = if token.is_empty() { 0 } else { 900 };
    let text =
        format!("{INVITATION}={token}; Path=/invitation; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// The `Set-Cookie` that begins a session: no Domain, no Max-Age, gone with the browser.
#[must_use]
pub fn begin_cookie(state: &AppState, id: &SecretText) -> HeaderValue {
    set_cookie(state, id.expose(), "")
}

/// The `Set-Cookie` that removes it.
#[must_use]
pub fn end_cookie(state: &AppState) -> HeaderValue {
    set_cookie(state, "", "; Max-Age=0")
}

fn set_cookie(state: &AppState, value: &str, more: &str) -> HeaderValue {
    let https = state.ctx.site.public_origin.is_https();
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}",
        cookie_name(https)
    );
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// Finds the session. Two session cookies are an attempt to plant one: refused. A malformed one is nobody's.
pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let name = cookie_name(state.ctx.site.public_origin.is_https());
    let found: Vec<String> = cookies(request.headers(), name)
        .map(str::to_owned)
        .take(2)
        .collect();
    let session = match found.as_slice() {
        [] => RequestSession::default(),
        [id] if !session::has_shape(id) => RequestSession::default(),
        [id] => {
            let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
            match session::resolve(&state.ctx, id, &caller).await {
                Ok(Some(signed_in)) => RequestSession {
                    signed_in: Some(signed_in),
                    id: Some(SecretText::new(id.clone())),
                },
                Ok(None) => RequestSession::default(),
                Err(error) => return answer::for_request(&state, &request, &AppError::from(error)),
            }
        }
        _ => {
            let detail =
                "The browser sent two session cookies. Delete this site’s cookies and sign in again.";
            return answer::for_request(&state, &request, &AppError::new(Code::MalformedBody, detail));
        }
    };
    request.extensions_mut().insert(session);
    next.run(request).await
}
