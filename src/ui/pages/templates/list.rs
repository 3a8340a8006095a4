//! Settings › Templates.

use leptos::prelude::*;

use crate::model::project::ProjectChoice;
use crate::model::template::{KeyTemplate, TemplateList};
use crate::rpc::templates::list_templates;
use crate::ui::components::{Column, Icon, PageHead, ask, flash, loaded, table};

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Fills in"),
    Column::Text("Project"),
    Column::Unseen("Acts"),
];

#[component]
pub fn TemplateListPage() -> impl IntoView {
    let templates = ask(|| (), |()| list_templates());
    view! {
        {flash()}
        {loaded(templates, |list| draw(&list))}
    }
}

fn draw(list: &TemplateList) -> AnyView {
    let lede = "What the form for a new key may begin with. A key keeps nothing of its template: editing one changes no key."
        .into_any();
    let create = view! { <a class="button primary" href="/settings/templates/new"><Icon name="plus"/>"Create template"</a> };
    let head = if list.may_manage {
        view! { <PageHead title="Templates" lede=lede actions=create.into_any()/> }.into_any()
    } else {
        view! { <PageHead title="Templates" lede=lede/> }.into_any()
    };
    if list.templates.is_empty() {
        return view! {
            {head}
            <div class="empty">
                <h2>"No templates"</h2>
                <p>"Keys begin with a blank form until somebody makes one."</p>
            </div>
        }
        .into_any();
    }
    let rows = list
        .templates
        .iter()
        .map(|template| row(template, &list.projects, list.may_manage));
    view! {
        {head}
        {table("Templates", COLUMNS, rows.collect_view())}
    }
    .into_any()
}

fn row(template: &KeyTemplate, projects: &[ProjectChoice], may_manage: bool) -> AnyView {
    let address = format!("/settings/templates/{}", template.id);
    let name = template.name.clone();
    let title = match may_manage {
        true => view! { <a class="row-link" href=address.clone()>{name.clone()}</a> }.into_any(),
        false => name.clone().into_any(),
    };
    let project = template.project.as_ref().map(|id| {
        let found = projects.iter().find(|project| project.id == *id);
        found.map_or_else(String::new, |project| project.name.clone())
    });
    let mut words = template.in_words();
    words.extend(template.restrictions.in_words());
    let delete = may_manage.then(|| {
        view! { <a class="button small quiet" href=format!("{address}/delete") aria-label=format!("Delete {name}")>"Delete…"</a> }
    });
    view! {
        <tr>
            <th scope="row" class="wrap">{title}<small class="prose">{template.description.clone()}</small></th>
            <td data-label="Fills in" class="wrap">{words.join(", ")}</td>
            <td data-label="Project">{project.unwrap_or_else(|| "All".to_owned())}</td>
            <td data-label="Acts">
                <div class="button-row">
                    <a class="button small" href=format!("/settings/api-keys/new?template={}", template.id) aria-label=format!("Use {}", template.name)>"Use"</a>
                    {delete}
                </div>
            </td>
        </tr>
    }
    .into_any()
}
