//! Settings › Organisation: its name.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::permission::Permission;
use crate::ui::components::{PageHead, flash};
use crate::ui::form::{FormErrors, TextField, use_form_state};
use crate::ui::frame::for_whoever_may;

#[component]
pub fn OrganisationPage() -> impl IntoView {
    let state = use_form_state();
    view! {
        {flash()}
        {for_whoever_may(Permission::OrganisationManage, move |session| draw(&session.org_name, &state))}
    }
}

fn draw(org_name: &str, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "Shown to members and in invitations.",
        autocomplete: "organization",
        ..TextField::default()
    };
    view! {
        <PageHead title="Organisation" lede="Only owners change it.".into_any()/>
        <form class="form" method="post" action="/settings/organisation" novalidate>
            <FormErrors state=state.clone()/>
            {name.draw(state, org_name)}
            <div class="form-actions"><button class="button primary">"Save"</button></div>
        </form>
    }
    .into_any()
}
