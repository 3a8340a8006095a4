//! Why a key is disabled, and that one will be.

use leptos::prelude::*;

use crate::model::calendar::counted;
use crate::model::key_page::{Disabled, DisabledBecause, UnusedNotice};
use crate::model::time::Timestamp;
use crate::ui::components::{Icon, moment};

/// When the key was disabled, by whom and why, and what that means.
pub(super) fn disabled_notice(at: Option<Timestamp>, disabled: Option<&Disabled>, now: Timestamp) -> AnyView {
    let when = at.map(|at| moment(at, now));
    // What an incident froze is dealt with there.
    let then = match disabled.map(|disabled| disabled.why) {
        Some(DisabledBecause::Incident(_)) => ". Requests are refused.",
        _ => ". Requests are refused until somebody enables it.",
    };
    let told = disabled.map(|disabled| {
        let by = &disabled.by;
        match disabled.why {
            DisabledBecause::ByHand => format!(" by {by}").into_any(),
            DisabledBecause::Unused => view! {
                {format!(" by {by}, because nobody used it and the ")}
                <a href="/settings/policy">"policy"</a>" asks for that"
            }
            .into_any(),
            DisabledBecause::Incident(id) => view! {
                {format!(" by {by}, because it may have leaked, in an ")}
                <a href=format!("/settings/incidents/{id}")>"incident"</a>
            }
            .into_any(),
            DisabledBecause::Undecided(id) => view! {
                {format!(" by {by}, because nobody had decided about it at the end of an ")}
                <a href=format!("/settings/reviews/{id}")>"access review"</a>
            }
            .into_any(),
        }
    });
    view! {
        <div class="notice warn">
            <Icon name="pause"/>
            <div><p><b>"Disabled"</b>" "{when}{told}{then}</p></div>
        </div>
    }
    .into_any()
}

/// That the key will be disabled, unless somebody uses it.
pub(super) fn unused_notice(notice: &UnusedNotice, now: Timestamp) -> AnyView {
    let since = format!("Unused since {}.", notice.since.date_in_words());
    let then = format!(
        " It will be disabled on {} (",
        notice.disabled_from.date_in_words()
    );
    let days = counted(notice.days, "day");
    view! {
        <div class="notice warn" role="status">
            <Icon name="clock"/>
            <div><p>
                <b>{since}</b>{then}{moment(notice.disabled_from, now)}") unless it is used before: the "
                <a href="/settings/policy">"policy"</a>{format!(" disables keys that nobody uses for {days}.")}
            </p></div>
        </div>
    }
    .into_any()
}
