//! Settings › Organisation: its name.

use leptos::prelude::*;

use crate::ui::components::{PageHead, flash, loaded};
use crate::ui::form::{FormErrors, TextField, use_form_state};
use crate::ui::frame::CurrentSession;

#[component]
pub fn OrganisationPage() -> impl IntoView {
    let state = use_form_state();
    let session = expect_context::<CurrentSession>();
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "Shown to members and in invitations.",
        autocomplete: "organization",
        ..TextField::default()
    };
    view! {
        {flash()}
        {loaded(session.0, move |session| {
            view! {
                <PageHead title="Organisation" lede="Only owners change it.".into_any()/>
                <form class="form" method="post" action="/settings/organisation" novalidate>
                    <FormErrors state=state.clone()/>
                    {name.draw(&state, &session.org_name)}
                    <div class="form-actions"><button class="button primary">"Save"</button></div>
                </form>
            }
            .into_any()
        })}
    }
}
