//! Everything the house draws with, on one page; served in development only.

use leptos::prelude::*;

use crate::model::error::FieldError;
use crate::model::form::FormState;
use crate::model::key::{Badge, Environment};
use crate::model::time::Timestamp;
use crate::model::usage::{UsageRange, UsageSeries};
use crate::model::verdict::VerdictCode;
use crate::ui::charts::{UsageChart, spark};
use crate::ui::components::{EnvironmentTag, ExpiryField, Icon, PageHead, key_badge};
use crate::ui::form::{FormErrors, TextField};

/// A moment that never moves, so that the page is always the same.
const NOW: Timestamp = Timestamp::from_ms(1_795_255_200_000);

#[component]
pub fn StyleguidePage() -> impl IntoView {
    let refused = FormState {
        errors: vec![FieldError::new(
            "wrong",
            "syntax",
            "The address 10.0.0.300 is not valid. Use an IPv4 or IPv6 address.",
        )],
        ..FormState::default()
    };
    let field = TextField {
        name: "right",
        label: "Name",
        hint: "Shown to everybody in the organisation.",
        ..TextField::default()
    };
    let wrong = TextField {
        name: "wrong",
        label: "Allowed address",
        mono: true,
        initial: "10.0.0.300",
        ..TextField::default()
    };
    view! {
        <main class="page" id="main" tabindex="-1">
            <PageHead title="Style guide" lede="What the pages are made of.".into_any() actions=view! { <a class="button primary" href="#main"><Icon name="plus"/>"Primary action"</a> }.into_any()/>
            <section class="section">
                <h2>"Buttons"</h2>
                <div class="button-row">
                    <button class="button primary">"Primary"</button>
                    <button class="button">"Plain"</button>
                    <button class="button quiet">"Quiet"</button>
                    <button class="button danger">"Danger…"</button>
                    <button class="button primary danger">"Danger"</button>
                    <button class="button small">"Small"</button>
                    <button class="button" disabled>"Disabled"</button>
                    <button class="button primary" aria-busy="true">"Busy"</button>
                </div>
            </section>
            <section class="section">
                <h2>"Badges and tags"</h2>
                <div class="cluster">
                    {Badge::ALL.iter().map(|badge| key_badge(*badge)).collect_view()}
                    {Environment::ALL.iter().map(|environment| view! { <EnvironmentTag environment=*environment/> }).collect_view()}
                    <code>"acme_live_8FkQ…"</code>
                </div>
            </section>
            <section class="section">
                <h2>"Notices"</h2>
                {["info", "ok", "warn", "danger"].map(|kind| {
                    let icon = if kind == "danger" { "alert" } else { kind };
                    view! { <div class=format!("notice {kind}")><Icon name=icon/><div><p><b>"What happened."</b>" Why, and what to do next."</p></div></div> }
                }).collect_view()}
            </section>
            <section class="section">
                <h2>"Form"</h2>
                <form class="form" novalidate>
                    <FormErrors state=refused.clone()/>
                    {field.draw(&refused, "")}
                    {wrong.draw(&refused, "")}
                    <ExpiryField state=FormState::default() now=NOW/>
                    <div class="form-actions"><button class="button primary" type="button">"Save"</button></div>
                </form>
            </section>
            <section class="section"><h2>"Chart"</h2><UsageChart series=sample()/></section>
            <section class="section"><h2>"Week"</h2>{spark(&[1, 3, 2, 5, 8, 0, 4], "7 days", 0)}</section>
            <section class="section">
                <h2>"Waiting and empty"</h2>
                <div class="skeleton" aria-hidden="true"><span class="title"></span><span></span><span></span></div>
                <div class="empty"><h2>"No keys yet"</h2><p>"An API key lets a program call your API."</p><button class="button primary" type="button">"Create key"</button></div>
            </section>
        </main>
    }
}

fn sample() -> UsageSeries {
    let hour = 3_600_000;
    let cells: Vec<_> = (0..24)
        .flat_map(|n: i64| {
            let at = UsageRange::Day.start(NOW).plus_ms(n * hour);
            let day = 12 - (n - 12).abs();
            [
                (at, VerdictCode::Valid, day * 90),
                (at, VerdictCode::Revoked, day * 6),
                (at, VerdictCode::Disabled, day * 5),
                (at, VerdictCode::Expired, day * 4),
                (at, VerdictCode::InsufficientScope, day * 7),
                (at, VerdictCode::EnvironmentMismatch, day * 3),
                (at, VerdictCode::OwnerInactive, day * 5),
            ]
        })
        .collect();
    UsageSeries::from_cells(UsageRange::Day, NOW, &cells)
}
