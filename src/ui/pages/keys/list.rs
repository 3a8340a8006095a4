//! Settings › API keys.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::bulk::{bulk_form, pick};
use crate::model::bulk::{AGAINST_POLICY, ANY_STATUS, BULK_MAX, filter_pairs};
use crate::model::calendar::{counted, grouped};
use crate::model::key::{Badge, Concern, Environment, KeyFilter, KeySort, KeySummary};
use crate::model::key_page::KeyList;
use crate::model::time::Timestamp;
use crate::model::waiting::{Waiting, shown};
use crate::rpc::keys::list_keys;
use crate::ui::charts::spark;
use crate::ui::components::{
    EnvironmentTag, Icon, PageHead, Pager, ask, expiry, flash, key_badge, loaded, moment, never,
};
use crate::ui::islands::{FILTER_FORM, FilterComfort, SEARCH_BOX};

const HERE: &str = "/settings/api-keys";

/// The address that asks for a filter: only what differs from the plain list.
fn address_of(filter: &KeyFilter, sort: Option<KeySort>, page: u32) -> String {
    format!("{HERE}{}", query_of(filter, sort, page))
}

fn query_of(filter: &KeyFilter, sort: Option<KeySort>, page: u32) -> String {
    let mut query = ParamsMap::new();
    let mut add = |name: &'static str, value: String| {
        if !value.is_empty() {
            query.insert(name, value);
        }
    };
    for (name, value) in filter_pairs(filter) {
        add(name, value);
    }
    add("sort", sort.map(|s| s.as_str().to_owned()).unwrap_or_default());
    add("page", if page > 1 { page.to_string() } else { String::new() });
    query.to_query_string()
}

#[component]
pub fn KeyListPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| KeyFilter::asked(|name| query.read().get(name).unwrap_or_default()));
    let keys = ask(move || filter.get(), list_keys);
    view! {
        {flash()}
        {loaded(keys, move |list| page(list, filter.get_untracked()))}
    }
}

fn page(list: KeyList, filter: KeyFilter) -> AnyView {
    let lede = match filter.is_narrowed() {
        true => matching(list.page.total),
        false => lede(&list),
    };
    let create = || view! { <a class="button primary" href="/settings/api-keys/new"><Icon name="plus"/>"Create key"</a> };
    let unused = || view! { <a class="button quiet" href="/settings/api-keys/unused">"Unused keys"</a> };
    let actions = match (list.may_create, list.counts.all > 0) {
        (true, true) => Some(view! { {unused()}{create()} }.into_any()),
        (true, false) => Some(create().into_any()),
        (false, true) => Some(unused().into_any()),
        (false, false) => None,
    };
    let has_keys = list.counts.all > 0;
    let body = match (has_keys, list.page.rows.is_empty()) {
        (false, _) => empty(list.may_create, list.may_import),
        (true, true) => nothing_matches(&filter),
        (true, false) => table(&list, &filter),
    };
    let pager = view! {
        <Pager
            number=list.page.number
            last=list.page.last_number()
            size=list.page.size
            shown=list.page.rows.len()
            total=list.page.total
            href=|page| address_of(&filter, filter.sort, page)
        />
    };
    let head = match actions {
        Some(actions) => view! { <PageHead title="API keys" lede=lede actions=actions/> }.into_any(),
        None => view! { <PageHead title="API keys" lede=lede/> }.into_any(),
    };
    view! {
        {head}
        {has_keys.then(|| filters(&list, &filter))}
        {body}
        {pager}
    }
    .into_any()
}

/// How many keys a filter finds.
fn matching(total: i64) -> AnyView {
    let words = match total {
        0 => "No key matches".to_owned(),
        1 => "1 key matches".to_owned(),
        n => format!("{} keys match", grouped(n)),
    };
    words.into_any()
}

/// What there is, and what of it waits for somebody, each leading to those keys.
fn lede(list: &KeyList) -> AnyView {
    let counts = list.counts;
    let of_status = |badge: Badge, text: String| {
        let href = format!("{HERE}?status={}", badge.as_str());
        view! { " · "<a href=href>{text}</a> }
    };
    let overdue = (counts.overdue > 0).then(|| {
        let need = if counts.overdue == 1 { "needs" } else { "need" };
        let text = format!("{} {need} rotation", grouped(counts.overdue));
        of_status(Badge::RotationOverdue, text)
    });
    let pending = (counts.pending > 0).then(|| {
        let text = format!("{} waiting to be collected", grouped(counts.pending));
        of_status(Badge::Pending, text)
    });
    let expiring = (counts.expiring > 0).then(|| match counts.expiring {
        1 => " · 1 expires within 14 days".to_owned(),
        n => format!(" · {} expire within 14 days", grouped(n)),
    });
    let waiting = use_context::<Waiting>().unwrap_or_default().keys;
    let unused = (waiting > 0).then(|| {
        let text = format!("{} will be disabled as unused", shown(waiting));
        view! { " · "<a href="/settings/api-keys/unused">{text}</a> }
    });
    let not_confirmed = (counts.not_confirmed > 0)
        .then(|| format!(" · {} not confirmed as stored", grouped(counts.not_confirmed)));
    view! { {format!("{} active", grouped(counts.active))}{overdue}{unused}{pending}{expiring}{not_confirmed} }
        .into_any()
}

