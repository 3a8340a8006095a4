//! One review: how far it has come, and a page of keys with what is known of each.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{address_of, list_crumb, progress_meter, status_badge};
use crate::model::advice::{KeyAdvice, Knowledge};
use crate::model::calendar::{counted, grouped};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::ReviewId;
use crate::model::review::{
    Decision, MINE_COUNTED, OnUndecided, ReviewItem, ReviewPage, ReviewStatus, Shown, filter_in_words,
};
use crate::model::time::Timestamp;
use crate::rpc::reviews::get_review;
use crate::ui::components::{
    EnvironmentTag, Icon, PageHead, Pager, ask, flash, key_badge, loaded, moment, never,
};
use crate::ui::form::{FormErrors, typed, use_form_state};

const UNDECIDED: &str = "undecided";

#[component]
pub fn ReviewDetailPage() -> impl IntoView {
    let state = use_form_state();
    let (params, query) = (use_params_map(), use_query_map());
    let asked_back = state.values.first("show").to_owned();
    let page_back = state.values.first("page").to_owned();
    let asked = move || {
        let query = query.read();
        let or = |name: &str, back: &str| query.get(name).unwrap_or_else(|| back.to_owned());
        let shown = Shown::parse(&or("show", &asked_back));
        let number = or("page", &page_back).parse().unwrap_or(1);
        (params.read().get("id").unwrap_or_default(), shown, number)
    };
    let page = ask(asked, async |(id, shown, number)| match id.parse::<ReviewId>() {
        Ok(id) => get_review(id, shown, Some(number)).await,
        Err(_) => Err(AppError::not_found()),
    });
    view! {
        {flash()}
        {loaded(page, move |page| draw(&page, &state))}
    }
}

fn draw(page: &ReviewPage, state: &FormState) -> AnyView {
    let review = &page.review;
    let address = address_of(&review.id);
    let lede = format!(
        "{} · started by {}",
        filter_in_words(&review.filter, Some("chosen")),
        review.started_by_name
    );
    let runs = review.status == ReviewStatus::Running;
    let actions = view! {
        {(page.may_manage && runs).then(|| view! {
            <a class="button" href=format!("{address}/finish")>"Finish…"</a>
            <a class="button" href=format!("{address}/cancel")>"Cancel review…"</a>
        })}
        {page.may_export.then(|| view! { <a class="button" href=format!("{address}/export")><Icon name="download"/>"Export…"</a> })}
    };
    view! {
        <PageHead title=review.name.clone() crumbs=list_crumb() beside=status_badge(review.status) lede=lede.into_any() actions=actions.into_any()/>
        {facts(page)}
        {tabs(page, &address)}
        <FormErrors state=state.clone()/>
        {items(page, state, &address)}
        {pager(page, &address)}
    }
    .into_any()
}

fn facts(page: &ReviewPage) -> AnyView {
    let (review, now) = (&page.review, page.now);
    let done = review.progress;
    let end = match (review.ended_at, review.status) {
        (Some(at), ReviewStatus::Cancelled) => {
            view! { <dt>"Cancelled"</dt><dd>{moment(at, now)}</dd> }.into_any()
        }
        (Some(at), _) => view! { <dt>"Finished"</dt><dd>{moment(at, now)}</dd> }.into_any(),
        (None, _) => view! { <dt>"Deadline"</dt><dd>{moment(review.deadline, now)}</dd> }.into_any(),
    };
    let then = match (review.status, review.on_undecided) {
        (ReviewStatus::Running, OnUndecided::Disable) => Some("Keys without a decision are disabled then."),
        (ReviewStatus::Running, OnUndecided::Nothing) => {
            Some("Keys without a decision stay as they are then.")
        }
        _ => None,
    };
    let number = |label: &'static str, count: i64| view! { <div class="stat"><dt>{label}</dt><dd>{grouped(count)}</dd></div> };
    view! {
        <dl class="stats">
            {number("Kept", done.kept)}
            {number("Tightened", done.tightened)}
            {number("Revoked", done.revoked)}
            {(done.disabled > 0).then(|| number("Disabled", done.disabled))}
            {number("Not decided", done.all - done.decided() - done.disabled)}
            <div class="stat">{end}<dd class="sub">{then}</dd></div>
        </dl>
        {progress_meter(done)}
    }
    .into_any()
}

