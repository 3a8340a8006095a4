//! Approvals: what a second person decides.

pub mod ask;
pub mod detail;
pub mod list;

use leptos::prelude::*;

use crate::model::approval::{ApprovalKind, ApprovalState, ApprovalSummary};
use crate::model::id::ApprovalId;

pub(super) const HERE: &str = "/settings/approvals";

pub(super) fn address_of(id: &ApprovalId) -> String {
    format!("{HERE}/{id}")
}

/// What is asked for, as a title.
fn title_of(approval: &ApprovalSummary) -> String {
    match approval.kind {
        ApprovalKind::Create => format!("New key {}", approval.key_name),
        ApprovalKind::Edit => format!("Change of {}", approval.key_name),
    }
}

fn state_badge(state: ApprovalState) -> AnyView {
    let class = match state {
        ApprovalState::Waiting => "badge info",
        ApprovalState::Approved => "badge ok",
        ApprovalState::Declined => "badge danger",
        ApprovalState::Withdrawn | ApprovalState::Lapsed => "badge neutral",
    };
    view! { <span class=class>{state.label()}</span> }.into_any()
}
