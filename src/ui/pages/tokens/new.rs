//! Create a service token.

use leptos::prelude::*;

use super::list_crumb;
use crate::model::form::FormState;
use crate::model::token::{TokenFormMaterial, TokenPermission};
use crate::rpc::tokens::token_form;
use crate::ui::components::{ExpiryField, PageHead, ask, loaded};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed, use_form_state};
use crate::ui::islands::CREATE_FORM;

#[component]
pub fn NewTokenPage() -> impl IntoView {
    let state = use_form_state();
    let material = ask(|| (), |()| token_form());
    loaded(material, move |material| draw(&material, &state))
}

fn draw(material: &TokenFormMaterial, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "The service that will use it. One token per service, so that each can be revoked alone.",
        placeholder: "Edge proxy",
        ..TextField::default()
    };
    let selected = typed(state, "project", "");
    let options = material.projects.iter().map(|(id, name)| {
        let is_selected = id.as_str() == selected;
        view! { <option value=id.to_string() selected=is_selected>{name.clone()}</option> }
    });
    let fresh = !state.values.has("name");
    let permissions = TokenPermission::ALL.map(|permission| {
        let ticked = fresh
            || state
                .values
                .all("permissions")
                .iter()
                .any(|held| held == permission.as_str());
        view! {
            <label>
                <input type="checkbox" name="permissions" value=permission.as_str() checked=ticked/>
                <span><b>{permission.label()}</b><small>{permission.description()}</small></span>
            </label>
        }
    });
    let (project_error, permission_error) =
        (field_error(state, "project"), field_error(state, "permissions"));
    view! {
        <PageHead title="Create service token" crumbs=list_crumb()/>
        <form class="form" id=CREATE_FORM method="post" action="/settings/service-tokens/new" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="nonce" value=material.nonce.clone()/>
            {name.draw(state, "")}
            <div class=field_class(state, "project")>
                <label for="project">"Project"</label>
                <p class="hint" id="project-hint">"Keys of other projects do not exist for this token."</p>
                <select
                    id="project"
                    name="project"
                    aria-invalid=error_id(state, "project").map(|_| "true")
                    aria-describedby=format!("project-hint {}", error_id(state, "project").unwrap_or_default())
                >{options.collect_view()}</select>
                {project_error}
            </div>
            <fieldset class=field_class(state, "permissions") id="permissions" aria-describedby=error_id(state, "permissions")>
                <legend>"Permissions"</legend>
                <div class="checks">{permissions.collect_view()}</div>
                {permission_error}
            </fieldset>
            <ExpiryField state=state.clone() now=material.now/>
            <div class="form-actions">
                <button class="button primary">"Create token"</button>
                <a class="button quiet" href="/settings/service-tokens">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
