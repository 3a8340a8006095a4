//! Whether one row can become a key.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::rows::Row;
use super::{digest, rows};
use crate::model::actor::{Actor, OrgScope};
use crate::model::approval::{Reason, reasons_in_words};
use crate::model::error::FieldError;
use crate::model::id::{AccountId, ProjectId};
use crate::model::import::Mistake;
use crate::model::import_format::DigestAlgorithm;
use crate::model::key::Environment;
use crate::model::project::Project;
use crate::model::restriction::{HoursDraft, RestrictionsDraft};
use crate::model::text::{self, shown};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::approvals::{self, Leave};
use crate::server::domain::keys::issue::{self, Admitted, Checked, KeyDraft, admit, usable};
use crate::server::domain::policy::Policies;
use crate::server::domain::{DomainError, mint};
use crate::server::platform::crypto::master_key::hex;
use crate::server::store::db::Tx;
use crate::server::store::{keys as store, projects};

/// A row that may become a key.
pub(super) struct Ready {
    pub line: u64,
    pub checked: Checked,
    pub name_folded: String,
    pub algorithm: DigestAlgorithm,
    /// In hexadecimal.
    pub digest: String,
    /// Where it would be found, under every pepper.
    pub hashes: Vec<String>,
    pub format_id: String,
}

/// What the rows of one file are measured by.
pub(super) struct Desk<'a> {
    pub ctx: &'a Context,
    pub actor: &'a Actor,
    pub scope: OrgScope,
    pub project: Project,
    pub now: Timestamp,
    pub policies: Policies,
    /// Active ones, by their folded address.
    members: HashMap<String, AccountId>,
    member_ids: HashSet<AccountId>,
    /// Sixteen bytes of each digest and of each name that the file had so far: all that grows with it.
    digests: HashSet<u128>,
    names: HashSet<u128>,
    /// Why rows would have needed approval, were it not for whose act this is.
    pub exempt: BTreeSet<Reason>,
}

impl<'a> Desk<'a> {
    /// Errors: no such project here, an archived one, or one that declares no format.
    pub async fn open(
        ctx: &'a Context,
        tx: &mut Tx,
        actor: &'a Actor,
        project: &ProjectId,
        now: Timestamp,
    ) -> Result<Self, DomainError> {
        let scope = issue::require_creator(actor)?;
        let project = projects::find(tx, &scope, project).await?;
        let project = project.ok_or(DomainError::NotFound)?;
        usable(Some(&project))?;
        if project.formats.is_empty() {
            let message = format!(
                "{} declares no import format, so imported keys could not be told from other text. Declare one on the project’s page first.",
                project.name
            );
            return Err(FieldError::new("project", "no_format", message).into());
        }
        let policies = Policies::in_force(tx, &scope, now).await?;
        let addresses = store::list_member_addresses(tx, &scope).await?;
        Ok(Self {
            ctx,
            actor,
            scope,
            project,
            now,
            policies,
            member_ids: addresses.iter().map(|(id, _)| *id).collect(),
            members: addresses.into_iter().map(|(id, email)| (email, id)).collect(),
            digests: HashSet::new(),
            names: HashSet::new(),
            exempt: BTreeSet::new(),
        })
    }

