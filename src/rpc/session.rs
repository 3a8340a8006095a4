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
    pub has_factor: bool,
    /// The organisation lets them in only after they have set up a second factor.
    pub owes_enrolment: bool,
    pub now: Timestamp,
    /// Whether they administer the installation as a whole.
    pub is_instance_admin: bool,
    /// What they have not seen yet, newest first.
    pub notices: Vec<Notice>,
}

impl Session {
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        !self.owes_enrolment && self.role.is_some_and(|role| role.allows(permission))
    }

    /// From when on the organisation lets nobody in without a second factor, for whoever has none.
    #[must_use]
    pub fn enrolment_due_at(&self) -> Option<Timestamp> {
        let here = self.memberships.iter().find(|m| Some(m.org_id) == self.org_id);
        here.and_then(|m| m.two_factor_due_at)
            .filter(|_| !self.has_factor)
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
        is_instance_admin: signed_in.actor.is_instance_admin(),
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
