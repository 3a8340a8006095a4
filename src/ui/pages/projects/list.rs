//! Settings › Projects.

use leptos::prelude::*;

use crate::model::calendar::grouped;
use crate::model::permission::Permission;
use crate::model::project::{ProjectStatus, ProjectSummary};
use crate::rpc::projects::list_projects;
use crate::ui::components::{Column, Icon, PageHead, ask, loaded, table};
use crate::ui::frame::may;

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Prefix"),
    Column::Number("Keys"),
    Column::Number("Scopes"),
    Column::Text("Status"),
];

#[component]
pub fn ProjectListPage() -> impl IntoView {
    let projects = ask(|| (), |()| list_projects());
    let may_create = may(Permission::ProjectsManage);
    loaded(projects, move |projects| draw(&projects, may_create))
}

fn draw(projects: &[ProjectSummary], may_create: bool) -> AnyView {
    let lede = "A project is what keys are for: an API or a product, with the scopes that its keys can hold."
        .into_any();
    let create = view! { <a class="button primary" href="/settings/projects/new"><Icon name="plus"/>"Create project"</a> };
    let head = if may_create {
        view! { <PageHead title="Projects" lede=lede actions=create.into_any()/> }.into_any()
    } else {
        view! { <PageHead title="Projects" lede=lede/> }.into_any()
    };
    let rows = projects.iter().map(row).collect_view();
    view! {
        {head}
        {table("Projects", COLUMNS, rows)}
    }
    .into_any()
}

fn row(project: &ProjectSummary) -> AnyView {
    let status = match project.status {
        ProjectStatus::Active => view! { <span class="badge ok">"Active"</span> },
        ProjectStatus::Archived => view! { <span class="badge neutral">"Archived"</span> },
    };
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=format!("/settings/projects/{}", project.id)>{project.name.clone()}</a>
                <small class="mono">{project.slug.clone()}</small>
            </th>
            <td data-label="Prefix"><code class="mono">{project.prefix.clone()}</code></td>
            <td data-label="Keys" class="num">{grouped(project.key_count)}</td>
            <td data-label="Scopes" class="num">{grouped(project.scope_count)}</td>
            <td data-label="Status">{status}</td>
        </tr>
    }
    .into_any()
}