fn tabs(page: &ReviewPage, address: &str) -> AnyView {
    let tabs = Shown::ALL.iter().map(|shown| {
        let current = (*shown == page.shown).then_some("page");
        let count = match shown {
            Shown::Mine if page.review.mine > MINE_COUNTED => format!(" ({}+)", grouped(MINE_COUNTED)),
            Shown::Mine => format!(" ({})", grouped(page.review.mine)),
            Shown::Open => format!(" ({})", grouped(page.review.progress.open)),
            Shown::Decided | Shown::All => String::new(),
        };
        view! { <a href=format!("{address}?show={}", shown.as_str()) aria-current=current>{shown.label()}{count}</a> }
    });
    view! { <nav class="tabs" aria-label="Keys">{tabs.collect_view()}</nav> }.into_any()
}

fn items(page: &ReviewPage, state: &FormState, address: &str) -> AnyView {
    if page.items.rows.is_empty() {
        let words = match page.shown {
            Shown::Mine => "Nothing waits for you.",
            Shown::Open => "Everything is decided.",
            Shown::Decided => "Nothing is decided yet.",
            Shown::All => "There are no keys on this page.",
        };
        return view! { <div class="notice ok"><Icon name="ok"/><div><p>{words}</p></div></div> }.into_any();
    }
    let rows = page
        .items
        .rows
        .iter()
        .map(|item| entry(item, state, page.now))
        .collect_view();
    if !page.items.rows.iter().any(|item| item.may_decide) {
        return view! { <ul class="review-items">{rows}</ul> }.into_any();
    }
    view! {
        <form class="form wide" method="post" action=address.to_owned() novalidate>
            <input type="hidden" name="show" value=page.shown.as_str()/>
            <input type="hidden" name="page" value=page.items.number.to_string()/>
            <ul class="review-items">{rows}</ul>
            <div class="form-actions">
                <button class="button primary">"Save decisions"</button>
                <p class="hint">"Tighten and revoke take effect at once."</p>
            </div>
        </form>
    }
    .into_any()
}

fn entry(item: &ReviewItem, state: &FormState, now: Timestamp) -> AnyView {
    let key = format!("/settings/api-keys/{}", item.key_id);
    let decides = item.may_decide && item.outcome.is_none() && item.decision != Some(Decision::Revoke);
    let verdict = if decides {
        choice(item, state)
    } else {
        result(item, now)
    };
    view! {
        <li class="review-item">
            <div class="review-key">
                <h2><a href=key>{item.name.clone()}</a>" "<EnvironmentTag environment=item.environment/>" "{key_badge(item.badge)}</h2>
                <p class="muted"><span class="mono">{item.hint.clone()}</span>" · "{item.project_name.clone()}" · owned by "{item.owner.clone()}</p>
                {evidence(item, now)}
            </div>
            {verdict}
        </li>
    }
    .into_any()
}

/// What is known of the key.
fn evidence(item: &ReviewItem, now: Timestamp) -> AnyView {
    let used = match &item.last_used {
        Some(used) => {
            let from = used
                .ip
                .clone()
                .map(|ip| view! { " from "<span class="mono">{ip}</span> });
            view! { {moment(used.at, now)}{from} }.into_any()
        }
        None => never(),
    };
    let scopes = match item.scopes.is_empty() {
        true => "None: it may identify itself and nothing else".to_owned(),
        false => item.scopes.join(", "),
    };
    let rules = item.rules.join(" ");
    view! {
        <dl class="review-facts">
            <div><dt>"Last used"</dt><dd>{used}</dd></div>
            <div><dt>"Created"</dt><dd>{moment(item.created_at, now)}</dd></div>
            <div><dt>"May"</dt><dd>{scopes}</dd></div>
            {(!rules.is_empty()).then(|| view! { <div><dt>"Limits"</dt><dd>{rules}</dd></div> })}
            <div><dt>"Not needed"</dt><dd>{unneeded(item.advice.as_ref(), now)}</dd></div>
        </dl>
    }
    .into_any()
}

