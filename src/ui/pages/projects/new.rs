//! Create a project.

use leptos::prelude::*;

use super::catalogue::catalogue_field;
use super::list_crumb;
use crate::model::form::FormState;
use crate::model::permission::Permission;
use crate::model::project::starter_scopes;
use crate::ui::components::PageHead;
use crate::ui::form::{FormErrors, TextField, use_form_state};
use crate::ui::frame::for_whoever_may;

#[component]
pub fn NewProjectPage() -> impl IntoView {
    let state = use_form_state();
    for_whoever_may(Permission::ProjectsManage, move |_| draw(&state))
}

fn draw(state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        placeholder: "Image API",
        ..TextField::default()
    };
    let prefix = TextField {
        name: "prefix",
        label: "Key prefix",
        hint: "Keys begin with it: acme_live_… Two to sixteen of a–z and 0–9. It cannot change later.",
        placeholder: "acme",
        mono: true,
        max: 16,
        ..TextField::default()
    };
    view! {
        <PageHead title="Create project" crumbs=list_crumb()/>
        <form class="form" method="post" action="/settings/projects/new" novalidate>
            <FormErrors state=state.clone()/>
            {name.draw(state, "")}
            {prefix.draw(state, "")}
            {catalogue_field(state, &starter_scopes())}
            <div class="form-actions">
                <button class="button primary">"Create project"</button>
                <a class="button quiet" href="/settings/projects">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
