//! Settings › Security: the usual advice as live checks, and below it the second factor that is asked of everybody.

use leptos::prelude::*;

use super::members::security::two_factor_section;
use crate::model::calendar::counted;
use crate::model::permission::Permission;
use crate::model::security::{Check, CheckState, Checklist, Topic};
use crate::rpc::security::get_security_checks;
use crate::ui::components::{Icon, PageHead, ask, flash, loaded};
use crate::ui::form::use_form_state;
use crate::ui::frame::may;

#[component]
pub fn SecurityPage() -> impl IntoView {
    let state = use_form_state();
    let checks = ask(|| (), |()| get_security_checks());
    let section = may(Permission::MembersRead).then(|| two_factor_section(state));
    view! {
        {flash()}
        <PageHead title="Security" lede="The usual advice, held against what is there now.".into_any()/>
        {loaded(checks, |list| draw(&list))}
        {section}
    }
}

fn draw(list: &Checklist) -> AnyView {
    let number = |state| i64::try_from(list.count(state)).unwrap_or(i64::MAX);
    let summary = format!(
        "{} passed · {} · {} not checked",
        counted(number(CheckState::Passes), "check"),
        match number(CheckState::Attention) {
            1 => "1 needs attention".to_owned(),
            n => format!("{n} need attention"),
        },
        number(CheckState::NotChecked)
    );
    let topics = Topic::ALL.iter().filter_map(|topic| section(*topic, list));
    view! {
        <p class="checks-summary">{summary}</p>
        {topics.collect_view()}
    }
    .into_any()
}

/// The checks of one topic; none where whoever looks may see none of them.
fn section(topic: Topic, list: &Checklist) -> Option<AnyView> {
    let mut checks = list
        .checks
        .iter()
        .filter(|check| check.name.topic() == topic)
        .peekable();
    checks.peek()?;
    let rows = checks.map(row).collect_view();
    let section = view! {
        <section class="section">
            <h2>{topic.label()}</h2>
            <ul class="rows security-checks">{rows}</ul>
        </section>
    };
    Some(section.into_any())
}

fn row(check: &Check) -> AnyView {
    let (class, icon) = match check.state {
        CheckState::Passes => ("badge ok", "ok"),
        CheckState::Attention => ("badge warn", "warn"),
        CheckState::NotChecked => ("badge neutral", "info"),
    };
    let (words, address) = check.name.link();
    // Read alone, as a screen reader lists links, each says of what it is.
    let label = format!("{words}: {}", check.name.label());
    let link = check
        .has_link
        .then(|| view! { <a class="button small" href=address aria-label=label>{words}</a> });
    view! {
        <li>
            <span class=class><Icon name=icon/>{check.state.label()}</span>
            <div class="grow">
                <b>{check.name.label()}</b>
                <p>{check.found.clone()}</p>
                <small class="muted">{check.name.why()}</small>
            </div>
            {link}
        </li>
    }
    .into_any()
}
