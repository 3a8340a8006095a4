//! What a key may do: the scopes of a project by groups, each taken by a preset or one by one. In the form that creates a
//! key and in the one that edits it.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::project::{CatalogueScope, Project};
use crate::model::scope_group::{GroupPreset, ScopeGroup, field_name, groups, initial_preset};
use crate::ui::form::{TextField, error_id, field_class, field_error};

/// What the fields begin with.
pub(super) struct Held<'a> {
    pub projects: &'a [Project],
    /// The project that is chosen.
    pub chosen: &'a str,
    /// Scopes that are held, or were ticked.
    pub scopes: &'a [String],
    /// Whether they were ticked in a form that was sent.
    pub sent: bool,
}

/// Every project's catalogue is in the page, so that choosing another project works without a script; with one, only
/// the chosen project's is shown.
pub(super) fn scopes_field(state: &FormState, held: &Held<'_>) -> AnyView {
    let lists = held
        .projects
        .iter()
        .map(|project| catalogue(project, state, held))
        .collect_view();
    let is_listed = |scope: &str| {
        let mut all = held.projects.iter().flat_map(|project| &project.scopes);
        all.any(|entry| entry.name == scope)
    };
    // Of a form that was sent these stand in their own field already.
    let others = held
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| !is_listed(scope));
    let others = others.collect::<Vec<_>>().join(" ");
    let other = TextField {
        name: "other_scopes",
        label: "Wildcards",
        hint: "For example images:* for everything below images, or * for everything; also what is sensitive or added later. Separate several by spaces.",
        optional: true,
        mono: true,
        max: 1_000,
        ..TextField::default()
    };
    view! {
        <div class=field_class(state, "scopes") id="scopes" role="group" aria-label="Scopes" aria-describedby=error_id(state, "scopes") tabindex="-1">
            {lists}
            {field_error(state, "scopes")}
        </div>
        {other.draw(state, &others)}
    }
    .into_any()
}

fn catalogue(project: &Project, state: &FormState, held: &Held<'_>) -> AnyView {
    let size = project.scopes.len();
    let is_chosen = project.id.as_str() == held.chosen;
    let drawn = groups(&project.scopes)
        .into_iter()
        .enumerate()
        .map(|(at, group)| {
            let field = field_name(&project.id, group.name);
            let sent = GroupPreset::parse(state.values.first(&field));
            let begin = initial_preset(&group, held.scopes, size);
            // What says nothing stays unsaid for projects that are not chosen: a form takes only so many fields.
            let begin = (is_chosen || begin != GroupPreset::None).then_some(begin);
            let preset = sent.or(if held.sent {
                Some(GroupPreset::Custom).filter(|_| is_chosen)
            } else {
                begin
            });
            let id = format!("{}-{at}", project.id);
            draw_group(&group, &field, &id, preset, held.scopes)
        });
    let legend = match held.projects.len() {
        1 => "Scopes".to_owned(),
        _ => format!("Scopes of {}", project.name),
    };
    let has_sensitive = project.scopes.iter().any(|scope| scope.sensitive);
    view! {
        <fieldset class="field" data-project=project.id.to_string()>
            <legend>{legend}</legend>
            <p class="hint">
                "Read takes what only looks; Write takes everything."
                {has_sensitive.then_some(" Neither takes sensitive scopes: choose Custom and tick those.")}
            </p>
            <div class="grants">{drawn.collect_view()}</div>
        </fieldset>
    }
    .into_any()
}

fn group_title(group: &ScopeGroup<'_>) -> AnyView {
    match (group.name, group.scopes.as_slice()) {
        ("", [only]) => view! { <span class="mono">{only.name.clone()}</span> }.into_any(),
        ("", _) => "Everything".into_any(),
        (name, _) => view! { <span class="mono">{name.to_owned()}</span> }.into_any(),
    }
}

/// What each preset would take, so that nothing is taken unseen.
fn taken_in_words(group: &ScopeGroup<'_>) -> String {
    let last = |names: Vec<&str>| {
        let parts = names.iter().map(|name| name.rsplit(':').next().unwrap_or(name));
        parts.collect::<Vec<_>>().join(", ")
    };
    let read = group.taken(GroupPreset::Read);
    let mut written = group.taken(GroupPreset::Write);
    written.retain(|name| !read.contains(name));
    let sensitive = group.sensitive();
    let read_is_empty = read.is_empty();
    let mut words = Vec::new();
    if !read_is_empty {
        words.push(format!("Read: {}.", last(read)));
    }
    if !written.is_empty() {
        let also = if read_is_empty { "" } else { " also" };
        words.push(format!("Write{also}: {}.", last(written)));
    }
    if !sensitive.is_empty() {
        words.push(format!("Sensitive, by Custom alone: {}.", last(sensitive)));
    }
    words.join(" ")
}

fn draw_group(
    group: &ScopeGroup<'_>,
    field: &str,
    id: &str,
    preset: Option<GroupPreset>,
    held: &[String],
) -> AnyView {
    let offered = GroupPreset::ALL
        .into_iter()
        .filter(|choice| group.offers(*choice));
    let radios = offered.map(|choice| {
        let checked = preset == Some(choice);
        view! {
            <label>
                <input type="radio" name=field.to_owned() value=choice.as_str() checked=checked/>
                <span>{choice.label()}</span>
            </label>
        }
    });
    let boxes = group
        .scopes
        .iter()
        .map(|scope| scope_box(scope, held.contains(&scope.name)));
    let (title_id, hint_id) = (format!("group-{id}"), format!("group-{id}-hint"));
    let (title, hint) = (title_id.clone(), hint_id.clone());
    view! {
        <div class="grant" role="group" aria-labelledby=title aria-describedby=hint>
            <div class="grant-head">
                <b id=title_id>{group_title(group)}</b>
                <div class="segments small">{radios.collect_view()}</div>
            </div>
            <p class="hint" id=hint_id>{taken_in_words(group)}</p>
            <div class="checks">{boxes.collect_view()}</div>
        </div>
    }
    .into_any()
}

fn scope_box(scope: &CatalogueScope, checked: bool) -> AnyView {
    view! {
        <label>
            <input type="checkbox" name="scopes" value=scope.name.clone() checked=checked/>
            <span>
                <b class="mono">{scope.name.clone()}</b>
                {scope.sensitive.then(|| view! { " "<span class="badge warn">"Sensitive"</span> })}
                <small>{scope.description.clone()}</small>
            </span>
        </label>
    }
    .into_any()
}
