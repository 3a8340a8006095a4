//! The part of the policy that says what a second person approves.

use leptos::prelude::*;

use super::edit::tick;
use crate::model::form::FormState;
use crate::model::key::Environment;
use crate::model::policy::FourEyes;
use crate::ui::form::TextField;

pub(super) fn approvals(state: &FormState, rules: &FourEyes, environment: Environment) -> AnyView {
    let new = match environment {
        Environment::Live => "Every new live key",
        Environment::Test => "Every new test key",
    };
    let beyond = TextField {
        name: "approve_beyond_days",
        label: "An end more than so many days away",
        hint: "Or no end at all; for new keys, and when an end is moved. Empty: needs no approval.",
        kind: "number",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    let lapse = TextField {
        name: "approval_days",
        label: "Days a request waits",
        hint: "2 to 30. What nobody decides until then lapses.",
        kind: "number",
        max: 2,
        ..TextField::default()
    };
    let beyond_now = rules.beyond_days.map(|days| days.to_string()).unwrap_or_default();
    view! {
        <section class="form-section">
            <h2>"What a second person approves"</h2>
            <p class="muted">"Admins and owners approve, never what they asked for themselves. The secret of a new key is made after that."</p>
            <div class="checks">
                {tick(state, "approve_new", new, "Developers who may not create one can then ask for one.", rules.new_keys)}
                {tick(state, "approve_sensitive", "Sensitive scopes", "Those that a project marks, for a key that did not have them.", rules.sensitive)}
                {tick(state, "approve_wider", "Letting a key do more", "More scopes, resources, addresses or hours, or a later end.", rules.wider)}
            </div>
            <div class="short">{beyond.draw(state, &beyond_now)}</div>
            <div class="short">{lapse.draw(state, &rules.lapse_days.to_string())}</div>
            <div class="checks" id="owners_exempt-field">
                {tick(state, "owners_exempt", "Owners need no approval", "The audit log says each time that it was an exemption.", rules.owners_exempt)}
            </div>
            {crate::ui::form::field_error(state, "owners_exempt")}
        </section>
    }
    .into_any()
}
