//! Installation › Organisations.

use leptos::prelude::*;

use crate::model::calendar::grouped;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::org::OrganisationSummary;
use crate::rpc::instance::list_organisations;
use crate::ui::components::{Column, Icon, PageHead, ask, flash, loaded, table};
use crate::ui::form::{FormErrors, TextField, use_form_state};
use crate::ui::frame::use_session;
use crate::ui::pages::problem::problem_section;

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Number("Active members"),
    Column::Number("Keys"),
    Column::Text("Id"),
];

#[component]
pub fn OrganisationListPage() -> impl IntoView {
    let all = ask(|| (), |()| list_organisations());
    view! {
        {flash()}
        {loaded(all, |all| draw(&all))}
    }
}

fn draw(all: &[OrganisationSummary]) -> AnyView {
    let create = view! { <a class="button primary" href="/instance/organisations/new"><Icon name="plus"/>"Create organisation"</a> };
    let lede = "Each has its own members, projects, keys and audit log; nothing is shared between them.";
    let rows = all
        .iter()
        .map(|org| {
            view! {
                <tr>
                    <th scope="row">{org.name.clone()}<small class="mono">{org.slug.clone()}</small></th>
                    <td data-label="Members" class="num">{grouped(org.members)}</td>
                    <td data-label="Keys" class="num">{grouped(org.keys)}</td>
                    <td data-label="Id"><code class="mono">{org.id.to_string()}</code></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <PageHead title="Organisations" root="Installation" lede=lede.into_any() actions=create.into_any()/>
        {table("Organisations", COLUMNS, rows)}
    }
    .into_any()
}

#[component]
pub fn NewOrganisationPage() -> impl IntoView {
    let state = use_form_state();
    let name = TextField {
        name: "name",
        label: "Name",
        placeholder: "Globex",
        ..TextField::default()
    };
    match use_session().filter(|session| session.is_instance_admin) {
        Some(_) => new_form(name, &state),
        None => problem_section(AppError::forbidden()),
    }
}

fn new_form(name: TextField, state: &FormState) -> AnyView {
    let crumbs = vec![("Organisations".to_owned(), "/instance/organisations".to_owned())];
    let lede = "You own it at first. Invite whom it is for as an owner; then you can leave.";
    view! {
        <PageHead title="Create organisation" root="Installation" crumbs=crumbs lede=lede.into_any()/>
        <form class="form" method="post" action="/instance/organisations/new" novalidate>
            <FormErrors state=state.clone()/>
            {name.draw(state, "")}
            <div class="form-actions">
                <button class="button primary">"Create organisation"</button>
                <a class="button quiet" href="/instance/organisations">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
