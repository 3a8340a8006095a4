//! One project: edit its name and scopes, archive or restore it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::catalogue::{catalogue_field, resources_field};
use super::formats::formats_field;
use super::list_crumb;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::ProjectId;
use crate::model::permission::Permission;
use crate::model::project::{Project, ProjectStatus};
use crate::rpc::projects::get_project;
use crate::ui::components::{PageHead, ask, flash, loaded};
use crate::ui::form::{FormErrors, TextField, looked_at, use_form_state};
use crate::ui::frame::may;
use crate::ui::islands::ProjectSwitch;

#[component]
pub fn ProjectPage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let may_manage = may(Permission::ProjectsManage);
    let asked = move || params.read().get("id").unwrap_or_default();
    let project = ask(asked, async |id| match id.parse::<ProjectId>() {
        Ok(id) => get_project(id).await,
        Err(_) => Err(AppError::not_found()),
    });
    view! {
        {flash()}
        {loaded(project, move |project| {
            if may_manage { form(&project, &state) } else { read_only(&project) }
        })}
    }
}

fn head(project: &Project) -> AnyView {
    let lede = view! { <code class="mono">{format!("{}_live_…", project.prefix)}</code>" · "<span class="mono">{project.slug.clone()}</span> };
    let archived = (project.status == ProjectStatus::Archived)
        .then(|| view! { <span class="badge neutral">"Archived"</span> })
        .into_any();
    view! { <PageHead title=project.name.clone() crumbs=list_crumb() lede=lede.into_any() beside=archived/> }
        .into_any()
}

fn form(project: &Project, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        ..TextField::default()
    };
    view! {
        {head(project)}
        <form class="form" method="post" action=format!("/settings/projects/{}", project.id) novalidate>
            <FormErrors state=state.clone()/>
            {looked_at(state, "version", &project.version.to_string())}
            {name.draw(state, &project.name)}
            {catalogue_field(state, &project.scopes)}
            {resources_field(state, &project.resources)}
            {formats_field(state, &project.formats)}
            <div class="form-actions">
                <button class="button primary">"Save"</button>
                <a class="button quiet" href="/settings/projects">"Cancel"</a>
            </div>
        </form>
        {archive(project)}
    }
    .into_any()
}

fn archive(project: &Project) -> AnyView {
    let (class, title, text) = match project.status {
        ProjectStatus::Active => (
            "card danger",
            "Archive this project",
            "All its keys are refused from the next request on. Nothing is deleted: restoring the project lets them pass again.",
        ),
        ProjectStatus::Archived => (
            "card",
            "Restore this project",
            "Its keys pass again, as far as they are active themselves.",
        ),
    };
    view! {
        <section class=class>
            <header class="card-head"><h2>{title}</h2></header>
            <p>{text}</p>
            <ProjectSwitch project_id=project.id status=project.status/>
        </section>
    }
    .into_any()
}

fn read_only(project: &Project) -> AnyView {
    let rows = project.scopes.iter().map(|scope| {
        view! {
            <li>
                <div class="grow"><b class="mono">{scope.name.clone()}</b><small>{scope.description.clone()}</small></div>
                {scope.sensitive.then(|| view! { <span class="badge warn">"Sensitive"</span> })}
            </li>
        }
    });
    let formats = (!project.formats.is_empty()).then(|| {
        let rows = project
            .formats
            .iter()
            .map(|format| view! { <li><span class="mono">{format.in_words()}</span></li> });
        view! {
            <section class="card">
                <header class="card-head"><h2>"Import formats"</h2></header>
                <ul class="rows">{rows.collect_view()}</ul>
            </section>
        }
    });
    let resources = project.resources.iter().map(|resource| {
        view! {
            <li><div class="grow"><b class="mono">{resource.name.clone()}</b><small>{resource.description.clone()}</small></div></li>
        }
    });
    let resources = (!project.resources.is_empty()).then(|| {
        view! {
            <section class="card">
                <header class="card-head"><h2>"Resources"</h2></header>
                <ul class="rows">{resources.collect_view()}</ul>
            </section>
        }
    });
    view! {
        {head(project)}
        <section class="card">
            <header class="card-head"><h2>"Scopes"</h2></header>
            <ul class="rows">{rows.collect_view()}</ul>
        </section>
        {resources}
        {formats}
    }
    .into_any()
}
