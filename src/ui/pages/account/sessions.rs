//! Where one is signed in, and signing out there.

use leptos::prelude::*;

use super::tabs;
use crate::model::session::{SessionList, SessionSummary};
use crate::model::time::Timestamp;
use crate::rpc::sessions::my_sessions;
use crate::ui::components::{Column, PageHead, ask, flash, loaded, moment, table};

const COLUMNS: &[Column] = &[
    Column::Text("Device"),
    Column::Text("Address"),
    Column::Text("Signed in"),
    Column::Text("Last seen"),
    Column::Unseen("Actions"),
];

#[component]
pub fn SessionsPage() -> impl IntoView {
    let sessions = ask(|| (), |()| my_sessions());
    view! {
        {flash()}
        {loaded(sessions, |list| draw(&list))}
    }
}

fn draw(list: &SessionList) -> AnyView {
    let lede = "Every browser in which you are signed in right now. If you do not know one, sign it out and change your password.";
    let rows = list
        .sessions
        .iter()
        .map(|session| row(session, list.now))
        .collect_view();
    let others = list.sessions.iter().any(|session| !session.is_this);
    let end_others = others.then(|| {
        view! {
            <form method="post" action="/account/sessions/end-others">
                <button class="button danger">"Sign out all others"</button>
            </form>
        }
    });
    view! {
        <PageHead title="Sessions" root="Account" lede=lede.into_any()/>
        {tabs("/account/sessions")}
        {table("Your sessions", COLUMNS, rows)}
        {end_others}
    }
    .into_any()
}

fn row(session: &SessionSummary, now: Timestamp) -> AnyView {
    let state = match (session.is_this, session.is_half) {
        (true, _) => Some("This session"),
        (false, true) => Some("Waiting for the second factor"),
        (false, false) => None,
    };
    let state = state.map(|state| view! { <small>{state}</small> });
    let ip = session.ip.clone().map_or_else(
        || view! { <span class="muted">"Unknown"</span> }.into_any(),
        |ip| view! { <span class="mono">{ip}</span> }.into_any(),
    );
    let end = (!session.is_this).then(|| {
        let from = session.ip.as_deref().unwrap_or("an unknown address");
        let label = format!("Sign out {} at {from}", session.device);
        view! {
            <form method="post" action=format!("/account/sessions/{}/end", session.handle)>
                <button class="button small danger" aria-label=label>"Sign out"</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">{session.device.clone()}{state}</th>
            <td data-label="Address">{ip}</td>
            <td data-label="Signed in">{moment(session.signed_in_at, now)}</td>
            <td data-label="Last seen">{moment(session.last_seen_at, now)}</td>
            <td class="more">{end}</td>
        </tr>
    }
    .into_any()
}
