//! Settings › Approvals.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::{HERE, address_of, state_badge, title_of};
use crate::model::approval::{ApprovalFilter, ApprovalKind, ApprovalList, ApprovalState, ApprovalSummary};
use crate::model::id::AccountId;
use crate::model::page::{DEFAULT_SIZE, PageRequest};
use crate::model::permission::Permission;
use crate::model::time::Timestamp;
use crate::rpc::approvals::list_approvals;
use crate::ui::components::{
    Column, EnvironmentTag, Icon, PageHead, Pager, ask, flash, loaded, moment, table,
};
use crate::ui::frame::may;
use crate::ui::islands::{FILTER_FORM, FilterComfort};

const COLUMNS: &[Column] = &[
    Column::Text("Request"),
    Column::Text("Env"),
    Column::Text("Asked for by"),
    Column::Text("Why approval"),
    Column::Text("State"),
];

fn filter_of(query: &ParamsMap) -> ApprovalFilter {
    let text = |name: &str| query.get(name).unwrap_or_default();
    ApprovalFilter {
        state: ApprovalState::parse(&text("state")),
        page: PageRequest::clamped(text("page").parse().unwrap_or(1), DEFAULT_SIZE),
    }
}

fn list_address(filter: &ApprovalFilter, page: u32) -> String {
    let mut query = ParamsMap::new();
    if let Some(state) = filter.state {
        query.insert("state", state.as_str().to_owned());
    }
    if page > 1 {
        query.insert("page", page.to_string());
    }
    format!("{HERE}{}", query.to_query_string())
}

#[component]
pub fn ApprovalListPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| filter_of(&query.read()));
    let asked = ask(move || filter.get(), list_approvals);
    view! {
        {flash()}
        {loaded(asked, move |list| draw(&list, filter.get_untracked()))}
    }
}

fn draw(list: &ApprovalList, filter: ApprovalFilter) -> AnyView {
    let lede = match list.sees_all {
        true => "What the policy wants a second person to look at before it happens.",
        false => "What you asked for, and what became of it.",
    };
    let has_any = filter.state.is_some() || list.page.total > 0;
    let body = match list.page.rows.is_empty() {
        true => empty(list, filter.state),
        false => {
            let rows = list
                .page
                .rows
                .iter()
                .map(|row| line(row, list.me.as_ref(), list.now));
            table("Requests", COLUMNS, rows.collect_view())
        }
    };
    view! {
        <PageHead title="Approvals" lede=lede.into_any()/>
        {has_any.then(|| filters(filter.state))}
        {body}
        <Pager
            number=list.page.number
            last=list.page.last_number()
            size=list.page.size
            shown=list.page.rows.len()
            total=list.page.total
            href=move |page| list_address(&filter, page)
        />
    }
    .into_any()
}

fn filters(chosen: Option<ApprovalState>) -> AnyView {
    let options = ApprovalState::ALL.iter().map(|state| {
        let selected = chosen == Some(*state);
        view! { <option value=state.as_str() selected=selected>{state.label()}</option> }
    });
    view! {
        <form class="filters" method="get" action=HERE id=FILTER_FORM>
            <FilterComfort/>
            <label>
                <span>"State"</span>
                <select name="state"><option value="">"Any"</option>{options.collect_view()}</select>
            </label>
            <button class="button apply">"Apply"</button>
            {chosen.map(|_| view! { <a class="button quiet" href=HERE>"Clear"</a> })}
        </form>
    }
    .into_any()
}

fn empty(list: &ApprovalList, state: Option<ApprovalState>) -> AnyView {
    if let Some(state) = state {
        let title = match state {
            ApprovalState::Waiting => "Nothing waits".to_owned(),
            state => format!("Nothing is {}", state.label().to_lowercase()),
        };
        return view! {
            <section class="empty">
                <h2>{title}</h2>
                <p>"No request is in this state."</p>
                <a class="button" href=HERE>"Show all requests"</a>
            </section>
        }
        .into_any();
    }
    let words = match (list.is_asked, list.sees_all) {
        (true, true) => {
            "Nobody has asked for anything yet. Requests come from the forms for keys, where the policy needs approval."
        }
        (true, false) => {
            "You have not asked for anything. Where the policy needs approval, the forms for keys offer to ask."
        }
        (false, _) => {
            "The policy asks nobody to approve anything. An owner can have new live keys, sensitive scopes or wider access looked at by a second person."
        }
    };
    let policy = (!list.is_asked && may(Permission::PolicyManage))
        .then(|| view! { <a class="button" href="/settings/policy">"Go to the policy"</a> });
    view! {
        <section class="empty">
            <Icon name="approve"/>
            <h2>"No requests"</h2>
            <p>{words}</p>
            {policy}
        </section>
    }
    .into_any()
}

/// What stands under the state: until when, by whom, or what is left to do.
fn remark(row: &ApprovalSummary, now: Timestamp) -> Option<AnyView> {
    Some(match (row.state, row.decided_at) {
        (ApprovalState::Waiting, _) => {
            view! { <small>"lapses "{moment(row.lapses_at, now)}</small> }.into_any()
        }
        (ApprovalState::Lapsed, _) => view! { <small>{moment(row.lapses_at, now)}</small> }.into_any(),
        (ApprovalState::Approved, Some(_))
            if row.kind == ApprovalKind::Create && row.collected_at.is_none() =>
        {
            view! { <small>"secret not collected yet"</small> }.into_any()
        }
        (_, Some(at)) => {
            let by = row
                .decided_by_name
                .clone()
                .filter(|_| row.state != ApprovalState::Withdrawn);
            let by = by.map(|name| format!(" by {name}"));
            view! { <small>{moment(at, now)}{by}</small> }.into_any()
        }
        (_, None) => return None,
    })
}

fn line(row: &ApprovalSummary, me: Option<&AccountId>, now: Timestamp) -> AnyView {
    let by = match me == Some(&row.requested_by) {
        true => "You".to_owned(),
        false => row.requested_by_name.clone(),
    };
    let reasons: Vec<&str> = row.reasons.iter().map(|reason| reason.label()).collect();
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address_of(&row.id)>{title_of(row)}</a>
                <small>{row.project_name.clone()}</small>
            </th>
            <td data-label="Env"><EnvironmentTag environment=row.environment/></td>
            <td data-label="Asked for by"><span>{by}<small>{moment(row.requested_at, now)}</small></span></td>
            <td data-label="Why approval">{reasons.join(", ")}</td>
            <td data-label="State"><span>{state_badge(row.state)}{remark(row, now)}</span></td>
        </tr>
    }
    .into_any()
}
