//! What the policy asks of a key, in its forms and on its page.

use leptos::prelude::*;

use crate::model::policy::{Policy, Violation};
use crate::ui::components::Icon;
use crate::ui::pages::policy::words;

/// The rules that a form is held against, folded away.
pub(super) fn asked(policies: Vec<(&'static str, &Policy)>) -> AnyView {
    let lists = policies.into_iter().map(|(title, policy)| {
        view! {
            <h3>{title}</h3>
            {words(policy.in_words())}
        }
    });
    view! {
        <details class="fold">
            <summary>"Policy"<span class="fold-value">"What is asked of it"</span></summary>
            <div class="fold-body">{lists.collect_view()}</div>
        </details>
    }
    .into_any()
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
