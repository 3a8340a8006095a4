//! Closing an incident: with its cause, and a word about what is still open.

use leptos::prelude::*;

use super::{address_of, incident_of_address};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::incident::{FINDING_MAX, IncidentPage, IncidentStatus};
use crate::ui::components::{PageTitle, loaded};
use crate::ui::form::{FormErrors, field_class, field_error, looked_at, prose_field, typed, use_form_state};
use crate::ui::pages::problem::problem_section;

#[component]
pub fn ClosePage() -> impl IntoView {
    let state = use_form_state();
    loaded(incident_of_address(), move |page| match page.may_manage {
        true => draw(&page, &state),
        false => problem_section(AppError::forbidden()),
    })
}

fn draw(page: &IncidentPage, state: &FormState) -> AnyView {
    let incident = &page.incident;
    let address = address_of(&incident.id);
    let title = format!("Close the incident of {}?", page.key.summary.name);
    if incident.status == IncidentStatus::Closed {
        return view! {
            <PageTitle text="Closed"/>
            <section class="confirm">
                <h1>"This incident is closed already"</h1>
                <a class="button" href=address>"Back to the incident"</a>
            </section>
        }
        .into_any();
    }
    let action = format!("{address}/close");
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title}</h1>
            <p>"What was read of the key’s use stays with the incident, and its report can be printed and taken away at any time."</p>
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                {looked_at(state, "version", &incident.findings_version.to_string())}
                <input type="hidden" name="noticed" value=typed(state, "noticed", &incident.noticed)/>
                {finding_fields(page, state)}
                {open_items(page, state)}
                <div class="form-actions">
                    <button class="button primary">"Close incident"</button>
                    <a class="button quiet" href=address>"Back"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// Cause, impact, lessons.
pub(super) fn finding_fields(page: &IncidentPage, state: &FormState) -> AnyView {
    let incident = &page.incident;
    view! {
        {prose_field(state, ("cause", "Cause"), "How it leaked: committed, logged, mailed, on a lost laptop. Needed to close.", &incident.cause, FINDING_MAX)}
        {prose_field(state, ("impact", "Impact"), "What was done with it, whose data, what it cost.", &incident.impact, FINDING_MAX)}
        {prose_field(state, ("lessons", "What was learnt"), "What keeps it from happening again, and who does it.", &incident.lessons, FINDING_MAX)}
    }
    .into_any()
}

fn open_items(page: &IncidentPage, state: &FormState) -> Option<AnyView> {
    let open = page.open_items();
    if open.is_empty() {
        return None;
    }
    let items = open.iter().map(|item| view! { <li>{item.text.clone()}</li> });
    let checked = typed(state, "anyway", "") == "1";
    let field = view! {
        <fieldset class=field_class(state, "anyway") id="anyway">
            <legend>"Still open"</legend>
            <ul class="bullets">{items.collect_view()}</ul>
            <div class="checks">
                <label>
                    <input type="checkbox" name="anyway" value="1" checked=checked/>
                    <span><b>"Close anyway"</b><small>"What is open stays so in the report."</small></span>
                </label>
            </div>
            {field_error(state, "anyway")}
        </fieldset>
    };
    Some(field.into_any())
}
