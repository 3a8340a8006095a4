//! The second factor: what is set up, and the ways to change it.

use leptos::prelude::*;

use super::tabs;
use crate::model::calendar::counted;
use crate::model::factor::TwoFactor;
use crate::model::form::FormState;
use crate::rpc::account::my_two_factor;
use crate::ui::components::{Icon, PageHead, PageTitle, ask, loaded, moment};
use crate::ui::form::{FormErrors, TextField, field_error, use_form_state};
use crate::ui::pages::sign_in::password_field;

/// Recovery codes below which the page asks for new ones.
const FEW_CODES: i64 = 4;

/// Six digits, or a recovery code where those are taken too.
pub(in crate::ui::pages) fn code_field(
    state: &FormState,
    label: &'static str,
    hint: &'static str,
) -> AnyView {
    let field = TextField {
        name: "code",
        label,
        hint,
        kind: "text",
        autocomplete: "one-time-code",
        mono: true,
        max: 60,
        ..TextField::default()
    };
    field.draw(state, "")
}

#[component]
pub fn TwoFactorPage() -> impl IntoView {
    let state = use_form_state();
    let factors = ask(|| (), |()| my_two_factor());
    view! {
        <PageTitle text="Two-factor"/>
        {loaded(factors, move |factors| match factors.totp_since {
            Some(_) => in_force(&factors, &state),
            None => off(&state),
        })}
    }
}

fn off(state: &FormState) -> AnyView {
    view! {
        <PageHead title="Two-factor authentication" root="Account" lede="Asks for a code from your phone after the password. Whoever learns your password alone cannot sign in.".into_any()/>
        {tabs("/account/two-factor")}
        <section class="section">
            <h2>"Authenticator app"</h2>
            <p class="muted">"Off. Any app for time-based codes works: 1Password, Aegis, Google Authenticator, and many others."</p>
            <form class="form" method="post" action="/account/two-factor" novalidate>
                <FormErrors state=state.clone()/>
                {password_field("Your password", "To be sure that it is you.", "current-password", field_error(state, "password"))}
                <div class="form-actions"><button class="button primary">"Set up an app"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn in_force(factors: &TwoFactor, state: &FormState) -> AnyView {
    let now = factors.now;
    let since = factors.totp_since.map(|at| moment(at, now));
    let used = factors.totp_used_at.map(|at| moment(at, now));
    let left = factors.recovery_codes_left;
    let few = (left < FEW_CODES).then(|| {
        let text = match left {
            0 => "No recovery code is left. If you lose your app now, an administrator must let you in."
                .to_owned(),
            n => format!(
                "Only {} left. Make new ones before the last is gone.",
                counted(n, "recovery code")
            ),
        };
        view! { <div class="notice warn"><Icon name="alert"/><p>{text}</p></div> }
    });
    view! {
        <PageHead title="Two-factor authentication" root="Account" lede="Signing in asks for a code after the password.".into_any()/>
        {tabs("/account/two-factor")}
        <FormErrors state=state.clone()/>
        {few}
        <section class="section">
            <h2>"Authenticator app"</h2>
            <dl class="facts">
                <div><dt>"On since"</dt><dd>{since}</dd></div>
                <div><dt>"Last used"</dt><dd>{used}</dd></div>
            </dl>
            <div class="button-row">
                <a class="button" href="/account/two-factor/replace">"Replace"</a>
                <a class="button" href="/account/two-factor/off">"Turn off"</a>
            </div>
        </section>
        <section class="section">
            <h2>"Recovery codes"</h2>
            <p class="muted">"Each signs you in once when your app is out of reach. Keep them apart from it."</p>
            <dl class="facts"><div><dt>"Left"</dt><dd>{format!("{left} of 10")}</dd></div></dl>
            <div class="button-row"><a class="button" href="/account/two-factor/codes">"Make new codes"</a></div>
        </section>
    }
    .into_any()
}

#[component]
pub fn NewCodesPage() -> impl IntoView {
    let state = use_form_state();
    view! {
        <PageTitle text="New recovery codes"/>
        <section class="confirm">
            <h1>"Make new recovery codes?"</h1>
            <p>"All earlier codes are void from then on. The new ones are shown once."</p>
            <form class="form" method="post" action="/account/two-factor/codes" novalidate>
                <FormErrors state=state.clone()/>
                {code_field(&state, "Code", "The six digits that your app shows now.")}
                <div class="form-actions">
                    <button class="button primary">"Make new codes"</button>
                    <a class="button quiet" href="/account/two-factor">"Cancel"</a>
                </div>
            </form>
        </section>
    }
}

#[component]
pub fn TurnOffPage() -> impl IntoView {
    let state = use_form_state();
    view! {
        <PageTitle text="Turn off two-factor"/>
        <section class="confirm">
            <h1>"Turn off two-factor authentication?"</h1>
            <p>"Your password alone signs you in from then on. The app and every recovery code stop working, and your other sessions end."</p>
            <form class="form" method="post" action="/account/two-factor/off" novalidate>
                <FormErrors state=state.clone()/>
                {password_field("Your password", "", "current-password", field_error(&state, "password"))}
                {code_field(&state, "Code", "The six digits that your app shows now, or a recovery code.")}
                <div class="form-actions">
                    <button class="button primary danger">"Turn off"</button>
                    <a class="button quiet" href="/account/two-factor">"Cancel"</a>
                </div>
            </form>
        </section>
    }
}

#[component]
pub fn ReplacePage() -> impl IntoView {
    let state = use_form_state();
    view! {
        <PageTitle text="Replace the app"/>
        <section class="confirm">
            <h1>"Move to another app or phone?"</h1>
            <p>"The app you have stays in force until a code of the new one proves that it works. Then the old one and all recovery codes stop working, you get new codes, and your other sessions end."</p>
            <form class="form" method="post" action="/account/two-factor/replace" novalidate>
                <FormErrors state=state.clone()/>
                {password_field("Your password", "", "current-password", field_error(&state, "password"))}
                {code_field(&state, "Code", "The six digits that the present app shows now, or a recovery code.")}
                <div class="form-actions">
                    <button class="button primary">"Go on"</button>
                    <a class="button quiet" href="/account/two-factor">"Cancel"</a>
                </div>
            </form>
        </section>
    }
}
