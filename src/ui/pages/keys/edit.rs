//! Name and purpose of a key.

use leptos::prelude::*;

use super::{key_address, key_of_address, list_crumb};
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
        view! {
            <PageHead title="Edit key" crumbs=crumbs/>
            <form class="form" method="post" action=save_at novalidate>
                <FormErrors state=state.clone()/>
                {name.draw(&state, &key.summary.name)}
                {purpose.draw(&state, &key.purpose)}
                <div class="form-actions">
                    <button class="button primary">"Save"</button>
                    <a class="button quiet" href=address>"Cancel"</a>
                </div>
            </form>
        }
        .into_any()
    })
}
