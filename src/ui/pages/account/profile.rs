//! The account at a glance: name and time zone to change here, the rest by a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::tabs;
use crate::model::form::FormState;
use crate::model::profile::{PendingEmail, Profile};
use crate::model::time::Timestamp;
use crate::rpc::account::my_profile;
use crate::ui::components::{Icon, PageHead, ask, flash, loaded, moment};
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, typed, use_form_state};

#[component]
pub fn ProfilePage() -> impl IntoView {
    let state = use_form_state();
    let profile = ask(|| (), |()| my_profile());
    loaded(profile, move |profile| draw(&profile, &state))
}

fn draw(profile: &Profile, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        hint: "Everybody in your organisations sees it.",
        autocomplete: "name",
        ..TextField::default()
    };
    view! {
        <PageHead title="Profile" root="Account"/>
        {tabs("/account")}
        {flash()}
        {done()}
        {profile.pending_email.as_ref().map(|pending| pending_email(pending, profile))}
        <form class="form" method="post" action="/account" novalidate>
            <FormErrors state=state.clone()/>
            {name.draw(state, &profile.name)}
            {zone_field(profile, state)}
            <div class="field short">
                <label for="language">"Language"</label>
                <select id="language" name="language"><option value="en" selected=true>"English"</option></select>
            </div>
            <div class="form-actions"><button class="button primary">"Save"</button></div>
        </form>
        {signing_in(profile)}
        {your_data()}
    }
    .into_any()
}

/// What was just done elsewhere, told after the redirect.
fn done() -> Option<AnyView> {
    let text = match use_query_map().get_untracked().get("done").as_deref() {
        Some("password") => "Your password is changed.",
        Some("email-begun") => "Two letters are on their way. Open the link in each within a day.",
        Some("email-cancelled") => {
            "The change of your e-mail address is cancelled. Its links no longer work."
        }
        _ => return None,
    };
    let notice =
        view! { <div class="notice ok" role="status"><Icon name="ok"/><div><p>{text}</p></div></div> };
    Some(notice.into_any())
}

fn zone_field(profile: &Profile, state: &FormState) -> AnyView {
    let chosen = typed(state, "time_zone", &profile.time_zone);
    let options = profile.zones.iter().map(|zone| {
        let is_chosen = *zone == chosen;
        view! { <option value=zone.clone() selected=is_chosen>{zone.replace('_', " ")}</option> }
    });
    let error = field_error(state, "time_zone");
    view! {
        <div class=field_class(state, "time_zone")>
            <label for="time_zone">"Time zone"</label>
            <p class="hint" id="time_zone-hint">"Letters tell times in it."</p>
            <select
                id="time_zone"
                name="time_zone"
                aria-invalid=error_id(state, "time_zone").map(|_| "true")
                aria-describedby=error_id(state, "time_zone").unwrap_or_else(|| "time_zone-hint".to_owned())
            >
                {options.collect_view()}
            </select>
            {error}
        </div>
    }
    .into_any()
}

fn pending_email(pending: &PendingEmail, profile: &Profile) -> AnyView {
    let waits = match (pending.old_confirmed, pending.new_confirmed) {
        (false, false) => format!(
            "Open the links that were sent to {} and to {}.",
            profile.email, pending.email
        ),
        (true, _) => format!(
            "{} has agreed; open the link that was sent to {}.",
            profile.email, pending.email
        ),
        (false, true) => format!(
            "{} has agreed; open the link that was sent to {}.",
            pending.email, profile.email
        ),
    };
    view! {
        <div class="notice info">
            <Icon name="info"/>
            <div>
                <p>{format!("Your address is to become {}. ", pending.email)}{waits}" The links run out "{moment(pending.expires_at, profile.now)}"."</p>
                <form method="post" action="/account/email/cancel"><button class="button">"Cancel the change"</button></form>
            </div>
        </div>
    }
    .into_any()
}

fn signing_in(profile: &Profile) -> AnyView {
    let now = profile.now;
    let since = |at: Option<Timestamp>| at.map(|at| view! { "Set "{moment(at, now)} });
    let two_factor = if profile.has_factor { "On" } else { "Off" };
    view! {
        <section class="section">
            <h2>"Signing in"</h2>
            <dl class="facts">
                <div><dt>"E-mail"</dt><dd>{profile.email.clone()}" "<a href="/account/email">"Change"</a></dd></div>
                <div><dt>"Password"</dt><dd>{since(profile.password_set_at)}" "<a href="/account/password">"Change"</a></dd></div>
                <div><dt>"Two-factor"</dt><dd>{two_factor}" "<a href="/account/two-factor">"Manage"</a></dd></div>
                <div><dt>"Sessions"</dt><dd><a href="/account/sessions">"Where you are signed in"</a></dd></div>
            </dl>
        </section>
    }
    .into_any()
}

fn your_data() -> AnyView {
    view! {
        <section class="section">
            <h2>"Your data"</h2>
            <p class="muted">"Everything that Keywright keeps about you, as one file; and the way out."</p>
            <div class="button-row">
                <a class="button" href="/account/export">"Export your data"</a>
                <a class="button danger" href="/account/delete">"Delete your account"</a>
            </div>
        </section>
    }
    .into_any()
}
