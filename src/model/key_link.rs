//! Links to "create exactly this key": the form's fields under their own names in an address. Opening one creates
//! nothing, and all that it says stands in the form for whoever opens it to read.

use super::form::FormValues;
use super::key::{Environment, KeyDetail, Owner};
use super::restriction::{Addresses, Countries, Resources, Restrictions, WEEKDAYS};
use super::rotation::OWN_DAYS_FIELD;

/// Where the form stands.
pub const FORM: &str = "/settings/api-keys/new";
/// The longest query a link may have: servers and browsers in between take no longer address.
pub const QUERY_MAX: usize = 6_000;

/// The fields a link may fill in, as the form names them.
pub const FIELDS: [&str; 22] = [
    "project",
    "environment",
    "name",
    "purpose",
    "owner",
    "owner_team",
    "scopes",
    "other_scopes",
    "expiry",
    "expiry_date",
    OWN_DAYS_FIELD,
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
    "not_before",
];

/// Of those, what may stand in an address several times: then all of it counts.
pub const LISTS: [&str; 9] = [
    "scopes",
    "other_scopes",
    "ip_allow",
    "ip_deny",
    "country_allow",
    "country_deny",
    "resource_allow",
    "resource_deny",
    "hours_days",
];

/// What else the address of the form may say: what to begin with, and whether to show the link for copying.
pub const BEGINNINGS: [&str; 3] = ["from", "template", "copy"];

/// The fields of the create form that say what this key is. Not its name's twin: a name is given once.
#[must_use]
pub fn values_of(key: &KeyDetail) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("project".to_owned(), key.summary.project_id.to_string()),
        (
            "environment".to_owned(),
            key.summary.environment.as_str().to_owned(),
        ),
        ("name".to_owned(), key.summary.name.clone()),
        ("purpose".to_owned(), key.purpose.clone()),
    ];
    if let Owner::Team(label) = &key.summary.owner {
        pairs.push(("owner".to_owned(), "team".to_owned()));
        pairs.push(("owner_team".to_owned(), label.clone()));
    }
    let scopes = key.summary.scopes.iter();
    pairs.extend(scopes.map(|scope| ("scopes".to_owned(), scope.to_string())));
    pairs.extend(
        key.rotation_days
            .map(|days| (OWN_DAYS_FIELD.to_owned(), days.to_string())),
    );
    pairs.extend(values_of_rules(&key.restrictions));
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

