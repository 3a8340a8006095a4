//! Changing the rules of one environment: typed, then looked at with what they would break, then saved.

use leptos::prelude::*;

use super::approvals::approvals;
use super::{HERE, crumb, title_of};
use crate::model::calendar::{counted, grouped};
use crate::model::form::FormState;
use crate::model::key::Environment;
use crate::model::policy::{
    BrokenKey, Creators, OVERLAP_HOURS_MAX, OnLeak, Policy, PolicyEditForm, PolicyPreview,
};
use crate::model::time::{DAY_MS, Timestamp};
use crate::rpc::policy::{get_policy_edit_form, preview_policy};
use crate::ui::components::{Column, Icon, PageHead, ask, loaded, moment, never, table};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed, use_form_state};
use crate::ui::pages::keys::key_address;

#[component]
pub fn LivePolicyPage() -> impl IntoView {
    page(Environment::Live)
}

#[component]
pub fn TestPolicyPage() -> impl IntoView {
    page(Environment::Test)
}

fn page(environment: Environment) -> AnyView {
    let state = use_form_state();
    let form = ask(move || environment, get_policy_edit_form);
    loaded(form, move |form| draw(form, state))
}

/// What was typed is looked at once nothing is wrong with it.
fn is_looked_at(state: &FormState) -> bool {
    state.values.has("creators") && state.errors.is_empty() && state.notice.is_none()
}

fn draw(form: PolicyEditForm, state: FormState) -> AnyView {
    let environment = form.standing.environment;
    let lede = "Keys that break the new rules go on: nothing is switched off. Their owners are told.";
    let head = view! { <PageHead title=title_of(environment) crumbs=crumb() lede=lede.into_any()/> };
    if !is_looked_at(&state) {
        return view! { {head}{fields(&form, &state, None)} }.into_any();
    }
    let preview = ask(
        || {
            state
                .values
                .pairs()
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect()
        },
        move |typed| preview_policy(environment, typed),
    );
    let body = loaded(preview, move |preview| {
        view! { {looked_at(&preview, form.now)}{fields(&form, &state, Some(preview.seen))} }.into_any()
    });
    view! { {head}{body} }.into_any()
}

/// What the rules would break, in numbers and by name.
fn looked_at(preview: &PolicyPreview, now: Timestamp) -> AnyView {
    let of = format!("of {}", counted(preview.looked_at, "key"));
    if preview.broken == 0 {
        return view! {
            <div class="notice ok" role="status">
                <Icon name="ok"/>
                <div><h2>"No key breaks these rules"</h2><p>{format!("Looked at {}. Nothing is saved yet.", counted(preview.looked_at, "key"))}</p></div>
            </div>
        }
        .into_any();
    }
    let verb = if preview.broken == 1 { "breaks" } else { "break" };
    let title = format!("{} {of} {verb} these rules", grouped(preview.broken));
    let said = format!(
        "{} used within the last 24 hours. {} the rules in force. They go on as they are; nothing is saved yet.",
        match preview.in_use {
            0 => "None of them was".to_owned(),
            1 => "1 of them was".to_owned(),
            n => format!("{} of them were", grouped(n)),
        },
        match preview.newly {
            n if n == preview.broken => "All of them keep".to_owned(),
            0 => "All of them break already".to_owned(),
            n => format!("{} of them, until now, keep", grouped(n)),
        }
    );
    let rows = preview.keys.iter().map(|key| row(key, now)).collect_view();
    let shown = i64::try_from(preview.keys.len()).unwrap_or(i64::MAX);
    let more = (preview.broken > shown).then(|| {
        let more = counted(preview.broken - shown, "more key");
        view! { <p class="muted">{format!("And {more}; those used most recently stand here.")}</p> }
    });
    view! {
        <div class="notice warn" role="status">
            <Icon name="warn"/>
            <div><h2>{title}</h2><p>{said}</p></div>
        </div>
        {owners(preview)}
        <section class="section">
            <h2>"Keys"</h2>
            {table("Keys that break these rules", COLUMNS, rows)}
            {more}
        </section>
    }
    .into_any()
}

