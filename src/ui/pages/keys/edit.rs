//! Name and purpose of a key, and how often its secret is replaced.

use leptos::prelude::*;

use super::{key_address, key_of_address, list_crumb};
use crate::model::key::Environment;
use crate::ui::components::{PageHead, loaded};
use crate::ui::form::{FormErrors, TextField, use_form_state};

#[component]
pub fn EditKeyPage() -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| {
        let state = state.clone();
        let key = page.key;
        let address = key_address(&key.summary.id);
        let save_at = format!("{address}/edit");
        let mut crumbs = list_crumb();
        crumbs.push((key.summary.name.clone(), address.clone()));
        let name = TextField {
            name: "name",
            label: "Name",
            ..TextField::default()
        };
        let purpose = TextField {
            name: "purpose",
            label: "Purpose",
            optional: true,
            max: 1_000,
            ..TextField::default()
        };
        let own_days = key.rotation_days.map(|days| days.to_string()).unwrap_or_default();
        let rotation = TextField {
            name: "rotation_days",
            label: "Days between rotations",
            hint: match key.summary.environment {
                Environment::Live => "Empty: 90 days, as for every live key.",
                Environment::Test => "Empty: 180 days, as for every test key.",
            },
            optional: true,
            max: 4,
            ..TextField::default()
        };
        view! {
            <PageHead title="Edit key" crumbs=crumbs/>
            <form class="form" method="post" action=save_at novalidate>
                <FormErrors state=state.clone()/>
                {name.draw(&state, &key.summary.name)}
                {purpose.draw(&state, &key.purpose)}
                {rotation.draw(&state, &own_days)}
                <div class="form-actions">
                    <button class="button primary">"Save"</button>
                    <a class="button quiet" href=address>"Cancel"</a>
                </div>
            </form>
        }
        .into_any()
    })
}
