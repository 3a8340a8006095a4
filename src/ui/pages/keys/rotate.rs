//! Replacing a key's secret: the form that starts it, the evidence while it runs, and its three ends.

use leptos::prelude::*;

use super::{key_address, key_of_address, list_crumb};
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::key::KeyDetail;
use crate::model::key_page::KeyPage;
use crate::model::rotation::{DEFAULT_OVERLAP, OVERLAPS, Readiness, Rotation, SecretUse};
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
    view! {
        <PageHead title="Rotate key" crumbs=crumbs lede=lede.into_any()/>
        <form class="form" method="post" action=action novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="nonce" value=page.nonce.clone()/>
            {secret_seen(state, key)}
            {overlap_field(state, "How long the old secret goes on", true)}
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

/// The length; `starting` also offers none, and to count from the first use.
pub(in crate::ui::pages) fn overlap_field(
    state: &FormState,
    legend: &'static str,
    starting: bool,
) -> AnyView {
    let chosen = typed(state, "overlap", DEFAULT_OVERLAP);
    let custom = ("custom", "Custom");
    let offered = OVERLAPS
        .iter()
        .filter(|(_, _, length_ms)| starting || *length_ms > 0)
        .map(|(value, label, _)| (*value, *label));
    let radios = offered.chain([custom]).map(|(value, label)| {
        let checked = value == chosen;
        view! { <label><input type="radio" name="overlap" value=value checked=checked/><span>{label}</span></label> }
    });
    let hours = TextField {
        name: "overlap_hours",
        label: "Hours",
        hint: "1 to 720, which are 30 days.",
        max: 3,
        ..TextField::default()
    };
    let from_first_use = starting.then(|| {
        let checked = typed(state, "from_first_use", "") == "1";
        view! {
            <div class="checks">
                <label>
                    <input type="checkbox" name="from_first_use" value="1" checked=checked/>
                    <span><b>"Count from the first use of the new secret"</b><small>"Until then both go on, for thirty days at most."</small></span>
                </label>
            </div>
        }
    });
    view! {
        <fieldset class=field_class(state, "overlap") id="overlap" aria-describedby=error_id(state, "overlap")>
            <legend>{legend}</legend>
            <div class="segments">{radios.collect_view()}</div>
            <div class="when-custom field short">{hours.draw(state, "")}</div>
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

/// A page that asks before one of the ends; `body` gets the rotation.
fn ask_before(
    title: fn(&str) -> String,
    path: &'static str,
    button: (&'static str, &'static str),
    body: fn(&Rotation, &FormState, Timestamp) -> AnyView,
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
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title.clone()}</h1>
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    {secret_seen(&state, &page.key)}
                    {body(rotation, &state, page.now)}
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
        |rotation, _, now| {
            let used: i64 = rotation.previous.hours.iter().sum();
            let effect = (used > 0).then(|| {
                format!(
                    " It was used for {} in the last 24 hours.",
                    counted(used, "request")
                )
            });
            view! {
                <p>{rotation.readiness_in_words(now)}{effect}</p>
                <p>"The old secret is refused from then on. This cannot be undone."</p>
            }
            .into_any()
        },
    )
}

#[component]
pub fn ExtendRotationPage() -> impl IntoView {
    ask_before(
        |name| format!("Let the old secret of {name} go on?"),
        "extend",
        ("button primary", "Extend"),
        |rotation, state, now| {
            view! {
                <p>"As it is, it ends "{moment(rotation.ends_at, now)}". Two secrets are good at once for thirty days at most."</p>
                {overlap_field(state, "How much longer, from now", false)}
            }
            .into_any()
        },
    )
}

#[component]
pub fn CancelRotationPage() -> impl IntoView {
    ask_before(
        |name| format!("Cancel the rotation of {name}?"),
        "cancel",
        ("button primary danger", "Cancel the rotation"),
        |rotation, _, now| {
            let used = match &rotation.current.last {
                Some(last) => format!(
                    "The new secret was used {}: whatever has it is refused from then on.",
                    last.at.ago(now)
                ),
                None => "The new secret has not been used.".to_owned(),
            };
            view! { <p>{used}" The old secret goes on as before the rotation."</p> }.into_any()
        },
    )
}
