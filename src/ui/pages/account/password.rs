//! Changing one's own password.

use leptos::prelude::*;

use super::tabs;
use super::two_factor::code_field;
use crate::model::form::FormState;
use crate::model::profile::PasswordForm;
use crate::rpc::account::my_password_form;
use crate::ui::components::{PageHead, PasswordField, ask, loaded};
use crate::ui::form::{FormErrors, field_error, use_form_state};
use crate::ui::pages::sign_in::password_field;

#[component]
pub fn PasswordPage() -> impl IntoView {
    let state = use_form_state();
    let form = ask(|| (), |()| my_password_form());
    loaded(form, move |form| draw(form, &state))
}

fn draw(form: PasswordForm, state: &FormState) -> AnyView {
    let code = form.has_factor.then(|| {
        code_field(
            state,
            "Code",
            "Six digits from your authenticator app, or a recovery code.",
        )
    });
    let new = PasswordField::new("new_password", "New password", form.min_length, form.context);
    // Ticked, unless it was sent without.
    let is_ticked = !state.values.has("sent") || state.values.has("end_others");
    view! {
        <PageHead title="Password" root="Account"/>
        {tabs("/account/password")}
        <form class="form" method="post" action="/account/password" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="sent" value="1"/>
            {password_field("Current password", "", "current-password", field_error(state, "password"))}
            {code}
            {new.draw(state)}
            <label class="check">
                <input type="checkbox" name="end_others" value="1" checked=is_ticked/>
                <span><b>"Sign out everywhere else"</b><small>"Whoever is signed in with the old password is out at once."</small></span>
            </label>
            <div class="form-actions">
                <button class="button primary">"Change password"</button>
                <a class="button quiet" href="/account">"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
