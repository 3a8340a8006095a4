//! Settings › Reviews.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{HERE, address_of, progress_meter, status_badge};
use crate::model::calendar::counted;
use crate::model::review::{ReviewList, ReviewStatus, ReviewSummary};
use crate::model::time::Timestamp;
use crate::model::waiting::{COUNTED_MAX, shown};
use crate::rpc::reviews::list_reviews;
use crate::ui::components::{Column, Icon, PageHead, Pager, ask, flash, loaded, moment, table};

const COLUMNS: &[Column] = &[
    Column::Text("Review"),
    Column::Text("Status"),
    Column::Text("Progress"),
    Column::Text("For you"),
    Column::Text("Deadline"),
];

#[component]
pub fn ReviewListPage() -> impl IntoView {
    let query = use_query_map();
    let number = move || {
        let page = query.read().get("page").unwrap_or_default();
        page.parse().unwrap_or(1)
    };
    let list = ask(number, list_reviews);
    view! {
        {flash()}
        {loaded(list, |list| draw(&list))}
    }
}

fn draw(list: &ReviewList) -> AnyView {
    let lede = "Somebody looks at every key and says whether it is kept, tightened to what it needs, or revoked. The result is evidence that they did.";
    let start = || view! { <a class="button primary" href="/settings/reviews/new"><Icon name="plus"/>"Start a review"</a> };
    let actions = (list.may_start && list.page.total > 0).then(|| start().into_any());
    let head = match actions {
        Some(actions) => {
            view! { <PageHead title="Reviews" lede=lede.into_any() actions=actions/> }.into_any()
        }
        None => view! { <PageHead title="Reviews" lede=lede.into_any()/> }.into_any(),
    };
    if list.page.total == 0 {
        let words = match list.may_start {
            true => "No review has been held yet. One takes a filter, reviewers and a deadline.",
            false => "No review concerns you.",
        };
        return view! {
            {head}
            <section class="empty">
                <Icon name="review"/>
                <h2>"No reviews"</h2>
                <p>{words}</p>
                {list.may_start.then(start)}
            </section>
        }
        .into_any();
    }
    let rows = list
        .page
        .rows
        .iter()
        .map(|review| row(review, list.now))
        .collect_view();
    view! {
        {head}
        {table("Reviews", COLUMNS, rows)}
        <Pager
            number=list.page.number
            last=list.page.last_number()
            size=list.page.size
            shown=list.page.rows.len()
            total=list.page.total
            href=|page| format!("{HERE}?page={page}")
        />
    }
    .into_any()
}

fn row(review: &ReviewSummary, now: Timestamp) -> AnyView {
    let started = view! { "Started "{moment(review.started_at, now)}" by "{review.started_by_name.clone()} };
    let mine = match (review.status, review.mine) {
        (ReviewStatus::Running, n) if n > 0 => {
            let keys = match n > COUNTED_MAX {
                true => format!("{} keys", shown(n)),
                false => counted(n, "key"),
            };
            view! { <b>{format!("{keys} to decide")}</b> }.into_any()
        }
        _ => view! { <span class="muted">"Nothing"</span> }.into_any(),
    };
    let end = match review.ended_at {
        Some(at) => view! { "Ended "{moment(at, now)} }.into_any(),
        None => moment(review.deadline, now),
    };
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=address_of(&review.id)>{review.name.clone()}</a>
                <small>{started}</small>
            </th>
            <td data-label="Status">{status_badge(review.status)}</td>
            <td data-label="Progress">{progress_meter(review.progress)}</td>
            <td data-label="For you">{mine}</td>
            <td data-label="Deadline">{end}</td>
        </tr>
    }
    .into_any()
}
