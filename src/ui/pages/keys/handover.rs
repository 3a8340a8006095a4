//! Handing a key over: the choice in the form that creates it, the page that makes another link, and where it stands.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{key_address, list_crumb};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::handover::{Handover, HandoverForm};
use crate::model::id::KeyId;
use crate::model::key::KeyDetail;
use crate::model::time::Timestamp;
use crate::rpc::keys::get_handover_form;
use crate::ui::components::{Icon, PageHead, ask, loaded, moment};
use crate::ui::form::{FormErrors, TextField, typed, use_form_state};
use crate::ui::pages::problem::problem_section;

const FIELDS: [&str; 3] = ["claim_days", "claim_email", "claim_passphrase"];

/// Who gets the secret of a new key.
pub(super) fn recipient_fields(state: &FormState) -> AnyView {
    let chosen = typed(state, "handover", "me");
    let choice = |value: &'static str, label: &'static str, hint: &'static str| {
        let checked = chosen == value;
        view! {
            <label>
                <input type="radio" name="handover" value=value checked=checked/>
                <span><b>{label}</b><small>{hint}</small></span>
            </label>
        }
    };
    let open = chosen == "link" || FIELDS.iter().any(|field| state.error_of(field).is_some());
    view! {
        <fieldset class="field">
            <legend>"Secret"</legend>
            <div class="choices">
                {choice("me", "Show it to me", "Once, on the next page.")}
                {choice("link", "Hand it over by a link", "Somebody else collects it; you never see it.")}
            </div>
        </fieldset>
        <details class="fold" open=open>
            <summary>"The link"<span class="fold-value">"When you hand it over"</span></summary>
            <div class="fold-body">{link_fields(state)}</div>
        </details>
    }
    .into_any()
}

fn link_fields(state: &FormState) -> AnyView {
    let days = TextField {
        name: "claim_days",
        label: "Days the link works",
        hint: "1 to 7.",
        kind: "number",
        initial: "3",
        max: 1,
        ..TextField::default()
    };
    let email = TextField {
        name: "claim_email",
        label: "Only for this member",
        hint: "The e-mail address they sign in with. Empty: whoever opens the link first.",
        kind: "email",
        optional: true,
        max: 254,
        ..TextField::default()
    };
    let passphrase = TextField {
        name: "claim_passphrase",
        label: "Passphrase",
        hint: "At least 8 characters. Tell it another way than the link, for example by telephone.",
        kind: "password",
        autocomplete: "new-password",
        optional: true,
        max: 128,
        ..TextField::default()
    };
    view! {
        <div class="short">{days.draw(state, "")}</div>
        {email.draw(state, "")}
        {passphrase.draw(state, "")}
    }
    .into_any()
}

/// Where the hand-over stands: still waiting, or collected when and by whom.
pub(super) fn handover_notice(key: &KeyDetail, now: Timestamp) -> Option<AnyView> {
    let handover = key.handover.as_ref()?;
    if key.revoked_at.is_some() {
        return None;
    }
    Some(match handover.claimed_at {
        Some(at) => collected(handover, at, now),
        None => waiting(key, handover, now),
    })
}

fn collected(handover: &Handover, at: Timestamp, now: Timestamp) -> AnyView {
    let by = handover.claimed_by.as_ref().map(|name| format!(" by {name}"));
    let from = handover
        .claimed_ip
        .as_ref()
        .map(|ip| view! { " from "<span class="mono">{ip.clone()}</span> });
    view! {
        <div class="notice info"><Icon name="link"/><div><p>"The secret was collected by a link "{moment(at, now)}{by}{from}"."</p></div></div>
    }
    .into_any()
}

fn waiting(key: &KeyDetail, handover: &Handover, now: Timestamp) -> AnyView {
    let whom = match &handover.recipient {
        Some(name) => format!("It waits for {name} to collect its secret."),
        None => "It waits for somebody to collect its secret.".to_owned(),
    };
    let link = match handover.expires_at > now {
        true => view! { "The link ends "{moment(handover.expires_at, now)}"." }.into_any(),
        false => "The link has run out: make another.".into_any(),
    };
    let again = key.may_rotate.then(|| {
        let at = format!("{}/handover", key_address(&key.summary.id));
        view! { <div class="actions"><a class="button small" href=at>"New link…"</a></div> }
    });
    view! {
        <div class="notice info">
            <Icon name="link"/>
            <div><p>{whom}" "{link}</p></div>
            {again}
        </div>
    }
    .into_any()
}

#[component]
pub fn HandoverPage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let asked = ask(id, async |id| match id.parse::<KeyId>() {
        Ok(key) => get_handover_form(key).await.map(|form| (key, form)),
        Err(_) => Err(AppError::not_found()),
    });
    loaded(asked, move |(key, form)| draw(&key, &form, &state))
}

fn draw(key: &KeyId, form: &HandoverForm, state: &FormState) -> AnyView {
    if !form.is_pending {
        let detail = "The secret of this key exists already. Rotate the key to get another one.";
        return problem_section(AppError::new(crate::model::error::Code::Conflict, detail));
    }
    let address = key_address(key);
    let mut crumbs = list_crumb();
    crumbs.push((form.key_name.clone(), address.clone()));
    let action = format!("{address}/handover");
    view! {
        <PageHead title="New link" crumbs=crumbs lede="The link before stops working.".into_any()/>
        <form class="form" method="post" action=action novalidate>
            <FormErrors state=state.clone()/>
            {link_fields(state)}
            <div class="form-actions">
                <button class="button primary">"Make the link"</button>
                <a class="button quiet" href=address>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
