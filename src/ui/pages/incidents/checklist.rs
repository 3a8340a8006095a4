//! The checklist: what is to be done, by whom, and what is done.

use leptos::prelude::*;

use super::address_of;
use crate::model::form::FormState;
use crate::model::incident::{ChecklistItem, ITEM_NOTE_MAX, IncidentPage, IncidentStatus, ItemKind};
use crate::model::time::Timestamp;
use crate::ui::components::{Icon, moment};
use crate::ui::form::{TextField, area_text, error_id, field_class, field_error, typed};

pub(super) fn card(page: &IncidentPage, state: &FormState) -> AnyView {
    let is_open = page.incident.status == IncidentStatus::Open;
    let done = page.checklist.iter().filter(|item| item.is_done()).count();
    let items = page
        .checklist
        .iter()
        .map(|item| row(item, page, state, is_open))
        .collect_view();
    let add = (is_open && page.may_manage).then(|| add_form(page, state));
    view! {
        <section class="card" aria-labelledby="checklist">
            <header class="card-head">
                <h2 id="checklist">"Checklist"</h2>
                <span class="muted">{format!("{done} of {} done", page.checklist.len())}</span>
            </header>
            <ol class="rows checklist">{items}</ol>
            {add}
        </section>
    }
    .into_any()
}

/// What became of an item, in words.
pub(super) fn standing(item: &ChecklistItem, now: Timestamp) -> AnyView {
    let owner = item
        .assignee
        .as_ref()
        .map(|member| view! { <span>{format!("For {}", member.name)}</span> });
    let done = item.done_at.zip(item.done_by.clone()).map(|(at, by)| {
        view! { <span>"Done "{moment(at, now)}" by "{by}</span> }
    });
    let fact = item.fact.map(|fact| view! { <span>{fact.in_words()}</span> });
    let note = (!item.note.is_empty()).then(|| view! { <p class="lines">{item.note.clone()}</p> });
    view! { <div class="meta states">{owner}{fact}{done}</div>{note} }.into_any()
}

fn row(item: &ChecklistItem, page: &IncidentPage, state: &FormState, is_open: bool) -> AnyView {
    let action = format!("{}/checklist", address_of(&page.incident.id));
    let number = item.number;
    let (class, icon, said) = match item.is_done() {
        true => ("item done", "ok", "Done: "),
        false => ("item", "clock", "To do: "),
    };
    let may = is_open && item.may_tick;
    let tick = (may && item.fact.is_none()).then(|| {
        let (act, label) = match item.done_at {
            Some(_) => ("undone", "Undo"),
            None => ("done", "Done"),
        };
        view! {
            <form method="post" action=action.clone()>
                <input type="hidden" name="item" value=number.to_string()/>
                <button class="button small" name="act" value=act aria-label=format!("{label}: {}", item.text)>{label}</button>
            </form>
        }
    });
    view! {
        <li class=class id=format!("item-{number}")>
            <Icon name=icon/>
            <div class="grow">
                <p><span class="vh">{said}</span><b>{item.text.clone()}</b></p>
                {standing(item, page.now)}
                {may.then(|| edit(item, page, state, action.clone()))}
            </div>
            {tick}
        </li>
    }
    .into_any()
}

/// Whom it is given to, and its note.
fn edit(item: &ChecklistItem, page: &IncidentPage, state: &FormState, action: String) -> AnyView {
    let is_refused = typed(state, "item", "") == item.number.to_string();
    let empty = FormState::default();
    let state = if is_refused { state } else { &empty };
    // The errors at the top of the page lead to this one.
    let id = |name: &str| match is_refused {
        true => name.to_owned(),
        false => format!("{name}-{}", item.number),
    };
    let assignee = page.may_manage.then(|| {
        let current = item.assignee.as_ref().map(|member| member.account_id);
        let chosen = typed(state, "assignee", &current.map(|id| id.to_string()).unwrap_or_default());
        let gone = item
            .assignee
            .clone()
            .filter(|member| !page.members.iter().any(|one| one.account_id == member.account_id));
        let options = page.members.iter().cloned().chain(gone).map(|member| {
            let value = member.account_id.to_string();
            let selected = value == chosen;
            view! { <option value=value selected=selected>{member.name}</option> }
        });
        view! {
            <div class=field_class(state, "assignee")>
                <label for=id("assignee")>"For"</label>
                <select id=id("assignee") name="assignee"><option value="">"Nobody in particular"</option>{options.collect_view()}</select>
                {field_error(state, "assignee")}
            </div>
        }
    });
    let remove = (page.may_manage && item.kind == ItemKind::Own).then(|| {
        view! { <button class="button small danger" name="act" value="remove">"Remove"</button> }
    });
    view! {
        <details class="more-info" open=is_refused>
            <summary>{if page.may_manage { "Assign or note" } else { "Note" }}<span class="vh">{format!(": {}", item.text)}</span></summary>
            <form class="stack" method="post" action=action>
                <input type="hidden" name="item" value=item.number.to_string()/>
                {assignee}
                <div class=field_class(state, "note")>
                    <label for=id("note")>"Note"</label>
                    <textarea id=id("note") name="note" rows="2" maxlength=ITEM_NOTE_MAX.to_string()
                        aria-invalid=error_id(state, "note").map(|_| "true") aria-describedby=error_id(state, "note")
                    >{area_text(&typed(state, "note", &item.note))}</textarea>
                    {field_error(state, "note")}
                </div>
                <div class="button-row">
                    <button class="button small" name="act" value="save">"Save"</button>
                    {remove}
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn add_form(page: &IncidentPage, state: &FormState) -> AnyView {
    let action = format!("{}/checklist", address_of(&page.incident.id));
    let text = TextField {
        name: "text",
        label: "Something else to do",
        max: 200,
        ..TextField::default()
    };
    view! {
        <form class="stack" method="post" action=action novalidate>
            {text.draw(state, "")}
            <div class="button-row"><button class="button small" name="act" value="add"><Icon name="plus"/>"Add"</button></div>
        </form>
    }
    .into_any()
}