fn unneeded(told: Option<&KeyAdvice>, now: Timestamp) -> AnyView {
    let Some(told) = told else {
        return view! { <span class="muted">"Unknown"</span> }.into_any();
    };
    match told.knowledge {
        Knowledge::Unused { since } => {
            view! { <b>"The key itself: unused since "{moment(since, now)}</b> }.into_any()
        }
        Knowledge::Watching { until, .. } => {
            view! { <span class="muted">"Known from "{until.date_in_words()}" on"</span> }.into_any()
        }
        Knowledge::Whole { .. } if told.advice.is_empty() => match told.blind.first() {
            Some(blind) => view! { <span class="muted">{blind.in_words()}</span> }.into_any(),
            None => view! { <span class="muted">"Nothing: all of it was needed"</span> }.into_any(),
        },
        Knowledge::Whole { .. } => {
            let lines = told
                .advice
                .iter()
                .map(|one| view! { <li>{one.in_words().0}</li> });
            view! { <ul>{lines.collect_view()}</ul> }.into_any()
        }
    }
}

fn choice(item: &ReviewItem, state: &FormState) -> AnyView {
    let id = item.key_id.to_string();
    let name = format!("decision.{id}");
    let before = item.decision.map_or(UNDECIDED, Decision::as_str);
    let chosen = typed(state, &name, before);
    let can_tighten = item.advice.as_ref().is_some_and(|told| !told.advice.is_empty());
    let offered = [
        (UNDECIDED, "Undecided", true),
        ("keep", "Keep", true),
        ("tighten", "Tighten", can_tighten),
        ("revoke", "Revoke", true),
    ];
    let radios = offered
        .into_iter()
        .filter(|(value, _, offered)| *offered || *value == chosen)
        .map(|(value, label, _)| {
            let (name, checked) = (name.clone(), value == chosen);
            view! { <label><input type="radio" name=name value=value checked=checked/><span>{label}</span></label> }
        });
    let note = format!("note.{id}");
    let seen = item.decided_at.map(|at| at.ms().to_string()).unwrap_or_default();
    let legend = format!("Decision about {}", item.name);
    let label = format!("Note about {}", item.name);
    let by = item
        .decided_by
        .clone()
        .map(|who| view! { <small class="muted">"Decided by "{who}</small> });
    let edit = (!can_tighten).then(|| {
        view! { <small class="muted">"Nothing to tighten by itself; "<a href=format!("/settings/api-keys/{id}/edit")>"edit it"</a>" instead."</small> }
    });
    view! {
        <fieldset class="review-choice">
            <legend class="vh">{legend}</legend>
            <div class="segments">{radios.collect_view()}</div>
            <input type="text" name=note.clone() value=typed(state, &note, &item.note) maxlength="200" placeholder="Note (optional)" autocomplete="off" aria-label=label/>
            <input type="hidden" name=format!("seen.{id}") value=seen/>
            {by}
            {edit}
            <small class="muted">"Reviewer: "{item.reviewer_name.clone()}</small>
        </fieldset>
    }
    .into_any()
}

fn result(item: &ReviewItem, now: Timestamp) -> AnyView {
    let words = match (item.decision, item.outcome) {
        (Some(Decision::Keep), _) => ("badge ok", "Kept"),
        (Some(Decision::Tighten), _) => ("badge info", "Tightened"),
        (Some(Decision::Revoke), _) => ("badge danger", "Revoked"),
        (None, Some(outcome)) => ("badge neutral", outcome.label()),
        (None, None) => ("badge warn", "Not decided"),
    };
    let by = item.decided_by.clone().zip(item.decided_at);
    let by = by.map(|(who, at)| view! { <small class="muted">"By "{who}" "{moment(at, now)}</small> });
    let waits = (item.decision.is_none() && item.outcome.is_none()).then(|| {
        view! { <small class="muted">"Reviewer: "{item.reviewer_name.clone()}</small> }
    });
    let note = (!item.note.is_empty()).then(|| view! { <p>{item.note.clone()}</p> });
    view! { <div class="review-choice"><span class=words.0>{words.1}</span>{by}{waits}{note}</div> }
        .into_any()
}

fn pager(page: &ReviewPage, address: &str) -> AnyView {
    let shown = page.shown.as_str();
    let address = address.to_owned();
    view! {
        <Pager
            number=page.items.number
            last=page.items.last_number()
            size=page.items.size
            shown=page.items.rows.len()
            total=page.items.total
            href=move |number| format!("{address}?show={shown}&page={number}")
        />
    }
    .into_any()
}

/// How many keys, for pages about the review as a whole.
pub(super) fn open_in_words(page: &ReviewPage) -> String {
    match page.review.progress.open {
        0 => "Everything is decided.".to_owned(),
        1 => "1 key is not decided.".to_owned(),
        n => format!("{} are not decided.", counted(n, "key")),
    }
}
