//! What the pages about keys are made of: one answer per page.

use serde::{Deserialize, Serialize};

use super::advice::LeastPrivilege;
use super::approval::KeyApproval;
use super::error::FieldError;
use super::form::FormValues;
use super::id::{AccountId, IncidentId, KeyId, ReviewId, TemplateId};
use super::key::{Environment, KeyCounts, KeyDetail, KeySummary, Owner};
use super::org::MemberName;
use super::page::Page;
use super::policy::{Plan, Policy};
use super::project::{Project, ProjectChoice};
use super::template::TemplateChoice;
use super::time::Timestamp;
use super::usage::{LastUsed, SeenAddress, UsageSeries};

/// All that the page of keys shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyList {
    pub now: Timestamp,
    pub counts: KeyCounts,
    pub page: Page<KeySummary>,
    pub projects: Vec<ProjectChoice>,
    /// Whether they may create a key of some environment, or ask for one.
    pub may_create: bool,
    /// Whether they may create one by themselves, as importing takes.
    pub may_import: bool,
}

/// One key, and its requests over a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPage {
    pub now: Timestamp,
    pub key: KeyDetail,
    /// With its catalogues.
    pub project: Project,
    pub usage: UsageSeries,
    /// What of its access nothing needs; none once it is revoked.
    pub least_privilege: Option<LeastPrivilege>,
    /// A form's right to be submitted once: rotating shows a secret.
    pub nonce: String,
    /// The open incident of a key that may have leaked.
    pub incident: Option<IncidentId>,
    /// That incident disabled it, so nobody enables it meanwhile.
    pub is_frozen: bool,
    /// A change that waits for approval, or a secret that waits to be collected after it.
    pub approval: Option<KeyApproval>,
    /// That it will be disabled, because nobody uses it.
    pub unused: Option<UnusedNotice>,
    /// Who disabled it and why, while it is disabled.
    pub disabled: Option<Disabled>,
}

/// Who disabled a key, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// A name; "Keywright" where nobody did it by hand.
    pub by: String,
    pub why: DisabledBecause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledBecause {
    /// Somebody wanted it so, and said no more.
    ByHand,
    /// The policy disables what nobody uses.
    Unused,
    /// It may have leaked.
    Incident(IncidentId),
    /// Nobody had decided about it when the access review ended.
    Undecided(ReviewId),
}

/// That a key will be disabled because nobody uses it: its people were told, and nothing has voided that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedNotice {
    /// When it was last used, made, enabled or given a secret.
    pub since: Timestamp,
    pub told_at: Timestamp,
    /// It is disabled at this moment or within an hour of it, unless it is used before.
    pub disabled_from: Timestamp,
    /// After how many days the policy disables it.
    pub days: i64,
}

/// What the create form offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyFormMaterial {
    pub now: Timestamp,
    /// The form's right to be submitted once.
    pub nonce: String,
    /// Active projects with their catalogues.
    pub projects: Vec<Project>,
    pub members: Vec<MemberName>,
    pub me: Option<AccountId>,
    pub way_to_live: WayToKey,
    pub way_to_test: WayToKey,
    pub may_choose_owner: bool,
    /// Every time zone to choose from.
    pub zones: Vec<String>,
    /// Whether this installation can tell countries.
    pub country_database: bool,
    /// From where whoever asks is asking.
    pub my_address: Option<String>,
    /// What is asked of live and of test keys.
    pub live: Policy,
    pub test: Policy,
    /// What will be asked of them, where a change is planned.
    pub live_plan: Option<Plan>,
    pub test_plan: Option<Plan>,
    /// What the form may begin with.
    pub templates: Vec<TemplateChoice>,
    pub beginning: Beginning,
}

/// How somebody comes to a key of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayToKey {
    Create,
    /// They may not create one, but ask for one, which somebody approves.
    Ask,
    Closed,
}

/// What the create form begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beginning {
    pub source: Source,
    /// The fields that are filled in, as the form names them.
    pub values: FormValues,
    /// What of it cannot stay.
    pub errors: Vec<FieldError>,
    /// What whoever reads the form should know of it.
    pub remarks: Vec<String>,
    /// The address that begins with the same, when it was asked for.
    pub link: Option<String>,
}

/// Where the fields were filled in from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    #[default]
    Nothing,
    Template(TemplateId),
    /// Another key, by its name.
    Key(String),
    /// An address, that anybody may have written.
    Link,
}

/// What the form for editing a key offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyEditForm {
    pub now: Timestamp,
    pub key: KeyDetail,
    /// The mark of what the key may do as it is now.
    pub looked_at: String,
    /// With its catalogue.
    pub project: Project,
    /// Every time zone to choose from.
    pub zones: Vec<String>,
    /// From where whoever asks is asking.
    pub my_address: Option<String>,
    /// What is asked of it.
    pub policy: Policy,
    /// What will be asked of it, where a change is planned.
    pub plan: Option<Plan>,
    /// Addresses the key was used from within 30 days, the busiest first.
    pub seen: Vec<SeenAddress>,
}

/// Days without use that the page of unused keys offers, and those it begins with.
pub const UNUSED_CHOICES: [i64; 4] = [30, 60, 90, 180];
pub const UNUSED_DEFAULT_DAYS: i64 = 90;
/// Unused keys that are listed; of more, the number.
pub const UNUSED_LISTED_MAX: i64 = 50;

/// A key that could be used and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedKey {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub project_name: String,
    pub owner: Owner,
    pub created_at: Timestamp,
    pub last_used: Option<LastUsed>,
    /// That it will be disabled.
    pub notice: Option<UnusedNotice>,
    pub may_manage: bool,
}

/// Keys that were unused for so many days, the longest unused first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedKeys {
    pub now: Timestamp,
    pub days: i64,
    pub keys: Vec<UnusedKey>,
    pub total: i64,
    /// Those that will be disabled, the soonest first, however long they were not used; at most
    /// [`UNUSED_LISTED_MAX`].
    pub told: Vec<UnusedKey>,
    /// After how many unused days the policy disables live and test keys.
    pub rules: [Option<u32>; 2],
}
