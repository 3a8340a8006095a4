//! The head of every page: where one is, its title, its one action.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Icon, PageTitle};

/// A step of the breadcrumb: label and address.
pub type Crumb = (String, String);

/// Breadcrumb, title, at most one line, at most one action.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(default = "Settings")] root: &'static str,
    #[prop(optional)] crumbs: Vec<Crumb>,
    #[prop(optional, into)] lede: Option<AnyView>,
    #[prop(optional, into)] beside: Option<AnyView>,
    #[prop(optional, into)] actions: Option<AnyView>,
) -> impl IntoView {
    let steps = crumbs
        .into_iter()
        .map(|(label, href)| view! { <li><a href=href>{label}</a></li> })
        .collect_view();
    view! {
        <PageTitle text=title.clone()/>
        <header class="page-head">
            <nav class="crumbs" aria-label="Breadcrumb">
                <ol>
                    <li>{root}</li>
                    {steps}
                    <li aria-current="page">{title.clone()}</li>
                </ol>
            </nav>
            <div class="title-row"><h1>{title}</h1>{beside}</div>
            {lede.map(|lede| view! { <p class="lede">{lede}</p> })}
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </header>
    }
}

/// What was just done, told after the redirect. Only words of ours: the address says which.
#[must_use]
pub fn flash() -> impl IntoView {
    let query = use_query_map();
    move || {
        let text = match query.read().get("done").as_deref() {
            Some("saved") => "Saved.",
            Some("created") => "Created.",
            Some("stored") => "Noted that the secret is stored.",
            Some("suspended") => "Suspended. They reach nothing of this organisation any more.",
            Some("removed") => "Removed. They reach nothing of this organisation any more.",
            Some("resumed") => "Resumed. They are back with the role they had.",
            Some("factors-reset") => "Their second factor is gone and they are signed out everywhere.",
            Some("unlocked") => "Unlocked. The password signs in again.",
            Some("signed-out") => "They are signed out everywhere.",
            Some("invitation-revoked") => "Invitation revoked. Its link no longer works.",
            Some("rotation-finished") => "Finished. Only the new secret is good from now on.",
            Some("rotation-extended") => "Extended. The old secret goes on until then.",
            Some("rotation-cancelled") => "Cancelled. The new secret is dead, the old one goes on as before.",
            Some("rotation-called-off") => "Called off. The key goes on as it is.",
            Some("policy-saved") => "Saved. Owners of keys that break it are told.",
            Some("plan-cancelled") => "Cancelled. The rules stay as they are.",
            Some("imported") => "Imported. The keys pass from now on.",
            Some("incident-opened") => "Incident opened. The key still passes: freeze it as soon as you can.",
            Some("incident-told") => {
                "Incident opened. The key still passes until somebody who looks after it freezes it."
            }
            Some("incident-frozen") => "Frozen. Every request with the key is refused from now on.",
            Some("incident-there") => "An incident of this key is open already: this one.",
            Some("incident-closed") => "Closed. The report stays.",
            Some("incident-reopened") => "Open again.",
            Some("asked") => "Asked. You get a letter when it is decided.",
            Some("approved") => "Approved. Whoever asked gets a letter.",
            Some("declined") => "Declined. Whoever asked gets a letter with your comment.",
            Some("withdrawn") => "Withdrawn. Nothing was changed.",
            Some("commented") => "Said.",
            Some("review-started") => "Started. Its reviewers get a letter.",
            Some("decided") => "Saved.",
            Some("review-finished") => "Finished. Its result can be exported.",
            Some("review-cancelled") => "Cancelled. What was decided stays done.",
            Some("tightened") => "Tightened. For seven days it can be undone, below.",
            Some("tightening-undone") => "Undone. The key may do what it could before.",
            Some("revoked") => "Revoked. It is refused from now on.",
            Some("mail_tested") => "The mail server took the test mail. It should arrive within a minute.",
            Some("mail_retried") => "Trying again now. Reload in a few seconds to see what became of it.",
            Some("mail_discarded") => "Discarded. It is never sent.",
            Some("template-deleted") => "Deleted. Keys that began with it stay as they are.",
            Some("ended") => "Signed out there.",
            Some("others-ended") => "Signed out everywhere else. You go on here.",
            _ => return None,
        };
        Some(view! { <div class="notice ok" role="status"><Icon name="ok"/><div><p>{text}</p></div></div> })
    }
}
