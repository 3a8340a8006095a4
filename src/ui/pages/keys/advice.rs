//! Least privilege: what of a key's access nothing needs, taking it away, and undoing that.

use leptos::prelude::*;

use super::{key_address, key_of_address, list_crumb};
use crate::model::advice::{Advice, KeyAdvice, Knowledge, LeastPrivilege, Undoable};
use crate::model::form::FormState;
use crate::model::key::{Badge, KeyDetail};
use crate::model::time::Timestamp;
use crate::ui::components::{Icon, PageHead, PageTitle, loaded, moment};
use crate::ui::form::{FormErrors, error_id, field_class, field_error, use_form_state};

/// The section of a key's page.
pub(super) fn least_privilege_card(key: &KeyDetail, told: &LeastPrivilege, now: Timestamp) -> AnyView {
    let matters = key.summary.badge.passes() || key.summary.badge == Badge::NotYetValid;
    let body = matters.then(|| body(key, &told.advice, &FormState::default(), now));
    let undo = told.undo.as_ref().map(|undo| undo_notice(key, undo, now));
    if body.is_none() && undo.is_none() {
        return ().into_any();
    }
    view! {
        <section class="card" aria-labelledby="least-privilege">
            <header class="card-head"><h2 id="least-privilege">"Least privilege"</h2></header>
            {undo}
            {body}
        </section>
    }
    .into_any()
}

fn undo_notice(key: &KeyDetail, undo: &Undoable, now: Timestamp) -> AnyView {
    let address = format!("{}/tighten/undo", key_address(&key.summary.id));
    let action = key
        .may_rotate
        .then(|| view! { <div class="actions"><a class="button small" href=address>"Undo…"</a></div> });
    view! {
        <div class="notice info">
            <Icon name="undo"/>
            <div><p>"Tightened "{moment(undo.at, now)}" by "{undo.by.clone()}". If something is refused for it, undo it until "{undo.until.date_in_words()}"."</p></div>
            {action}
        </div>
    }
    .into_any()
}

fn body(key: &KeyDetail, told: &KeyAdvice, state: &FormState, now: Timestamp) -> AnyView {
    let address = key_address(&key.summary.id);
    match told.knowledge {
        Knowledge::Watching { since, until } => view! {
            <p>"What it needs has been watched since "{since.date_in_words()}". From "{until.date_in_words()}" on, 90 days are known, and this says what can be taken away."</p>
        }
        .into_any(),
        Knowledge::Unused { since } => {
            let never = key.summary.last_used.is_none();
            let since = moment(since, now);
            let words = match never {
                true => view! { <p><b>"Unused."</b>" Nobody has used it since it could be, "{since}". Disable or revoke it: nothing would miss it."</p> }.into_any(),
                false => view! { <p><b>"Unused."</b>" It was used last "{since}". Disable or revoke it: nothing of the last 90 days would miss it."</p> }.into_any(),
            };
            let action = key.may_manage.then(|| {
                view! { <div class="actions"><a class="button small danger" href=format!("{address}/revoke")>"Revoke…"</a></div> }
            });
            view! { <div class="notice warn"><Icon name="clock"/><div>{words}</div>{action}</div> }.into_any()
        }
        Knowledge::Whole { .. } => view! {
            {blind(told)}
            {advice(key, told, state)}
        }
        .into_any(),
    }
}

/// What cannot be told, and why.
fn blind(told: &KeyAdvice) -> AnyView {
    let lines = told
        .blind
        .iter()
        .map(|blind| view! { <p class="muted">{blind.in_words()}</p> });
    lines.collect_view().into_any()
}

