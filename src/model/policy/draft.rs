//! A policy as it was typed.

use super::{
    Creators, DAYS_MAX, FourEyes, LAPSE_DAYS, LAPSE_DAYS_MAX, LAPSE_DAYS_MIN, OVERLAP_HOURS_MAX, OnLeak,
    Policy, UNUSED_DAYS_MIN,
};
use crate::model::calendar::counted;
use crate::model::error::FieldError;
use crate::model::form::FormValues;
use crate::model::rotation::OVERLAP_MAX_MS;
use crate::model::scope::ScopeSet;
use crate::model::time::HOUR_MS;

const _: () = assert!(OVERLAP_HOURS_MAX as i64 * HOUR_MS == OVERLAP_MAX_MS);

/// The fields of the form, unchecked.
#[derive(Clone, Debug, Default)]
pub struct PolicyDraft<'a> {
    pub creators: &'a str,
    pub expiry_required: bool,
    pub max_lifetime_days: &'a str,
    pub addresses_required: bool,
    pub rotation_days: &'a str,
    pub max_overlap_hours: &'a str,
    pub forbidden_scopes: &'a str,
    pub unused_days: &'a str,
    pub on_leak: &'a str,
    pub approvals: FourEyesDraft<'a>,
}

/// The fields about what a second person has to approve.
#[derive(Clone, Copy, Debug, Default)]
pub struct FourEyesDraft<'a> {
    pub new_keys: bool,
    pub sensitive: bool,
    pub wider: bool,
    pub beyond_days: &'a str,
    pub lapse_days: &'a str,
    pub owners_exempt: bool,
}

impl<'a> FourEyesDraft<'a> {
    fn from_values(values: &'a FormValues) -> Self {
        let is_ticked = |name| values.first(name) == "1";
        Self {
            new_keys: is_ticked("approve_new"),
            sensitive: is_ticked("approve_sensitive"),
            wider: is_ticked("approve_wider"),
            beyond_days: values.first("approve_beyond_days"),
            lapse_days: values.first("approval_days"),
            owners_exempt: is_ticked("owners_exempt"),
        }
    }

    fn check(&self, keep: &mut impl FnMut(FieldError)) -> Option<FourEyes> {
        let mut days = |field, text, bounds| number(field, text, bounds, "the days").map_err(&mut *keep).ok();
        let beyond = days("approve_beyond_days", self.beyond_days, (1, DAYS_MAX));
        let lapse = days("approval_days", self.lapse_days, (LAPSE_DAYS_MIN, LAPSE_DAYS_MAX));
        Some(FourEyes {
            new_keys: self.new_keys,
            sensitive: self.sensitive,
            wider: self.wider,
            beyond_days: beyond?,
            lapse_days: lapse?.unwrap_or(LAPSE_DAYS),
            owners_exempt: self.owners_exempt,
        })
    }
}

fn choice(field: &'static str, message: &str) -> FieldError {
    FieldError::new(field, "choice", message)
}

/// A whole number within bounds, or nothing typed.
fn number(
    field: &'static str,
    text: &str,
    (least, most): (u32, u32),
    what: &str,
) -> Result<Option<u32>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u32>() {
            Ok(n) if (least..=most).contains(&n) => Ok(Some(n)),
            _ => {
                let message = format!("Give {what} as a number from {least} to {most}.");
                Err(FieldError::new(field, "range", message))
            }
        },
    }
}

impl<'a> PolicyDraft<'a> {
    #[must_use]
    pub fn from_values(values: &'a FormValues) -> Self {
        Self {
            creators: values.first("creators"),
            expiry_required: values.first("expiry_required") == "1",
            max_lifetime_days: values.first("max_lifetime_days"),
            addresses_required: values.first("addresses_required") == "1",
            rotation_days: values.first("rotation_days"),
            max_overlap_hours: values.first("max_overlap_hours"),
            forbidden_scopes: values.first("forbidden_scopes"),
            unused_days: values.first("unused_days"),
            on_leak: values.first("on_leak"),
            approvals: FourEyesDraft::from_values(values),
        }
    }

    /// The rules, or everything that is wrong with them; what would leave nobody able to make a key is.
    pub fn check(&self) -> Result<Policy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut keep = |error: FieldError| errors.push(error);
        let creators = match self.creators {
            "admins" => Some(Creators::Admins),
            "developers" => Some(Creators::Developers),
            _ => {
                keep(choice("creators", "Choose who creates keys."));
                None
            }
        };
        let on_leak = match self.on_leak {
            "revoke" => Some(OnLeak::Revoke),
            "alert" => Some(OnLeak::Alert),
            _ => {
                keep(choice("on_leak", "Choose what becomes of a key that leaked."));
                None
            }
        };
        let mut days = |field, text, bounds, what| number(field, text, bounds, what).map_err(&mut keep).ok();
        let lifetime = days(
            "max_lifetime_days",
            self.max_lifetime_days,
            (1, DAYS_MAX),
            "the days",
        );
        let rotation = days("rotation_days", self.rotation_days, (1, DAYS_MAX), "the days");
        let overlap = days(
            "max_overlap_hours",
            self.max_overlap_hours,
            (0, OVERLAP_HOURS_MAX),
            "the hours",
        );
        let unused = days(
            "unused_days",
            self.unused_days,
            (UNUSED_DAYS_MIN, DAYS_MAX),
            "the days",
        );
        if rotation == Some(None) {
            let message =
                format!("Give the days as a number from 1 to {DAYS_MAX}: every secret is replaced some day.");
            keep(FieldError::new("rotation_days", "required", message));
        }
        let overlap = match contradiction(rotation.flatten(), overlap) {
            Some(error) => {
                keep(error);
                None
            }
            None => overlap,
        };
        let forbidden = forbidden(self.forbidden_scopes).map_err(&mut keep).ok();
        let approvals = self.approvals.check(&mut keep);
        match (
            creators,
            lifetime,
            rotation.flatten(),
            overlap,
            forbidden,
            unused,
            on_leak.zip(approvals),
        ) {
            (
                Some(creators),
                Some(max_lifetime_days),
                Some(rotation_days),
                Some(overlap),
                Some(forbidden_scopes),
                Some(unused_days),
                Some((on_leak, approvals)),
            ) => Ok(Policy {
                creators,
                expiry_required: self.expiry_required,
                max_lifetime_days,
                addresses_required: self.addresses_required,
                rotation_days,
                max_overlap_hours: overlap.unwrap_or(OVERLAP_HOURS_MAX),
                forbidden_scopes,
                unused_days,
                on_leak,
                approvals,
            }),
            _ => Err(errors),
        }
    }
}

