//! The first run: one page, three sections.

use leptos::prelude::*;

use super::projects::catalogue::catalogue_field;
use super::sign_in::{email_field, gate};
use crate::model::password::{ContextWords, MIN_ALONE};
use crate::model::project::starter_scopes;
use crate::ui::components::{Icon, PasswordField};
use crate::ui::form::{FormErrors, TextField, typed_or_asked, use_form_state};

#[component]
pub fn SetUpPage() -> impl IntoView {
    let state = use_form_state();
    let token = typed_or_asked(&state, "token");
    if token.is_empty() {
        return gate("Set up Keywright", no_token()).into_any();
    }
    let name = TextField {
        name: "name",
        label: "Your name",
        autocomplete: "name",
        optional: true,
        ..TextField::default()
    };
    let organisation = TextField {
        name: "organisation",
        label: "Organisation",
        autocomplete: "organization",
        placeholder: "Acme",
        ..TextField::default()
    };
    let project = TextField {
        name: "project",
        label: "Project name",
        hint: "What the keys are for: an API or a product.",
        placeholder: "Image API",
        ..TextField::default()
    };
    let prefix = TextField {
        name: "prefix",
        label: "Key prefix",
        hint: "Keys begin with it, so that anybody sees whose they are: acme_live_… It cannot change later.",
        placeholder: "acme",
        mono: true,
        max: 16,
        ..TextField::default()
    };
    let password = PasswordField::new("password", "Password", MIN_ALONE, ContextWords::of_nobody());
    let form = view! {
        <form class="form" method="post" action="/setup" novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="token" value=token/>
            <section class="form-section">
                <h2>"Your account"</h2>
                {name.draw(&state, "")}
                {email_field(&state)}
                {password.draw(&state)}
            </section>
            <section class="form-section">
                <h2>"Your organisation"</h2>
                {organisation.draw(&state, "")}
            </section>
            <section class="form-section">
                <h2>"First project"</h2>
                {project.draw(&state, "")}
                {prefix.draw(&state, "")}
                {catalogue_field(&state, &starter_scopes())}
            </section>
            <button class="button primary wide">"Create and sign in"</button>
        </form>
    };
    gate("Set up Keywright", form).into_any()
}

fn no_token() -> impl IntoView {
    crate::ui::target::set_status(403);
    view! {
        <div class="notice info">
            <Icon name="info"/>
            <div>
                <p>"Keywright is not set up yet. Open the one-time link that the server printed when it started; each start prints a fresh one."</p>
            </div>
        </div>
    }
}
