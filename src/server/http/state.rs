//! What handlers share.

use crate::server::ctx::Ctx;
use crate::server::http::assets::Assets;

/// The state of the router: the context of use cases and the site's own files.
#[derive(Clone)]
pub struct AppState {
    pub ctx: Ctx,
    pub assets: &'static Assets,
}
