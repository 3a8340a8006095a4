//! Editing a key: what it is called, what it may do, from where, for what and when.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::policy::asked;
use super::restrict::{Offer, restriction_fields};
use super::scopes::{Held, scopes_field};
use super::{key_address, list_crumb};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::KeyId;
use crate::model::key::{KeyDetail, KeyStatus};
use crate::model::key_page::KeyEditForm;
use crate::rpc::keys::get_key_edit_form;
use crate::ui::components::{NewExpiryField, PageHead, ask, loaded};
use crate::ui::form::{FormErrors, TextField, looked_at, use_form_state};
use crate::ui::pages::approvals::ask::ask_section;
use crate::ui::pages::problem::problem_section;

#[component]
pub fn EditKeyPage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let form = ask(id, async |id| match id.parse::<KeyId>() {
        Ok(id) => get_key_edit_form(id).await,
        Err(_) => Err(AppError::not_found()),
    });
    loaded(form, move |form| match form.key.may_manage {
        true => draw(&form, &state),
        false => problem_section(AppError::forbidden()),
    })
}

fn draw(form: &KeyEditForm, state: &FormState) -> AnyView {
    let key = &form.key;
    let address = key_address(&key.summary.id);
    let mut crumbs = list_crumb();
    crumbs.push((key.summary.name.clone(), address.clone()));
    if key.status == KeyStatus::Revoked {
        return view! {
            <PageHead title="Edit key" crumbs=crumbs/>
            <p>"A revoked key is a record and cannot be edited."</p>
        }
        .into_any();
    }
    let sent = state.values.has("name");
    let scopes: Vec<String> = match sent {
        true => state.values.all("scopes").to_vec(),
        false => key.summary.scopes.iter().map(ToString::to_string).collect(),
    };
    let held = Held {
        projects: std::slice::from_ref(&form.project),
        chosen: form.project.id.as_str(),
        scopes: &scopes,
        sent,
    };
    let offer = Offer {
        rules: &key.restrictions,
        zones: &form.zones,
        country_database: key.country_database,
        my_address: form.my_address.as_deref(),
        seen: &form.seen,
        now: form.now,
        project: Some(&form.project),
        first_day: true,
    };
    let save_at = format!("{address}/edit");
    view! {
        <PageHead title="Edit key" crumbs=crumbs/>
        <form class="form" method="post" action=save_at novalidate>
            <FormErrors state=state.clone()/>
            <input type="hidden" name="access" value="1"/>
            {looked_at(state, "looked_at", &form.looked_at)}
            <section class="form-section">
                <h2>"Name and purpose"</h2>
                {called(key, form.policy.rotation_days, state)}
            </section>
            <section class="form-section">
                <h2>"What it may do"</h2>
                {scopes_field(state, &held)}
            </section>
            {restriction_fields(state, &offer)}
            <section class="form-section">
                <h2>"How long"</h2>
                <NewExpiryField state=state.clone() now=form.now expires_at=key.summary.expires_at/>
            </section>
            {asked(vec![("Policy", &form.policy, form.plan.as_ref())])}
            {ask_section(state, false)}
            <div class="form-actions">
                <button class="button primary">"Save"</button>
                <a class="button quiet" href=address>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

fn called(key: &KeyDetail, policy_days: u32, state: &FormState) -> AnyView {
    let name = TextField {
        name: "name",
        label: "Name",
        ..TextField::default()
    };
    let purpose = TextField {
        name: "purpose",
        label: "Purpose",
        optional: true,
        max: 1_000,
        ..TextField::default()
    };
    let rotation = TextField {
        name: "rotation_days",
        label: "Days between rotations",
        hint: "Empty follows the policy, whose days stand in the field. A key may say fewer.",
        optional: true,
        max: 4,
        ..TextField::default()
    };
    let own_days = key.rotation_days.map(|days| days.to_string()).unwrap_or_default();
    view! {
        {name.draw(state, &key.summary.name)}
        {purpose.draw(state, &key.purpose)}
        <div class="short">{rotation.draw_with(state, &own_days, &policy_days.to_string())}</div>
    }
    .into_any()
}
