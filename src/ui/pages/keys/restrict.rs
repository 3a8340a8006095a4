//! The fields that restrict a key: from where, for what, when. In the form that creates one and in the one that edits it.

use leptos::prelude::*;

use super::countries::country_fields;
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::project::Project;
use crate::model::resource::explained;
use crate::model::restriction::{Addresses, Pattern, Resources, Restrictions, WEEKDAYS};
use crate::model::time::{DAY_MS, Timestamp};
use crate::model::usage::SeenAddress;
use crate::ui::form::{AreaField, TextField, error_id, field_class, field_error, typed};

/// What the fields begin with, and what they offer.
pub(in crate::ui::pages) struct Offer<'a> {
    pub rules: &'a Restrictions,
    pub zones: &'a [String],
    /// Whether countries can be told.
    pub country_database: bool,
    pub my_address: Option<&'a str>,
    pub seen: &'a [SeenAddress],
    pub now: Timestamp,
    /// Against whose resources patterns are explained.
    pub project: Option<&'a Project>,
    /// Whether a first day can be chosen.
    pub first_day: bool,
}

const FIELDS: [&str; 11] = [
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

/// Closed until there is something in it: most keys need none of it at first.
pub(in crate::ui::pages) fn restriction_fields(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let has_typed = FIELDS
        .iter()
        .any(|field| !state.values.first(field).is_empty() && *field != "hours_zone");
    let has_errors = FIELDS.iter().any(|field| state.error_of(field).is_some());
    let open = has_typed || has_errors || !offer.rules.is_empty();
    view! {
        <details class="fold" open=open>
            <summary>"Restrictions"<span class="fold-value">"Addresses, resources, hours, countries"</span></summary>
            <div class="fold-body">
                {address_fields(state, offer)}
                {country_fields(state, offer)}
                {resource_fields(state, offer)}
                {time_fields(state, offer)}
            </div>
        </details>
    }
    .into_any()
}

fn address_fields(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let allow = AreaField {
        name: "ip_allow",
        label: "Allowed addresses",
        hint: "One address or network a line. Empty allows every one. With any rule, a request that names no address is refused.",
        placeholder: "203.0.113.0/24",
    };
    let deny = AreaField {
        name: "ip_deny",
        label: "Denied addresses",
        hint: "Denied even if they are allowed above.",
        placeholder: "203.0.113.66",
    };
    let ticked = |ip: &str| state.values.all("ip_more").iter().any(|text| text == ip);
    let one = |ip: String, beneath: String| {
        let checked = ticked(&ip);
        view! {
            <label>
                <input type="checkbox" name="ip_more" value=ip.clone() checked=checked/>
                <span><b class="mono">{ip}</b><small>{beneath}</small></span>
            </label>
        }
    };
    let mine = offer
        .my_address
        .map(|ip| one(ip.to_owned(), "Where you are now".to_owned()));
    let seen = offer
        .seen
        .iter()
        .filter(|seen| Some(seen.ip.as_str()) != offer.my_address);
    let seen = seen.map(|seen| {
        let place = seen
            .country
            .map(|code| format!("{}, ", code.name()))
            .unwrap_or_default();
        let beneath = format!(
            "{place}{}, last {}",
            counted(seen.requests, "request"),
            seen.last_at.ago(offer.now)
        );
        one(seen.ip.clone(), beneath)
    });
    let legend = if offer.seen.is_empty() {
        "Also allow"
    } else {
        "Also allow, seen in the last 30 days"
    };
    let more = (mine.is_some() || !offer.seen.is_empty()).then(|| {
        view! {
            <fieldset class="field">
                <legend>{legend}</legend>
                <div class="checks">{mine}{seen.collect_view()}</div>
            </fieldset>
        }
    });
    view! {
        {allow.draw(state, &Addresses::lines(&offer.rules.addresses.allow))}
        {more}
        {deny.draw(state, &Addresses::lines(&offer.rules.addresses.deny))}
    }
    .into_any()
}

fn resource_fields(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let allow = AreaField {
        name: "resource_allow",
        label: "Allowed resources",
        hint: "What your service names when it asks, for example models. * stands for anything. Empty allows every one.",
        placeholder: "gpt-4.1*",
    };
    let deny = AreaField {
        name: "resource_deny",
        label: "Denied resources",
        hint: "Denied even if they are allowed above.",
        placeholder: "*-opus-*",
    };
    let stored = &offer.rules.resources;
    let (stored_allow, stored_deny) = (Resources::lines(&stored.allow), Resources::lines(&stored.deny));
    let typed_allow = Resources::readable(&typed(state, "resource_allow", &stored_allow));
    let typed_deny = Resources::readable(&typed(state, "resource_deny", &stored_deny));
    let explain = |patterns: &[Pattern], verb: &'static str| match offer.project {
        Some(project) => explanation(project, explained(patterns, verb, &project.resources)),
        None => ().into_any(),
    };
    view! {
        {allow.draw(state, &stored_allow)}
        {explain(&typed_allow, "allows")}
        {deny.draw(state, &stored_deny)}
        {explain(&typed_deny, "denies")}
        {offer.project.map(resource_names)}
    }
    .into_any()
}

