//! Acts on an incident, each on a page that says what it does.

use leptos::prelude::*;

use super::leaked::moment_input;
use super::{address_of, incident_of_address};
use crate::model::calendar::counted;
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::incident::{IncidentPage, IncidentStatus};
use crate::model::key::KeyStatus;
use crate::ui::components::{PageTitle, loaded};
use crate::ui::form::{FormErrors, use_form_state};
use crate::ui::pages::keys::rotate::secret_seen;
use crate::ui::pages::problem::problem_section;

/// What an act says of itself.
struct Act {
    path: &'static str,
    title: fn(&str) -> String,
    button: &'static str,
    class: &'static str,
    body: fn(&IncidentPage, &FormState) -> AnyView,
    /// Why it cannot be done, if so.
    refused: fn(&IncidentPage) -> Option<&'static str>,
    may: fn(&IncidentPage) -> bool,
}

fn closed(page: &IncidentPage) -> Option<&'static str> {
    (page.incident.status == IncidentStatus::Closed)
        .then_some("This incident is closed. An administrator can reopen it.")
}

fn ask_before(act: Act) -> impl IntoView {
    let state = use_form_state();
    loaded(incident_of_address(), move |page| {
        if !(act.may)(&page) {
            return problem_section(AppError::forbidden());
        }
        let (name, address) = (page.key.summary.name.clone(), address_of(&page.incident.id));
        let title = (act.title)(&name);
        if let Some(reason) = (act.refused)(&page) {
            return view! {
                <PageTitle text=title.clone()/>
                <section class="confirm">
                    <h1>{title.clone()}</h1>
                    <p>{reason}</p>
                    <a class="button" href=address>"Back to the incident"</a>
                </section>
            }
            .into_any();
        }
        let action = format!("{address}/{}", act.path);
        view! {
            <PageTitle text=title.clone()/>
            <section class="confirm">
                <h1>{title.clone()}</h1>
                <form class="form" method="post" action=action novalidate>
                    <FormErrors state=state.clone()/>
                    {(act.body)(&page, &state)}
                    <div class="form-actions">
                        <button class=act.class>{act.button}</button>
                        <a class="button quiet" href=address>"Back"</a>
                    </div>
                </form>
            </section>
        }
        .into_any()
    })
}

#[component]
pub fn SincePage() -> impl IntoView {
    ask_before(Act {
        path: "since",
        title: |name| format!("Since when may others have {name}?"),
        button: "Change",
        class: "button primary",
        body: |page, state| {
            let since = page.incident.suspected_since;
            let initial = format!("{}T{}", since.iso_date(), since.clock_time());
            view! {
                <p>"What the key did is sorted into before and after anew, from the raw requests of the last 90 days."</p>
                <div class="field short">{moment_input(state, &initial, page.now)}</div>
            }
            .into_any()
        },
        refused: closed,
        may: |page| page.may_manage,
    })
}

#[component]
pub fn FreezePage() -> impl IntoView {
    ask_before(Act {
        path: "freeze",
        title: |name| format!("Freeze {name}?"),
        button: "Freeze the key",
        class: "button primary danger",
        body: |page, _| {
            let effect = match page.key.requests_last_hour {
                0 => "Nothing used it in the last hour.".to_owned(),
                n => format!("{} of the last hour used it.", counted(n, "request")),
            };
            view! { <p>{effect}" From now on it is refused, until the secret is replaced, or the incident is closed and somebody enables the key."</p> }
                .into_any()
        },
        refused: |page| {
            closed(page).or((page.key.status != KeyStatus::Active).then_some("The key is refused already."))
        },
        may: |page| page.may_manage,
    })
}

#[component]
pub fn ReplacePage() -> impl IntoView {
    ask_before(Act {
        path: "replace",
        title: |name| format!("Replace the secret of {name} now?"),
        button: "Make the new secret",
        class: "button primary",
        body: |page, state| {
            let passes = match page.key.status {
                KeyStatus::Disabled => {
                    " The key passes again, with the new secret alone, if this incident froze it."
                }
                _ => "",
            };
            let running = page.key.rotation.is_some().then(|| {
                view! { <p>"A rotation is running: both of its secrets end."</p> }
            });
            let used = match page.key.requests_last_hour {
                0 => None,
                n => Some(format!(
                    "{} of the last hour used the key. Whatever has not got the new secret is refused.",
                    counted(n, "request")
                )),
            };
            view! {
                <p>"The key gets another secret under the same id, with the same restrictions. The leaked one is refused from that moment on: there is no overlap."{passes}</p>
                {running}
                {used.map(|used| view! { <p>{used}</p> })}
                <input type="hidden" name="nonce" value=page.nonce.clone()/>
                {secret_seen(state, &page.key)}
                <p class="hint"><a href=format!("{}/revoke", address_of(&page.incident.id))>"Revoke the key instead, and create another"</a></p>
            }
            .into_any()
        },
        refused: |page| {
            closed(page).or((page.key.status == KeyStatus::Revoked)
                .then_some("The key is revoked: it gets no other secret. Create another key in its place."))
        },
        may: |page| page.key.may_rotate,
    })
}

#[component]
pub fn RevokePage() -> impl IntoView {
    ask_before(Act {
        path: "revoke",
        title: |name| format!("Revoke {name} for good?"),
        button: "Revoke key",
        class: "button primary danger",
        body: |_, _| {
            view! {
                <p>"Every secret of the key is refused for ever, with the reason that it leaked. This cannot be undone."</p>
                <div class="checks">
                    <label>
                        <input type="checkbox" name="again" value="1" checked=true/>
                        <span><b>"Then create another key like it"</b><small>"The form opens with the same scopes and restrictions. It has another id."</small></span>
                    </label>
                </div>
            }
            .into_any()
        },
        refused: |page| {
            closed(page).or((page.key.status == KeyStatus::Revoked).then_some("The key is revoked already."))
        },
        may: |page| page.may_manage,
    })
}

#[component]
pub fn ReopenPage() -> impl IntoView {
    ask_before(Act {
        path: "reopen",
        title: |name| format!("Reopen the incident of {name}?"),
        button: "Reopen",
        class: "button primary",
        body: |_, _| {
            view! { <p>"It goes on where it ended: what the key did since then is read, and the checklist can be changed again."</p> }
                .into_any()
        },
        refused: |page| (page.incident.status == IncidentStatus::Open).then_some("This incident is open."),
        may: |page| page.may_reopen,
    })
}
