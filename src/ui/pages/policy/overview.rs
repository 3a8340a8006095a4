//! What is asked of every key, and what is planned.

use leptos::prelude::*;

use super::{HERE, title_of, words};
use crate::model::policy::{PolicyPage, PolicyStanding};
use crate::model::time::Timestamp;
use crate::rpc::policy::get_policies;
use crate::ui::components::{Icon, PageHead, ask, flash, loaded, moment};

#[component]
pub fn PolicyOverviewPage() -> impl IntoView {
    let page = ask(|| (), |()| get_policies());
    view! {
        {flash()}
        {loaded(page, |page| draw(&page))}
    }
}

fn draw(page: &PolicyPage) -> AnyView {
    let lede = "What the organisation asks of every key that is created, edited, rotated or imported.";
    let sections = page
        .standings
        .iter()
        .map(|standing| section(standing, page.now, page.may_change))
        .collect_view();
    let only = (!page.may_change).then(|| view! { <p class="muted">"Only owners change the policy."</p> });
    view! {
        <PageHead title="Policy" lede=lede.into_any()/>
        {only}
        {sections}
    }
    .into_any()
}

fn section(standing: &PolicyStanding, now: Timestamp, may_change: bool) -> AnyView {
    let environment = standing.environment;
    let title = title_of(environment);
    let address = format!("{HERE}/{}", environment.as_str());
    let since = standing.changed_at.map_or_else(
        || view! { "As it came: nobody has changed it." }.into_any(),
        |at| view! { "Last changed "{moment(at, now)}"." }.into_any(),
    );
    let label = format!("Change the policy for {}", title.to_lowercase());
    let change =
        may_change.then(|| view! { <a class="button" href=address.clone() aria-label=label>"Change…"</a> });
    view! {
        <section class="section">
            <div class="section-head">
                <h2>{title}</h2>
                {change}
            </div>
            {words(standing.policy.in_words())}
            <p class="muted">{since}</p>
            {plan(standing, now, may_change)}
        </section>
    }
    .into_any()
}

fn plan(standing: &PolicyStanding, now: Timestamp, may_change: bool) -> Option<AnyView> {
    let plan = standing.plan.as_ref()?;
    let new = plan.new_in_words(&standing.policy);
    let action = format!("{HERE}/{}/cancel", standing.environment.as_str());
    let cancel = may_change.then(|| {
        view! {
            <form class="actions" method="post" action=action>
                <button class="button small">"Cancel this change"</button>
            </form>
        }
    });
    let drawn = view! {
        <div class="notice info">
            <Icon name="calendar"/>
            <div>
                <h3>"From "{plan.from.date_in_words()}" on ("{moment(plan.from, now)}")"</h3>
                {words(new)}
            </div>
            {cancel}
        </div>
    };
    Some(drawn.into_any())
}
