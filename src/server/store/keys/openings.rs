//! Rotations that were opened and wait for whoever collects the new secret, and what decides whether one can be.

use super::candidates::named_one_by_one;
use super::hint;
use super::list::{badge, from_keys};
use super::rotation::{EntryRow, passing};
use crate::model::actor::OrgScope;
use crate::model::id::KeyId;
use crate::model::key::{Badge, Environment, Owner};
use crate::model::org::Role;
use crate::model::rotation::{LISTED_MAX, Overlap, RotationEntry};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::server::store::db::{Tx, on};
use crate::server::store::error::StoreError;
use crate::server::store::row::{RowPlace, moment};
use crate::server::store::statements;

macro_rules! opened_columns {
    () => {
        "w.overlap_ms AS opened_overlap_ms, w.from_first_use AS opened_from_first_use, w.opened_at_ms, w.opened_by_type,
        w.opened_by_id, b.name AS opened_by_name, m.role AS owner_role"
    };
}

/// Begins the query for keys that are named one by one: $1 is the organisation, $2 is now.
const ROTATABLE: &str = concat!(
    "SELECT k.id, k.name, k.prefix, k.environment, k.owner_account_id, o.name AS owner_name, k.owner_team, m.role AS owner_role, ",
    badge!(),
    " AS badge, k.version, k.scopes, k.restrictions, k.created_at_ms, k.expires_at_ms, k.rotation_days, k.rotation_due_at_ms,
    CASE WHEN w.key_id IS NULL THEN 0 ELSE 1 END AS is_waiting, ",
    import_prefix!(),
    from_keys!(),
    " LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN opened_rotations w ON w.key_id = k.id
    WHERE k.org_id = $1 AND k.id IN ("
);

/// Keys that the badge calls overdue as far as the key itself tells, from one index; $2 is now.
macro_rules! overdue {
    () => {
        "k.rotation_due_at_ms <= $2 AND k.status = 'active' AND k.secret_count > 0 AND COALESCE(k.expires_at_ms, $2 + 1) > $2
        AND COALESCE(k.not_before_ms, $2) <= $2 AND COALESCE(k.overlap_until_ms, 0) <= $2"
    };
}
pub(in crate::server::store) use overdue;

statements! {
    OPEN = "INSERT INTO opened_rotations (key_id, org_id, overlap_ms, from_first_use, opened_at_ms, opened_by_type, opened_by_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    END = "DELETE FROM opened_rotations WHERE org_id = $1 AND key_id = $2";
    FIND = concat!("SELECT ", opened_columns!(), " FROM opened_rotations w JOIN api_keys k ON k.id = w.key_id
        LEFT JOIN active_membership m ON m.org_id = k.org_id AND m.account_id = k.owner_account_id
        LEFT JOIN accounts b ON b.id = w.opened_by_id WHERE w.org_id = $1 AND w.key_id = $2");
    /// What has waited longest first; what $3 owns before all.
    LIST_WAITING = concat!("SELECT k.id, k.name, k.prefix, k.environment, p.name AS project_name, k.owner_account_id, o.name AS owner_name,
        k.owner_team, k.rotation_due_at_ms, k.overlap_until_ms, u.at_ms AS used_at_ms, u.ip AS used_ip, ", import_prefix!(), ", ",
        opened_columns!(), " FROM opened_rotations w JOIN api_keys k ON k.id = w.key_id JOIN projects p ON p.id = k.project_id
        LEFT JOIN accounts o ON o.id = k.owner_account_id LEFT JOIN key_last_used u ON u.key_id = k.id
        LEFT JOIN accounts b ON b.id = w.opened_by_id", passing!(), " AND w.org_id = $1
        ORDER BY CASE WHEN k.owner_account_id = $3 THEN 0 ELSE 1 END, w.opened_at_ms, k.id LIMIT $4");
    COUNT_WAITING = concat!("SELECT COUNT(*) FROM opened_rotations w JOIN api_keys k ON k.id = w.key_id JOIN projects p ON p.id = k.project_id",
        passing!(), " AND w.org_id = $1");
}

#[derive(sqlx::FromRow)]
struct OpenedRow {
    opened_overlap_ms: i64,
    opened_from_first_use: i64,
    opened_at_ms: i64,
    opened_by_type: String,
    opened_by_id: String,
    opened_by_name: Option<String>,
    owner_role: Option<String>,
}

/// A rotation that was opened.
pub struct Opened {
    pub overlap: Overlap,
    pub opened_at: Timestamp,
    /// Type, id and present name of who opened it.
    pub opened_by: (String, String, Option<String>),
    /// The role of the key's owner, who is an active member; none of a team.
    pub owner_role: Option<Role>,
}

impl OpenedRow {
    fn into_opened(self, key: &str) -> Result<Opened, StoreError> {
        Ok(Opened {
            overlap: Overlap {
                length_ms: self.opened_overlap_ms,
                from_first_use: self.opened_from_first_use == 1,
            },
            opened_at: Timestamp::from_ms(self.opened_at_ms),
            opened_by: (self.opened_by_type, self.opened_by_id, self.opened_by_name),
            owner_role: role(key, self.owner_role.as_deref())?,
        })
    }
}

fn role(key: &str, text: Option<&str>) -> Result<Option<Role>, StoreError> {
    let place = RowPlace {
        table: "members",
        id: key,
    };
    text.map(|text| place.required("role", Role::parse(text)))
        .transpose()
}

/// A rotation as it is opened.
pub struct NewOpening<'a> {
    pub key: &'a KeyId,
    pub overlap: Overlap,
    pub by: (&'a str, &'a str),
}

/// Opens a rotation. Errors: it was opened before.
pub async fn open(
    tx: &mut Tx,
    scope: &OrgScope,
    new: &NewOpening<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (org, key) = (scope.org_id().as_str(), new.key.as_str());
    on!(tx, c => sqlx::query(OPEN).bind(key).bind(org).bind(new.overlap.length_ms)
        .bind(i64::from(new.overlap.from_first_use)).bind(now.ms()).bind(new.by.0).bind(new.by.1).execute(c).await.map(drop))
}

/// Ends what was opened; `false` when nothing was.
pub async fn end_opening(tx: &mut Tx, scope: &OrgScope, key: &KeyId) -> Result<bool, StoreError> {
    let (org, key) = (scope.org_id().as_str(), key.as_str());
    let rows =
        on!(tx, c => sqlx::query(END).bind(org).bind(key).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The rotation that waits for whoever collects the key's new secret, if one does.
pub async fn find_opened(tx: &mut Tx, scope: &OrgScope, key: &KeyId) -> Result<Option<Opened>, StoreError> {
    let row: Option<OpenedRow> = on!(tx, c => sqlx::query_as(FIND).bind(scope.org_id().as_str()).bind(key.as_str())
        .fetch_optional(c).await)?;
    row.map(|row| row.into_opened(key.as_str())).transpose()
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    #[sqlx(flatten)]
    entry: EntryRow,
    #[sqlx(flatten)]
    opened: OpenedRow,
}

/// A key that waits, with its owner and what was opened.
pub type WaitingKey = (RotationEntry, Owner, Opened);

/// Keys that wait and would pass, those that the account owns first, and how many there are.
pub async fn list_waiting(
    tx: &mut Tx,
    scope: &OrgScope,
    account: &str,
    now: Timestamp,
) -> Result<(Vec<WaitingKey>, i64), StoreError> {
    let org = scope.org_id().as_str();
    let rows: Vec<WaitingRow> = on!(tx, c => sqlx::query_as(LIST_WAITING).bind(org).bind(now.ms()).bind(account)
        .bind(LISTED_MAX).fetch_all(c).await)?;
    let count = on!(tx, c => sqlx::query_scalar(COUNT_WAITING).bind(org).bind(now.ms()).fetch_one(c).await)?;
    let read = |row: WaitingRow| {
        let (entry, owner) = row.entry.into_entry()?;
        let opened = row.opened.into_opened(entry.id.as_str())?;
        Ok((entry, owner, opened))
    };
    Ok((
        rows.into_iter().map(read).collect::<Result<_, StoreError>>()?,
        count,
    ))
}

#[derive(sqlx::FromRow)]
struct RotatableRow {
    id: String,
    name: String,
    prefix: String,
    environment: String,
    owner_account_id: Option<String>,
    owner_name: Option<String>,
    owner_team: String,
    owner_role: Option<String>,
    badge: String,
    version: i64,
    scopes: String,
    restrictions: Option<String>,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    rotation_days: Option<i64>,
    rotation_due_at_ms: Option<i64>,
    is_waiting: i32,
    import_prefix: Option<String>,
}

/// A key with all that decides whether its rotation can be opened, and who would collect.
pub struct RotatableKey {
    pub id: KeyId,
    pub name: String,
    pub hint: String,
    pub environment: Environment,
    pub owner: Owner,
    pub owner_role: Option<Role>,
    pub badge: Badge,
    pub version: i64,
    pub scopes: ScopeSet,
    /// As stored.
    pub restrictions: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub rotation_days: Option<i64>,
    pub due_at: Option<Timestamp>,
    pub is_waiting: bool,
}

impl TryFrom<RotatableRow> for RotatableKey {
    type Error = StoreError;
    fn try_from(row: RotatableRow) -> Result<Self, StoreError> {
        let place = RowPlace {
            table: "api_keys",
            id: &row.id,
        };
        let id: KeyId = place.parsed("id", &row.id)?;
        let environment = place.required("environment", Environment::parse(&row.environment))?;
        Ok(Self {
            hint: hint(&row.prefix, environment, &id, row.import_prefix.as_deref()),
            owner: place.owner(row.owner_account_id.as_deref(), row.owner_name, row.owner_team)?,
            owner_role: role(&row.id, row.owner_role.as_deref())?,
            badge: place.required("badge", Badge::parse(&row.badge))?,
            scopes: place.required("scopes", ScopeSet::from_stored(&row.scopes).ok())?,
            id,
            name: row.name,
            environment,
            version: row.version,
            restrictions: row.restrictions,
            created_at: Timestamp::from_ms(row.created_at_ms),
            expires_at: moment(row.expires_at_ms),
            rotation_days: row.rotation_days,
            due_at: moment(row.rotation_due_at_ms),
            is_waiting: row.is_waiting == 1,
        })
    }
}

/// Those of the keys that there are in this organisation.
pub async fn list_rotatable(
    tx: &mut Tx,
    scope: &OrgScope,
    keys: &[&KeyId],
    now: Timestamp,
) -> Result<Vec<RotatableKey>, StoreError> {
    let rows: Vec<RotatableRow> = named_one_by_one(tx, ROTATABLE, (scope, keys), now).await?;
    rows.into_iter().map(RotatableKey::try_from).collect()
}
