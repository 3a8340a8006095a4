//! All keys that match a filter, for a file: everything that is shown of them, nothing of their secrets.

use serde_json::{Value, json};

use super::restrictions;
use crate::model::actor::Actor;
use crate::model::key::{KeyFilter, Owner};
use crate::model::permission::Permission;
use crate::model::restriction::{Hours, Restrictions, WEEKDAYS};
use crate::model::time::Timestamp;
use crate::server::ctx::Ctx;
use crate::server::domain::DomainError;
use crate::server::domain::audit::{self, Entry};
use crate::server::domain::spreadsheet::cell;
use crate::server::store::keys::{self as store, DetailRow};

/// Keys that are read at once.
const STEP: i64 = 500;

/// Names of the columns; those that an import knows have the same name there.
pub const COLUMNS: [&str; 35] = [
    "id",
    "name",
    "purpose",
    "project",
    "project_id",
    "environment",
    "key",
    "owner",
    "scopes",
    "status",
    "created_at",
    "created_by",
    "expires_at",
    "not_before",
    "ip_allow",
    "ip_deny",
    "country_allow",
    "country_deny",
    "resource_allow",
    "resource_deny",
    "hours_days",
    "hours_from",
    "hours_to",
    "hours_zone",
    "last_used_at",
    "last_used_ip",
    "last_used_country",
    "secret_since",
    "rotation_days",
    "rotation_due_at",
    "overlap_until",
    "stored_at",
    "stored_note",
    "disabled_at",
    "revoked_at",
];

/// Behind them: what is told of a revocation.
pub const REVOCATION: [&str; 3] = ["revoked_by", "revoked_reason", "revoked_note"];

/// An export under way.
pub struct Export {
    ctx: Ctx,
    actor: Actor,
    filter: KeyFilter,
    /// Where it goes on; `None` at the end.
    next: Option<Option<(Timestamp, String)>>,
}

/// One key, as texts in the order of the columns.
pub struct Exported(Vec<(&'static str, String)>);

/// Begins an export, and notes who took what.
pub async fn begin(ctx: &Ctx, actor: &Actor, filter: KeyFilter) -> Result<Export, DomainError> {
    let scope = actor.require(Permission::KeysRead)?;
    let now = ctx.clock.now();
    let detail = json!({
        "search": filter.search, "projectId": filter.project, "environment": filter.environment,
        "status": (!filter.status().is_empty()).then(|| filter.status()), "againstPolicy": filter.against_policy,
        "withRevoked": filter.with_revoked,
    });
    let mut tx = audit::begin(ctx, actor).await?;
    let entry = Entry::new("keys.exported", "organisation", scope.org_id().as_str()).with(detail);
    audit::record(ctx, &mut tx, Some(scope.org_id()), actor, entry, now).await?;
    tx.commit().await?;
    Ok(Export {
        ctx: ctx.clone(),
        actor: actor.clone(),
        filter,
        next: Some(None),
    })
}

impl Export {
    /// The next keys, newest first; empty at the end. No connection is held between two calls.
    pub async fn next(&mut self) -> Result<Vec<Exported>, DomainError> {
        let Some(after) = self.next.take() else {
            return Ok(Vec::new());
        };
        let scope = self.actor.require(Permission::KeysRead)?;
        let now = self.ctx.clock.now();
        let mut tx = self.ctx.db.begin_read().await?;
        let rows = store::list_after(&mut tx, &scope, &self.filter, after.as_ref(), (STEP, now)).await?;
        if let Some(last) = rows.last() {
            self.next = Some(Some((last.summary.created_at, last.summary.id.to_string())));
        }
        rows.into_iter().map(exported).collect()
    }
}

fn exported(row: DetailRow) -> Result<Exported, DomainError> {
    let (stored, not_before) = &row.restrictions;
    let rules = restrictions::from_row(stored.as_deref(), *not_before);
    let rules = rules.ok_or(DomainError::Defect("a key's restrictions cannot be read"))?;
    let at = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
    let who = |who: Option<(String, String, Option<String>)>| {
        who.map_or_else(String::new, |(_, id, name)| name.unwrap_or(id))
    };
    let key = row.summary;
    let owner = match &key.owner {
        Owner::Team(label) => format!("team:{label}"),
        Owner::Member { name, .. } => name.clone(),
    };
    let (used_at, used_ip, used_country) = key
        .last_used
        .map_or((None, None, None), |used| (Some(used.at), used.ip, used.country));
    let mut cells = vec![
        key.id.to_string(),
        key.name,
        row.purpose,
        key.project_name,
        key.project_id.to_string(),
        key.environment.as_str().to_owned(),
        key.hint,
        owner,
        key.scopes.stored(),
        key.badge.as_str().to_owned(),
        key.created_at.rfc3339(),
        who(Some(row.created_by)),
        at(key.expires_at),
    ];
    cells.extend(rules_of(&rules));
    cells.extend([
        at(used_at),
        used_ip.unwrap_or_default(),
        used_country.map(|code| code.to_string()).unwrap_or_default(),
        row.secret_since.rfc3339(),
        row.rotation_days.map(|days| days.to_string()).unwrap_or_default(),
        at(key.rotation_due_at),
        at(key.overlap_until),
        at(key.stored_at),
        row.stored_note,
        at(row.disabled_at),
        at(row.revoked_at),
        who(row.revoked_by),
        row.revoked_reason.map_or("", |reason| reason.as_str()).to_owned(),
        row.revoked_note,
    ]);
    Ok(Exported(
        COLUMNS.into_iter().chain(REVOCATION).zip(cells).collect(),
    ))
}

/// From where, for what and when, as an import would read it.
fn rules_of(rules: &Restrictions) -> Vec<String> {
    use crate::model::restriction::{Addresses, Countries, Resources};
    let words = |lines: String| lines.split_whitespace().collect::<Vec<_>>().join(" ");
    let days = |hours: &Hours| {
        let chosen = WEEKDAYS
            .iter()
            .zip(hours.days)
            .filter(|(_, is_chosen)| *is_chosen);
        chosen.map(|((name, _), _)| *name).collect::<Vec<_>>().join(" ")
    };
    let hours = rules.hours.as_ref();
    let (from, to) = hours.map(Hours::texts).unwrap_or_default();
    vec![
        rules.not_before.map(Timestamp::iso_date).unwrap_or_default(),
        words(Addresses::lines(&rules.addresses.allow)),
        words(Addresses::lines(&rules.addresses.deny)),
        words(Countries::lines(&rules.countries.allow)),
        words(Countries::lines(&rules.countries.deny)),
        words(Resources::lines(&rules.resources.allow)),
        words(Resources::lines(&rules.resources.deny)),
        hours.map(days).unwrap_or_default(),
        from,
        to,
        hours.map(|hours| hours.zone.clone()).unwrap_or_default(),
    ]
}

/// The first line of a file.
#[must_use]
pub fn heading() -> String {
    let names: Vec<&str> = COLUMNS.into_iter().chain(REVOCATION).collect();
    format!("{}\r\n", names.join(","))
}

impl Exported {
    /// A line of CSV (RFC 4180).
    #[must_use]
    pub fn csv(&self) -> String {
        let cells: Vec<String> = self.0.iter().map(|(_, text)| cell(text)).collect();
        format!("{}\r\n", cells.join(","))
    }

    /// An object; what is empty is left out.
    #[must_use]
    pub fn json(&self) -> Value {
        let told = self.0.iter().filter(|(_, text)| !text.is_empty());
        told.map(|(name, text)| ((*name).to_owned(), json!(text)))
            .collect()
    }
}
