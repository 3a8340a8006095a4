//! Who is signed in, for the frame of every page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::error::AppError;
use crate::model::id::OrgId;
use crate::model::org::{Membership, Role};
use crate::model::permission::Permission;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub account_name: String,
    pub account_email: String,
    pub org_id: Option<OrgId>,
    pub org_name: String,
    pub role: Option<Role>,
    pub memberships: Vec<Membership>,
    /// Whether they administer the installation as a whole.
    pub is_instance_admin: bool,
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
    let (_, signed_in) = crate::server::rpc_edge::signed_in()?;
    let here = signed_in
        .memberships
        .iter()
        .find(|m| Some(&m.org_id) == signed_in.actor.org_id());
    Ok(Session {
        is_instance_admin: signed_in.actor.is_instance_admin(),
        org_id: here.map(|m| m.org_id),
        org_name: here.map_or_else(String::new, |m| m.org_name.clone()),
        role: here.map(|m| m.role),
        account_name: signed_in.account_name,
        account_email: signed_in.account_email,
        memberships: signed_in.memberships,
    })
}
