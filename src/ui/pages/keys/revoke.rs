//! Ending a key: what it affects, why, and no way back.

use leptos::prelude::*;

use super::{key_address, key_of_address};
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::key::{KeyDetail, KeyStatus, RevocationReason};
use crate::ui::components::{PageTitle, loaded};
use crate::ui::form::{
    FormErrors, TextField, field_class, field_error, typed, typed_or_asked, use_form_state,
};

#[component]
pub fn RevokeKeyPage() -> impl IntoView {
    let state = use_form_state();
    let again = typed_or_asked(&state, "again");
    loaded(key_of_address(), move |page| draw(page.key, &state, &again))
}

fn draw(key: KeyDetail, state: &FormState, again: &str) -> AnyView {
    let name = key.summary.name.clone();
    let address = key_address(&key.summary.id);
    if key.status == KeyStatus::Revoked {
        return view! {
            <PageTitle text="Revoked"/>
            <section class="confirm">
                <h1>{format!("{name} is revoked already")}</h1>
                <p>"A revoked key stays revoked."</p>
                <a class="button" href=address>"Back to the key"</a>
            </section>
        }
        .into_any();
    }
    let revoke_at = format!("{address}/revoke");
    let effect = match key.requests_last_hour {
        0 => "Nothing used it in the last hour.".to_owned(),
        n => format!(
            "{} in the last hour used it. They will be refused at once.",
            counted(n, "request")
        ),
    };
    let preselected = if again == "1" {
        RevocationReason::Superseded
    } else {
        RevocationReason::Unspecified
    };
    let selected = typed(state, "reason", preselected.as_str());
    let reasons = RevocationReason::ALL.iter().map(|reason| {
        let is_selected = reason.as_str() == selected;
        view! { <option value=reason.as_str() selected=is_selected>{reason.label()}</option> }
    });
    let error = field_error(state, "reason");
    let note = TextField {
        name: "note",
        label: "Note",
        optional: true,
        max: 1_000,
        ..TextField::default()
    };
    view! {
        <PageTitle text=format!("Revoke {name}")/>
        <section class="confirm">
            <h1>"Revoke "{name}"?"</h1>
            <p>{effect}" This cannot be undone; to stop it for a while, disable it instead."</p>
            <form class="form" method="post" action=revoke_at novalidate>
                <FormErrors state=state.clone()/>
                <input type="hidden" name="again" value=again.to_owned()/>
                <div class=field_class(state, "reason")>
                    <label for="reason">"Reason"</label>
                    <select id="reason" name="reason">{reasons.collect_view()}</select>
                    {error}
                </div>
                {note.draw(state, "")}
                <div class="form-actions">
                    <button class="button primary danger">"Revoke key"</button>
                    <a class="button quiet" href=address>"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}
