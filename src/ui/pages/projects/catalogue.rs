//! A project's scopes as rows of a form; empty rows are for new ones. Its resources as lines.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::project::CatalogueScope;
use crate::model::resource::{CatalogueResource, lines};
use crate::ui::form::{AreaField, error_id, field_class, field_error};

/// Empty rows at the end of the list.
const SPARE_ROWS: usize = 3;

/// What was typed, or else `initial`, and some room.
fn rows(state: &FormState, initial: &[CatalogueScope]) -> Vec<CatalogueScope> {
    let names = state.values.all("scope_name");
    let mut rows: Vec<CatalogueScope> = if names.is_empty() {
        initial.to_vec()
    } else {
        let marked = state.values.all("scope_sensitive");
        let descriptions = state.values.all("scope_description");
        names
            .iter()
            .enumerate()
            .map(|(index, name)| CatalogueScope {
                name: name.clone(),
                description: descriptions.get(index).cloned().unwrap_or_default(),
                sensitive: marked.iter().any(|mark| mark.parse() == Ok(index)),
            })
            .filter(|row| !row.name.is_empty() || !row.description.is_empty())
            .collect()
    };
    let empty = CatalogueScope {
        name: String::new(),
        description: String::new(),
        sensitive: false,
    };
    rows.extend(std::iter::repeat_n(empty, SPARE_ROWS));
    rows
}

/// The catalogue of a project form.
pub fn catalogue_field(state: &FormState, initial: &[CatalogueScope]) -> AnyView {
    let error = field_error(state, "scopes");
    let drawn = rows(state, initial).into_iter().enumerate().map(|(index, row)| {
        let number = index + 1;
        view! {
            <tr>
                <td data-label="Scope">
                    <input name="scope_name" class="mono" value=row.name maxlength="131" autocomplete="off" aria-label=format!("Scope {number}")/>
                </td>
                <td data-label="Description" class="wrap">
                    <input name="scope_description" value=row.description maxlength="200" autocomplete="off" aria-label=format!("Description of scope {number}")/>
                </td>
                <td data-label="Sensitive">
                    <label class="check">
                        <input type="checkbox" name="scope_sensitive" value=index.to_string() checked=row.sensitive/>
                        <span class="vh">{format!("Scope {number} is sensitive")}</span>
                    </label>
                </td>
            </tr>
        }
    });
    view! {
        <fieldset class=field_class(state, "scopes") id="scopes" aria-describedby=error_id(state, "scopes")>
            <legend>"Scopes"</legend>
            <p class="hint">"What keys of this project may be allowed to do, such as images:read. Mark as sensitive what does harm in the wrong hands. Empty rows are left out."</p>
            <div class="table-wrap">
                <table class="table">
                    <caption class="vh">"Scopes"</caption>
                    <thead>
                        <tr><th scope="col">"Scope"</th><th scope="col">"Description"</th><th scope="col">"Sensitive"</th></tr>
                    </thead>
                    <tbody>{drawn.collect_view()}</tbody>
                </table>
            </div>
            {error}
        </fieldset>
    }
    .into_any()
}

/// The resources of a project form.
pub fn resources_field(state: &FormState, initial: &[CatalogueResource]) -> AnyView {
    let field = AreaField {
        name: "resources",
        label: "Resources",
        hint: "What keys can be limited to, for example models: one a line, then a space and a description. Patterns of keys are explained by this list; it restricts nothing itself.",
        placeholder: "gpt-4.1 The large model",
    };
    field.draw(state, &lines(initial))
}
