//! The description of `/v1`, generated from the handlers.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::AppState;

#[derive(OpenApi)]
#[openapi(
    info(title = "Keywright", description = "Verification of API keys by services and reverse proxies."),
    modifiers(&ServiceToken)
)]
struct Head;

struct ServiceToken;

impl Modify for ServiceToken {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("kwt_…")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("serviceToken", SecurityScheme::Http(bearer));
    }
}

/// The routes of `/v1` with their description: what is served is what is described.
#[must_use]
pub fn v1() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(super::verify::verify))
        .routes(routes!(super::self_revoke::self_revoke))
        .routes(routes!(super::leaks::report))
}

/// The document alone.
#[must_use]
pub fn document() -> Document {
    v1().split_for_parts().1
}
