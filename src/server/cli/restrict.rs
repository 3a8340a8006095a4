//! The options that restrict a key, as the form spells them.

use clap::Args;

use super::output::Refusal;
use crate::model::form::FormValues;
use crate::model::key_link::values_of_rules;
use crate::model::restriction::WEEKDAYS;
use crate::model::template::KeyTemplate;
use crate::model::text::shown;

#[derive(Args)]
pub struct RestrictionOptions {
    /// An address or network it may be used from; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_ALLOW_IP",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    allow_ip: Vec<String>,
    /// An address or network it may not be used from; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_DENY_IP",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    deny_ip: Vec<String>,
    /// A country it may be used from, as two letters such as DE; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_ALLOW_COUNTRY",
        value_name = "CODE",
        value_delimiter = ','
    )]
    allow_country: Vec<String>,
    /// A country it may not be used from; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_DENY_COUNTRY",
        value_name = "CODE",
        value_delimiter = ','
    )]
    deny_country: Vec<String>,
    /// A pattern of resources it is for, such as gpt-4.1*; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_ALLOW_RESOURCE",
        value_name = "PATTERN",
        value_delimiter = ','
    )]
    allow_resource: Vec<String>,
    /// A pattern of resources it is not for; may be given several times
    #[arg(
        long,
        env = "KEYWRIGHT_DENY_RESOURCE",
        value_name = "PATTERN",
        value_delimiter = ','
    )]
    deny_resource: Vec<String>,
    /// The first day on which it is valid, YYYY-MM-DD (UTC)
    #[arg(long, env = "KEYWRIGHT_NOT_BEFORE", value_name = "DATE", default_value = "")]
    not_before: String,
    /// Days, hours and the place whose clock counts, such as "mon-fri 08:00-18:00 Europe/Berlin"
    #[arg(
        long,
        env = "KEYWRIGHT_HOURS",
        value_name = "DAYS SPAN ZONE",
        default_value = ""
    )]
    hours: String,
}

type Pairs = Vec<(String, String)>;

impl RestrictionOptions {
    /// The fields of a form that say the same. What is given here takes the place of what the template says.
    pub fn form(&self, template: Option<&KeyTemplate>) -> Result<FormValues, Refusal> {
        let mut given = Pairs::new();
        for (name, entries) in [
            ("ip_allow", &self.allow_ip),
            ("ip_deny", &self.deny_ip),
            ("country_allow", &self.allow_country),
            ("country_deny", &self.deny_country),
            ("resource_allow", &self.allow_resource),
            ("resource_deny", &self.deny_resource),
        ] {
            if !entries.is_empty() {
                given.push((name.to_owned(), entries.join("\n")));
            }
        }
        if !self.not_before.is_empty() {
            given.push(("not_before".to_owned(), self.not_before.clone()));
        }
        given.extend(hours(&self.hours)?);
        let kind = |name: &str| if name.starts_with("hours_") { "hours" } else { name }.to_owned();
        let mut pairs = template.map_or_else(Pairs::new, |template| values_of_rules(&template.restrictions));
        pairs.retain(|(name, _)| !given.iter().any(|(own, _)| kind(own) == kind(name)));
        pairs.extend(given);
        Ok(FormValues::from_pairs(pairs))
    }
}

/// Reads `mon-fri 08:00-18:00 Europe/Berlin`. Without days every day, without a span whole days, without a place UTC.
fn hours(text: &str) -> Result<Pairs, Refusal> {
    let mut pairs = Pairs::new();
    let mut zone = "UTC";
    for word in text.split_whitespace() {
        match word.split_once('-') {
            Some((from, to)) if from.contains(':') && to.contains(':') => {
                pairs.push(("hours_from".to_owned(), from.to_owned()));
                pairs.push(("hours_to".to_owned(), to.to_owned()));
            }
            _ => match days(word) {
                Some(days) => pairs.extend(days.map(|day| ("hours_days".to_owned(), day.to_owned()))),
                None if word.contains(':') => {
                    let message = format!(
                        "“{}” is no span of hours. Write one as 08:00-18:00.",
                        shown(word, 40)
                    );
                    return Err(Refusal::new("invalid", message));
                }
                None => zone = word,
            },
        }
    }
    if pairs.is_empty() && !text.trim().is_empty() {
        let message = "Give days, hours and a place, for example: mon-fri 08:00-18:00 Europe/Berlin";
        return Err(Refusal::new("invalid", message));
    }
    if !pairs.is_empty() {
        if !pairs.iter().any(|(name, _)| name == "hours_days") {
            pairs.extend(
                WEEKDAYS
                    .iter()
                    .map(|(day, _)| ("hours_days".to_owned(), (*day).to_owned())),
            );
        }
        pairs.push(("hours_zone".to_owned(), zone.to_owned()));
    }
    Ok(pairs)
}

/// `mon`, `mon-fri`, `mon,wed,fri`, `fri-mon`. `None` when it names no days.
fn days(word: &str) -> Option<impl Iterator<Item = &'static str>> {
    let at = |name: &str| {
        WEEKDAYS
            .iter()
            .position(|(day, _)| day.eq_ignore_ascii_case(name))
    };
    let mut chosen = Vec::new();
    for part in word.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (at(first)?, at(last)?);
        let length = (last + 7 - first) % 7;
        chosen.extend((0..=length).map(|step| WEEKDAYS[(first + step) % 7].0));
    }
    Some(chosen.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let pairs = hours(text).ok().unwrap();
        pairs
            .iter()
            .map(|(name, value)| format!("{}={value}", name.trim_start_matches("hours_")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn hours_are_days_a_span_and_a_place_in_any_order() {
        assert_eq!(said(""), "");
        assert_eq!(
            said("mon-wed 08:00-18:00 Europe/Berlin"),
            "days=mon days=tue days=wed from=08:00 to=18:00 zone=Europe/Berlin"
        );
        assert_eq!(said("Asia/Tokyo Sat,sun"), "days=sat days=sun zone=Asia/Tokyo");
        assert_eq!(
            said("fri-mon 22:00-06:00"),
            "days=fri days=sat days=sun days=mon from=22:00 to=06:00 zone=UTC"
        );
        assert_eq!(
            said("America/Port-au-Prince mon"),
            "days=mon zone=America/Port-au-Prince"
        );
        assert!(said("09:00-17:00").starts_with("from=09:00 to=17:00 days=mon"));
        assert!(hours("Europe/Berlin").is_err() && hours("mon 8:00").is_err());
    }
}
