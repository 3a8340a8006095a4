//! Create a key: one page, sections in order, a sentence at the side that says what will be.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::handover::recipient_fields;
use super::list_crumb;
use super::policy::asked;
use super::restrict::{Offer, restriction_fields};
use super::scopes::{Held, scopes_field};
use super::start;
use crate::model::form::{FormState, FormValues};
use crate::model::key::Environment;
use crate::model::key_page::{KeyFormMaterial, WayToKey};
use crate::model::restriction::Restrictions;
use crate::model::rotation::OWN_DAYS_FIELD;
use crate::rpc::keys::key_form;
use crate::ui::components::{ExpiryField, PageHead, ask, first_offer, loaded};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed, use_form_state};
use crate::ui::islands::{CREATE_FORM, CreateSummary};
use crate::ui::pages::approvals::ask::ask_section;

#[component]
pub fn NewKeyPage() -> impl IntoView {
    let state = use_form_state();
    let query = use_query_map();
    let asked = move || {
        let pairs = query.read().clone().into_iter();
        FormValues::from_pairs(pairs.map(|(name, value)| (name.into_owned(), value)))
    };
    let material = ask(asked, key_form);
    loaded(material, move |material| draw(material, state.clone()))
}

/// The form as it was sent, or else as the page's address begins it.
fn filled(material: &KeyFormMaterial, state: FormState) -> (FormState, bool) {
    if state.values.has("nonce") || !state.errors.is_empty() {
        return (state, true);
    }
    let begin = &material.beginning;
    let begun = FormState {
        values: begin.values.clone(),
        errors: begin.errors.clone(),
        ..state
    };
    (begun, false)
}

fn draw(material: KeyFormMaterial, state: FormState) -> AnyView {
    if material.projects.is_empty() {
        return no_project();
    }
    let (state, sent) = filled(&material, state);
    let first = material.projects[0].id.to_string();
    let project = typed(&state, "project", &first);
    let default_environment = match (material.way_to_live, material.way_to_test) {
        (WayToKey::Create, _) | (WayToKey::Ask, WayToKey::Closed) => Environment::Live,
        _ => Environment::Test,
    };
    let environment = typed(&state, "environment", default_environment.as_str());
    let held = Held {
        projects: &material.projects,
        chosen: &project,
        scopes: state.values.all("scopes"),
        sent,
    };
    let nothing = Restrictions::default();
    let chosen = material.projects.iter().find(|one| one.id.as_str() == project);
    let offer = Offer {
        rules: &nothing,
        zones: &material.zones,
        country_database: material.country_database,
        my_address: material.my_address.as_deref(),
        seen: &[],
        now: material.now,
        project: chosen,
        first_day: true,
    };
    let most = match default_environment {
        Environment::Live => material.live.max_lifetime_days,
        Environment::Test => material.test.max_lifetime_days,
    };
    let title = "Create API key";
    view! {
        <PageHead title=title crumbs=list_crumb()/>
        {start::templates(&material)}
        <div class="form-with-summary">
            <form class="form" id=CREATE_FORM method="post" action="/settings/api-keys/new" novalidate>
                {(!sent).then(|| start::provenance(&material))}
                <FormErrors state=state.clone()/>
                {start::reviewed(&state)}
                // A form that was refused has not used its mark up; a fresh one does as well.
                <input type="hidden" name="nonce" value=material.nonce.clone()/>
                <section class="form-section">
                    <h2>"Project and environment"</h2>
                    {project_field(&material, &state, &project)}
                    {environment_field(&material, &state, &environment)}
                    {asked(vec![
                        ("Live keys", &material.live, material.live_plan.as_ref()),
                        ("Test keys", &material.test, material.test_plan.as_ref()),
                    ])}
                </section>
                <section class="form-section">
                    <h2>"Name and purpose"</h2>
                    {name_fields(&state)}
                    {owner_field(&material, &state)}
                </section>
                <section class="form-section">
                    <h2>"What it may do"</h2>
                    {scopes_field(&state, &held)}
                </section>
                {restriction_fields(&state, &offer)}
                <section class="form-section">
                    <h2>"How long"</h2>
                    <ExpiryField state=state.clone() now=material.now first=first_offer(most)/>
                    {rotation_field(&state)}
                </section>
                <section class="form-section">
                    <h2>"Who gets the secret"</h2>
                    {recipient_fields(&state)}
                </section>
                {ask_section(&state, true)}
            </form>
            {summary(&material)}
        </div>
    }
    .into_any()
}

fn name_fields(state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "What uses the key. Everybody in the organisation sees it.",
        placeholder: "Production server",
        ..TextField::default()
    };
    let purpose = TextField {
        name: "purpose",
        label: "Purpose",
        optional: true,
        max: 1_000,
        placeholder: "Renders product pictures",
        ..TextField::default()
    };
    view! { {name.draw(state, "")}{purpose.draw(state, "")} }.into_any()
}

