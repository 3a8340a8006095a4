//! Which keys a filter asks for, in SQL. The text is made from what is asked, so that nothing is looked at for a question that
//! nobody put, and the index `api_keys_facts` alone answers how many there are. It holds names of states and what policies
//! say, nothing that anybody typed: that is bound.

use super::against;
use super::concern::concern;
use crate::model::actor::OrgScope;
use crate::model::key::{Badge, Concern, KeyFilter};
use crate::model::text::folded;
use crate::model::time::Timestamp;
use crate::server::store::db::Tx;
use crate::server::store::error::StoreError;
use crate::server::store::row::{beginning_with, containing};

/// Begins the conditions of every statement that lists or counts keys by a filter: $1 is the organisation, $2 is now, and
/// [`Asked`] holds $3 to $9. What it asks for takes the place of the mark.
macro_rules! narrowed {
    () => {
        " WHERE k.org_id = $1 AND COALESCE($3, $4, $5, $6, $9) IS NOT NULL AND CAST($2 AS BIGINT) > 0 AND ($7 = '' OR k.project_id = $7)
        AND ($8 = '' OR k.environment = $8) AND 'asked' = 'asked'"
    };
}
pub(super) use narrowed;

const MARK: &str = "'asked' = 'asked'";

/// The badge as in `list::badge`, from columns of the key alone: projects and people are looked up once, not for each key.
const STATE: &str = "(CASE WHEN k.status = 'revoked' THEN 'revoked'
    WHEN k.secret_count = 0 THEN 'pending'
    WHEN k.status = 'disabled' OR k.project_id IN (SELECT a.id FROM projects a WHERE a.org_id = $1 AND a.status = 'archived') THEN 'disabled'
    WHEN k.expires_at_ms <= $2 THEN 'expired'
    WHEN k.not_before_ms > $2 THEN 'not_yet_valid'
    WHEN k.owner_account_id IS NOT NULL
        AND k.owner_account_id NOT IN (SELECT a.account_id FROM active_membership a WHERE a.org_id = $1) THEN 'owner_inactive'
    WHEN k.overlap_until_ms > $2 THEN 'rotating'
    WHEN k.rotation_due_at_ms <= $2 THEN 'rotation_overdue'
    ELSE 'active' END)";

/// Those of the states in which a key passes, without a look at which.
const PASSES: &str =
    "k.status = 'active' AND k.secret_count > 0 AND (k.expires_at_ms IS NULL OR k.expires_at_ms > $2)
    AND (k.not_before_ms IS NULL OR k.not_before_ms <= $2)
    AND k.project_id NOT IN (SELECT a.id FROM projects a WHERE a.org_id = $1 AND a.status = 'archived')
    AND (k.owner_account_id IS NULL
        OR k.owner_account_id IN (SELECT a.account_id FROM active_membership a WHERE a.org_id = $1))";

/// What a filter binds after organisation and time: search, three patterns, project, environment, state.
pub(super) type Asked = [String; 7];

pub(super) fn asked(filter: &KeyFilter) -> Asked {
    let search = filter.search.trim();
    [
        search.to_owned(),
        containing(&folded(search)),
        beginning_with(search),
        beginning_with(search),
        filter.project.map_or_else(String::new, |id| id.to_string()),
        filter
            .environment
            .map_or_else(String::new, |environment| environment.as_str().to_owned()),
        filter.status().to_owned(),
    ]
}

/// The statement for a filter.
pub(super) async fn narrowing(
    tx: &mut Tx,
    scope: &OrgScope,
    filter: &KeyFilter,
    statement: &'static str,
    now: Timestamp,
) -> Result<String, StoreError> {
    let mut conditions = Vec::from_iter(found_by(filter));
    conditions.extend(in_state(filter));
    if filter.against_policy {
        conditions.push(against::condition(tx, scope, now).await?);
    }
    let all = match conditions.is_empty() {
        true => "1 = 1".to_owned(),
        false => conditions.join(" AND "),
    };
    Ok(statement.replace(MARK, &all))
}

/// A search finds names that contain it, and ids and keys that begin with it; of revoked keys why they were, too.
fn found_by(filter: &KeyFilter) -> Option<String> {
    let search = filter.search.trim();
    if search.is_empty() {
        return None;
    }
    let mut places = vec!["k.name_folded LIKE $4 ESCAPE '\\'", "k.id LIKE $5 ESCAPE '\\'"];
    places.push(match search.contains('_') {
        true => "k.prefix || '_' || k.environment || '_' || substr(k.id, 5) LIKE $6 ESCAPE '\\'",
        // It can only be the beginning of what stands before the first of these signs.
        false => "k.prefix LIKE $6 ESCAPE '\\'",
    });
    if filter.badge == Some(Badge::Revoked) {
        places.push("lower(k.revoked_reason) LIKE $4 ESCAPE '\\'");
        places.push("lower(k.revoked_note) LIKE $4 ESCAPE '\\'");
    }
    Some(format!("({})", places.join(" OR ")))
}

/// Those states that a stored status can be in come first: they are a part of the index.
fn in_state(filter: &KeyFilter) -> Option<String> {
    let passing = |what: &str| format!("{what} AND {PASSES}");
    let Some(badge) = filter.badge else {
        return match filter.concern {
            Some(Concern::NoEnd) => Some(passing(concern!(no_end))),
            Some(Concern::AnyAddress) => Some(passing(concern!(any_address))),
            Some(Concern::AllScopes) => Some(passing(concern!(all_scopes))),
            Some(Concern::OfPerson) => Some(passing(concern!(of_person))),
            Some(Concern::NotConfirmed) => Some(passing(concern!(not_confirmed))),
            None if filter.with_revoked => None,
            None => Some("k.status <> 'revoked'".to_owned()),
        };
    };
    let name = badge.as_str();
    Some(match badge {
        Badge::Revoked => "k.status = 'revoked'".to_owned(),
        Badge::Pending | Badge::Disabled => format!("k.status <> 'revoked' AND {STATE} = '{name}'"),
        _ => format!("k.status = 'active' AND {STATE} = '{name}'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_once_in_each_statement_that_is_narrowed() {
        let marked = super::super::STATEMENTS
            .iter()
            .filter(|(_, sql)| sql.contains(MARK));
        let marked: Vec<_> = marked
            .map(|(name, sql)| (name, sql.matches(MARK).count()))
            .collect();
        assert!(
            marked.len() >= 9 && marked.iter().all(|(_, n)| *n == 1),
            "{marked:?}"
        );
    }
}
