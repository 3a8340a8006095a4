//! How long something lives: five lengths, a date, or for ever, with the resulting date in words.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::key::DEFAULT_LIFETIME_DAYS;
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

/// The choice; stands in the form whose id is `create`.
#[component]
pub fn ExpiryField(state: FormState, now: Timestamp) -> impl IntoView {
    let initial = typed(&state, "expiry", &DEFAULT_LIFETIME_DAYS.to_string());
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
