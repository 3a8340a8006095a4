//! The audit log as people read it.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Every act that is recorded, as `noun.verb`. A new act gets a new name; a name never changes its meaning.
pub const ACTIONS: &[(&str, &str)] = &[
    ("account.password_reset", "Password reset"),
    ("account.unlocked", "Account unlocked"),
    ("account.created", "Account created"),
    ("account.edited", "Account edited"),
    ("account.exported", "Personal data exported"),
    (
        "account.administrator_appointed",
        "Installation administrator appointed",
    ),
    (
        "account.administrator_withdrawn",
        "Installation administrator withdrawn",
    ),
    ("account.deleted", "Account deleted"),
    ("account.email_change_begun", "Change of e-mail address begun"),
    (
        "account.email_change_cancelled",
        "Change of e-mail address cancelled",
    ),
    ("account.email_changed", "E-mail address changed"),
    ("account.password_changed", "Password changed"),
    ("account.password_reset_begun", "Password reset begun"),
    ("account.new_place", "Signed in from a new place"),
    ("approval.approved", "Request approved"),
    ("approval.commented", "Request commented on"),
    ("approval.declined", "Request declined"),
    ("approval.lapsed", "Request lapsed"),
    ("approval.requested", "Approval asked for"),
    ("approval.withdrawn", "Request withdrawn"),
    ("factor.enrolled", "Two-factor switched on"),
    ("factor.recovery_code_used", "Recovery code used"),
    ("factor.recovery_codes_renewed", "Recovery codes renewed"),
    ("factor.refused", "Second factor refused"),
    ("factor.removed", "Two-factor switched off"),
    ("factor.replaced", "Authenticator app replaced"),
    ("factor.reset", "Two-factor reset by the operator"),
    ("incident.closed", "Incident closed"),
    ("incident.edited", "Incident edited"),
    ("incident.exported", "Incident exported"),
    ("incident.frozen", "Incident: key frozen"),
    ("incident.item_added", "Incident: item added"),
    ("incident.item_changed", "Incident: item changed"),
    ("incident.item_done", "Incident: item done"),
    ("incident.item_removed", "Incident: item removed"),
    ("incident.item_reopened", "Incident: item no longer done"),
    ("incident.opened", "Incident opened"),
    ("incident.reopened", "Incident reopened"),
    ("incident.replaced", "Incident: secret replaced"),
    ("instance.mail_tested", "Test mail sent"),
    ("instance.mail_retried", "Stuck mail tried again"),
    ("instance.mail_discarded", "Stuck mail discarded"),
    ("instance.set_up", "Installation set up"),
    ("key.created", "Key created"),
    ("key.disabled", "Key disabled"),
    ("key.edited", "Key edited"),
    ("key.enabled", "Key enabled"),
    ("key.imported", "Key imported"),
    ("key.leak_reported", "Secret reported as found in public"),
    ("key.revoked", "Key revoked"),
    ("key.rotation_called_off", "Opened rotation called off"),
    ("key.rotation_cancelled", "Rotation cancelled"),
    ("key.rotation_counting", "Rotation counts down from the first use"),
    ("key.rotation_extended", "Rotation extended"),
    ("key.rotation_finished", "Rotation finished"),
    ("key.rotation_opened", "Rotation opened, to be collected"),
    ("key.rotation_started", "Rotation started"),
    ("key.tightened", "Access that nothing needed taken away"),
    ("key.tightening_undone", "Tightening undone"),
    ("key.transferred", "Key transferred to another owner"),
    ("key.collected", "Secret collected"),
    ("key.link_made", "Link made to hand the key over"),
    ("key.stored", "Key confirmed as stored"),
    ("keys.exported", "Keys exported"),
    ("keys.imported", "Keys imported"),
    ("member.invited", "Member invited"),
    ("member.invitation_resent", "Invitation sent again"),
    ("member.invitation_revoked", "Invitation revoked"),
    ("member.joined", "Member joined"),
    ("member.role_changed", "Role changed"),
    ("member.suspended", "Member suspended"),
    ("member.resumed", "Member resumed"),
    ("member.removed", "Member removed"),
    ("member.left", "Member left"),
    ("member.sessions_ended", "Member signed out everywhere"),
    ("organisation.created", "Organisation created"),
    ("organisation.renamed", "Organisation renamed"),
    (
        "organisation.two_factor_required",
        "Two-factor required of everybody",
    ),
    (
        "organisation.two_factor_optional",
        "Two-factor no longer required",
    ),
    ("policy.changed", "Policy changed"),
    ("policy.plan_cancelled", "Planned change of policy cancelled"),
    ("policy.took_effect", "Planned change of policy took effect"),
    ("project.archived", "Project archived"),
    ("project.created", "Project created"),
    ("project.edited", "Project edited"),
    ("project.restored", "Project restored"),
    ("project.scope_added", "Scope added to catalogue"),
    ("review.started", "Access review started"),
    ("review.decided", "Key decided about in a review"),
    ("review.finished", "Access review finished"),
    ("review.cancelled", "Access review cancelled"),
    ("review.exported", "Access review exported"),
    ("session.confirmed", "Confirmed who they are"),
    ("session.ended", "Signed out"),
    ("session.ended_remotely", "Signed out another session"),
    ("session.others_ended", "Signed out all other sessions"),
    ("session.locked", "Password sign-in locked"),
    ("session.organisation_switched", "Organisation switched"),
    ("session.password_passed", "Password passed, second factor due"),
    ("session.refused", "Sign-in refused"),
    ("session.started", "Signed in"),
    ("template.created", "Template created"),
    ("template.deleted", "Template deleted"),
    ("template.edited", "Template edited"),
    ("token.created", "Service token created"),
    ("token.revoked", "Service token revoked"),
    ("token.stored", "Service token confirmed as stored"),
    ("access.denied", "Access denied"),
    ("demo.seeded", "Demonstration data made"),
];

/// The words for an action; the name itself for one that an older or newer release wrote.
#[must_use]
pub fn action_label(action: &str) -> &str {
    ACTIONS
        .iter()
        .find(|(name, _)| *name == action)
        .map_or(action, |(_, label)| label)
}

/// One line of the log. Ids are what was recorded; names are looked up when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub seq: i64,
    pub at: Timestamp,
    pub actor_type: String,
    pub actor_id: String,
    /// The account's name today, when the actor is an account that still exists.
    pub actor_name: Option<String>,
    pub ip: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: String,
    /// The target's name today, when it is a key, project or token of this organisation.
    pub target_name: Option<String>,
    /// Canonical JSON: what was changed, `before` and `after`. Never a secret.
    pub detail: String,
}

/// What the audit page is filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub actor: String,
    #[serde(default)]
    pub target: String,
}

impl AuditFilter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.action.is_empty() && self.actor.is_empty() && self.target.is_empty()
    }
}
