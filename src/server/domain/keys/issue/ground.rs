//! What a new key is decided by: its project, the policies, and who belongs to the organisation.

use super::KeyDraft;
use super::check::{Admitted, admit, usable};
use crate::model::actor::{Actor, OrgScope};
use crate::model::org::MemberName;
use crate::model::project::Project;
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::domain::policy::Policies;
use crate::server::store::db::Tx;
use crate::server::store::{orgs, projects};

pub(in crate::server::domain) struct Ground {
    /// None when what was chosen is none of the organisation's.
    pub project: Option<Project>,
    pub policies: Policies,
    pub members: Vec<MemberName>,
}

impl Ground {
    pub async fn read(
        tx: &mut Tx,
        scope: &OrgScope,
        draft: &KeyDraft<'_>,
        now: Timestamp,
    ) -> Result<Self, DomainError> {
        let project = match draft.project {
            Some(id) => projects::find(tx, scope, id).await?,
            None => None,
        };
        Ok(Self {
            project,
            policies: Policies::in_force(tx, scope, now).await?,
            members: orgs::list_member_names(tx, scope).await?,
        })
    }

    /// Whether the actor may have this key made, by all the rules for new keys.
    pub fn admit(
        &self,
        ctx: &Context,
        actor: &Actor,
        draft: &KeyDraft<'_>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, DomainError> {
        let is_member = |id: &_| self.members.iter().any(|member| &member.account_id == id);
        let project = usable(self.project.as_ref());
        admit(
            (actor, &self.policies, &ctx.countries),
            draft,
            project,
            is_member,
            now,
        )
    }
}
