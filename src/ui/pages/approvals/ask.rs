//! Asking for approval from the form that would do the thing, and what pages of keys tell of it.

use leptos::prelude::*;

use super::address_of;
use crate::model::approval::{ApprovalKind, KeyApproval};
use crate::model::form::FormState;
use crate::model::text::NOTE_MAX;
use crate::model::time::Timestamp;
use crate::ui::components::{Icon, moment};
use crate::ui::form::prose_field;

/// The end of a form that needs approval: why, and the button that asks. Nothing where the form was not refused for that.
#[must_use]
pub fn ask_section(state: &FormState, makes_secret: bool) -> Option<AnyView> {
    if !state.needs_approval && state.values.first("step") != "ask" {
        return None;
    }
    let secret = makes_secret.then_some(
        " The secret does not exist before that: you collect it once it is approved, within 14 days.",
    );
    let field = prose_field(
        state,
        ("justification", "Why it is needed"),
        "What it is for, and since when or until when. Whoever approves it reads this.",
        "",
        NOTE_MAX,
    );
    let drawn = view! {
        <section class="form-section" id="ask" aria-labelledby="ask-title">
            <h2 id="ask-title">"Ask for approval"</h2>
            <p>"An admin or owner other than you looks at it and decides. You get a letter with the result."{secret}</p>
            {field}
            <div class="form-actions">
                <button class="button primary" name="step" value="ask">"Ask for approval"</button>
            </div>
        </section>
    };
    Some(drawn.into_any())
}

/// That something about a key waits.
#[must_use]
pub fn approval_notice(approval: &KeyApproval, now: Timestamp) -> AnyView {
    let by = match approval.mine {
        true => "you".to_owned(),
        false => approval.requested_by_name.clone(),
    };
    let when = moment(approval.requested_at, now);
    let (text, label) = match (approval.kind, approval.mine) {
        (ApprovalKind::Edit, _) => (
            view! { <p><b>"A change of this key waits for approval."</b>" Asked for by "{by}" "{when}"."</p> }.into_any(),
            "Look at the change",
        ),
        (ApprovalKind::Create, true) => (
            view! { <p><b>"Approved."</b>" Its secret does not exist yet: it is made when you collect it."</p> }.into_any(),
            "Collect the secret",
        ),
        (ApprovalKind::Create, false) => (
            view! { <p><b>"Approved."</b>{format!(" It waits for {by} to collect its secret.")}</p> }.into_any(),
            "Look at the request",
        ),
    };
    view! {
        <div class="notice info" role="status">
            <Icon name="approve"/>
            <div>{text}</div>
            <div class="actions"><a class="button small" href=address_of(&approval.id)>{label}</a></div>
        </div>
    }
    .into_any()
}
