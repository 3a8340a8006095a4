//! What the pages about keys are made of: one answer per page.

use serde::{Deserialize, Serialize};

use super::advice::LeastPrivilege;
use super::id::AccountId;
use super::key::{KeyCounts, KeyDetail, KeySummary};
use super::org::MemberName;
use super::page::Page;
use super::project::{Project, ProjectChoice};
use super::time::Timestamp;
use super::usage::{SeenAddress, UsageSeries};

/// All that the page of keys shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyList {
    pub now: Timestamp,
    pub counts: KeyCounts,
    pub page: Page<KeySummary>,
    pub projects: Vec<ProjectChoice>,
    pub may_create: bool,
}

/// One key, and its requests over a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPage {
    pub now: Timestamp,
    pub key: KeyDetail,
    pub usage: UsageSeries,
    /// What of its access nothing needs; none once it is revoked.
    pub least_privilege: Option<LeastPrivilege>,
    /// A form's right to be submitted once: rotating shows a secret.
    pub nonce: String,
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
    pub may_create_live: bool,
    pub may_choose_owner: bool,
    /// Every time zone to choose from.
    pub zones: Vec<String>,
    /// From where whoever asks is asking.
    pub my_address: Option<String>,
    /// A key to begin with.
    pub from: Option<KeyDetail>,
}

/// What the form for editing a key offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyEditForm {
    pub now: Timestamp,
    pub key: KeyDetail,
    /// With its catalogue.
    pub project: Project,
    /// Every time zone to choose from.
    pub zones: Vec<String>,
    /// From where whoever asks is asking.
    pub my_address: Option<String>,
    /// Addresses the key was used from within 30 days, the busiest first.
    pub seen: Vec<SeenAddress>,
}
