//! One request: what it would do, why, what was said about it, and the decision.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{HERE, address_of, state_badge, title_of};
use crate::model::approval::{
    ApprovalComment, ApprovalKind, ApprovalPage, ApprovalState, ApprovalSummary, Difference,
};
use crate::model::error::AppError;
use crate::model::form::FormState;
use crate::model::id::ApprovalId;
use crate::model::text::NOTE_MAX;
use crate::model::time::Timestamp;
use crate::rpc::approvals::get_approval;
use crate::ui::components::{Column, EnvironmentTag, Icon, PageHead, ask, flash, loaded, moment, table};
use crate::ui::form::{FormErrors, prose_field, use_form_state};
use crate::ui::pages::keys::key_address;

#[component]
pub fn ApprovalDetailPage() -> impl IntoView {
    let state = use_form_state();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let page = ask(id, async |id| match id.parse::<ApprovalId>() {
        Ok(id) => get_approval(id).await,
        Err(_) => Err(AppError::not_found()),
    });
    view! {
        {flash()}
        {loaded(page, move |page| draw(&page, &state))}
    }
}

fn draw(page: &ApprovalPage, state: &FormState) -> AnyView {
    let approval = &page.approval;
    let beside = view! { {state_badge(approval.state)}<EnvironmentTag environment=approval.environment/> };
    let lede = view! {
        "Asked for by "{approval.requested_by_name.clone()}" "{moment(approval.requested_at, page.now)}" · "{approval.project_name.clone()}
    };
    let crumbs = vec![("Approvals".to_owned(), HERE.to_owned())];
    view! {
        <PageHead title=title_of(approval) crumbs=crumbs beside=beside.into_any() lede=lede.into_any()/>
        <FormErrors state=state.clone()/>
        {standing(page)}
        {obstacles(&page.obstacles)}
        <div class="main-aside">
            <div>
                {proposal(page)}
                {talk(page, state)}
            </div>
            <div>{facts(approval, page.now)}</div>
        </div>
    }
    .into_any()
}

/// What became of it, and what is left to do.
fn standing(page: &ApprovalPage) -> Option<AnyView> {
    let (approval, now) = (&page.approval, page.now);
    let address = address_of(&approval.id);
    let key = approval.key_id.as_ref().map(|id| {
        view! { <a class="button small" href=key_address(id)>"Go to the key"</a> }
    });
    let again = page.again.clone().map(|form| {
        view! { <a class="button small" href=form>"Ask again…"</a> }
    });
    let notice = |class: &'static str, icon: &'static str, body: AnyView| {
        view! { <div class=class role="status"><Icon name=icon/><div>{body}</div><div class="actions">{again}{key}</div></div> }.into_any()
    };
    if page.turn.may_collect {
        let hand_over = approval.key_id.filter(|_| page.turn.may_hand_over).map(|id| {
            let at = format!("{}/handover", key_address(&id));
            view! { <a class="button small" href=at>"Hand it over by a link…"</a> }
        });
        return Some(
            view! {
                <div class="notice ok" role="status">
                    <Icon name="key"/>
                    <div><p><b>"Approved."</b>" The secret is made when you collect it, and shown once. Have the place ready where it is to be stored."</p></div>
                    <form class="actions" method="post" action=format!("{address}/collect")>
                        {hand_over}
                        <button class="button small primary">"Collect the secret"</button>
                    </form>
                </div>
            }
            .into_any(),
        );
    }
    let by = approval.decided_by_name.clone().unwrap_or_default();
    let at = approval.decided_at.map(|at| moment(at, now));
    Some(match (approval.state, approval.kind) {
        (ApprovalState::Waiting, _) if page.turn.may_decide => return None,
        (ApprovalState::Waiting, _) => {
            let body = view! { <p>"It waits for an admin or owner to decide, and lapses "{moment(approval.lapses_at, now)}"."</p> };
            notice("notice info", "clock", body.into_any())
        }
        (ApprovalState::Approved, ApprovalKind::Create) => {
            let collected = match approval.collected_at {
                Some(at) => view! { "The secret was collected "{moment(at, now)}"." }.into_any(),
                None => {
                    format!("{} has not collected the secret yet.", approval.requested_by_name).into_any()
                }
            };
            let body = view! { <p><b>"Approved"</b>" by "{by}" "{at}". "{collected}</p> };
            notice("notice ok", "ok", body.into_any())
        }
        (ApprovalState::Approved, ApprovalKind::Edit) => {
            let body = view! { <p><b>"Approved"</b>" by "{by}" "{at}". The change holds since then."</p> };
            notice("notice ok", "ok", body.into_any())
        }
        (ApprovalState::Declined, _) => {
            let body = view! { <p><b>"Declined"</b>" by "{by}" "{at}". Nothing was changed."</p> };
            notice("notice danger", "no", body.into_any())
        }
        (ApprovalState::Withdrawn, _) => {
            let body = view! { <p><b>"Withdrawn"</b>" by "{by}" "{at}". Nothing was changed."</p> };
            notice("notice info", "info", body.into_any())
        }
        (ApprovalState::Lapsed, _) => {
            let body = view! { <p><b>"Lapsed"</b>" "{moment(approval.lapses_at, now)}": nobody decided it in time. Ask again if it is still needed."</p> };
            notice("notice info", "clock", body.into_any())
        }
    })
}