/// What patterns mean for what the project lists. Another project's list would mean something else, so a script hides it
/// with the project.
fn explanation(project: &Project, said: Vec<String>) -> AnyView {
    if said.is_empty() {
        return ().into_any();
    }
    let lines = said.into_iter().map(|line| view! { <li>{line}</li> });
    view! { <ul class="explained" data-project=project.id.to_string()>{lines.collect_view()}</ul> }.into_any()
}

/// The names to choose from.
fn resource_names(project: &Project) -> AnyView {
    if project.resources.is_empty() {
        return ().into_any();
    }
    let lines = project.resources.iter().map(|resource| {
        view! { <li><code>{resource.name.clone()}</code>" "<small>{resource.description.clone()}</small></li> }
    });
    let title = counted(
        i64::try_from(project.resources.len()).unwrap_or(i64::MAX),
        "listed resource",
    );
    view! {
        <details class="more-info" data-project=project.id.to_string()>
            <summary>{format!("{title} of {}", project.name)}</summary>
            <ul class="names">{lines.collect_view()}</ul>
        </details>
    }
    .into_any()
}

fn time_fields(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let hours = offer.rules.hours.as_ref();
    let (from, to) = hours
        .map(crate::model::restriction::Hours::texts)
        .unwrap_or_default();
    let (from, to) = if (from.as_str(), to.as_str()) == ("00:00", "24:00") {
        Default::default()
    } else {
        (from, to)
    };
    let sent = state.values.has("name") || state.values.has("hours_days");
    let days = WEEKDAYS.iter().enumerate().map(|(at, (value, label))| {
        let stored = hours.is_some_and(|hours| hours.days[at]);
        let checked = match sent {
            true => state.values.all("hours_days").iter().any(|day| day == value),
            false => stored,
        };
        view! { <label><input type="checkbox" name="hours_days" value=*value checked=checked/><span>{label.get(..3).unwrap_or(label)}</span></label> }
    });
    let clock = |name: &'static str, label: &'static str, placeholder: &'static str| TextField {
        name,
        label,
        placeholder,
        optional: true,
        max: 5,
        ..TextField::default()
    };
    let chosen = typed(state, "hours_zone", hours.map_or("UTC", |hours| &hours.zone));
    let zones = offer.zones.iter().map(|zone| {
        let selected = *zone == chosen;
        view! { <option value=zone.clone() selected=selected>{zone.clone()}</option> }
    });
    view! {
        <fieldset class=field_class(state, "hours_days") id="hours_days" aria-describedby=error_id(state, "hours_days")>
            <legend>"Days and hours "<span class="optional">"optional"</span></legend>
            <p class="hint">"Without hours, whole days. A span that ends before it begins goes on after midnight."</p>
            <div class="segments">{days.collect_view()}</div>
            {field_error(state, "hours_days")}
        </fieldset>
        <div class="field-row">
            {clock("hours_from", "From", "08:00").draw(state, &from)}
            {clock("hours_to", "To", "18:00").draw(state, &to)}
            <div class=field_class(state, "hours_zone")>
                <label for="hours_zone">"By the clock of"</label>
                <select id="hours_zone" name="hours_zone" aria-describedby=error_id(state, "hours_zone")>{zones.collect_view()}</select>
                {field_error(state, "hours_zone")}
            </div>
        </div>
        {offer.first_day.then(|| first_day_field(state, offer))}
    }
    .into_any()
}

fn first_day_field(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let begin = offer.rules.not_before.map(Timestamp::iso_date);
    let begin = begin.unwrap_or_default();
    let tomorrow = offer.now.plus_ms(DAY_MS).iso_date();
    view! {
        <div class=format!("{} short", field_class(state, "not_before"))>
            <label for="not_before">"First valid day "<span class="optional">"optional"</span></label>
            <input id="not_before" name="not_before" type="date" min=tomorrow value=typed(state, "not_before", &begin)
                aria-invalid=error_id(state, "not_before").map(|_| "true") aria-describedby=error_id(state, "not_before")/>
            {field_error(state, "not_before")}
        </div>
    }
    .into_any()
}
