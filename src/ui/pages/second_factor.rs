//! The second half of signing in.

use leptos::prelude::*;

use super::account::two_factor::code_field;
use super::sign_in::gate;
use crate::ui::form::{FormErrors, typed_or_asked, use_form_state};

#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let state = use_form_state();
    let next = typed_or_asked(&state, "next");
    let form = view! {
        <form class="form" method="post" action="/sign-in/second-factor" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="next" value=next/>
            {code_field(&state, "Code", "Six digits from your authenticator app, or a recovery code.")}
            <button class="button primary wide">"Continue"</button>
        </form>
        <form method="post" action="/sign-out"><button class="button quiet wide">"Start again"</button></form>
    };
    gate("Second factor", form)
}
