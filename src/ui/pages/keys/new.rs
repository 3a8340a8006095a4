//! Create a key: one page, sections in order, a sentence at the side that says what will be.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::handover::recipient_fields;
use super::list_crumb;
use super::policy::asked;
use super::restrict::{Offer, restriction_fields};
use crate::model::form::FormState;
use crate::model::key::{Environment, Owner};
use crate::model::key_page::KeyFormMaterial;
use crate::model::project::Project;
use crate::model::restriction::Restrictions;
use crate::rpc::keys::key_form;
use crate::ui::components::{ExpiryField, PageHead, ask, first_offer, loaded};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed, use_form_state};
use crate::ui::islands::{CREATE_FORM, CreateSummary};

#[component]
pub fn NewKeyPage() -> impl IntoView {
    let state = use_form_state();
    let query = use_query_map();
    let from = move || query.read().get("from").and_then(|id| id.parse().ok());
    let material = ask(from, key_form);
    loaded(material, move |material| draw(material, state.clone()))
}

fn draw(material: KeyFormMaterial, state: FormState) -> AnyView {
    if material.projects.is_empty() {
        return no_project();
    }
    let from = material.from.as_ref();
    let first = material.projects[0].id.to_string();
    let project = typed(
        &state,
        "project",
        &from.map_or(first, |key| key.summary.project_id.to_string()),
    );
    let default_environment = if material.may_create_live {
        Environment::Live
    } else {
        Environment::Test
    };
    let environment = typed(
        &state,
        "environment",
        from.map_or(default_environment, |key| key.summary.environment)
            .as_str(),
    );
    let source_name = from.map_or(String::new(), |key| key.summary.name.clone());
    let held: Vec<String> = match (state.values.has("name"), from) {
        (false, Some(key)) => key.summary.scopes.iter().map(ToString::to_string).collect(),
        _ => state.values.all("scopes").to_vec(),
    };
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
    let initial_purpose = from.map_or(String::new(), |key| key.purpose.clone());
    let nothing = Restrictions::default();
    let offer = Offer {
        rules: from.map_or(&nothing, |key| &key.restrictions),
        zones: &material.zones,
        my_address: material.my_address.as_deref(),
        seen: &[],
        now: material.now,
    };
    let most = match default_environment {
        Environment::Live => material.live.max_lifetime_days,
        Environment::Test => material.test.max_lifetime_days,
    };
    let title = "Create API key";
    view! {
        <PageHead title=title crumbs=list_crumb()/>
        <div class="form-with-summary">
            <form class="form" id=CREATE_FORM method="post" action="/settings/api-keys/new" novalidate>
                <FormErrors state=state.clone()/>
                // A form that was refused has not used its mark up; a fresh one does as well.
                <input type="hidden" name="nonce" value=material.nonce.clone()/>
                <section class="form-section">
                    <h2>"Project and environment"</h2>
                    {project_field(&material, &state, &project)}
                    {environment_field(&material, &state, &environment)}
                    {asked(vec![("Live keys", &material.live), ("Test keys", &material.test)])}
                </section>
                <section class="form-section">
                    <h2>"Name and purpose"</h2>
                    {name.draw(&state, &source_name)}
                    {purpose.draw(&state, &initial_purpose)}
                    {owner_field(&material, &state)}
                </section>
                <section class="form-section">
                    <h2>"What it may do"</h2>
                    {scopes_field(&material.projects, &state, &held)}
                </section>
                {restriction_fields(&state, &offer)}
                <section class="form-section">
                    <h2>"How long"</h2>
                    <ExpiryField state=state.clone() now=material.now first=first_offer(most)/>
                </section>
                <section class="form-section">
                    <h2>"Who gets the secret"</h2>
                    {recipient_fields(&state)}
                </section>
            </form>
            {summary(&material)}
        </div>
    }
    .into_any()
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
    view! {
        <div class=field_class(state, "project")>
            <label for="project">"Project"</label>
            <select id="project" name="project" aria-invalid=error_id(state, "project").map(|_| "true") aria-describedby=error_id(state, "project")>
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
    let live = if material.may_create_live {
        "Real traffic."
    } else {
        "Only administrators create live keys."
    };
    let error = field_error(state, "environment");
    view! {
        <fieldset class=field_class(state, "environment") id="environment" aria-describedby=error_id(state, "environment")>
            <legend>"Environment"</legend>
            <div class="choices">
                {choice(Environment::Live, live, material.may_create_live)}
                {choice(Environment::Test, "Development and tests; never accepted for live.", true)}
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
    let of_source = material.from.as_ref().map(|key| match &key.summary.owner {
        Owner::Member { id, .. } => (format!("member:{id}"), String::new()),
        Owner::Team(label) => ("team".to_owned(), label.clone()),
    });
    let (initial, initial_team) = of_source.unwrap_or((me, String::new()));
    let selected = typed(state, "owner", &initial);
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
            {team.draw(state, &initial_team)}
        </div>
    }
    .into_any()
}

/// Every project's catalogue is in the page, so that choosing another project works without a script; with one, only
/// the chosen project's is shown.
pub(super) fn scopes_field(projects: &[Project], state: &FormState, held: &[String]) -> AnyView {
    let several = projects.len() > 1;
    let lists = projects
        .iter()
        .map(|project| catalogue(project, held, several))
        .collect_view();
    let known = |scope: &&String| {
        projects
            .iter()
            .any(|p| p.scopes.iter().any(|s| &s.name == *scope))
    };
    let others: Vec<&str> = held
        .iter()
        .filter(|scope| !known(scope))
        .map(String::as_str)
        .collect();
    let other = TextField {
        name: "other_scopes",
        label: "Wildcards",
        hint: "For example images:* for everything below images, or * for everything. Separate several by spaces.",
        optional: true,
        mono: true,
        max: 1_000,
        ..TextField::default()
    };
    view! {
        <div class=field_class(state, "scopes") id="scopes" role="group" aria-label="Scopes" aria-describedby=error_id(state, "scopes") tabindex="-1">
            {lists}
            {field_error(state, "scopes")}
        </div>
        {other.draw(state, &others.join(" "))}
    }
    .into_any()
}

fn catalogue(project: &Project, held: &[String], several: bool) -> AnyView {
    let boxes = project.scopes.iter().map(|scope| {
        view! {
            <label>
                <input type="checkbox" name="scopes" value=scope.name.clone() checked=held.contains(&scope.name)/>
                <span>
                    <b class="mono">{scope.name.clone()}</b>
                    {scope.sensitive.then(|| view! { " "<span class="badge warn">"Sensitive"</span> })}
                    <small>{scope.description.clone()}</small>
                </span>
            </label>
        }
    });
    let legend = if several {
        format!("Scopes of {}", project.name)
    } else {
        "Scopes".to_owned()
    };
    view! {
        <fieldset class="field" data-project=project.id.to_string()>
            <legend>{legend}</legend>
            <div class="checks">{boxes.collect_view()}</div>
        </fieldset>
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
        </section>
    }
    .into_any()
}
