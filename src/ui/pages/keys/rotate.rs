//! Replacing a key's secret: the form that starts it, the evidence while it runs, and its three ends.

use leptos::prelude::*;

use super::{key_address, key_of_address, list_crumb};
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::key::KeyDetail;
use crate::model::key_page::KeyPage;
use crate::model::overlap::{OverlapChoices, OverlapLimit, longest_in_words};
use crate::model::policy::OVERLAP_HOURS_MAX;
use crate::model::rotation::{Readiness, Rotation, SecretUse};
use crate::model::time::{HOUR_MS, Timestamp};
use crate::ui::charts::spark;
use crate::ui::components::{Icon, PageHead, PageTitle, loaded, moment, never};
use crate::ui::form::{
    FormErrors, TextField, error_id, field_class, field_error, looked_at, typed, use_form_state,
};

#[component]
pub fn RotateKeyPage() -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| start_form(&page, &state))
}

fn start_form(page: &KeyPage, state: &FormState) -> AnyView {
    let key = &page.key;
    let address = key_address(&key.summary.id);
    let action = format!("{address}/rotate");
    let mut crumbs = list_crumb();
    crumbs.push((key.summary.name.clone(), address.clone()));
    let lede = "The key gets another secret under the same id; the one you have goes on for a while, so that nothing breaks while you put the new one in place.";
    if key.rotation.is_some() {
        return view! {
            <PageHead title="Rotate key" crumbs=crumbs lede=lede.into_any()/>
            <div class="notice info"><Icon name="rotate"/><div><p>"A rotation of this key is running already. Finish or cancel it first."</p></div>
                <div class="actions"><a class="button small" href=address>"Look at it"</a></div>
            </div>
        }
        .into_any();
    }
    let ends = key.summary.expires_at.map(|at| {
        view! { <p class="hint">"The key itself ends on "{at.last_day_in_words()}", and both secrets with it."</p> }
    });
    let limit = OverlapLimit::of([key.summary.environment], |_| key.max_overlap_hours);
    view! {
        <PageHead title="Rotate key" crumbs=crumbs lede=lede.into_any()/>
        <form class="form" method="post" action=action novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="nonce" value=page.nonce.clone()/>
            {secret_seen(state, key)}
            {overlap_field(state, "How long the old secret goes on", &limit.choices(), limit.in_words())}
            {ends}
            <div class="form-actions">
                <button class="button primary">"Make the new secret"</button>
                <a class="button quiet" href=address>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// Since when the secret exists that the page tells of: an act on it is refused once there is another.
pub(in crate::ui::pages) fn secret_seen(state: &FormState, key: &KeyDetail) -> AnyView {
    looked_at(state, "secret_since", &key.secret_since.ms().to_string())
}

/// The length: what is offered of it, and what the policy says.
pub(in crate::ui::pages) fn overlap_field(
    state: &FormState,
    legend: &'static str,
    choices: &OverlapChoices,
    said: Option<String>,
) -> AnyView {
    let chosen = typed(state, "overlap", choices.first);
    // What was typed before the policy changed is not offered any more.
    let chosen = match choices.offers(&chosen) {
        true => chosen,
        false => choices.first.to_owned(),
    };
    let custom = choices.hours.map(|_| ("custom", "Custom"));
    let radios = choices.named.iter().copied().chain(custom).map(|(value, label)| {
        let checked = value == chosen;
        view! { <label><input type="radio" name="overlap" value=value checked=checked/><span>{label}</span></label> }
    });
    let hours = TextField {
        name: "overlap_hours",
        label: "Hours",
        max: 3,
        ..TextField::default()
    };
    let hours = choices.hours_in_words().map(
        |hint| view! { <div class="when-custom field short">{hours.draw_hinted(state, "", &hint)}</div> },
    );
    let from_first_use = choices.from_first_use.as_ref().map(|longest| {
        let checked = typed(state, "from_first_use", "") == "1";
        let until_then = format!("Until then both go on, for {longest} at most.");
        view! {
            <div class="checks">
                <label>
                    <input type="checkbox" name="from_first_use" value="1" checked=checked/>
                    <span><b>"Count from the first use of the new secret"</b><small>{until_then}</small></span>
                </label>
            </div>
        }
    });
    view! {
        <fieldset class=field_class(state, "overlap") id="overlap" aria-describedby=error_id(state, "overlap")>
            <legend>{legend}</legend>
            <div class="segments">{radios.collect_view()}</div>
            {hours}
            {said.map(|said| view! { <p class="hint">{said}</p> })}
            {field_error(state, "overlap")}
        </fieldset>
        {from_first_use}
    }
    .into_any()
}

/// Both secrets side by side, and whether the old one can end.
pub(super) fn rotation_card(key: &KeyDetail, rotation: &Rotation, now: Timestamp) -> AnyView {
    let address = key_address(&key.summary.id);
    let peak = rotation
        .current
        .hours
        .iter()
        .chain(&rotation.previous.hours)
        .copied()
        .max();
    let peak = peak.unwrap_or(0);
    let (class, icon) = match rotation.readiness(now) {
        Readiness::Quiet => ("notice ok", "ok"),
        _ => ("notice info", "info"),
    };
    let end = match rotation.countdown_ms {
        Some(0) => view! { "Ends with the first use of the new one, "{moment(rotation.ends_at, now)}" at the latest" }.into_any(),
        Some(length_ms) => {
            let length = counted(length_ms / HOUR_MS, "hour");
            view! { "Ends "{length}" after the first use of the new one, "{moment(rotation.ends_at, now)}" at the latest" }.into_any()
        }
        None => view! { "Ends "{moment(rotation.ends_at, now)} }.into_any(),
    };
    let may_go_on = key.may_rotate;
    let actions = key.may_manage.then(|| {
        view! {
            <div class="button-row">
                <a class="button primary" href=format!("{address}/rotate/finish")>"Finish now…"</a>
                {may_go_on.then(|| view! {
                    <a class="button" href=format!("{address}/rotate/extend")>"Extend…"</a>
                    <a class="button danger" href=format!("{address}/rotate/cancel")>"Cancel…"</a>
                })}
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="rotation">
            <header class="card-head"><h2 id="rotation">"Rotation"</h2></header>
            <div class=class><Icon name=icon/><div><p>{rotation.readiness_in_words(now)}</p></div></div>
            <div class="columns">
                {secret_column("New secret", view! { "Since "{moment(rotation.started_at, now)} }.into_any(), &rotation.current, peak, now)}
                {secret_column("Old secret", end, &rotation.previous, peak, now)}
            </div>
            {actions}
        </section>
    }
    .into_any()
}

fn secret_column(
    title: &'static str,
    beneath: AnyView,
    secret: &SecretUse,
    peak: i64,
    now: Timestamp,
) -> AnyView {
    let last = match &secret.last {
        Some(last) => {
            let from = last
                .ip
                .clone()
                .map(|ip| view! { " from "<span class="mono">{ip}</span> });
            view! { {moment(last.at, now)}{from} }.into_any()
        }
        None => never(),
    };
    let in_all: i64 = secret.hours.iter().sum();
    view! {
        <div>
            <h3>{title}</h3>
            <p class="muted">{beneath}</p>
            <dl class="facts">
                <div><dt>"Last used"</dt><dd>{last}</dd></div>
                <div><dt>"Last 24 h"</dt><dd>{counted(in_all, "request")}</dd></div>
                <div><dt>"By the hour"</dt><dd>{spark(&secret.hours, "24 hours", peak)}</dd></div>
            </dl>
        </div>
    }
    .into_any()
}

/// A page that asks before one of the ends; `body` says what of the rotation, or why it cannot be.
fn ask_before(
    title: fn(&str) -> String,
    path: &'static str,
    button: (&'static str, &'static str),
    body: fn(&KeyPage, &Rotation, &FormState) -> Result<AnyView, AnyView>,
) -> impl IntoView {
    let state = use_form_state();
    loaded(key_of_address(), move |page| {
        let name = page.key.summary.name.clone();
        let address = key_address(&page.key.summary.id);
        let title = title(&name);
        let Some(rotation) = &page.key.rotation else {
            return view! {
                <PageTitle text="No rotation is running"/>
                <section class="confirm">
                    <h1>"No rotation is running"</h1>
                    <p>"It was finished or cancelled, or the old secret’s time is over."</p>
                    <a class="button" href=address>"Back to the key"</a>
                </section>
            }
            .into_any();
        };
        let (class, label) = button;
        let action = format!("{address}/rotate/{path}");
        let body = match body(&page, rotation, &state) {
            Ok(body) => body,
            Err(why_not) => {
                return view! {
                    <PageTitle text=title.clone()/>
                    <section class="confirm">
                        <h1>{title.clone()}</h1>
                        {why_not}
                        <a class="button" href=address>"Back"</a>
                    </section>
                }
                .into_any();
            }
        };
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title.clone()}</h1>
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    {secret_seen(&state, &page.key)}
                    {body}
                    <div class="form-actions">
                        <button class=class>{label}</button>
                        <a class="button quiet" href=address>"Back"</a>
                    </div>
                </form>
            </section>
        }
        .into_any()
    })
}

#[component]
pub fn FinishRotationPage() -> impl IntoView {
    ask_before(
        |name| format!("Finish the rotation of {name}?"),
        "finish",
        ("button primary", "Finish now"),
        |page, rotation, _| {
            let used: i64 = rotation.previous.hours.iter().sum();
            let effect = (used > 0).then(|| {
                format!(
                    " It was used for {} in the last 24 hours.",
                    counted(used, "request")
                )
            });
            let body = view! {
                <p>{rotation.readiness_in_words(page.now)}{effect}</p>
                <p>"The old secret is refused from then on. This cannot be undone."</p>
            };
            Ok(body.into_any())
        },
    )
}

/// How long the policy lets two secrets be good at once, from the beginning of a rotation on.
fn at_once_in_words(most_hours: u32) -> String {
    match most_hours {
        0 => "The policy lets no old secret go on beside a new one any more.".to_owned(),
        OVERLAP_HOURS_MAX => "Two secrets are good at once for thirty days at most.".to_owned(),
        hours => format!(
            "The policy lets two secrets be good at once for {} at most.",
            longest_in_words(hours)
        ),
    }
}

#[component]
pub fn ExtendRotationPage() -> impl IntoView {
    ask_before(
        |name| format!("Let the old secret of {name} go on?"),
        "extend",
        ("button primary", "Extend"),
        |page, rotation, state| {
            let (key, now) = (&page.key, page.now);
            let most = key.max_overlap_hours;
            let key_ends = key.summary.expires_at;
            let as_it_is = view! { "As it is, it ends "{moment(rotation.ends_at, now)} };
            let Some(choices) = OverlapChoices::of_extension(rotation, most, key_ends, now) else {
                let why = match key_ends.is_some_and(|end| end <= rotation.ends_at) {
                    true => "The key itself ends then.".to_owned(),
                    false => at_once_in_words(most),
                };
                return Err(view! { <p>{as_it_is}". It cannot go on any longer. "{why}</p> }.into_any());
            };
            let body = view! {
                <p>{as_it_is}". "{at_once_in_words(most)}</p>
                {overlap_field(state, "How much longer, from now", &choices, None)}
            };
            Ok(body.into_any())
        },
    )
}

#[component]
pub fn CancelRotationPage() -> impl IntoView {
    ask_before(
        |name| format!("Cancel the rotation of {name}?"),
        "cancel",
        ("button primary danger", "Cancel the rotation"),
        |page, rotation, _| {
            let used = match &rotation.current.last {
                Some(last) => format!(
                    "The new secret was used {}: whatever has it is refused from then on.",
                    last.at.ago(page.now)
                ),
                None => "The new secret has not been used.".to_owned(),
            };
            Ok(view! { <p>{used}" The old secret goes on as before the rotation."</p> }.into_any())
        },
    )
}
