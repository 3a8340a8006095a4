//! Restrictions between form, row and memory.

use crate::model::error::FieldError;
use crate::model::restriction::{Restrictions, RestrictionsDraft};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::DomainError;
use crate::server::platform::countries::CountryDatabase;
use crate::server::platform::zones;
use crate::server::store::keys::{self as store, SecuredKey};

/// Reads what was typed. A place whose clock is to count must be one we know.
pub fn parse(draft: &RestrictionsDraft<'_>) -> Result<Restrictions, DomainError> {
    let rules = Restrictions::parse(draft).map_err(DomainError::Invalid)?;
    match &rules.hours {
        Some(hours) if zones::find(&hours.zone).is_none() => {
            let message = "There is no such time zone. Choose one from the list.";
            Err(FieldError::new("hours_zone", "unknown", message).into())
        }
        _ => Ok(rules),
    }
}

/// A rule about countries that nobody could hold is not saved. One that is there already may stay: every request is refused
/// by it until there is a database again.
pub fn refuse_untold(
    rules: &Restrictions,
    former: Option<&Restrictions>,
    countries: &CountryDatabase,
) -> Result<(), FieldError> {
    let rule = &rules.countries;
    let is_kept = former.is_some_and(|former| former.countries == *rule);
    if rule.is_empty() || is_kept || countries.is_ready() {
        return Ok(());
    }
    let message = "Rules about countries need a country database, and this installation has none. Whoever runs it sets KEYWRIGHT_COUNTRY_DATABASE (docs/operations.md, Countries); until then leave the countries empty.";
    Err(FieldError::new(rule.field(), "no_database", message))
}

/// Keys of every organisation that are limited to countries and not revoked; for whoever runs the house.
pub async fn count_by_country(ctx: &Context) -> Result<i64, DomainError> {
    let mut tx = ctx.db.begin_read().await?;
    Ok(store::count_by_country(&mut tx).await?)
}

/// The stored form of rules: JSON, absent for none, and the moment beside it.
pub fn to_row(rules: &Restrictions) -> Result<(Option<String>, Option<i64>), DomainError> {
    let bare = Restrictions {
        not_before: None,
        ..rules.clone()
    };
    let text = match bare.is_empty() {
        true => None,
        false => {
            Some(serde_json::to_string(&bare).map_err(|_| DomainError::Defect("restrictions are no JSON"))?)
        }
    };
    Ok((text, rules.not_before.map(Timestamp::ms)))
}

/// Reads the stored form. `None` when it is none of ours: then nothing can be decided by it.
#[must_use]
pub fn from_row(text: Option<&str>, not_before: Option<Timestamp>) -> Option<Restrictions> {
    let rules: Restrictions = match text {
        Some(text) => serde_json::from_str(text).ok()?,
        None => Restrictions::default(),
    };
    Some(Restrictions { not_before, ..rules })
}

/// The rules of a key.
pub fn of(key: &SecuredKey) -> Result<Restrictions, DomainError> {
    let not_before = key.not_before_ms.map(Timestamp::from_ms);
    from_row(key.restrictions.as_deref(), not_before)
        .ok_or(DomainError::Defect("a key's restrictions cannot be read"))
}

/// A key that ends before it begins is of no use.
pub fn refuse_empty_span(rules: &Restrictions, end: Option<Timestamp>) -> Result<(), FieldError> {
    match rules.not_before.zip(end) {
        Some((begin, end)) if begin >= end => {
            let message = format!(
                "The key would end on {} before it begins. Choose an earlier day.",
                end.last_day_in_words()
            );
            Err(FieldError::new("not_before", "after_end", message))
        }
        _ => Ok(()),
    }
}

/// Gives a key other rules.
pub fn set(key: &mut SecuredKey, rules: &Restrictions) -> Result<(), DomainError> {
    (key.restrictions, key.not_before_ms) = to_row(rules)?;
    Ok(())
}
