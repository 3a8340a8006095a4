//! Confirm that it is you: asked in the place of a sensitive act, holding the form it interrupted.

use leptos::prelude::*;

use super::sign_in::gate_card;
use crate::model::form::FormState;
use crate::ui::form::{FormErrors, TextField};

/// What interrupted whom.
pub struct StepUp {
    /// The address of the form that was interrupted.
    pub target: String,
    pub has_factor: bool,
    /// Nothing was tried yet.
    pub first: bool,
    pub form: FormState,
}

pub fn step_up_page(asked: StepUp) -> impl IntoView {
    let held = asked
        .form
        .values
        .pairs()
        .map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> })
        .collect_view();
    let field = if asked.has_factor {
        TextField {
            name: "step_up",
            label: "Code",
            hint: "Six digits from your authenticator app, or a recovery code.",
            autocomplete: "one-time-code",
            mono: true,
            max: 60,
            ..TextField::default()
        }
    } else {
        TextField {
            name: "step_up",
            label: "Your password",
            kind: "password",
            autocomplete: "current-password",
            max: 1_024,
            ..TextField::default()
        }
    };
    let errors = (!asked.first).then(|| view! { <FormErrors state=asked.form.clone()/> });
    let body = view! {
        <p class="muted">"What you are about to do needs a fresh proof of who you are. It holds for ten minutes at most, in this browser alone. What you typed is kept."</p>
        <form class="form" method="post" action=asked.target.clone() novalidate>
            {errors}
            {held}
            {field.draw(&asked.form, "")}
            <button class="button primary wide">"Confirm"</button>
        </form>
        <a class="button quiet wide" href=asked.target>"Cancel"</a>
    };
    gate_card("Confirm that it is you", body)
}