    /// The row as a key, as far as the file and the rules go; or everything that is wrong with it.
    pub fn check(&mut self, row: &Row) -> Result<Ready, Vec<Mistake>> {
        let mut wrong = Vec::new();
        let identity = self.identity(row).map_err(|error| wrong.push(error)).ok();
        let checked = self.admitted(row).map_err(|errors| wrong.extend(errors)).ok();
        let told = |errors: Vec<FieldError>| errors.into_iter().map(|error| told(row.line, error)).collect();
        let (Some((format_id, algorithm, digest)), Some((checked, reasons))) = (identity, checked) else {
            return Err(told(wrong));
        };
        let ready = self.ready(row.line, (format_id, algorithm, digest), checked);
        // Only a row that is right otherwise is remembered: the second of two is told when the first is mended.
        if !self
            .digests
            .insert(short(&[ready.algorithm.as_str(), &ready.digest]))
        {
            wrong.push(FieldError::new(
                "digest",
                "twice",
                "An earlier row has the same digest.",
            ));
        }
        if !self
            .names
            .insert(short(&[ready.checked.environment.as_str(), &ready.name_folded]))
        {
            let message = "An earlier row of the same environment has this name.";
            wrong.push(FieldError::new("name", "twice", message));
        }
        match wrong.is_empty() {
            true => {
                self.exempt.extend(reasons);
                Ok(ready)
            }
            false => Err(told(wrong)),
        }
    }

    fn ready(
        &self,
        line: u64,
        (format_id, algorithm, digest): (String, DigestAlgorithm, String),
        checked: Checked,
    ) -> Ready {
        let hashes = mint::import_hashes(self.ctx, &self.project.id, algorithm, &digest);
        Ready {
            line,
            name_folded: text::folded(&checked.name),
            hashes: hashes.iter().map(|hash| hex(hash)).collect(),
            checked,
            algorithm,
            digest,
            format_id,
        }
    }

    fn identity(&self, row: &Row) -> Result<(String, DigestAlgorithm, String), FieldError> {
        let formats = &self.project.formats;
        let format = digest::format_of(formats, row.cell("algorithm"), row.cell("format"))?;
        let digest = digest::parse(row.cell("digest"), format.algorithm)?;
        Ok((format.id.clone(), format.algorithm, digest))
    }

    /// By the rules for every new key.
    fn admitted(&self, row: &Row) -> Result<(Checked, Vec<Reason>), Vec<FieldError>> {
        let environment = row.cell("environment").to_ascii_lowercase();
        let is_known = Environment::parse(&environment).is_some();
        if is_known && !self.actor.may(issue::permission_for(&environment)) {
            let message =
                format!("Your role may not import {environment} keys. Ask an administrator to do it.");
            return Err(vec![FieldError::new("environment", "forbidden", message)]);
        }
        let owner = self.owner(row.cell("owner")).map_err(|error| vec![error])?;
        let words = |column: &str| row.cell(column).split_whitespace();
        let draft = KeyDraft {
            project: None,
            environment: &environment,
            name: row.cell("name"),
            purpose: row.cell("purpose"),
            owner: &owner,
            scopes: words("scopes").collect(),
            expiry: match row.cell("expires") {
                "" => "none",
                _ => "custom",
            },
            expiry_date: row.cell("expires"),
            rotation_days: row.cell("rotation_days"),
            restrictions: RestrictionsDraft {
                ip_allow: vec![row.cell("ip_allow")],
                ip_deny: vec![row.cell("ip_deny")],
                country_allow: vec![row.cell("country_allow")],
                country_deny: vec![row.cell("country_deny")],
                resource_allow: vec![row.cell("resource_allow")],
                resource_deny: vec![row.cell("resource_deny")],
                hours: HoursDraft {
                    days: words("hours_days").collect(),
                    from: row.cell("hours_from"),
                    to: row.cell("hours_to"),
                    zone: row.cell("hours_zone"),
                },
                not_before: row.cell("not_before"),
            },
            extend_catalogue: false,
            scopes_required: false,
        };
        let is_member = |id: &AccountId| self.member_ids.contains(id);
        match admit(
            (self.actor, &self.policies, &self.ctx.countries),
            &draft,
            Ok(&self.project),
            is_member,
            self.now,
        ) {
            Ok(Admitted { checked, reasons, .. }) => match self.refused(&checked, &reasons) {
                Some(error) => Err(vec![error]),
                None => Ok((checked, reasons)),
            },
            Err(DomainError::Invalid(errors)) => Err(errors),
            Err(error) => Err(vec![FieldError::new("", "refused", error.to_string())]),
        }
    }

