//! Unsafe methods come from our own pages or not at all (R35, R45).
//!
//! The browser says where a request comes from: `Sec-Fetch-Site` must be `same-origin`; where it is missing, `Origin`
//! must be ours; with neither, no. There is no token: these and `SameSite=Lax` suffice, and server functions have no
//! place for one. A Referer from elsewhere is removed before Leptos could redirect to it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::model::error::{AppError, Code};
use crate::server::http::answer;
use crate::server::http::state::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let origin = state.ctx.site.public_origin.as_str().to_owned();
    if !request.method().is_safe() && !is_same_origin(request.headers(), &origin) {
        let detail = "Your browser says that this came from another site, so nothing was done. Open the page here and try again.";
        return answer::for_request(&state, &request, &AppError::new(Code::CrossSiteRequest, detail));
    }
    let referer = request
        .headers()
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok());
    if referer.is_none_or(|referer| !is_ours(referer, &origin)) {
        request.headers_mut().remove(header::REFERER);
    }
    next.run(request).await
}

fn is_ours(referer: &str, origin: &str) -> bool {
    referer
        .strip_prefix(origin)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let only = |name: &str| {
        let mut values = headers.get_all(name).iter();
        (values.next(), values.next().is_some())
    };
    match (only("sec-fetch-site"), only("origin")) {
        ((Some(site), false), _) => site == "same-origin",
        ((None, _), (Some(from), false)) => from == origin,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r35_only_our_own_pages_may_act() {
        let ours = "https://keys.example.com";
        let cases: [(&[(&str, &str)], bool); 14] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.org")],
                true,
            ),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://keys.example.com"),
                ],
                false,
            ),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://keys.example.com")], true),
            (&[("origin", "http://keys.example.com")], false),
            (&[("origin", "https://keys.example.com:8443")], false),
            (&[("origin", "https://keys.example.com.evil.org")], false),
            (&[("origin", "https://u@keys.example.com")], false),
            (&[("origin", "null")], false),
            (&[("referer", "https://keys.example.com/")], false),
            (&[], false),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
        ];
        for (pairs, allowed) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(axum::http::HeaderName::from_static(name), value.parse().unwrap());
            }
            assert_eq!(is_same_origin(&headers, ours), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn r45_a_foreign_referer_is_not_ours() {
        let ours = "https://keys.example.com";
        assert!(is_ours("https://keys.example.com/settings", ours));
        for foreign in [
            "https://keys.example.com.evil.org/",
            "https://evil.org/https://keys.example.com/",
            "http://keys.example.com/",
        ] {
            assert!(!is_ours(foreign, ours), "{foreign}");
        }
    }
}