fn filters(list: &KeyList, filter: &KeyFilter) -> AnyView {
    let option = |value: &str, label: String, chosen: bool| view! { <option value=value.to_owned() selected=chosen>{label}</option> };
    let projects = list
        .projects
        .iter()
        .map(|p| {
            option(
                p.id.as_str(),
                p.name.clone(),
                filter.project.as_ref() == Some(&p.id),
            )
        })
        .collect_view();
    let environments = Environment::ALL
        .iter()
        .map(|e| option(e.as_str(), e.label().to_owned(), filter.environment == Some(*e)))
        .collect_view();
    let badges = Badge::ALL
        .iter()
        .rev()
        .map(|b| option(b.as_str(), b.label().to_owned(), filter.badge == Some(*b)))
        .collect_view();
    let concerns = Concern::ALL
        .iter()
        .map(|c| option(c.as_str(), c.label().to_owned(), filter.concern == Some(*c)))
        .collect_view();
    let sort_value = |sort: KeySort| {
        if sort == KeySort::Created {
            ""
        } else {
            sort.as_str()
        }
    };
    let sorts = KeySort::ALL
        .iter()
        .map(|s| option(sort_value(*s), s.label().to_owned(), filter.sort == Some(*s)))
        .collect_view();
    view! {
        <form class="filters" method="get" action=HERE id=FILTER_FORM role="search">
            <FilterComfort/>
            <div class="search">
                <Icon name="search"/>
                <input
                    type="search"
                    id=SEARCH_BOX
                    name="q"
                    value=filter.search.clone()
                    maxlength="512"
                    autocomplete="off"
                    aria-label="Search keys"
                    placeholder=if filter.badge == Some(Badge::Revoked) { "Search name, id, reason or note…" } else { "Search name, id or start of key…" }
                />
            </div>
            <label>
                <span>"Project"</span>
                <select name="project"><option value="">"Any"</option>{projects}</select>
            </label>
            <label>
                <span>"Environment"</span>
                <select name="environment"><option value="">"Any"</option>{environments}</select>
            </label>
            <label>
                <span>"Status"</span>
                <select name="status">
                    <option value="">"Any but revoked"</option>
                    {badges}
                    <optgroup label="In force, and worth a look">{concerns}</optgroup>
                    <option value=ANY_STATUS selected=filter.with_revoked>"Any"</option>
                </select>
            </label>
            <label>
                <span>"Policy"</span>
                <select name="policy">
                    <option value="">"Any"</option>
                    <option value=AGAINST_POLICY selected=filter.against_policy>"Against it"</option>
                </select>
            </label>
            <label>
                <span>"Sort"</span>
                <select name="sort">{sorts}</select>
            </label>
            <button class="button apply">"Apply"</button>
            {filter.is_narrowed().then(|| view! { <a class="button quiet" href=HERE>"Clear"</a> })}
            <span class="filter-links">
                {list.may_import.then(|| view! { <a href="/settings/api-keys/import">"Import"</a> })}
                <a href=format!("{HERE}/export.csv{}", query_of(filter, None, 1)) download="" title="All keys that match, as a file">"CSV"</a>
            </span>
        </form>
    }
    .into_any()
}

