//! What a project declares of keys that somebody else made, as rows of a form.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::import_format::{Alphabet, DigestAlgorithm, FORMATS_MAX, ImportFormat};
use crate::ui::form::{error_id, field_class, field_error};

/// A row as it was typed or stored.
#[derive(Clone, Default)]
struct Row {
    prefix: String,
    alphabet: String,
    length: String,
    algorithm: String,
    removed: bool,
}

impl Row {
    fn of(format: &ImportFormat) -> Self {
        Self {
            prefix: format.prefix.clone(),
            alphabet: format.alphabet.as_str().to_owned(),
            length: format.length_text(),
            algorithm: format.algorithm.as_str().to_owned(),
            removed: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.prefix.is_empty() && self.length.is_empty()
    }
}

/// What was typed, or else what is declared, and room for one more.
fn rows(state: &FormState, declared: &[ImportFormat]) -> Vec<Row> {
    let mut rows: Vec<Row> = match state.values.has("formats") {
        false => declared.iter().map(Row::of).collect(),
        true => {
            let cell = |name: &str, at: usize| state.values.all(name).get(at).cloned().unwrap_or_default();
            let removed = state.values.all("format_remove");
            let row = |at: usize| Row {
                prefix: cell("format_prefix", at),
                alphabet: cell("format_alphabet", at),
                length: cell("format_length", at),
                algorithm: cell("format_algorithm", at),
                removed: removed.iter().any(|row| row.parse() == Ok(at)),
            };
            let typed = state.values.all("format_length").len();
            (0..typed).map(row).filter(|row| !row.is_empty()).collect()
        }
    };
    if rows.len() < FORMATS_MAX {
        rows.push(Row {
            alphabet: Alphabet::Base62.as_str().to_owned(),
            ..Row::default()
        });
    }
    rows
}

/// Closed while nothing is declared: most projects need none of it.
pub fn formats_field(state: &FormState, declared: &[ImportFormat]) -> AnyView {
    let open = !declared.is_empty() || state.error_of("formats").is_some();
    let value = match declared.len() {
        0 => "None".to_owned(),
        n => n.to_string(),
    };
    let lines = rows(state, declared)
        .into_iter()
        .enumerate()
        .map(|(index, row)| line(index, row));
    view! {
        <details class="fold" open=open>
            <summary>"Import formats"<span class="fold-value">{value}</span></summary>
            <div class="fold-body">
                <fieldset class=field_class(state, "formats") id="formats" aria-describedby=error_id(state, "formats")>
                    <legend>"What keys look like that you have issued elsewhere"</legend>
                    <p class="hint">
                        "Only text of such a form is looked up as an imported key. The length counts the characters after the prefix: a number such as 32, or a range such as 20-40, at least 16. An empty row is left out."
                    </p>
                    <input type="hidden" name="formats" value="1"/>
                    <div class="table-wrap">
                        <table class="table formats">
                            <caption class="vh">"Import formats"</caption>
                            <thead>
                                <tr>
                                    <th scope="col">"Prefix"</th><th scope="col">"Characters"</th><th scope="col">"Length"</th>
                                    <th scope="col">"Digest"</th><th scope="col">"Remove"</th>
                                </tr>
                            </thead>
                            <tbody>{lines.collect_view()}</tbody>
                        </table>
                    </div>
                    {field_error(state, "formats")}
                </fieldset>
                <p class="hint"><a href="/settings/api-keys/import">"Import keys"</a>" once a format is saved."</p>
            </div>
        </details>
    }
    .into_any()
}

fn line(index: usize, row: Row) -> AnyView {
    let number = index + 1;
    let option = |value: &'static str, label: &'static str, chosen: &str| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{label}</option> }
    };
    let alphabets = Alphabet::ALL
        .iter()
        .map(|one| option(one.as_str(), one.label(), &row.alphabet))
        .collect_view();
    let algorithms = DigestAlgorithm::ALL
        .iter()
        .map(|one| option(one.as_str(), one.label(), &row.algorithm))
        .collect_view();
    let spare = row.is_empty();
    let (prefix, length, removed) = (row.prefix, row.length, row.removed);
    let remove = (!spare).then(|| {
        view! {
            <label class="check">
                <input type="checkbox" name="format_remove" value=index.to_string() checked=removed/>
                <span class="vh">{format!("Remove format {number}")}</span>
            </label>
        }
    });
    view! {
        <tr>
            <td data-label="Prefix">
                <input name="format_prefix" class="mono" value=prefix maxlength="40" autocomplete="off" placeholder=spare.then_some("old_") aria-label=format!("Prefix of format {number}")/>
            </td>
            <td data-label="Characters">
                <select name="format_alphabet" aria-label=format!("Characters of format {number}")>{alphabets}</select>
            </td>
            <td data-label="Length">
                <input name="format_length" value=length size="6" maxlength="9" autocomplete="off" placeholder=spare.then_some("32") aria-label=format!("Length of format {number}")/>
            </td>
            <td data-label="Digest">
                <select name="format_algorithm" aria-label=format!("Digest of format {number}")>{algorithms}</select>
            </td>
            <td data-label=(!spare).then_some("Remove")>{remove}</td>
        </tr>
    }
    .into_any()
}
