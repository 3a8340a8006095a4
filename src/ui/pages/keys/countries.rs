//! The fields that limit a key to countries, and what is said where nothing can tell them.

use leptos::prelude::*;

use super::restrict::Offer;
use crate::model::country::COUNTRIES;
use crate::model::form::FormState;
use crate::model::key::KeyDetail;
use crate::model::restriction::Countries;
use crate::ui::components::Icon;
use crate::ui::form::{AreaField, typed};

/// Where there is no country database the fields are only drawn to show what is in them: nothing could be saved in them.
pub(super) fn country_fields(state: &FormState, offer: &Offer<'_>) -> AnyView {
    let stored = &offer.rules.countries;
    let is_typed = |name| !state.values.first(name).trim().is_empty();
    let is_empty = stored.is_empty() && !is_typed("country_allow") && !is_typed("country_deny");
    if !offer.country_database && is_empty {
        return view! {
            <p class="hint" id="country_allow">
                <b>"Countries."</b>" Keys can be limited to countries once this installation has a country database. "{how_to()}
            </p>
        }
        .into_any();
    }
    let allow = AreaField {
        name: "country_allow",
        label: "Allowed countries",
        hint: "Two letters each, such as DE or FR. Empty allows every one. An address of no known country, such as a private one, is refused.",
        placeholder: "DE",
    };
    let deny = AreaField {
        name: "country_deny",
        label: "Denied countries",
        hint: "An address of no known country passes. With any rule, a request that names no address is refused.",
        placeholder: "KP",
    };
    let (stored_allow, stored_deny) = (Countries::lines(&stored.allow), Countries::lines(&stored.deny));
    let said = |name: &str, stored: &str, verb: &str| {
        let names = Countries::names_in(&typed(state, name, stored))?;
        Some(view! { <ul class="explained"><li>{format!("{verb}: {names}.")}</li></ul> })
    };
    let missing = (!offer.country_database).then(|| {
        view! {
            <div class="notice warn"><Icon name="warn"/><div>
                <p>"This installation has no country database, so a key with this rule is refused. Empty both fields, or see to the database first. "{how_to()}</p>
            </div></div>
        }
    });
    view! {
        {missing}
        {allow.draw(state, &stored_allow)}
        {said("country_allow", &stored_allow, "Allowed")}
        {deny.draw(state, &stored_deny)}
        {said("country_deny", &stored_deny, "Denied")}
        {offer.country_database.then(codes)}
    }
    .into_any()
}

fn how_to() -> AnyView {
    view! {
        "Whoever runs it names the file in "<code>"KEYWRIGHT_COUNTRY_DATABASE"</code>
        ", as docs/operations.md tells under Countries."
    }
    .into_any()
}

/// The codes to choose from.
fn codes() -> AnyView {
    let lines = COUNTRIES
        .iter()
        .map(|(code, name)| view! { <li><code>{*code}</code>" "<small>{*name}</small></li> });
    view! {
        <details class="more-info">
            <summary>"Country codes"</summary>
            <ul class="names">{lines.collect_view()}</ul>
        </details>
    }
    .into_any()
}

/// That a rule of the key refuses everything, because nothing can tell countries.
pub(super) fn untold_notice(key: &KeyDetail) -> Option<AnyView> {
    if key.restrictions.countries.is_empty() || key.country_database {
        return None;
    }
    let way_out = key
        .may_manage
        .then_some(" Until then, take the countries out of its restrictions.");
    let notice = view! {
        <div class="notice danger">
            <Icon name="alert"/>
            <div><p><b>"Every request is refused."</b>" The key is limited to countries, and this installation has no country database to tell them by. "{how_to()}{way_out}</p></div>
        </div>
    };
    Some(notice.into_any())
}
