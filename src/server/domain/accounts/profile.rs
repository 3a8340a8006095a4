//! What people say of themselves: name and time zone.

use serde_json::json;

use super::proof::{account_of, note};
use super::session::SignedIn;
use crate::model::error::FieldError;
use crate::model::profile::{PendingEmail, Profile};
use crate::model::text::{self, NAME_MAX};
use crate::model::time::Timestamp;
use crate::server::ctx::Context;
use crate::server::domain::{DomainError, mail};
use crate::server::platform::zones;
use crate::server::store::{accounts, email_changes};

/// The one language there is.
const LANGUAGES: [&str; 1] = ["en"];

pub async fn find(ctx: &Context, signed_in: &SignedIn) -> Result<Profile, DomainError> {
    let account = account_of(signed_in)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_read().await?;
    let row = accounts::find_profile(&mut tx, account).await?;
    let row = row.ok_or(DomainError::NotFound)?;
    let pending = email_changes::find_open(&mut tx, account, now).await?;
    let pending_email = pending.map(|change| PendingEmail {
        email: change.email,
        old_confirmed: change.old_confirmed_at_ms.is_some(),
        new_confirmed: change.new_confirmed_at_ms.is_some(),
        expires_at: Timestamp::from_ms(change.expires_at_ms),
    });
    Ok(Profile {
        name: row.name,
        email: row.email,
        time_zone: row.time_zone,
        zones: zones::names(),
        password_set_at: row.password_set_at_ms.map(Timestamp::from_ms),
        has_factor: signed_in.has_factor,
        pending_email,
        mail: mail::is_on(ctx),
        now,
    })
}

/// The name as it is kept, if everything is in order.
fn check(name: &str, time_zone: &str, language: &str) -> Result<String, DomainError> {
    let mut errors = Vec::new();
    let name = text::line("name", "Your name", name, 1, NAME_MAX)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    if !zones::names().iter().any(|zone| zone == time_zone) {
        let message = "There is no such time zone. Choose one from the list.";
        errors.push(FieldError::new("time_zone", "unknown", message));
    }
    if !LANGUAGES.contains(&language) {
        let message = "Keywright does not speak this language. Choose English.";
        errors.push(FieldError::new("language", "unknown", message));
    }
    if errors.is_empty() {
        Ok(name)
    } else {
        Err(DomainError::Invalid(errors))
    }
}

/// Changes what may be changed without further proof. What is as it was leaves no trace.
pub async fn edit(
    ctx: &Context,
    signed_in: &SignedIn,
    name: &str,
    time_zone: &str,
    language: &str,
) -> Result<(), DomainError> {
    let account = account_of(signed_in)?;
    let name = check(name, time_zone, language)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin_write().await?;
    let row = accounts::find_profile(&mut tx, account).await?;
    let row = row.ok_or(DomainError::NotFound)?;
    let changes = [
        ("name", row.name != name),
        ("timeZone", row.time_zone != time_zone),
        ("language", row.language != language),
    ];
    let changed: Vec<&str> = changes
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(what, _)| *what)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    accounts::set_profile(&mut tx, account, &name, time_zone, language).await?;
    note(
        ctx,
        &mut tx,
        &signed_in.actor,
        "account.edited",
        json!({ "changed": changed }),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