/// How often the key is due for another secret.
fn rotation_field(state: &FormState) -> AnyView {
    let rotation = TextField {
        name: OWN_DAYS_FIELD,
        label: "Days between rotations",
        hint: "Empty follows the policy; a key may say fewer days.",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    view! { <div class="short-field">{rotation.draw(state, "")}</div> }.into_any()
}

fn no_project() -> AnyView {
    view! {
        <PageHead title="Create API key" crumbs=list_crumb()/>
        <div class="empty">
            <h2>"There is no active project"</h2>
            <p>"A key belongs to a project. Create one, or restore an archived one, first."</p>
            <a class="button primary" href="/settings/projects">"Go to projects"</a>
        </div>
    }
    .into_any()
}

fn project_field(material: &KeyFormMaterial, state: &FormState, selected: &str) -> AnyView {
    let options = material.projects.iter().map(|project| {
        let id = project.id.to_string();
        let is_selected = id == selected;
        view! { <option value=id selected=is_selected>{project.name.clone()}</option> }
    });
    let error = field_error(state, "project");
    let is_known = material
        .projects
        .iter()
        .any(|project| project.id.as_str() == selected);
    // Nothing is chosen for somebody whose choice does not exist.
    let no_choice = (!is_known).then(|| view! { <option value="" selected=true>"Choose a project"</option> });
    view! {
        <div class=field_class(state, "project")>
            <label for="project">"Project"</label>
            <select id="project" name="project" aria-invalid=error_id(state, "project").map(|_| "true") aria-describedby=error_id(state, "project")>
                {no_choice}
                {options.collect_view()}
            </select>
            {error}
        </div>
    }
    .into_any()
}

fn environment_field(material: &KeyFormMaterial, state: &FormState, selected: &str) -> AnyView {
    let choice = |environment: Environment, text: &'static str, allowed: bool| {
        let value = environment.as_str();
        view! {
            <label>
                <input
                    type="radio"
                    name="environment"
                    value=value
                    checked=selected == value
                    disabled=!allowed
                />
                <span><b>{environment.label()}</b><small>{text}</small></span>
            </label>
        }
    };
    let live = match material.way_to_live {
        WayToKey::Create => "Real traffic.",
        WayToKey::Ask => "Real traffic. An administrator has to approve it.",
        WayToKey::Closed => "Only administrators create live keys.",
    };
    let test = match material.way_to_test {
        WayToKey::Create => "Development and tests; never accepted for live.",
        WayToKey::Ask => "Development and tests. An administrator has to approve it.",
        WayToKey::Closed => "Only administrators create test keys.",
    };
    let error = field_error(state, "environment");
    view! {
        <fieldset class=field_class(state, "environment") id="environment" aria-describedby=error_id(state, "environment")>
            <legend>"Environment"</legend>
            <div class="choices">
                {choice(Environment::Live, live, material.way_to_live != WayToKey::Closed)}
                {choice(Environment::Test, test, material.way_to_test != WayToKey::Closed)}
            </div>
            {error}
        </fieldset>
    }
    .into_any()
}

fn owner_field(material: &KeyFormMaterial, state: &FormState) -> AnyView {
    if !material.may_choose_owner {
        return ().into_any();
    }
    let me = material
        .me
        .as_ref()
        .map(|id| format!("member:{id}"))
        .unwrap_or_default();
    let selected = typed(state, "owner", &me);
    let options = material.members.iter().map(|member| {
        let value = format!("member:{}", member.account_id);
        let is_selected = value == selected;
        view! { <option value=value selected=is_selected>{member.name.clone()}</option> }
    });
    let error = field_error(state, "owner");
    let team = TextField {
        name: "owner_team",
        label: "Team",
        optional: true,
        hint: "For keys of a service rather than a person; choose “A team” above.",
        ..TextField::default()
    };
    view! {
        <div class="field-row">
            <div class=field_class(state, "owner")>
                <label for="owner">"Owner"</label>
                <p class="hint" id="owner-hint">"Who answers for it. It stops when its owner leaves."</p>
                <select id="owner" name="owner" aria-describedby="owner-hint">
                    {options.collect_view()}
                    <option value="team" selected=selected == "team">"A team"</option>
                </select>
                {error}
            </div>
            {team.draw(state, "")}
        </div>
    }
    .into_any()
}

fn summary(material: &KeyFormMaterial) -> AnyView {
    let projects = material
        .projects
        .iter()
        .map(|project| (project.id, project.name.clone()))
        .collect();
    view! {
        <section class="summary" aria-labelledby="summary-title">
            <h2 id="summary-title">"Summary"</h2>
            <CreateSummary now=material.now projects=projects/>
            <div class="button-row">
                <button class="button" form=CREATE_FORM name="step" value="review">"Review"</button>
                <button class="button quiet" form=CREATE_FORM name="step" value="link">"Copy link to this form"</button>
            </div>
        </section>
    }
    .into_any()
}
