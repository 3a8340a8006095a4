//! What the policy asks of a key, in its forms and on its page.

use leptos::prelude::*;

use crate::model::policy::{Plan, Policy, Violation};
use crate::ui::components::Icon;
use crate::ui::pages::policy::words;

/// The rules that a form is held against, and those that are planned, folded away.
pub(super) fn asked(policies: Vec<(&'static str, &Policy, Option<&Plan>)>) -> AnyView {
    let is_planned = policies.iter().any(|(.., plan)| plan.is_some());
    let value = match is_planned {
        true => "What is asked of it, and a change that is planned",
        false => "What is asked of it",
    };
    let lists = policies.into_iter().map(|(title, policy, plan)| {
        let mut lines = policy.in_words();
        lines.extend(plan.into_iter().flat_map(|plan| to_come(policy, plan)));
        view! {
            <h3>{title}</h3>
            {words(lines)}
        }
    });
    view! {
        <details class="fold">
            <summary>"Policy"<span class="fold-value">{value}</span></summary>
            <div class="fold-body">{lists.collect_view()}</div>
        </details>
    }
    .into_any()
}

/// What a plan will ask that is not asked now, each with its day.
fn to_come(policy: &Policy, plan: &Plan) -> Vec<String> {
    let day = plan.from.date_in_words();
    let told = |line: String| format!("From {day}: {line}");
    plan.new_in_words(policy).into_iter().map(told).collect()
}

/// The rules that a key breaks. It goes on all the same; only a change must mend them.
pub(super) fn broken(violations: &[Violation], edit_at: Option<String>) -> Option<AnyView> {
    if violations.is_empty() {
        return None;
    }
    let lines = violations
        .iter()
        .map(|broken| view! { <li>{broken.message.clone()}</li> });
    let edit =
        edit_at.map(|at| view! { <div class="actions"><a class="button small" href=at>"Edit"</a></div> });
    let drawn = view! {
        <div class="notice warn">
            <Icon name="policy"/>
            <div>
                <h2>"It does not keep the policy"</h2>
                <ul>{lines.collect_view()}</ul>
                <p>"It goes on as it is. The next edit or rotation has to mend this."</p>
            </div>
            {edit}
        </div>
    };
    Some(drawn.into_any())
}
