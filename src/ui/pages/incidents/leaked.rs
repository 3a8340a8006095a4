//! “This may be leaked”: few questions, and the key is frozen; by whoever may not manage it, whoever may is told.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::address_of;
use crate::model::calendar::counted;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::KeyId;
use crate::model::incident::LeakedForm;
use crate::model::key::KeyStatus;
use crate::model::text::NOTE_MAX;
use crate::model::time::{HOUR_MS, Timestamp};
use crate::rpc::incidents::get_leaked_form;
use crate::ui::components::{Icon, PageTitle, ask, loaded};
use crate::ui::form::{FormErrors, error_id, field_class, field_error, prose_field, typed, use_form_state};

#[component]
pub fn LeakedPage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let form = ask(id, async |id| match id.parse::<KeyId>() {
        Ok(id) => get_leaked_form(id).await,
        Err(_) => Err(AppError::not_found()),
    });
    loaded(form, move |form| draw(&form, &state))
}

fn draw(form: &LeakedForm, state: &FormState) -> AnyView {
    let key = &form.key;
    let name = key.summary.name.clone();
    let key_page = format!("/settings/api-keys/{}", key.summary.id);
    if let Some(open) = &form.open {
        return view! {
            <PageTitle text="An incident is open"/>
            <section class="confirm">
                <h1>"An incident of "{name}" is open already"</h1>
                <p>"Go on where it was begun: a key has one incident at a time."</p>
                <div class="form-actions">
                    <a class="button primary" href=address_of(open)>"Go to the incident"</a>
                    <a class="button quiet" href=key_page>"Back to the key"</a>
                </div>
            </section>
        }
        .into_any();
    }
    let action = format!("{key_page}/leaked");
    view! {
        <PageTitle text=format!("{name} may be leaked")/>
        <section class="confirm">
            <h1>{name}" may be leaked?"</h1>
            <p>"Better once too often. You see where the key was used, what else may be affected and what to do next; nothing here is final."</p>
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                {freeze_field(form, state)}
                {since_field(form, state)}
                {prose_field(state, ("noticed", "How did you notice?"), "Where it was seen, who said so, what looked wrong. It can be told later, too.", "", NOTE_MAX)}
                <div class="form-actions">
                    <button class="button primary danger">"Open incident"</button>
                    <a class="button quiet" href=key_page>"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn freeze_field(form: &LeakedForm, state: &FormState) -> AnyView {
    let stands = |words: &'static str| {
        view! { <div class="notice info"><Icon name="freeze"/><div><p>{words}</p></div></div> }.into_any()
    };
    match form.key.status {
        KeyStatus::Revoked => return stands("The key is revoked: nothing needs to be frozen."),
        KeyStatus::Disabled => return stands("The key is disabled: it is refused already, and stays so."),
        KeyStatus::Active if !form.key.may_manage => {
            return stands(match form.tells_by_mail {
                true => {
                    "Whoever looks after the key is told at once, and can freeze it. Until then it passes."
                }
                false => {
                    "Whoever looks after the key can freeze it; until then it passes. No letter is sent here, so tell them, too."
                }
            });
        }
        KeyStatus::Active => {}
    }
    let effect = match form.key.requests_last_hour {
        0 => "Nothing used it in the last hour. From now on it is refused.".to_owned(),
        n => format!(
            "{} of the last hour used it; from now on such requests are refused.",
            counted(n, "request")
        ),
    };
    // A box that was not ticked is not sent: only a form that never was is new.
    let checked = !state.values.has("when") || typed(state, "freeze", "") == "1";
    view! {
        <div class="checks">
            <label>
                <input type="checkbox" name="freeze" value="1" checked=checked/>
                <span><b>"Freeze the key now"</b><small>{effect}" Untick it only if the traffic must not stop."</small></span>
            </label>
        </div>
    }
    .into_any()
}

fn since_field(form: &LeakedForm, state: &FormState) -> AnyView {
    let initial = match form.now.since_ms(form.key.summary.created_at) < HOUR_MS {
        true => "now",
        false => "hour",
    };
    let chosen = typed(state, "when", initial);
    let radios = [("now", "Just now"), ("hour", "An hour ago"), ("custom", "Earlier")].map(|(value, label)| {
        let checked = value == chosen;
        view! { <label><input type="radio" name="when" value=value checked=checked/><span>{label}</span></label> }
    });
    view! {
        <fieldset class=field_class(state, "when") id="when" aria-describedby=error_id(state, "when")>
            <legend>"Since when may others have it?"</legend>
            <div class="segments">{radios.collect_view()}</div>
            <div class="when-custom field short">{moment_input(state, "", form.now)}</div>
            <p class="hint">"What the key did before and after is told apart by it. When in doubt, choose the earlier one; it can be changed."</p>
            {field_error(state, "when")}
        </fieldset>
    }
    .into_any()
}

/// A date and time of day in UTC.
pub(super) fn moment_input(state: &FormState, initial: &str, now: Timestamp) -> AnyView {
    let max = format!("{}T{}", now.iso_date(), now.clock_time());
    view! {
        <label for="since">"Date and time (UTC)"</label>
        <input id="since" name="since" type="datetime-local" max=max value=typed(state, "since", initial)
            aria-invalid=error_id(state, "since").map(|_| "true") aria-describedby=error_id(state, "since")/>
        {field_error(state, "since")}
    }
    .into_any()
}
