//! The ends of a review, and its export.

use leptos::prelude::*;

use super::detail::open_in_words;
use super::{address_of, list_crumb, review_of_address};
use crate::model::error::AppError;
use crate::model::review::{OnUndecided, ReviewPage, ReviewStatus};
use crate::ui::components::{PageHead, PageTitle, loaded};
use crate::ui::form::{FormErrors, use_form_state};
use crate::ui::pages::problem::problem_section;

/// A page that asks before one of the ends.
fn ask_before(
    verb: &'static str,
    path: &'static str,
    (class, label): (&'static str, &'static str),
    body: fn(&ReviewPage) -> AnyView,
) -> impl IntoView {
    let state = use_form_state();
    loaded(review_of_address(), move |page| {
        if !page.may_manage {
            return problem_section(AppError::forbidden());
        }
        let address = address_of(&page.review.id);
        let action = format!("{address}/{path}");
        let runs = page.review.status == ReviewStatus::Running;
        let title = match runs {
            true => format!("{verb} {}?", page.review.name),
            false => format!("{} has ended", page.review.name),
        };
        let button = runs.then(|| view! { <button class=class>{label}</button> });
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title.clone()}</h1>
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    {runs.then(|| body(&page))}
                    <div class="form-actions">
                        {button}
                        <a class="button quiet" href=address>"Back"</a>
                    </div>
                </form>
            </section>
        }
        .into_any()
    })
}

#[component]
pub fn FinishReviewPage() -> impl IntoView {
    ask_before("Finish", "finish", ("button primary", "Finish now"), |page| {
        view! {
            <p>{open_in_words(page)}</p>
            <p>"A review can be finished before its deadline once everything is decided. Its result is final from then on."</p>
        }
        .into_any()
    })
}

#[component]
pub fn CancelReviewPage() -> impl IntoView {
    ask_before(
        "Cancel",
        "cancel",
        ("button primary danger", "Cancel the review"),
        |page| {
            let then = match page.review.on_undecided {
                OnUndecided::Disable => " No key is disabled at the deadline.",
                OnUndecided::Nothing => "",
            };
            view! { <p>{open_in_words(page)}" What was tightened or revoked stays so."{then}</p> }.into_any()
        },
    )
}

#[component]
pub fn ExportReviewPage() -> impl IntoView {
    let state = use_form_state();
    loaded(review_of_address(), move |page| {
        if !page.may_export {
            return problem_section(AppError::forbidden());
        }
        let address = address_of(&page.review.id);
        let action = format!("{address}/export");
        let mut crumbs = list_crumb();
        crumbs.push((page.review.name.clone(), address));
        let lede = "Every key with who decided what, when, and what was known then.";
        view! {
            <PageHead title="Export review" crumbs=crumbs lede=lede.into_any()/>
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                <div class="form-actions">
                    <button class="button primary" name="format" value="json">"Signed document (JSON)"</button>
                    <button class="button" name="format" value="csv">"Table (CSV)"</button>
                </div>
            </form>
            <section class="card">
                <header class="card-head"><h2>"How an auditor checks it"</h2></header>
                <p>"The document is signed with Ed25519. "<code>"keywright reviews verify FILE"</code>" checks it here; the documentation shows how to do it anywhere, without Keywright. The public key must be this one:"</p>
                <p><code class="mono">{page.public_key.clone()}</code></p>
            </section>
        }
        .into_any()
    })
}