/// What is wrong with an overlap that goes on into the next rotation. `overlap` is what was typed, if it could be read.
fn contradiction(rotation_days: Option<u32>, overlap: Option<Option<u32>>) -> Option<FieldError> {
    let between = rotation_days? * 24;
    let hours = overlap?.unwrap_or(OVERLAP_HOURS_MAX);
    let message = format!(
        "“Days between rotations” and “Longest overlap in hours” contradict each other: the next rotation is due after {}, and the old secret of the one before could go on for {}. Give fewer than {between} hours, or more days.",
        counted(i64::from(between / 24), "day"),
        counted(i64::from(hours), "hour"),
    );
    (hours >= between).then(|| FieldError::new("max_overlap_hours", "contradiction", message))
}

fn forbidden(text: &str) -> Result<ScopeSet, FieldError> {
    let entries = text.split(|c: char| c.is_whitespace() || c == ',');
    let scopes = ScopeSet::parse("forbidden_scopes", entries)?;
    if scopes.iter().any(|scope| scope.as_str() == "*") {
        let message = "With * forbidden no key could do anything, so none could be made. Name the scopes that no key may have.";
        return Err(FieldError::new("forbidden_scopes", "everything", message));
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::Environment;

    const GOOD: PolicyDraft<'static> = PolicyDraft {
        creators: "admins",
        expiry_required: true,
        max_lifetime_days: "90",
        addresses_required: true,
        rotation_days: "30",
        max_overlap_hours: "24",
        forbidden_scopes: "admin:* billing:refund",
        unused_days: "",
        on_leak: "alert",
        approvals: FourEyesDraft {
            new_keys: false,
            sensitive: false,
            wider: false,
            beyond_days: "",
            lapse_days: "",
            owners_exempt: false,
        },
    };

    #[test]
    fn what_was_typed_becomes_rules() {
        let policy = GOOD.check().unwrap();
        assert_eq!(policy.max_lifetime_days, Some(90));
        assert_eq!(policy.max_overlap_hours, 24);
        assert_eq!(policy.forbidden_scopes.stored(), "admin:* billing:refund");
        assert_eq!(policy.unused_days, None);
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let wrong = PolicyDraft {
            creators: "",
            max_lifetime_days: "0",
            rotation_days: "",
            max_overlap_hours: "721",
            forbidden_scopes: "Admin",
            unused_days: "6",
            on_leak: "shrug",
            approvals: FourEyesDraft {
                beyond_days: "0",
                lapse_days: "31",
                ..FourEyesDraft::default()
            },
            ..GOOD
        };
        let fields: Vec<String> = wrong
            .check()
            .unwrap_err()
            .into_iter()
            .map(|e| e.field.to_string())
            .collect();
        let told = [
            "creators",
            "on_leak",
            "max_lifetime_days",
            "max_overlap_hours",
            "unused_days",
            "rotation_days",
            "forbidden_scopes",
            "approve_beyond_days",
            "approval_days",
        ];
        assert_eq!(fields, told);
    }

    #[test]
    fn a_policy_that_forbids_everything_is_refused() {
        let wrong = PolicyDraft {
            forbidden_scopes: "read *",
            ..GOOD
        };
        assert_eq!(wrong.check().unwrap_err()[0].code, "everything");
    }

    #[test]
    fn an_overlap_ends_before_the_next_rotation_is_due() {
        for (days, hours, is_wrong) in [
            ("1", "24", true),
            ("1", "23", false),
            ("30", "720", true),
            ("30", "", true),
            ("30", "719", false),
            ("31", "", false),
            ("7", "720", true),
            ("1", "0", false),
        ] {
            let draft = PolicyDraft {
                rotation_days: days,
                max_overlap_hours: hours,
                ..GOOD
            };
            let Err(errors) = draft.check() else {
                assert!(!is_wrong, "{days} {hours}");
                continue;
            };
            assert!(is_wrong && errors.len() == 1, "{days} {hours}: {errors:?}");
            let FieldError { field, code, message } = &errors[0];
            assert_eq!(
                (field.as_str(), code.as_str()),
                ("max_overlap_hours", "contradiction")
            );
            for rule in ["Days between rotations", "Longest overlap in hours"] {
                assert!(message.contains(rule), "{message}");
            }
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_product() {
        let live = Policy::default_of(Environment::Live);
        assert_eq!((live.creators, live.rotation_days), (Creators::Admins, 90));
        let test = Policy::default_of(Environment::Test);
        assert_eq!((test.creators, test.rotation_days), (Creators::Developers, 180));
    }
}