fn obstacles(all: &[String]) -> Option<AnyView> {
    let lines = all.iter().map(|why| view! { <li>{why.clone()}</li> });
    (!all.is_empty()).then(|| {
        view! {
            <div class="notice warn" role="status">
                <Icon name="warn"/>
                <div><h2>"It cannot be done as it was asked for"</h2><ul>{lines.collect_view()}</ul></div>
            </div>
        }
        .into_any()
    })
}

const CHANGES: &[Column] = &[
    Column::Text("What"),
    Column::Text("Taken away"),
    Column::Text("Added"),
];

fn proposal(page: &ApprovalPage) -> AnyView {
    let (made, changed) = match page.approval.state {
        ApprovalState::Approved => ("What was approved", "What was changed"),
        _ => ("What it would make", "What it would change"),
    };
    let changed = match page.approval.kind {
        ApprovalKind::Create => "Its restrictions, one by one",
        ApprovalKind::Edit => changed,
    };
    let said = (!page.told.said.is_empty()).then(|| {
        let lines = page
            .told
            .said
            .iter()
            .map(|line| view! { <li>{line.clone()}</li> });
        view! { <h2>{made}</h2><ul class="rows">{lines.collect_view()}</ul> }
    });
    let rows = page.told.differences.iter().map(difference).collect_view();
    let changes = (!page.told.differences.is_empty())
        .then(|| view! { <h2>{changed}</h2>{table(changed, CHANGES, rows)} });
    view! {
        <section class="card">
            <h2>"Why it is needed"</h2>
            <p class="lines">{page.justification.clone()}</p>
            {said}
            {changes}
        </section>
    }
    .into_any()
}

fn difference(one: &Difference) -> AnyView {
    let list = |lines: &[String], none: &'static str| match lines.is_empty() {
        true => view! { <span class="muted">{none}</span> }.into_any(),
        false => {
            let lines = lines.iter().map(|line| view! { <li>{line.clone()}</li> });
            view! { <ul class="plain">{lines.collect_view()}</ul> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row">{one.what.clone()}</th>
            <td data-label="Taken away">{list(&one.without, "Nothing")}</td>
            <td data-label="Added">{list(&one.with, "Nothing")}</td>
        </tr>
    }
    .into_any()
}

fn facts(approval: &ApprovalSummary, now: Timestamp) -> AnyView {
    let reasons = approval
        .reasons
        .iter()
        .map(|reason| view! { <li>{reason.label()}</li> });
    let lapses = (approval.state == ApprovalState::Waiting)
        .then(|| view! { <div><dt>"Lapses"</dt><dd>{moment(approval.lapses_at, now)}</dd></div> });
    view! {
        <section class="card">
            <header class="card-head"><h2>"Facts"</h2></header>
            <dl class="facts">
                <div><dt>"Asked for by"</dt><dd>{approval.requested_by_name.clone()}</dd></div>
                <div><dt>"Asked"</dt><dd>{moment(approval.requested_at, now)}</dd></div>
                <div><dt>"Why approval"</dt><dd><ul class="plain">{reasons.collect_view()}</ul></dd></div>
                {lapses}
            </dl>
        </section>
    }
    .into_any()
}

fn comment(one: &ApprovalComment, now: Timestamp) -> AnyView {
    view! {
        <li>
            <p class="muted"><b>{one.by.clone()}</b>" "{moment(one.at, now)}</p>
            <p class="lines">{one.text.clone()}</p>
        </li>
    }
    .into_any()
}

/// What was said, and the form that says more, decides, or takes the request back.
fn talk(page: &ApprovalPage, state: &FormState) -> Option<AnyView> {
    if page.comments.is_empty() && !page.turn.may_comment {
        return None;
    }
    let comments = page
        .comments
        .iter()
        .map(|one| comment(one, page.now))
        .collect_view();
    let list = (!page.comments.is_empty()).then(|| view! { <ol class="talk">{comments}</ol> });
    let address = address_of(&page.approval.id);
    let form = page.turn.may_comment.then(|| {
        let hint = match page.turn.may_decide {
            true => "Needed to decline; whoever asked reads it.",
            false => "Whoever decides reads it.",
        };
        let approve = match page.approval.kind {
            ApprovalKind::Create => "Approve the key",
            ApprovalKind::Edit => "Approve the change",
        };
        let decide = page.turn.may_decide.then(|| {
            view! {
                <button class="button primary" name="step" value="approve">{approve}</button>
                <button class="button danger" name="step" value="decline">"Decline"</button>
            }
        });
        view! {
            <form class="form" method="post" action=address.clone() novalidate>
                <input type="hidden" name="seen" value=page.seen.clone()/>
                {prose_field(state, ("comment", "Comment"), hint, "", NOTE_MAX)}
                <div class="form-actions">
                    {decide}
                    <button class="button" name="step" value="comment">"Comment only"</button>
                </div>
            </form>
        }
    });
    let withdraw = page.turn.may_withdraw.then(|| {
        view! {
            <form method="post" action=format!("{address}/withdraw")>
                <button class="button danger">"Withdraw the request"</button>
            </form>
        }
    });
    let title = if page.turn.may_decide {
        "Decision"
    } else {
        "Comments"
    };
    Some(
        view! {
            <section class="card">
                <header class="card-head"><h2>{title}</h2></header>
                {list}
                {form}
                {withdraw}
            </section>
        }
        .into_any(),
    )
}