fn table(list: &KeyList, filter: &KeyFilter) -> AnyView {
    let may_stop = list.page.rows.iter().any(|key| key.may_manage);
    let rows = list
        .page
        .rows
        .iter()
        .map(|key| row(key, may_stop, list.now))
        .collect_view();
    let heading = |label: &'static str, sort: KeySort, ascending: bool| {
        let chosen = filter.sort.unwrap_or(KeySort::Created) == sort;
        let direction = if ascending { "ascending" } else { "descending" };
        view! { <th scope="col" aria-sort=chosen.then_some(direction)><a href=address_of(filter, Some(sort), 1)>{label}</a></th> }
    };
    let table = view! {
        <div class="table-wrap">
            <table class="table">
                <caption class="vh">"API keys"</caption>
                <thead>
                    <tr>
                        {may_stop.then(|| view! { <th scope="col" class="pick"><span class="vh">"Choose"</span></th> })}
                        {heading("Name", KeySort::Name, true)}
                        <th scope="col">"Key"</th>
                        <th scope="col">"Env"</th>
                        <th scope="col" class="spare">"Scopes"</th>
                        {heading("Last used", KeySort::LastUsed, false)}
                        <th scope="col" class="spare">"7 days"</th>
                        {heading("Expires", KeySort::Expires, true)}
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any();
    if !may_stop {
        return table;
    }
    let total = list.page.total;
    let has_more = total > i64::try_from(list.page.rows.len()).unwrap_or(i64::MAX);
    let whole = has_more && usize::try_from(total).is_ok_and(|total| total <= BULK_MAX);
    bulk_form(table, whole.then_some((filter, total)))
}

fn row(key: &KeySummary, may_stop: bool, now: Timestamp) -> AnyView {
    let address = super::key_address(&key.id);
    let used = match &key.last_used {
        Some(used) => {
            let from = used
                .ip
                .clone()
                .map(|ip| view! { <small class="mono" title=ip.clone()>{ip.clone()}</small> });
            view! { {moment(used.at, now)}{from} }.into_any()
        }
        None => never(),
    };
    let unconfirmed =
        (key.stored_at.is_none() && key.badge.passes()).then(|| view! { <small>"Not confirmed"</small> });
    let against = key
        .breaks_policy
        .then(|| view! { <small>"Against the policy"</small> });
    let scopes = match key.scopes.len() {
        0 => "none".to_owned(),
        1 => key.scopes.stored(),
        n => counted(i64::try_from(n).unwrap_or(0), "scope"),
    };
    view! {
        <tr>
            {may_stop.then(|| pick(&key.id, &key.name, key.may_manage))}
            <th scope="row"><a class="row-link" href=address>{key.name.clone()}</a><small>{key.project_name.clone()}</small></th>
            <td data-label="Key"><code class="mono">{key.hint.clone()}</code></td>
            <td data-label="Env"><EnvironmentTag environment=key.environment/></td>
            <td data-label="Scopes" class="spare"><span title=key.scopes.stored()>{scopes}</span></td>
            <td data-label="Last used">{used}</td>
            <td data-label="7 days" class="spare">{spark(&key.week, "7 days", 0)}</td>
            <td data-label="Expires">{expiry(key.expires_at, now)}</td>
            <td data-label="Status">{key_badge(key.badge)}{unconfirmed}{against}</td>
        </tr>
    }
    .into_any()
}

fn empty(may_create: bool, may_import: bool) -> AnyView {
    view! {
        <div class="empty">
            <svg class="icon large" aria-hidden="true"><use href="/icons.svg#i-key"></use></svg>
            <h2>"No keys yet"</h2>
            <p>"An API key lets a program call your API, and you decide here what it may do and for how long."</p>
            {may_create.then(|| view! { <a class="button primary" href="/settings/api-keys/new">"Create key"</a> })}
            {may_import.then(|| view! { <p><a href="/settings/api-keys/import">"Import keys you have already"</a></p> })}
        </div>
    }
    .into_any()
}

fn nothing_matches(filter: &KeyFilter) -> AnyView {
    if !filter.is_narrowed() && filter.page.number == 1 {
        return view! {
            <div class="empty">
                <h2>"Every key is revoked"</h2>
                <p>"Revoked keys stay as records: who revoked them, when and why."</p>
                <a class="button" href=format!("{HERE}?status=revoked")>"Show revoked keys"</a>
            </div>
        }
        .into_any();
    }
    let mut by = Vec::new();
    if !filter.search.is_empty() {
        by.push(format!("“{}”", filter.search));
    }
    if filter.project.is_some() {
        by.push("one project".to_owned());
    }
    by.extend(filter.environment.map(|e| format!("environment {}", e.as_str())));
    by.extend(
        filter
            .badge
            .map(|b| format!("status {}", b.label().to_lowercase())),
    );
    by.extend(filter.against_policy.then(|| "against the policy".to_owned()));
    by.extend(filter.concern.map(|c| format!("“{}”", c.label().to_lowercase())));
    let by = if by.is_empty() {
        "shorter than this page number".to_owned()
    } else {
        format!("filtered by {}", by.join(", "))
    };
    view! {
        <div class="empty">
            <h2>"No key matches"</h2>
            <p>{format!("The list is {by}.")}</p>
            <a class="button" href=HERE>"Clear filters"</a>
        </div>
    }
    .into_any()
}
