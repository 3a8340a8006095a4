//! The second factor that everybody must have: a part of Settings › Security.

use leptos::prelude::*;

use super::member_address;
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::member::TwoFactorPolicy;
use crate::rpc::members::get_two_factor_policy;
use crate::ui::components::{Icon, ask, loaded, moment};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed};

/// Its section, for whoever may see who belongs to the organisation.
pub(in crate::ui::pages) fn two_factor_section(state: FormState) -> AnyView {
    let policy = ask(|| (), |()| get_two_factor_policy());
    loaded(policy, move |policy| draw(&policy, &state)).into_any()
}

fn draw(policy: &TwoFactorPolicy, state: &FormState) -> AnyView {
    view! {
        <section class="section" id="two-factor">
            <h2>"Two-factor authentication"</h2>
            {standing(policy)}
            {without(policy)}
            {policy.may_change.then(|| change(policy, state))}
        </section>
    }
    .into_any()
}

fn standing(policy: &TwoFactorPolicy) -> AnyView {
    match policy.due_at {
        None => view! { <p>"Everybody decides for themselves."</p> }.into_any(),
        Some(due) if due > policy.now => view! {
            <p>"Asked of everybody. Whoever has none by then reaches only its set-up: "{moment(due, policy.now)}" ("{due.date_in_words()}")."</p>
        }
        .into_any(),
        Some(_) => {
            view! { <p>"Asked of everybody. Whoever has none reaches only its set-up."</p> }.into_any()
        }
    }
}

fn without(policy: &TwoFactorPolicy) -> AnyView {
    let missing = i64::try_from(policy.without.len()).unwrap_or(i64::MAX);
    if missing == 0 {
        let all = counted(policy.active_members, "active member");
        return view! {
            <div class="notice ok"><Icon name="ok"/><div><p>{format!("{all}, all with a second factor.")}</p></div></div>
        }
        .into_any();
    }
    let names = policy.without.iter().map(|member| {
        view! { <li><a href=member_address(&member.account_id)>{member.name.clone()}</a></li> }
    });
    let of_all = counted(policy.active_members, "active member");
    view! {
        <details class="fold">
            <summary>"Without a second factor"<span class="fold-value">{format!("{missing} of {of_all}")}</span></summary>
            <div class="fold-body"><ul>{names.collect_view()}</ul></div>
        </details>
    }
    .into_any()
}

fn change(policy: &TwoFactorPolicy, state: &FormState) -> AnyView {
    let now_is = if policy.due_at.is_some() {
        "required"
    } else {
        "optional"
    };
    let chosen = typed(state, "two_factor", now_is);
    let choice = |value: &'static str, label: &'static str, hint: &'static str| {
        let checked = value == chosen;
        view! {
            <label>
                <input type="radio" name="two_factor" value=value checked=checked/>
                <span><b>{label}</b><small>{hint}</small></span>
            </label>
        }
    };
    let grace = TextField {
        name: "grace_days",
        label: "Days to set it up",
        hint: "0 to 30, from today. With 0 it is asked for at once, in sessions that are open, too.",
        kind: "number",
        max: 2,
        ..TextField::default()
    };
    view! {
        <form class="form" method="post" action="/settings/security" novalidate>
            <FormErrors state=state.clone()/>
            <fieldset class=field_class(state, "two_factor") id="two_factor" aria-describedby=error_id(state, "two_factor")>
                <legend>"Second factor"</legend>
                <div class="choices">
                    {choice("required", "Required", "Whoever has none reaches only its set-up. Keys and service tokens go on working.")}
                    {choice("optional", "Optional", "Everybody decides for themselves.")}
                </div>
                {field_error(state, "two_factor")}
            </fieldset>
            <div class="short">{grace.draw(state, "7")}</div>
            <div class="form-actions"><button class="button primary">"Save"</button></div>
        </form>
    }
    .into_any()
}