/// The fields that say these rules; empty ones are left out.
#[must_use]
pub fn values_of_rules(rules: &Restrictions) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("ip_allow", Addresses::lines(&rules.addresses.allow)),
        ("ip_deny", Addresses::lines(&rules.addresses.deny)),
        ("country_allow", Countries::lines(&rules.countries.allow)),
        ("country_deny", Countries::lines(&rules.countries.deny)),
        ("resource_allow", Resources::lines(&rules.resources.allow)),
        ("resource_deny", Resources::lines(&rules.resources.deny)),
    ];
    if let Some(hours) = &rules.hours {
        let days = WEEKDAYS.iter().zip(hours.days).filter(|(_, on)| *on);
        pairs.extend(days.map(|((day, _), _)| ("hours_days", (*day).to_owned())));
        let (from, to) = hours.texts();
        if (from.as_str(), to.as_str()) != ("00:00", "24:00") {
            pairs.push(("hours_from", from));
            pairs.push(("hours_to", to));
        }
        pairs.push(("hours_zone", hours.zone.clone()));
    }
    pairs.extend(rules.not_before.map(|at| ("not_before", at.iso_date())));
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The link for a form as it was filled in. `scopes` are those it means. The mark that lets it be sent once stays out, and
/// so does what says nothing.
#[must_use]
pub fn values_of_form(values: &FormValues, scopes: &[String]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let has_hours = !values.all("hours_days").is_empty()
        || !values.first("hours_from").trim().is_empty()
        || !values.first("hours_to").trim().is_empty();
    for name in FIELDS {
        match name {
            "other_scopes" => {}
            "scopes" => pairs.extend(scopes.iter().map(|scope| (name.to_owned(), scope.clone()))),
            // Whoever opens the link owns the key, unless a team does.
            "owner" | "owner_team" if values.first("owner") != "team" => {}
            "hours_zone" if !has_hours => {}
            "expiry_date" if values.first("expiry") != "custom" => {}
            "ip_allow" => {
                let ticked = values.all("ip_more").iter();
                let all: Vec<&str> = values
                    .all(name)
                    .iter()
                    .chain(ticked)
                    .map(String::as_str)
                    .collect();
                pairs.push((name.to_owned(), all.join("\n")));
            }
            _ => pairs.extend(
                values
                    .all(name)
                    .iter()
                    .map(|value| (name.to_owned(), value.clone())),
            ),
        }
    }
    for (_, value) in &mut pairs {
        *value = value.replace("\r\n", "\n").trim().to_owned();
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs.dedup();
    pairs
}

/// Name and value as the query of an address, escaped.
#[must_use]
pub fn query(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", escaped(name), escaped(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// RFC 3986: everything but the unreserved characters, and `:` and `/`, which a query may hold as they are.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What whoever opens the link should look at twice: scopes that do harm, and those that grow by themselves.
#[must_use]
pub fn cautions(scopes: &[String], sensitive: impl Fn(&str) -> bool, environment: &str) -> Vec<String> {
    let mut cautions = Vec::new();
    let marked: Vec<&str> = scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| sensitive(scope))
        .collect();
    if !marked.is_empty() {
        cautions.push(format!("Sensitive scopes: {}.", marked.join(", ")));
    }
    let wide: Vec<&str> = scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| scope.ends_with('*'))
        .collect();
    if wide.contains(&"*") {
        cautions
            .push("The scope * allows everything in the project, also what is added to it later.".to_owned());
    } else if !wide.is_empty() {
        let list = wide.join(", ");
        cautions.push(format!(
            "Wildcards: {list}. They allow everything below, also what is added to it later."
        ));
    }
    if environment == Environment::Live.as_str() {
        cautions.push("It would be a live key, for real traffic.".to_owned());
    }
    cautions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> FormValues {
        FormValues::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_link_of_a_form_never_carries_its_mark_and_says_only_what_was_said() {
        let values = form(&[
            ("nonce", "abcdefghijklmnopqrstuvwx"),
            ("project", "prj_0123456789AB"),
            ("name", " Nightly & co "),
            ("purpose", ""),
            ("owner", "member:acc_0123456789AB"),
            ("owner_team", ""),
            ("grant:prj_0123456789AB:images", "read"),
            ("expiry", "90"),
            ("expiry_date", "2030-01-01"),
            ("ip_allow", "10.0.0.0/8\r\n"),
            ("ip_more", "203.0.113.7"),
            ("hours_zone", "UTC"),
            ("step", "review"),
        ]);
        let query = query(&values_of_form(&values, &["images:read".to_owned()]));
        assert_eq!(
            query,
            "project=prj_0123456789AB&name=Nightly%20%26%20co&scopes=images:read&expiry=90&ip_allow=10.0.0.0/8%0A%0A203.0.113.7"
        );
    }

    #[test]
    fn what_could_be_markup_or_another_field_is_escaped() {
        let pairs = [("name".to_owned(), "\"><script>&project=x#é".to_owned())];
        assert_eq!(query(&pairs), "name=%22%3E%3Cscript%3E%26project%3Dx%23%C3%A9");
    }

    #[test]
    fn what_deserves_a_second_look_is_named() {
        let scopes = ["images:delete", "images:*"].map(str::to_owned);
        let cautions = cautions(&scopes, |scope| scope == "images:delete", "live");
        assert_eq!(cautions.len(), 3);
        assert!(cautions[0].contains("images:delete") && cautions[1].contains("images:*"));
        let all = super::cautions(&["*".to_owned()], |_| false, "test");
        assert!(
            all.len() == 1 && all[0].contains("everything in the project"),
            "{all:?}"
        );
    }
}