fn advice(key: &KeyDetail, told: &KeyAdvice, state: &FormState) -> AnyView {
    if told.advice.is_empty() {
        let words = match told.blind.is_empty() {
            true => "Everything it may do was needed within the last 90 days.",
            false => "Of the rest, everything was needed within the last 90 days.",
        };
        return view! { <p>{words}</p> }.into_any();
    }
    let action = format!("{}/tighten", key_address(&key.summary.id));
    let chosen = state.values.all("advice");
    let boxes = told.advice.iter().map(|one| {
        let id = one.id();
        let checked = chosen.is_empty() || chosen.contains(&id);
        line(one, key.may_manage.then_some(checked))
    });
    if !key.may_manage {
        return view! { <ul class="rows">{boxes.collect_view()}</ul> }.into_any();
    }
    view! {
        <form class="form wide" method="post" action=action novalidate>
            <fieldset class=field_class(state, "advice") id="advice" aria-describedby=error_id(state, "advice")>
                <legend>"Nothing needed this for 90 days"</legend>
                <div class="checks">{boxes.collect_view()}</div>
                {field_error(state, "advice")}
            </fieldset>
            <div class="form-actions"><button class="button primary">"Tighten"</button></div>
            <p class="hint">"It counts from the next request on. For seven days it can be undone."</p>
        </form>
    }
    .into_any()
}

/// With a box for whoever may choose.
fn line(one: &Advice, checked: Option<bool>) -> AnyView {
    let (what, why) = one.in_words();
    match checked {
        Some(checked) => view! {
            <label>
                <input type="checkbox" name="advice" value=one.id() checked=checked/>
                <span><b>{what}</b><small>{why}</small></span>
            </label>
        }
        .into_any(),
        None => view! { <li><span class="grow"><b>{what}</b><small>{why}</small></span></li> }.into_any(),
    }
}

#[component]
pub fn TightenKeyPage() -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| {
        let key = &page.key;
        let mut crumbs = list_crumb();
        crumbs.push((key.summary.name.clone(), key_address(&key.summary.id)));
        let lede =
            "What nothing needed can be taken away, so that whoever finds the key can do less with it.";
        let body = page
            .least_privilege
            .as_ref()
            .map(|told| body(key, &told.advice, &state, page.now));
        view! {
            <PageHead title="Tighten key" crumbs=crumbs lede=lede.into_any()/>
            <FormErrors state=state.clone()/>
            {body}
        }
        .into_any()
    })
}

#[component]
pub fn UndoTighteningPage() -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| {
        let key = &page.key;
        let address = key_address(&key.summary.id);
        let undo = page.least_privilege.as_ref().and_then(|told| told.undo.as_ref());
        let Some(undo) = undo else {
            return view! {
                <PageTitle text="Nothing to undo"/>
                <section class="confirm">
                    <h1>"Nothing to undo"</h1>
                    <FormErrors state=state.clone()/>
                    <p>"The key was not tightened within the last seven days, or what it may do has been changed since. Edit it instead."</p>
                    <a class="button" href=address>"Back to the key"</a>
                </section>
            }
            .into_any();
        };
        let title = format!("Undo the tightening of {}?", key.summary.name);
        let back = undo
            .back
            .iter()
            .map(|line| view! { <li>{line.clone()}</li> })
            .collect_view();
        let told = view! {
            <p>"It was tightened "{moment(undo.at, page.now)}" by "{undo.by.clone()}". The key gets back:"</p>
            <ul class="rows">{back}</ul>
        };
        let (edit, action) = (format!("{address}/edit"), format!("{address}/tighten/undo"));
        let body = match &undo.needs_approval {
            Some(why) => view! {
                {told}
                <div class="notice warn" role="status"><Icon name="approve"/><div><p>{why.clone()}</p></div></div>
                <div class="form-actions">
                    <a class="button primary" href=edit>"Edit the key"</a>
                    <a class="button quiet" href=address>"Back"</a>
                </div>
            }
            .into_any(),
            None => view! {
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    {told}
                    <p>"What it needs is then watched anew for 90 days."</p>
                    <div class="form-actions">
                        <button class="button primary">"Undo"</button>
                        <a class="button quiet" href=address>"Back"</a>
                    </div>
                </form>
            }
            .into_any(),
        };
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title}</h1>
                {body}
            </section>
        }
        .into_any()
    })
}
