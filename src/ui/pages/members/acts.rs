//! Acts on one member, each on a page of its own that says what it does.

use leptos::prelude::*;

use super::{member_address, member_of_address, role_choices};
use crate::model::error::{AppError, Code};
use crate::model::form::FormState;
use crate::model::member::MemberPage;
use crate::ui::components::{PageTitle, loaded};
use crate::ui::form::{FormErrors, use_form_state};
use crate::ui::pages::problem::problem_section;

#[component]
pub fn RolePage() -> impl IntoView {
    let state = use_form_state();
    loaded(member_of_address(), move |page| match page.may_manage {
        true => role_form(&page, &state),
        false => problem_section(AppError::forbidden()),
    })
}

fn role_form(page: &MemberPage, state: &FormState) -> AnyView {
    let member = &page.member;
    let address = member_address(&member.account_id);
    let action = format!("{address}/role");
    let title = format!("Role of {}", member.name);
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title.clone()}</h1>
            <p>"It takes effect with their next request, in sessions that are open, too."</p>
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                {role_choices(state, &page.grantable, member.role)}
                <div class="form-actions">
                    <button class="button primary">"Change role"</button>
                    <a class="button quiet" href=address>"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// What an act says of itself: address, title, what it does, the button, and whether it takes something away.
pub(in crate::ui::pages) struct Act {
    path: &'static str,
    title: fn(&str) -> String,
    effect: &'static str,
    button: &'static str,
    danger: bool,
    /// On the account as such, which is not always the organisation’s to act on.
    is_on_account: bool,
}

const RESUME: Act = Act {
    path: "resume",
    title: |name| format!("Resume {name}?"),
    effect: "They are back with the role they had, and keys they own pass again.",
    button: "Resume",
    danger: false,
    is_on_account: false,
};
pub(in crate::ui::pages) const RESET_FACTORS: Act = Act {
    path: "reset-factors",
    title: |name| format!("Reset two-factor of {name}?"),
    effect: "Their authenticator app and every recovery code stop working, and they are signed out everywhere. The password alone signs them in until they set up a new app. Make sure that it is really them who ask: call back, or meet.",
    button: "Reset two-factor",
    danger: true,
    is_on_account: true,
};
pub(in crate::ui::pages) const PASSWORD_LINK: Act = Act {
    path: "password-link",
    title: |name| format!("Make a new password link for {name}?"),
    effect: "Whoever opens the link chooses a new password; you neither see nor choose it, and their second factor stays. It works once, within an hour, and voids earlier links.",
    button: "Make the link",
    danger: false,
    is_on_account: true,
};
pub(in crate::ui::pages) const SIGN_OUT: Act = Act {
    path: "sign-out",
    title: |name| format!("Sign {name} out everywhere?"),
    effect: "Every session of theirs ends with its next request. They can sign in again.",
    button: "Sign out everywhere",
    danger: true,
    is_on_account: true,
};

pub(in crate::ui::pages) const UNLOCK: Act = Act {
    path: "unlock",
    title: |name| format!("Unlock {name}?"),
    effect: "After too many failed attempts their password no longer signs in. Unlocked, it does again; failures before are forgotten.",
    button: "Unlock",
    danger: false,
    is_on_account: true,
};

#[component]
pub fn UnlockPage() -> impl IntoView {
    act_page(&UNLOCK)
}

#[component]
pub fn ResumePage() -> impl IntoView {
    act_page(&RESUME)
}

#[component]
pub fn ResetFactorsPage() -> impl IntoView {
    act_page(&RESET_FACTORS)
}

#[component]
pub fn PasswordLinkPage() -> impl IntoView {
    act_page(&PASSWORD_LINK)
}

#[component]
pub fn SignOutPage() -> impl IntoView {
    act_page(&SIGN_OUT)
}

fn act_page(act: &'static Act) -> impl IntoView {
    let state = use_form_state();
    loaded(member_of_address(), move |page| {
        if !page.may_manage {
            return problem_section(AppError::forbidden());
        }
        // Said here, not after the button.
        if let Some(reason) = page.account_acts_refused.filter(|_| act.is_on_account) {
            return problem_section(AppError::new(Code::Conflict, reason));
        }
        let address = member_address(&page.member.account_id);
        act_form(&address, &page.member.name, act, &state)
    })
}

/// The form of an act on whoever lives at `address`.
pub(in crate::ui::pages) fn act_form(
    address: &str,
    name: &str,
    act: &'static Act,
    state: &FormState,
) -> AnyView {
    let action = format!("{address}/{}", act.path);
    let title = (act.title)(name);
    view! {
        <PageTitle text=title.clone()/>
        <section class="confirm">
            <h1>{title.clone()}</h1>
            <p>{act.effect}</p>
            <form class="form" method="post" action=action novalidate>
                <FormErrors state=state.clone()/>
                <div class="form-actions">
                    <button class=if act.danger { "button primary danger" } else { "button primary" }>{act.button}</button>
                    <a class="button quiet" href=address.to_owned()>"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}
