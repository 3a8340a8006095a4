//! One member: who they are here, and what can be done.

use leptos::prelude::*;

use super::{list_crumb, member_address, member_of_address, status_badge};
use crate::model::calendar::counted;
use crate::model::member::{MemberPage, MemberStatus};
use crate::ui::components::{Icon, PageHead, flash, loaded, moment, never};

#[component]
pub fn MemberDetailPage() -> impl IntoView {
    view! {
        {flash()}
        {loaded(member_of_address(), |page| draw(&page))}
    }
}

fn draw(page: &MemberPage) -> AnyView {
    let member = &page.member;
    let beside = status_badge(member.status);
    view! {
        <PageHead title=member.name.clone() crumbs=list_crumb() beside=beside lede=member.email.clone().into_any()/>
        {standing(page)}
        {facts(page)}
        {acts(page)}
    }
    .into_any()
}

/// What somebody should know before they act.
fn standing(page: &MemberPage) -> Option<AnyView> {
    let text = match page.member.status {
        _ if !page.member.is_account_active => {
            "This account was deleted. Keys it still owns are refused until somebody takes them over."
        }
        MemberStatus::Suspended => {
            "Suspended: nothing of this organisation opens for them, and keys they own are refused."
        }
        MemberStatus::Removed => {
            "Removed: they are no member any more. Keys they still own are refused until somebody takes them over."
        }
        MemberStatus::Active if page.is_last_owner => {
            "The only owner. Make somebody else an owner before this one leaves or changes role."
        }
        MemberStatus::Active => return None,
    };
    let notice = view! { <div class="notice info"><Icon name="info"/><div><p>{text}</p></div></div> };
    Some(notice.into_any())
}

fn facts(page: &MemberPage) -> AnyView {
    let (member, now) = (&page.member, page.now);
    let factor = match member.factor_since {
        Some(at) => {
            let codes = counted(member.recovery_codes_left, "recovery code");
            view! { "On since "{moment(at, now)}", "{codes}" left" }.into_any()
        }
        None => view! { "Off" }.into_any(),
    };
    let keys = match member.keys_owned {
        0 => "None".to_owned(),
        n => counted(n, "key"),
    };
    view! {
        <section class="section">
            <dl class="facts">
                <div><dt>"Role"</dt><dd>{member.role.label()}" · "{member.role.description()}</dd></div>
                <div><dt>"Two-factor"</dt><dd>{factor}</dd></div>
                <div><dt>"Keys owned"</dt><dd>{keys}</dd></div>
                <div><dt>"Joined"</dt><dd>{moment(member.joined_at, now)}</dd></div>
                <div><dt>"Last active"</dt><dd>{member.last_active_at.map_or_else(never, |at| moment(at, now))}</dd></div>
                <div><dt>"Account"</dt><dd><code class="mono">{member.account_id.to_string()}</code></dd></div>
            </dl>
        </section>
    }
    .into_any()
}

fn acts(page: &MemberPage) -> Option<AnyView> {
    let gone = !page.member.is_account_active && page.member.keys_owned == 0;
    if !page.may_manage || gone {
        return None;
    }
    let here = match page.member.status {
        MemberStatus::Removed => {
            let address = member_address(&page.member.account_id);
            let keys = (page.member.keys_owned > 0)
                .then(|| view! { <a class="button" href=format!("{address}/offboard?departure=remove")>"Decide about their keys…"</a> });
            view! { {keys}<a class="button" href="/settings/members/invite">"Invite again"</a> }.into_any()
        }
        status => membership_acts(page, status),
    };
    let sections = view! {
        <section class="section">
            <h2>"Membership"</h2>
            <div class="button-row">{here}</div>
        </section>
        {page.member.is_account_active.then(|| account_acts(page))}
    };
    Some(sections.into_any())
}

fn membership_acts(page: &MemberPage, status: MemberStatus) -> AnyView {
    let address = member_address(&page.member.account_id);
    let suspended = status == MemberStatus::Suspended;
    view! {
        <a class="button" href=format!("{address}/role")>"Change role…"</a>
        {suspended.then(|| view! { <a class="button" href=format!("{address}/resume")>"Resume…"</a> })}
        {(!suspended).then(|| view! { <a class="button" href=format!("{address}/offboard?departure=suspend")>"Suspend…"</a> })}
        <a class="button danger" href=format!("{address}/offboard?departure=remove")>"Remove…"</a>
    }
    .into_any()
}

fn account_acts(page: &MemberPage) -> AnyView {
    let address = member_address(&page.member.account_id);
    let body = match &page.account_acts_refused {
        Some(reason) => view! { <p class="muted">{reason.clone()}</p> }.into_any(),
        None => {
            let reset = page.member.factor_since.is_some().then(|| {
                view! { <a class="button" href=format!("{address}/reset-factors")>"Reset two-factor…"</a> }
            });
            let unlock = page
                .locked
                .then(|| view! { <a class="button" href=format!("{address}/unlock")>"Unlock…"</a> });
            view! {
                <div class="button-row">
                    {unlock}
                    <a class="button" href=format!("{address}/password-link")>"New password link…"</a>
                    {reset}
                    <a class="button" href=format!("{address}/sign-out")>"Sign out everywhere…"</a>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <section class="section">
            <h2>"Account"</h2>
            {body}
        </section>
    }
    .into_any()
}
