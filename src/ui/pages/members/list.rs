//! Settings › Members.

use leptos::prelude::*;

use super::{member_address, status_badge};
use crate::model::calendar::{counted, grouped};
use crate::model::member::{InvitationSummary, MemberList, MemberStatus, MemberSummary};
use crate::model::time::Timestamp;
use crate::rpc::members::list_members;
use crate::ui::components::{Column, Icon, PageHead, ask, flash, loaded, moment, never, table};

const COLUMNS: &[Column] = &[
    Column::Text("Name"),
    Column::Text("Role"),
    Column::Text("Two-factor"),
    Column::Number("Keys"),
    Column::Text("Last active"),
    Column::Text("Status"),
];

const INVITATION_COLUMNS: &[Column] = &[
    Column::Text("Address"),
    Column::Text("Role"),
    Column::Text("Invited by"),
    Column::Text("Sent"),
    Column::Text("Valid until"),
    Column::Unseen("Actions"),
];

#[component]
pub fn MemberListPage() -> impl IntoView {
    let members = ask(|| (), |()| list_members());
    view! {
        {flash()}
        {loaded(members, |list| draw(&list))}
    }
}

fn draw(list: &MemberList) -> AnyView {
    let active = list
        .members
        .iter()
        .filter(|member| member.status == MemberStatus::Active)
        .count();
    let without = list
        .members
        .iter()
        .filter(|member| member.status == MemberStatus::Active && member.factor_since.is_none())
        .count();
    let count = |n: usize, noun: &str| counted(i64::try_from(n).unwrap_or(i64::MAX), noun);
    let lede = match without {
        0 => format!("{}, all with two-factor", count(active, "active member")),
        n => format!("{} · {n} without two-factor", count(active, "active member")),
    };
    let invite = list.may_manage.then(|| {
        view! { <a class="button primary" href="/settings/members/invite"><Icon name="plus"/>"Invite"</a> }
    });
    let rows = list
        .members
        .iter()
        .map(|member| row(member, list.me.as_ref() == Some(&member.account_id), list.now))
        .collect_view();
    view! {
        <PageHead title="Members" lede=lede.into_any() actions=invite.into_any()/>
        {invitations(list)}
        {table("Members", COLUMNS, rows)}
    }
    .into_any()
}

fn row(member: &MemberSummary, is_me: bool, now: Timestamp) -> AnyView {
    let factor = match member.factor_since {
        _ if member.status == MemberStatus::Removed => ().into_any(),
        Some(_) => view! { <span class="badge ok">"On"</span> }.into_any(),
        None => view! { <span class="badge warn">"Off"</span> }.into_any(),
    };
    let you = is_me.then(|| view! { " "<span class="tag">"you"</span> });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=member_address(&member.account_id)>{member.name.clone()}</a>{you}
                <small>{member.email.clone()}</small>
            </th>
            <td data-label="Role">{member.role.label()}</td>
            <td data-label="Two-factor">{factor}</td>
            <td data-label="Keys" class="num">{grouped(member.keys_owned)}</td>
            <td data-label="Last active">{member.last_active_at.map_or_else(never, |at| moment(at, now))}</td>
            <td data-label="Status">{status_badge(member.status)}</td>
        </tr>
    }
    .into_any()
}

fn invitations(list: &MemberList) -> Option<AnyView> {
    if list.invitations.is_empty() {
        return None;
    }
    let rows = list
        .invitations
        .iter()
        .map(|invitation| invitation_row(invitation, list.may_manage, list.now))
        .collect_view();
    let section = view! {
        <section class="section">
            <h2>"Waiting for an answer"</h2>
            {table("Invitations", INVITATION_COLUMNS, rows)}
        </section>
    };
    Some(section.into_any())
}

fn invitation_row(invitation: &InvitationSummary, may_manage: bool, now: Timestamp) -> AnyView {
    let address = format!("/settings/invitations/{}", invitation.id);
    let over = invitation.expires_at <= now;
    let until = if over {
        view! { <span class="badge warn">"Run out"</span> }.into_any()
    } else {
        moment(invitation.expires_at, now)
    };
    let label = |verb: &str| format!("{verb} the invitation for {}", invitation.email);
    let actions = may_manage.then(|| {
        view! {
            <span class="button-row">
                <a class="button small" href=format!("{address}/resend") aria-label=label("Send again")>"Send again"</a>
                <a class="button small danger" href=format!("{address}/revoke") aria-label=label("Revoke")>"Revoke…"</a>
            </span>
        }
    });
    view! {
        <tr>
            <th scope="row">{invitation.email.clone()}</th>
            <td data-label="Role">{invitation.role.label()}</td>
            <td data-label="Invited by">{invitation.invited_by.clone()}</td>
            <td data-label="Sent">{moment(invitation.sent_at, now)}</td>
            <td data-label="Valid until">{until}</td>
            <td>{actions}</td>
        </tr>
    }
    .into_any()
}