/// Everybody whom it concerns, however many keys are named.
fn owners(preview: &PolicyPreview) -> AnyView {
    let rows = preview.owners.iter().map(|one| {
        view! {
            <tr>
                <th scope="row">{one.owner.shown().to_owned()}</th>
                <td data-label="Keys" class="num">{grouped(one.keys)}</td>
                <td data-label="Used within 24 h" class="num">{grouped(one.in_use)}</td>
            </tr>
        }
    });
    let shown = i64::try_from(preview.owners.len()).unwrap_or(i64::MAX);
    let hidden = preview.owners_in_all - shown;
    let more = (hidden > 0).then(|| {
        let more = counted(hidden, "more owner");
        view! { <p class="muted">{format!("And {more}; those with most keys stand here.")}</p> }
    });
    view! {
        <section class="section">
            <h2>"Owners"</h2>
            {table("Owners of keys that break these rules", OWNERS, rows.collect_view())}
            {more}
        </section>
    }
    .into_any()
}

const OWNERS: &[Column] = &[
    Column::Text("Owner"),
    Column::Number("Keys"),
    Column::Number("Used within 24 h"),
];

const COLUMNS: &[Column] = &[
    Column::Text("Key"),
    Column::Text("Owner"),
    Column::Text("Last used"),
    Column::Text("What it breaks"),
];

fn row(key: &BrokenKey, now: Timestamp) -> AnyView {
    let used = key.last_used.map_or_else(never, |at| moment(at, now));
    let recent = key.last_used.is_some_and(|at| at > now.minus_ms(DAY_MS));
    let lines = key
        .violations
        .iter()
        .map(|broken| view! { <li>{broken.message.clone()}</li> })
        .collect_view();
    view! {
        <tr>
            <th scope="row"><a class="row-link" href=key_address(&key.id)>{key.name.clone()}</a></th>
            <td data-label="Owner">{key.owner.shown().to_owned()}</td>
            <td data-label="Last used">{used}{recent.then(|| view! { <small>"in use"</small> })}</td>
            <td data-label="What it breaks"><ul class="plain">{lines}</ul></td>
        </tr>
    }
    .into_any()
}

fn optional(number: Option<u32>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}

