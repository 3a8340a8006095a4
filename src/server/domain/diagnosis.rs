//! What is wrong with an installation, as far as its database tells.

use serde::Serialize;

use super::accounts::operate;
use super::keys::restrictions;
use super::{audit, instance};
use crate::model::calendar::counted;
use crate::model::time::DAY_MS;
use crate::server::ctx::Context;
use crate::server::store::mails;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Fine,
    Warning,
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub weight: Weight,
    pub detail: String,
}

impl Finding {
    pub fn fine(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            weight: Weight::Fine,
            detail: detail.into(),
        }
    }

    pub fn warning(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            weight: Weight::Warning,
            detail: detail.into(),
        }
    }

    pub fn broken(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            weight: Weight::Broken,
            detail: detail.into(),
        }
    }
}

/// Looks at everything a running installation needs.
pub async fn examine(ctx: &Context) -> Vec<Finding> {
    let missing = ctx.keyring.missing();
    let mut findings = vec![match missing.as_slice() {
        [] => Finding::fine("secrets", "All peppers and MAC keys are there."),
        missing => {
            let names: Vec<&str> = missing.iter().map(|purpose| purpose.as_str()).collect();
            Finding::broken(
                "secrets",
                format!(
                    "The database lacks secrets for: {}. Restore it from a backup.",
                    names.join(", ")
                ),
            )
        }
    }];
    findings.push(match instance::is_set_up(ctx).await {
        Ok(true) => Finding::fine("set_up", "The installation is set up."),
        Ok(false) => Finding::warning(
            "set_up",
            "The installation is not set up yet: open the link that keywright serve prints.",
        ),
        Err(error) => Finding::broken("set_up", error.to_string()),
    });
    findings.push(match audit::verify(ctx).await {
        Ok(report) if report.ok => Finding::fine(
            "audit",
            format!("The audit log is whole: {}.", counted(report.events, "event")),
        ),
        Ok(_) => Finding::broken(
            "audit",
            "The audit log was tampered with. Run: keywright audit verify",
        ),
        Err(error) => Finding::broken("audit", error.to_string()),
    });
    findings.push(countries(ctx).await);
    findings.extend(stuck_mail(ctx).await);
    if let Ok(accounts) = operate::list(ctx).await {
        for account in accounts.iter().filter(|account| account.locked) {
            let detail = format!(
                "{} is locked after too many failed sign-ins. Run: keywright accounts unlock",
                account.email
            );
            findings.push(Finding::warning("locked_account", detail));
        }
    }
    findings
}

/// Addresses change hands: after so long a country database says too much that is no longer so.
const COUNTRIES_OLD_MS: i64 = 90 * DAY_MS;

async fn countries(ctx: &Context) -> Finding {
    let check = "countries";
    if let Some(edition) = ctx.countries.edition() {
        let told = format!(
            "Countries are told by {}, built on {}",
            edition.kind,
            edition.built_at.date_in_words()
        );
        return match ctx.clock.now().since_ms(edition.built_at) > COUNTRIES_OLD_MS {
            true => Finding::warning(
                check,
                format!("{told}: older than 90 days. Put a newer file in its place."),
            ),
            false => Finding::fine(check, format!("{told}.")),
        };
    }
    let why = match ctx.countries.is_configured() {
        true => "The country database cannot be read",
        false => "There is no country database",
    };
    match restrictions::count_by_country(ctx).await {
        Ok(0) if ctx.countries.is_configured() => Finding::broken(
            check,
            format!("{why}: keywright serve would not start. Check KEYWRIGHT_COUNTRY_DATABASE."),
        ),
        Ok(0) => Finding::fine(check, format!("{why}, and no key has a rule about countries.")),
        Ok(keys) => Finding::broken(
            check,
            format!(
                "{why}, so every request is refused of keys that have a rule about countries: {}. Set KEYWRIGHT_COUNTRY_DATABASE.",
                counted(keys, "key")
            ),
        ),
        Err(error) => Finding::broken(check, error.to_string()),
    }
}

async fn stuck_mail(ctx: &Context) -> Option<Finding> {
    let mut tx = ctx.db.begin_read().await.ok()?;
    let (_, stuck) = mails::counts(&mut tx).await.ok()?;
    (stuck > 0).then(|| {
        let detail = format!(
            "{} stuck. See Installation › Mail.",
            if stuck == 1 {
                "1 mail is".to_owned()
            } else {
                format!("{stuck} mails are")
            }
        );
        Finding::warning("stuck_mail", detail)
    })
}
