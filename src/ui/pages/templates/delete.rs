//! Deleting a template.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::TemplateId;
use crate::model::template::TemplateForm;
use crate::rpc::templates::get_template_form;
use crate::ui::components::{PageTitle, ask, loaded};
use crate::ui::form::{FormErrors, use_form_state};
use crate::ui::pages::problem::problem_section;

#[component]
pub fn DeleteTemplatePage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let form = ask(id, async |id| match id.parse::<TemplateId>() {
        Ok(id) => get_template_form(Some(id)).await,
        Err(_) => Err(AppError::not_found()),
    });
    loaded(form, move |form| draw(form, &state))
}

fn draw(form: TemplateForm, state: &FormState) -> AnyView {
    let Some(template) = form.template else {
        return problem_section(AppError::not_found());
    };
    let title = format!("Delete {}?", template.name);
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title.clone()}</h1>
            <FormErrors state=state.clone()/>
            <p>"Keys that began with it stay as they are. Links that name it open a blank form from then on. This cannot be undone."</p>
            <form class="form" method="post" action=format!("/settings/templates/{}/delete", template.id)>
                <div class="form-actions">
                    <button class="button primary danger">"Delete template"</button>
                    <a class="button quiet" href="/settings/templates">"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}
