//! The form for a template, new or edited.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::list_crumb;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::TemplateId;
use crate::model::key::{DEFAULT_LIFETIME_DAYS, Environment};
use crate::model::project::ProjectStatus;
use crate::model::restriction::Restrictions;
use crate::model::rotation::OWN_DAYS_FIELD;
use crate::model::scope_group::GroupPreset;
use crate::model::template::{EXPIRIES, KeyTemplate, TemplateForm};
use crate::rpc::templates::get_template_form;
use crate::ui::components::{PageHead, ask, loaded};
use crate::ui::form::{
    FormErrors, TextField, error_id, field_class, field_error, looked_at, typed, use_form_state,
};
use crate::ui::pages::keys::restrict::{Offer, restriction_fields};

#[component]
pub fn NewTemplatePage() -> impl IntoView {
    let state = use_form_state();
    let form = ask(|| (), |()| get_template_form(None));
    loaded(form, move |form| draw(&form, &state))
}

#[component]
pub fn EditTemplatePage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let form = ask(id, async |id| match id.parse::<TemplateId>() {
        Ok(id) => get_template_form(Some(id)).await,
        Err(_) => Err(AppError::not_found()),
    });
    loaded(form, move |form| draw(&form, &state))
}

fn draw(form: &TemplateForm, state: &FormState) -> AnyView {
    let template = form.template.as_ref();
    let (title, save_at, label) = match template {
        Some(template) => (
            "Edit template",
            format!("/settings/templates/{}", template.id),
            "Save",
        ),
        None => (
            "Create template",
            "/settings/templates/new".to_owned(),
            "Create template",
        ),
    };
    let nothing = Restrictions::default();
    let offer = Offer {
        rules: template.map_or(&nothing, |template| &template.restrictions),
        zones: &form.zones,
        country_database: form.country_database,
        my_address: None,
        seen: &[],
        now: form.now,
        project: None,
        first_day: false,
    };
    let version = template.map(|template| looked_at(state, "version", &template.version.to_string()));
    view! {
        <PageHead title=title crumbs=list_crumb()/>
        <form class="form" method="post" action=save_at novalidate>
            <FormErrors state=state.clone()/>
            {version}
            {described(template, state)}
            <section class="form-section">
                <h2>"Where it applies"</h2>
                {place_fields(form, template, state)}
            </section>
            <section class="form-section">
                <h2>"What it may do"</h2>
                {preset_field(template, state)}
                {scopes_field(template, state)}
            </section>
            {restriction_fields(state, &offer)}
            <section class="form-section">
                <h2>"How long"</h2>
                {expiry_field(template, state)}
                {rotation_field(template, state)}
            </section>
            <div class="form-actions">
                <button class="button primary">{label}</button>
                <a class="button quiet" href="/settings/templates">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn described(template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        placeholder: "Read-only",
        ..TextField::default()
    };
    let description = TextField {
        name: "description",
        label: "Description",
        hint: "What it is for, in a sentence. Everybody who creates a key sees it.",
        optional: true,
        max: 1_000,
        ..TextField::default()
    };
    let text = |of: fn(&KeyTemplate) -> &String| template.map_or("", |template| of(template).as_str());
    view! {
        {name.draw(state, text(|template| &template.name))}
        {description.draw(state, text(|template| &template.description))}
    }
    .into_any()
}

/// A choice from a list, by value and words.
fn list_field(
    state: &FormState,
    name: &'static str,
    label: &'static str,
    initial: &str,
    options: Vec<(String, String)>,
) -> AnyView {
    let selected = typed(state, name, initial);
    let options = options.into_iter().map(|(value, words)| {
        let is_selected = value == selected;
        view! { <option value=value selected=is_selected>{words}</option> }
    });
    view! {
        <div class=field_class(state, name)>
            <label for=name>{label}</label>
            <select id=name name=name aria-invalid=error_id(state, name).map(|_| "true") aria-describedby=error_id(state, name)>
                {options.collect_view()}
            </select>
            {field_error(state, name)}
        </div>
    }
    .into_any()
}

fn place_fields(form: &TemplateForm, template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let own = template.and_then(|template| template.project);
    let mut projects = vec![(String::new(), "Every project".to_owned())];
    let offered = form
        .projects
        .iter()
        .filter(|project| project.status == ProjectStatus::Active || Some(project.id) == own);
    projects.extend(offered.map(|project| (project.id.to_string(), project.name.clone())));
    let mut environments = vec![(String::new(), "Either".to_owned())];
    let all = Environment::ALL.iter();
    environments.extend(all.map(|one| (one.as_str().to_owned(), one.label().to_owned())));
    let project = own.map(|id| id.to_string()).unwrap_or_default();
    let environment = template
        .and_then(|template| template.environment)
        .map_or("", Environment::as_str);
    view! {
        <div class="field-row">
            {list_field(state, "project", "Project", &project, projects)}
            {list_field(state, "environment", "Environment", environment, environments)}
        </div>
    }
    .into_any()
}

fn preset_field(template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let initial = template.map_or(GroupPreset::Read, |template| template.preset);
    let chosen = typed(state, "preset", initial.as_str());
    let choice = |preset: GroupPreset, label: &'static str, text: &'static str| {
        let checked = chosen == preset.as_str();
        view! {
            <label>
                <input type="radio" name="preset" value=preset.as_str() checked=checked/>
                <span><b>{label}</b><small>{text}</small></span>
            </label>
        }
    };
    view! {
        <fieldset class=field_class(state, "preset") id="preset" aria-describedby=error_id(state, "preset")>
            <legend>"Of every group of scopes"</legend>
            <p class="hint">"Whatever the project lists when the key is created; never what is sensitive."</p>
            <div class="choices">
                {choice(GroupPreset::Read, "Read", "What only looks.")}
                {choice(GroupPreset::Write, "Write", "Everything that is not sensitive.")}
                {choice(GroupPreset::None, "Nothing", "Only the scopes named below.")}
            </div>
            {field_error(state, "preset")}
        </fieldset>
    }
    .into_any()
}

fn scopes_field(template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let field = TextField {
        name: "scopes",
        label: "And these scopes",
        hint: "By name, or as wildcards such as images:*; separate several by spaces. Those that a project does not list are left out there.",
        optional: true,
        mono: true,
        max: 2_000,
        ..TextField::default()
    };
    let initial = template.map_or_else(String::new, |template| template.scopes.stored());
    field.draw(state, &initial)
}

fn expiry_field(template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let default = DEFAULT_LIFETIME_DAYS.to_string();
    let initial = template.map_or(default.as_str(), |template| template.expiry.as_str());
    let chosen = typed(state, "expiry", initial);
    let radios = EXPIRIES.map(|(value, label)| {
        let checked = chosen == value;
        view! { <label><input type="radio" name="expiry" value=value checked=checked/><span>{label}</span></label> }
    });
    view! {
        <fieldset class=field_class(state, "expiry") id="expiry" aria-describedby=error_id(state, "expiry")>
            <legend>"Expires"</legend>
            <div class="segments">{radios.collect_view()}</div>
            {field_error(state, "expiry")}
        </fieldset>
    }
    .into_any()
}

fn rotation_field(template: Option<&KeyTemplate>, state: &FormState) -> AnyView {
    let field = TextField {
        name: OWN_DAYS_FIELD,
        label: "Days between rotations",
        hint: "Empty: 90 days on live, 180 on test.",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    let days = template.and_then(|template| template.rotation_days);
    let days = days.map(|days| days.to_string()).unwrap_or_default();
    view! { <div class="short-field">{field.draw(state, &days)}</div> }.into_any()
}