    /// A key that a second person has to approve cannot be imported: it passes at once, and nobody could look at it before.
    fn refused(&self, checked: &Checked, reasons: &[Reason]) -> Option<FieldError> {
        let rules = &self.policies.of(checked.environment).approvals;
        let refused = approvals::check(self.actor, rules, reasons, Leave::Own).is_err();
        let field = match reasons.first()? {
            Reason::NewKey | Reason::Wider => "environment",
            Reason::Sensitive => "scopes",
            Reason::LongLife => "expiry",
        };
        let message = format!(
            "{} Imported keys pass at once, so they cannot wait for that: create the key instead, and ask for approval.",
            reasons_in_words(reasons)
        );
        refused.then(|| FieldError::new(field, "approval_required", message))
    }

    /// As the form for one key writes it.
    fn owner(&self, text: &str) -> Result<String, FieldError> {
        if text.is_empty() && self.actor.account_id().is_some() {
            return Ok("me".to_owned());
        }
        if text.starts_with("team:") {
            return Ok(text.to_owned());
        }
        match self.members.get(&text::folded(text)) {
            Some(id) => Ok(format!("member:{id}")),
            None => {
                let message = match text.is_empty() {
                    true => "The owner is missing: write the e-mail address of a member, or team:label."
                        .to_owned(),
                    false => format!(
                        "No active member has the address “{}”. Write that of a member, or team:label.",
                        shown(text, 80)
                    ),
                };
                Err(FieldError::new("owner", "choice", message))
            }
        }
    }

    /// What the database says against rows: digests that were imported before, names that are taken.
    pub async fn refuse_known(
        &self,
        tx: &mut Tx,
        ready: Vec<Ready>,
    ) -> Result<(Vec<Ready>, Vec<Mistake>), DomainError> {
        let hashes: Vec<&str> = ready
            .iter()
            .flat_map(|row| &row.hashes)
            .map(String::as_str)
            .collect();
        let imported: HashMap<String, _> = store::list_imported(tx, &hashes).await?.into_iter().collect();
        let names: Vec<(&str, &str)> = ready
            .iter()
            .map(|row| (row.checked.environment.as_str(), row.name_folded.as_str()))
            .collect();
        let taken = store::list_names(tx, &self.project.id, &names).await?;
        let taken: HashSet<(String, String)> = taken.into_iter().collect();
        let (mut good, mut mistakes) = (Vec::with_capacity(ready.len()), Vec::new());
        for row in ready {
            let environment = row.checked.environment.as_str();
            if let Some(key) = row.hashes.iter().find_map(|hash| imported.get(hash)) {
                let message = format!("Already imported, as {key}.");
                mistakes.push(told(row.line, FieldError::new("digest", "imported", message)));
            } else if taken.contains(&(environment.to_owned(), row.name_folded.clone())) {
                let message = format!("Another {environment} key of this project has this name.");
                mistakes.push(told(row.line, FieldError::new("name", "taken", message)));
            } else {
                good.push(row);
            }
        }
        Ok((good, mistakes))
    }
}

/// Sixteen bytes stand for a text: that two of a file are the same by chance will not happen.
fn short(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    bytes[..16]
        .iter()
        .fold(0, |all, byte| (all << 8) | u128::from(*byte))
}

fn told(line: u64, error: FieldError) -> Mistake {
    let column = match error.field.as_str() {
        "owner_team" => "owner".to_owned(),
        "expiry" | "expiry_date" => "expires".to_owned(),
        _ => error.field,
    };
    Mistake {
        line,
        column,
        code: error.code,
        message: error.message,
    }
}

/// What is wrong with a row that could not even be read.
pub(super) fn unread(broken: rows::Broken) -> (Mistake, bool) {
    match broken {
        rows::Broken::Row(mistake) => (mistake, false),
        rows::Broken::File(mistake) => (mistake, true),
    }
}
