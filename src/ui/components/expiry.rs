//! How long something lives: five lengths, a date, or for ever, with the resulting date in words.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::key::{DEFAULT_LIFETIME_DAYS, KEEP_EXPIRY};
use crate::model::time::{DAY_MS, Timestamp};
use crate::ui::form::{error_id, field_class, field_error, typed};
use crate::ui::islands::{LifetimeWords, lifetime_in_words};

const CHOICES: [(&str, &str); 7] = [
    ("none", "Never"),
    ("7", "7 days"),
    ("30", "30 days"),
    ("60", "60 days"),
    ("90", "90 days"),
    ("365", "365 days"),
    ("custom", "Custom"),
];

/// What is offered first: ninety days, or the longest of the lengths that fits.
#[must_use]
pub fn first_offer(max_lifetime_days: Option<u32>) -> u32 {
    let fits = |days: &u32| max_lifetime_days.is_none_or(|most| *days <= most);
    [DEFAULT_LIFETIME_DAYS, 60, 30, 7]
        .into_iter()
        .find(fits)
        .unwrap_or(7)
}

/// The choice for a new key; stands in the form whose id is `create`.
#[component]
pub fn ExpiryField(
    state: FormState,
    now: Timestamp,
    #[prop(default = DEFAULT_LIFETIME_DAYS)] first: u32,
) -> impl IntoView {
    let initial = typed(&state, "expiry", &first.to_string());
    let date = typed(&state, "expiry_date", "");
    let words = lifetime_in_words(&initial, &date, now);
    let radios = CHOICES.map(|(value, label)| {
        let checked = initial == value;
        view! {
            <label>
                <input type="radio" name="expiry" value=value checked=checked/>
                <span>{label}</span>
            </label>
        }
    });
    view! {
        <fieldset class=field_class(&state, "expiry") id="expiry" aria-describedby=error_id(&state, "expiry")>
            <legend>"Expires"</legend>
            <div class="segments">{radios.collect_view()}</div>
            <div class="when-custom field short">
                <label for="expiry_date">"Last valid day"</label>
                <input id="expiry_date" name="expiry_date" type="date" min=now.plus_ms(DAY_MS).iso_date() value=date/>
            </div>
            <LifetimeWords now=now initial=words/>
            {field_error(&state, "expiry")}
        </fieldset>
    }
}

/// The choice for a key that exists: its end as it is, or another one, counted from now.
#[component]
pub fn NewExpiryField(state: FormState, now: Timestamp, expires_at: Option<Timestamp>) -> impl IntoView {
    let initial = typed(&state, "expiry", KEEP_EXPIRY);
    let date = typed(&state, "expiry_date", "");
    let keep = match expires_at {
        Some(at) if at <= now => format!("As it is: expired {}", at.ago(now)),
        Some(at) => format!("As it is: until {}", at.last_day_in_words()),
        None => "As it is: never".to_owned(),
    };
    let others = CHOICES.iter().map(|(value, label)| (*value, (*label).to_owned()));
    let radios = std::iter::once((KEEP_EXPIRY, keep))
        .chain(others)
        .map(|(value, label)| {
            let checked = initial == value;
            view! {
                <label>
                    <input type="radio" name="expiry" value=value checked=checked/>
                    <span>{label}</span>
                </label>
            }
        });
    view! {
        <fieldset class=field_class(&state, "expiry") id="expiry" aria-describedby=error_id(&state, "expiry")>
            <legend>"Expires, counted from now"</legend>
            <div class="segments">{radios.collect_view()}</div>
            <div class="when-custom field short">
                <label for="expiry_date">"Last valid day"</label>
                <input id="expiry_date" name="expiry_date" type="date" min=now.plus_ms(DAY_MS).iso_date() value=date/>
            </div>
            {field_error(&state, "expiry")}
        </fieldset>
    }
}
