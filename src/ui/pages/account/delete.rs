//! Deleting one's account: exactly what happens, then the address typed.

use leptos::prelude::*;

use super::account_crumb;
use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::profile::{Departure, LeftOrganisation};
use crate::model::time::Timestamp;
use crate::rpc::account::my_departure;
use crate::ui::components::{Column, EnvironmentTag, Icon, PageHead, ask, loaded, moment, never, table};
use crate::ui::form::{FormErrors, TextField, use_form_state};

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Organisation"),
    Column::Text("Environment"),
    Column::Text("Last used"),
];

#[component]
pub fn DeletePage() -> impl IntoView {
    let state = use_form_state();
    let departure = ask(|| (), |()| my_departure());
    loaded(departure, move |departure| draw(&departure, &state))
}

fn draw(departure: &Departure, state: &FormState) -> AnyView {
    let body = if departure.is_possible() {
        form(departure, state)
    } else {
        impossible(departure)
    };
    view! {
        <PageHead title="Delete your account" root="Account" crumbs=account_crumb()/>
        {consequences(departure)}
        {keys(departure)}
        {body}
    }
    .into_any()
}

fn consequences(departure: &Departure) -> AnyView {
    let organisations = departure.organisations.iter().map(|org| org.name.as_str());
    let organisations = organisations.collect::<Vec<_>>().join(", ");
    let leaving =
        (!organisations.is_empty()).then(|| view! { <li>{format!("You leave {organisations}.")}</li> });
    view! {
        <section class="section">
            <h2>"What happens"</h2>
            <ul class="bullets">
                <li>"You are signed out everywhere, and nobody can sign in with this account again."</li>
                {leaving}
                <li>"Keys you own are refused from the next request on, as OWNER_INACTIVE, until somebody takes them over. They are not deleted."</li>
                <li>"Service tokens you created belong to their organisation and go on."</li>
                <li>"Your name, address, password, second factor and notices are erased. The audit log keeps what was done, under the account’s id."</li>
            </ul>
            <p>"This cannot be undone."</p>
        </section>
    }
    .into_any()
}

fn keys(departure: &Departure) -> AnyView {
    if departure.keys_in_all == 0 {
        return view! { <p class="muted">"You own no keys."</p> }.into_any();
    }
    let now = departure.now;
    let used = |at: Option<Timestamp>| at.map_or_else(never, |at| moment(at, now));
    let rows = departure
        .keys
        .iter()
        .map(|key| {
            view! {
                <tr>
                    <th scope="row"><a class="row-link" href=format!("/settings/api-keys/{}", key.id)>{key.name.clone()}</a></th>
                    <td data-label="Organisation">{key.organisation.clone()}</td>
                    <td data-label="Environment"><EnvironmentTag environment=key.environment/></td>
                    <td data-label="Last used">{used(key.last_used_at)}</td>
                </tr>
            }
        })
        .collect_view();
    let shown = i64::try_from(departure.keys.len()).unwrap_or(i64::MAX);
    let more = (departure.keys_in_all > shown).then(|| {
        let text = format!("and {} more", departure.keys_in_all - shown);
        view! { <p class="muted">{text}</p> }
    });
    view! {
        <section class="section">
            <h2>{format!("{} will be refused", counted(departure.keys_in_all, "key"))}</h2>
            {whom_to_ask(&departure.organisations)}
            {table("Keys you own", COLUMNS, rows)}
            {more}
        </section>
    }
    .into_any()
}

fn whom_to_ask(organisations: &[LeftOrganisation]) -> AnyView {
    let lines = organisations.iter().filter(|org| !org.ask.is_empty()).map(|org| {
        let text = format!("In {}, ask {} to take them over.", org.name, org.ask.join(" or "));
        view! { <p>{text}</p> }
    });
    lines.collect_view().into_any()
}

fn impossible(departure: &Departure) -> AnyView {
    let alone = departure
        .organisations
        .iter()
        .filter(|org| org.is_last_owner)
        .map(|org| {
            let text = format!(
                "You are the last owner of {}. Make somebody else an owner first, under Settings › Members.",
                org.name
            );
            view! { <p>{text}</p> }
        });
    let admin = departure.is_last_administrator.then(|| {
        view! { <p>"You are the last administrator of this installation. Somebody has to be; whoever runs it can help."</p> }
    });
    view! {
        <div class="notice warn">
            <Icon name="alert"/>
            <div>
                <h2>"The account cannot be deleted yet"</h2>
                {alone.collect_view()}
                {admin}
            </div>
        </div>
    }
    .into_any()
}

fn form(departure: &Departure, state: &FormState) -> AnyView {
    let email = TextField {
        name: "email",
        label: "Your e-mail address",
        kind: "email",
        autocomplete: "off",
        max: 254,
        ..TextField::default()
    };
    view! {
        <section class="confirm">
            <h2>{format!("Delete the account of {}?", departure.email)}</h2>
            <p>"Type the address to confirm."</p>
            <form class="form" method="post" action="/account/delete" novalidate>
                <FormErrors state=state.clone()/>
                {email.draw(state, "")}
                <div class="form-actions">
                    <button class="button primary danger">"Delete the account"</button>
                    <a class="button quiet" href="/account">"Cancel"</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}