fn choices(
    state: &FormState,
    (name, legend): (&'static str, &'static str),
    initial: &str,
    offered: [(&'static str, &'static str, &'static str); 2],
) -> AnyView {
    let chosen = typed(state, name, initial);
    let radios = offered.map(|(value, label, hint)| {
        let checked = value == chosen;
        view! {
            <label>
                <input type="radio" name=name value=value checked=checked/>
                <span><b>{label}</b><small>{hint}</small></span>
            </label>
        }
    });
    view! {
        <fieldset class=field_class(state, name) id=name aria-describedby=error_id(state, name)>
            <legend>{legend}</legend>
            <div class="choices">{radios.collect_view()}</div>
            {field_error(state, name)}
        </fieldset>
    }
    .into_any()
}

/// A box that says yes. One that was taken away is not in the form at all, so what was sent decides once anything was.
pub(super) fn tick(
    state: &FormState,
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    initial: bool,
) -> AnyView {
    let checked = match state.values.has("creators") {
        true => state.values.first(name) == "1",
        false => initial,
    };
    view! {
        <label>
            <input type="checkbox" id=name name=name value="1" checked=checked/>
            <span><b>{label}</b><small>{hint}</small></span>
        </label>
    }
    .into_any()
}

fn fields(form: &PolicyEditForm, state: &FormState, seen: Option<String>) -> AnyView {
    let standing = &form.standing;
    let policy = &standing.policy;
    let action = format!("{HERE}/{}", standing.environment.as_str());
    let planned = standing.plan.as_ref().map(|plan| {
        let text = format!(
            "A change is planned for {}. Saving another one here takes its place.",
            plan.from.date_in_words()
        );
        view! { <div class="notice info"><Icon name="calendar"/><div><p>{text}</p></div></div> }
    });
    let version = typed(state, "version", &standing.version.to_string());
    view! {
        <form class="form" method="post" action=action novalidate>
            <FormErrors state=state.clone()/>
            {planned}
            <input type="hidden" name="version" value=version/>
            {who(state, policy, standing.environment)}
            {how_long(state, policy)}
            {what(state, policy)}
            {approvals(state, &policy.approvals, standing.environment)}
            {end(state, policy)}
            <section class="form-section">
                <h2>"From when on"</h2>
                <div class="short">{FROM.draw(state, "")}</div>
            </section>
            {buttons(seen)}
        </form>
    }
    .into_any()
}

fn buttons(seen: Option<String>) -> AnyView {
    match seen {
        None => view! {
            <div class="form-actions">
                <button class="button primary" name="step" value="look">"See what it would break"</button>
                <a class="button quiet" href=HERE>"Cancel"</a>
            </div>
        }
        .into_any(),
        Some(seen) => view! {
            <input type="hidden" name="seen" value=seen/>
            <div class="form-actions">
                <button class="button primary" name="step" value="save">"Save policy"</button>
                <button class="button" name="step" value="look">"Look again"</button>
                <a class="button quiet" href=HERE>"Cancel"</a>
            </div>
        }
        .into_any(),
    }
}

fn who(state: &FormState, policy: &Policy, environment: Environment) -> AnyView {
    let creators = match policy.creators {
        Creators::Admins => "admins",
        Creators::Developers => "developers",
    };
    let developers = match environment {
        Environment::Live => "Every developer creates, rotates and widens live keys of their own.",
        Environment::Test => "Every developer creates, rotates and widens test keys of their own.",
    };
    let offered = [
        (
            "admins",
            "Admins only",
            "Developers ask an admin, also for another secret or a wider key.",
        ),
        ("developers", "Developers, too", developers),
    ];
    view! {
        <section class="form-section">
            <h2>"Who creates keys"</h2>
            {choices(state, ("creators", "Creators"), creators, offered)}
        </section>
    }
    .into_any()
}

fn how_long(state: &FormState, policy: &Policy) -> AnyView {
    let lifetime = TextField {
        name: "max_lifetime_days",
        label: "Longest lifetime in days",
        hint: "Counted from the day a key is created. Empty: as long as its owner chooses.",
        kind: "number",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    let rotation = TextField {
        name: "rotation_days",
        label: "Days between rotations",
        hint: "For keys that say nothing else; a key may say fewer.",
        kind: "number",
        max: 4,
        ..TextField::default()
    };
    let overlap = TextField {
        name: "max_overlap_hours",
        label: "Longest overlap in hours",
        hint: "How long an old secret goes on beside a new one. 720 is thirty days, the most there is; 0 is none.",
        kind: "number",
        max: 3,
        ..TextField::default()
    };
    let overlap_now = policy.max_overlap_hours.min(OVERLAP_HOURS_MAX).to_string();
    view! {
        <section class="form-section">
            <h2>"How long"</h2>
            <div class="checks">
                {tick(state, "expiry_required", "A key must have an end", "“Never” is not offered any more.", policy.expiry_required)}
            </div>
            <div class="short">{lifetime.draw(state, &optional(policy.max_lifetime_days))}</div>
            <div class="short">{rotation.draw(state, &policy.rotation_days.to_string())}</div>
            <div class="short">{overlap.draw(state, &overlap_now)}</div>
        </section>
    }
    .into_any()
}

fn what(state: &FormState, policy: &Policy) -> AnyView {
    let forbidden = TextField {
        name: "forbidden_scopes",
        label: "Scopes that no key may have",
        hint: "Separate several by spaces, for example billing:refund admin:*. A wildcard that includes one is refused, too.",
        optional: true,
        mono: true,
        max: 1_000,
        ..TextField::default()
    };
    view! {
        <section class="form-section">
            <h2>"What and from where"</h2>
            <div class="checks">
                {tick(
                    state,
                    "addresses_required",
                    "A key must name the addresses it is used from",
                    "At least one allowed address or network.",
                    policy.addresses_required,
                )}
            </div>
            {forbidden.draw(state, &policy.forbidden_scopes.stored())}
        </section>
    }
    .into_any()
}

fn end(state: &FormState, policy: &Policy) -> AnyView {
    let unused = TextField {
        name: "unused_days",
        label: "Disable after so many unused days",
        hint: "Its owner is told a week before. Empty: never. A disabled key can be enabled again.",
        kind: "number",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    let on_leak = match policy.on_leak {
        OnLeak::Revoke => "revoke",
        OnLeak::Alert => "alert",
    };
    let offered = [
        (
            "revoke",
            "Revoke it at once",
            "Whoever found it could use it; so could others.",
        ),
        (
            "alert",
            "Open an incident",
            "Owner and admins are told. The key goes on until one of them acts.",
        ),
    ];
    view! {
        <section class="form-section">
            <h2>"How it ends"</h2>
            <div class="short">{unused.draw(state, &optional(policy.unused_days))}</div>
            {choices(state, ("on_leak", "When its secret is found in public"), on_leak, offered)}
        </section>
    }
    .into_any()
}

const FROM: TextField = TextField {
    name: "from",
    label: "First day",
    hint: "At most a year ahead; the day begins at midnight UTC. Empty: at once.",
    kind: "date",
    autocomplete: "",
    initial: "",
    placeholder: "",
    optional: true,
    mono: false,
    max: 10,
};
