//! Countries a key is used from, by the address of the client.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{both, entries};
use crate::model::country::CountryCode;
use crate::model::error::FieldError;

/// Countries that a sentence names; of more, the number.
const NAMED: usize = 8;

/// Allowed and denied countries; no allowed one means every one that is not denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countries {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<CountryCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<CountryCode>,
}

/// What is known of where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// There is no country database, or it cannot say: then no rule can be held.
    Untold,
    /// The database does not know the address: a private one, or one that is nobody's.
    Unknown,
    In(CountryCode),
}

fn list(field: &'static str, typed: &[&str]) -> Result<Vec<CountryCode>, FieldError> {
    let mut codes: Vec<CountryCode> = Vec::new();
    for entry in entries(typed) {
        let code = CountryCode::parse(entry).map_err(|why| FieldError::new(field, "country", why))?;
        if codes.contains(&code) {
            let message = format!("{} stands here twice. Take one of them out.", code.in_words());
            return Err(FieldError::new(field, "twice", message));
        }
        codes.push(code);
    }
    codes.sort_unstable();
    Ok(codes)
}

fn named(codes: &[CountryCode]) -> String {
    let first: Vec<&str> = codes.iter().take(NAMED).map(CountryCode::name).collect();
    match codes.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl Countries {
    pub(super) fn parse(allow: &[&str], deny: &[&str]) -> Result<Self, Vec<FieldError>> {
        let (allow, deny) = both(list("country_allow", allow), list("country_deny", deny))?;
        if let Some(code) = allow.iter().find(|code| deny.contains(code)) {
            let message = format!(
                "{} is allowed here and denied below, so it could never pass. Take one of them out.",
                code.in_words()
            );
            return Err(vec![FieldError::new("country_allow", "denied", message)]);
        }
        Ok(Self { allow, deny })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// The field that holds something, for what is wrong with the rule as a whole.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self.allow.is_empty() && !self.deny.is_empty() {
            true => "country_deny",
            false => "country_allow",
        }
    }

    /// Why the address may not pass; `whereabouts` is only asked where there is a rule. What cannot be told does not pass,
    /// and neither does a request that names no address. An address that the database does not know is in no country: it
    /// is none of those that are allowed, and none of those that are denied.
    #[must_use]
    pub fn refusal(
        &self,
        address: Option<IpAddr>,
        whereabouts: impl FnOnce(IpAddr) -> Whereabouts,
    ) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let Some(address) = address.map(|address| address.to_canonical()) else {
            let message =
                "The key is limited to certain countries, and the request named no address that can be read.";
            return Some(message.to_owned());
        };
        match whereabouts(address) {
            Whereabouts::Untold => Some(
                "The key is limited to certain countries, and no country database is there to tell them by."
                    .to_owned(),
            ),
            Whereabouts::Unknown => (!self.allow.is_empty()).then(|| {
                format!("The country of {address} is not known, and the key is limited to certain countries.")
            }),
            Whereabouts::In(code) if self.deny.contains(&code) => {
                Some(format!("{} is denied, and {address} is there.", code.in_words()))
            }
            Whereabouts::In(code) if !self.allow.is_empty() && !self.allow.contains(&code) => Some(format!(
                "The address {address} is in {}, which is not among the countries the key is limited to.",
                code.in_words()
            )),
            Whereabouts::In(_) => None,
        }
    }

    fn refuses(&self, code: CountryCode) -> bool {
        self.deny.contains(&code) || (!self.allow.is_empty() && !self.allow.contains(&code))
    }

    pub(super) fn is_within(&self, former: &Self) -> bool {
        let narrower = former.allow.is_empty()
            || (!self.allow.is_empty() && self.allow.iter().all(|code| former.allow.contains(code)));
        narrower && former.deny.iter().all(|code| self.refuses(*code))
    }

    /// One code a line, as a text area shows it.
    #[must_use]
    pub fn lines(codes: &[CountryCode]) -> String {
        codes
            .iter()
            .map(CountryCode::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The names of those codes in a text that can be read, for the form while it is filled in.
    #[must_use]
    pub fn names_in(text: &str) -> Option<String> {
        let codes: Vec<CountryCode> = entries(&[text])
            .filter_map(|entry| CountryCode::parse(entry).ok())
            .collect();
        (!codes.is_empty()).then(|| named(&codes))
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.allow.is_empty() {
            words.push(format!("Only from addresses in {}.", named(&self.allow)));
        }
        if !self.deny.is_empty() {
            words.push(format!("Never from addresses in {}.", named(&self.deny)));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &str, deny: &str) -> Countries {
        Countries::parse(&[allow], &[deny]).unwrap()
    }

    fn error(allow: &str, deny: &str) -> FieldError {
        Countries::parse(&[allow], &[deny]).unwrap_err().remove(0)
    }

    #[test]
    fn codes_are_kept_in_one_order_and_mistakes_are_told_beside_their_field() {
        assert_eq!(
            Countries::lines(&rules("us, de;fr\nAT", "").allow),
            "AT\nDE\nFR\nUS"
        );
        for (allow, deny, field, code) in [
            ("DE UK", "", "country_allow", "country"),
            ("", "XX", "country_deny", "country"),
            ("DE FR de", "", "country_allow", "twice"),
            ("", "RU RU", "country_deny", "twice"),
            ("DE FR", "FR", "country_allow", "denied"),
        ] {
            let told = error(allow, deny);
            assert_eq!(
                (told.field.as_str(), told.code.as_str()),
                (field, code),
                "{told:?}"
            );
        }
        assert_eq!(
            Countries::parse(&["UK"], &["EU"]).unwrap_err().len(),
            2,
            "both are told"
        );
        assert!(
            error("DE", "DE")
                .message
                .starts_with("Germany (DE) is allowed here and denied below")
        );
    }

    #[test]
    fn what_is_unknown_is_in_no_country_and_what_cannot_be_told_does_not_pass() {
        let at = |code: &str| CountryCode::from_letters(code).map_or(Whereabouts::Unknown, Whereabouts::In);
        let address: Option<IpAddr> = "::ffff:203.0.113.7".parse().ok();
        let refusal = |rules: &Countries, place| {
            rules.refusal(address, |asked| {
                assert_eq!(asked.to_string(), "203.0.113.7", "asked in its plain form");
                place
            })
        };
        let (allow, deny, both) = (rules("DE FR", ""), rules("", "RU"), rules("DE", "RU"));
        for (code, allowed, denied, of_both) in [
            ("DE", true, true, true),
            ("FR", true, true, false),
            ("RU", false, false, false),
            ("", false, true, false),
        ] {
            let passes = |rules| refusal(rules, at(code)).is_none();
            assert_eq!(
                (passes(&allow), passes(&deny), passes(&both)),
                (allowed, denied, of_both),
                "{code}"
            );
        }
        for rules in [&allow, &deny, &both] {
            assert!(
                refusal(rules, Whereabouts::Untold)
                    .unwrap()
                    .contains("no country database")
            );
            let told = rules.refusal(None, |_| unreachable!("there is nothing to ask of"));
            assert!(told.unwrap().contains("named no address"));
        }
        let none = Countries::default();
        assert_eq!(
            none.refusal(address, |_| unreachable!("no rule, no question")),
            None
        );
        assert!(
            refusal(&allow, at("JP"))
                .unwrap()
                .contains("203.0.113.7 is in Japan (JP), which is not among")
        );
        assert!(
            refusal(&deny, at("RU"))
                .unwrap()
                .contains("Russia (RU) is denied")
        );
    }

    #[test]
    fn narrower_is_told_from_wider() {
        let former = rules("DE FR", "");
        assert!(rules("DE", "").is_within(&former) && rules("DE FR", "RU").is_within(&former));
        assert!(!rules("DE FR US", "").is_within(&former) && !rules("", "RU").is_within(&former));
        assert!(!Countries::default().is_within(&former) && former.is_within(&Countries::default()));
        let former = rules("", "RU KP");
        assert!(rules("", "KP RU IR").is_within(&former) && rules("DE", "").is_within(&former));
        assert!(!rules("", "RU").is_within(&former) && !rules("DE RU", "").is_within(&former));
    }

    #[test]
    fn rules_are_sentences() {
        assert_eq!(
            rules("DE FR", "RU").in_words(),
            [
                "Only from addresses in Germany, France.",
                "Never from addresses in Russia."
            ]
        );
        assert!(rules("AT BE BG CY CZ DE DK EE ES FI", "").in_words()[0].ends_with("Estonia and 2 more."));
        assert_eq!(
            Countries::names_in("DE, UK, fr").as_deref(),
            Some("Germany, France")
        );
        assert_eq!(Countries::names_in("UK"), None);
    }
}
