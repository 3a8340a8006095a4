//! Who is signed in, for the frame of every page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::error::AppError;
use crate::model::id::OrgId;
use crate::model::notice::Notice;
use crate::model::org::{Membership, Role};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub account_name: String,
    pub account_email: String,
    pub org_id: Option<OrgId>,
    pub org_name: String,
    pub role: Option<Role>,
    pub memberships: Vec<Membership>,
    /// What they have not seen yet, newest first.
    pub notices: Vec<Notice>,
    pub now: Timestamp,
}

impl Session {
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.role.is_some_and(|role| role.allows(permission))
    }
}

/// Whoever is signed in. Errors: nobody is.
#[server(endpoint = "session/current")]
pub async fn current_session() -> Result<Session, AppError> {
    use crate::server::{domain::accounts::notices, rpc_edge};
    let (ctx, signed_in) = rpc_edge::signed_in()?;
    let notices = notices::unseen(&ctx, &signed_in.actor).await;
    let notices = rpc_edge::answer(&ctx, &signed_in.actor, "session.notices", notices).await?;
    let here = signed_in
        .memberships
        .iter()
        .find(|m| Some(&m.org_id) == signed_in.actor.org_id());
    Ok(Session {
        org_id: here.map(|m| m.org_id),
        org_name: here.map_or_else(String::new, |m| m.org_name.clone()),
        role: here.map(|m| m.role),
        account_name: signed_in.account_name,
        account_email: signed_in.account_email,
        memberships: signed_in.memberships,
        notices,
        now: ctx.clock.now(),
    })
}
