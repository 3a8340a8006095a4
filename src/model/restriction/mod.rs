//! From where, for what and when a key passes: rules beside its scopes. Each list that is empty restricts nothing; what is
//! denied is denied whatever else allows it.

mod address;
mod country;
mod hours;
mod resource;

pub use address::{ADDRESSES_MAX, Addresses};
pub use country::{Countries, Whereabouts};
pub use hours::{Hours, HoursDraft, Local, WEEKDAYS};
pub use resource::{PATTERNS_MAX, Pattern, Resources};

use serde::{Deserialize, Serialize};

use super::error::FieldError;
use super::form::FormValues;
use super::time::{DAY_MS, Timestamp};

/// Everything that restricts a key beside scopes and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restrictions {
    #[serde(default, skip_serializing_if = "Addresses::is_empty")]
    pub addresses: Addresses,
    #[serde(default, skip_serializing_if = "Countries::is_empty")]
    pub countries: Countries,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Before this moment the key does not pass. Stored in a column of its own: lists show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// Restrictions as they were typed.
#[derive(Clone, Debug, Default)]
pub struct RestrictionsDraft<'a> {
    pub ip_allow: Vec<&'a str>,
    pub ip_deny: Vec<&'a str>,
    pub country_allow: Vec<&'a str>,
    pub country_deny: Vec<&'a str>,
    pub resource_allow: Vec<&'a str>,
    pub resource_deny: Vec<&'a str>,
    pub hours: HoursDraft<'a>,
    /// `YYYY-MM-DD`, from whose beginning on the key passes (UTC); empty for at once.
    pub not_before: &'a str,
}

impl<'a> RestrictionsDraft<'a> {
    /// As a form has it: addresses typed, and also ticked.
    #[must_use]
    pub fn of_form(values: &'a FormValues) -> Self {
        let ticked = values.all("ip_more").iter().map(String::as_str);
        Self {
            ip_allow: std::iter::once(values.first("ip_allow")).chain(ticked).collect(),
            ip_deny: vec![values.first("ip_deny")],
            country_allow: vec![values.first("country_allow")],
            country_deny: vec![values.first("country_deny")],
            resource_allow: vec![values.first("resource_allow")],
            resource_deny: vec![values.first("resource_deny")],
            hours: HoursDraft {
                days: values.all("hours_days").iter().map(String::as_str).collect(),
                from: values.first("hours_from"),
                to: values.first("hours_to"),
                zone: values.first("hours_zone"),
            },
            not_before: values.first("not_before"),
        }
    }
}

impl Restrictions {
    /// Reads what was typed; everything that is wrong is told.
    pub fn parse(draft: &RestrictionsDraft<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let addresses =
            Addresses::parse(&draft.ip_allow, &draft.ip_deny).map_err(|mut wrong| errors.append(&mut wrong));
        let countries = Countries::parse(&draft.country_allow, &draft.country_deny)
            .map_err(|mut wrong| errors.append(&mut wrong));
        let resources = Resources::parse(&draft.resource_allow, &draft.resource_deny)
            .map_err(|mut wrong| errors.append(&mut wrong));
        let hours = Hours::parse(&draft.hours).map_err(|wrong| errors.push(wrong));
        let not_before = parse_not_before(draft.not_before).map_err(|wrong| errors.push(wrong));
        match (addresses, countries, resources, hours, not_before) {
            (Ok(addresses), Ok(countries), Ok(resources), Ok(hours), Ok(not_before)) => Ok(Self {
                addresses,
                countries,
                resources,
                hours,
                not_before,
            }),
            _ => Err(errors),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether whatever passes here passed under `former`, too. In doubt it did not: then whoever saves it proves once more
    /// who they are (R26).
    #[must_use]
    pub fn is_within(&self, former: &Self) -> bool {
        self.addresses.is_within(&former.addresses)
            && self.countries.is_within(&former.countries)
            && self.resources.is_within(&former.resources)
            && (former.hours.is_none() || self.hours == former.hours)
            && former
                .not_before
                .is_none_or(|former| self.not_before.is_some_and(|own| own >= former))
    }

    /// The rules in words, one sentence each.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let mut words = self.addresses.in_words();
        words.extend(self.countries.in_words());
        words.extend(self.resources.in_words());
        words.extend(self.hours.as_ref().map(Hours::in_words));
        words.extend(
            self.not_before
                .map(|at| format!("From {} on.", at.date_in_words())),
        );
        words
    }
}

impl Restrictions {
    /// The rules one by one, nothing summed up: for whoever decides by them.
    #[must_use]
    pub fn in_full(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut lists = |kind: &str, allow: Vec<String>, deny: Vec<String>| {
            all.extend(allow.into_iter().map(|entry| format!("Allowed {kind} {entry}")));
            all.extend(deny.into_iter().map(|entry| format!("Denied {kind} {entry}")));
        };
        let lines = |text: String| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        let networks = &self.addresses;
        lists(
            "address",
            lines(Addresses::lines(&networks.allow)),
            lines(Addresses::lines(&networks.deny)),
        );
        let patterns = &self.resources;
        lists(
            "resource",
            lines(Resources::lines(&patterns.allow)),
            lines(Resources::lines(&patterns.deny)),
        );
        let names =
            |codes: &[super::country::CountryCode]| codes.iter().map(|code| code.in_words()).collect();
        lists(
            "country",
            names(&self.countries.allow),
            names(&self.countries.deny),
        );
        all.extend(self.hours.as_ref().map(Hours::in_words));
        all.extend(
            self.not_before
                .map(|at| format!("From {} on.", at.date_in_words())),
        );
        all
    }
}

fn parse_not_before(text: &str) -> Result<Option<Timestamp>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        date => match Timestamp::end_of_iso_date(date) {
            Some(end) => Ok(Some(end.minus_ms(DAY_MS))),
            None => {
                let message = "Give the first day as YYYY-MM-DD, or nothing for at once.";
                Err(FieldError::new("not_before", "date", message))
            }
        },
    }
}

/// The entries of text areas: separated by lines, commas or spaces.
fn entries<'a>(typed: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    typed
        .iter()
        .flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ',' || c == ';'))
        .filter(|entry| !entry.is_empty())
}

/// Two lists, or what is wrong with either.
fn both<T>(allow: Result<T, FieldError>, deny: Result<T, FieldError>) -> Result<(T, T), Vec<FieldError>> {
    match (allow, deny) {
        (Ok(allow), Ok(deny)) => Ok((allow, deny)),
        (allow, deny) => Err([allow.err(), deny.err()].into_iter().flatten().collect()),
    }
}
