//! The one form pattern: a plain form, posted to the page's own address; refused, it is drawn again with what was
//! typed and each error beside its field.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::components::Icon;
use crate::model::form::FormState;

/// What the server said about the form that was just submitted, if any. Call it at the top of a page.
#[must_use]
pub fn use_form_state() -> FormState {
    use_context::<FormState>().unwrap_or_default()
}

/// What was typed, or else `initial`.
#[must_use]
pub fn typed(state: &FormState, name: &str, initial: &str) -> String {
    if state.values.has(name) {
        state.values.first(name).to_owned()
    } else {
        initial.to_owned()
    }
}

/// The mark of what was looked at, as a hidden field. A form that is drawn again keeps the one it was opened with; after it was
/// refused for just that, it has the present one: whoever sends it again does so on purpose.
#[must_use]
pub fn looked_at(state: &FormState, name: &'static str, present: &str) -> AnyView {
    let mark = match state.is_stale {
        true => present.to_owned(),
        false => typed(state, name, present),
    };
    view! { <input type="hidden" name=name value=mark/> }.into_any()
}

/// What was typed, or else what the address says under the same name.
#[must_use]
pub fn typed_or_asked(state: &FormState, name: &str) -> String {
    let asked = use_query_map().get_untracked().get(name);
    typed(state, name, &asked.unwrap_or_default())
}

/// All that is wrong with the form, at its top, each error leading to its field.
#[component]
pub fn FormErrors(state: FormState) -> impl IntoView {
    let count = state.errors.len();
    if state.confirmed {
        return view! {
            <div class="notice ok" role="status" tabindex="-1" id="errors">
                <Icon name="ok"/>
                <div><p>"Confirmed: it is you. Nothing is changed yet: look once more and send the form."</p></div>
            </div>
        }
        .into_any();
    }
    if state.needs_approval {
        return view! {
            <div class="notice warn" role="alert" tabindex="-1" id="errors">
                <Icon name="approve"/>
                <div>
                    <h2>"A second person has to approve this"</h2>
                    <p>{state.notice}" Nothing is done yet: "<a href="#justification">"say why it is needed"</a>", and ask for it."</p>
                </div>
            </div>
        }
        .into_any();
    }
    let title = match (count, state.notice) {
        (0, None) => return ().into_any(),
        (0, Some(notice)) => notice,
        (1, _) => "One thing needs your attention".to_owned(),
        (n, _) => format!("{n} things need your attention"),
    };
    let links = state.errors.into_iter().map(|error| {
        view! { <li><a href=format!("#{}", error.field)>{error.message}</a></li> }
    });
    let list = (count > 0).then(|| view! { <ul>{links.collect_view()}</ul> });
    view! {
        <div class="notice danger" role="alert" tabindex="-1" id="errors">
            <Icon name="alert"/>
            <div>
                <h2>{title}</h2>
                {list}
            </div>
        </div>
    }
    .into_any()
}

/// The error of one field, named so that the field can point to it.
#[must_use]
pub fn field_error(state: &FormState, name: &str) -> Option<AnyView> {
    let message = state.error_of(name)?.to_owned();
    let id = format!("{name}-error");
    let error = view! {
        <p class="error" id=id>
            <Icon name="alert"/>
            <span>{message}</span>
        </p>
    };
    Some(error.into_any())
}

/// The class of a field's container.
#[must_use]
pub fn field_class(state: &FormState, name: &str) -> &'static str {
    if state.error_of(name).is_some() {
        "field invalid"
    } else {
        "field"
    }
}

/// The id of a field's error, for `aria-describedby`, while there is one.
#[must_use]
pub fn error_id(state: &FormState, name: &str) -> Option<String> {
    state.error_of(name).map(|_| format!("{name}-error"))
}

/// How a text field is drawn.
#[derive(Clone, Copy, Default)]
pub struct TextField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub kind: &'static str,
    pub autocomplete: &'static str,
    pub initial: &'static str,
    pub placeholder: &'static str,
    pub optional: bool,
    pub mono: bool,
    /// Most characters the field takes; the server says the same.
    pub max: u32,
}

impl TextField {
    /// Draws the field with what was typed, or `initial`.
    #[must_use]
    pub fn draw(self, state: &FormState, initial: &str) -> AnyView {
        self.draw_with(state, initial, self.placeholder)
    }

    /// The same with words in the empty field that are known only now.
    #[must_use]
    pub fn draw_with(self, state: &FormState, initial: &str, placeholder: &str) -> AnyView {
        self.drawn(state, initial, placeholder, self.hint)
    }

    /// The same with a hint that is known only now.
    #[must_use]
    pub fn draw_hinted(self, state: &FormState, initial: &str, hint: &str) -> AnyView {
        self.drawn(state, initial, self.placeholder, hint)
    }

    fn drawn(self, state: &FormState, initial: &str, placeholder: &str, hint: &str) -> AnyView {
        let Self {
            name,
            label,
            kind,
            autocomplete,
            optional,
            mono,
            max,
            ..
        } = self;
        let initial = if initial.is_empty() { self.initial } else { initial };
        // A password is never sent back.
        let value = if kind == "password" {
            String::new()
        } else {
            typed(state, name, initial)
        };
        let error = field_error(state, name);
        let invalid = error.is_some();
        let hint_id = format!("{name}-hint");
        let described = match (hint.is_empty(), invalid) {
            (true, false) => None,
            (false, false) => Some(hint_id.clone()),
            (true, true) => Some(format!("{name}-error")),
            (false, true) => Some(format!("{hint_id} {name}-error")),
        };
        let max = if max == 0 { 200 } else { max };
        view! {
            <div class=if invalid { "field invalid" } else { "field" }>
                <label for=name>{label}{optional.then(|| view! { " "<span class="optional">"optional"</span> })}</label>
                {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint.to_owned()}</p> })}
                <input
                    id=name
                    name=name
                    type=if kind.is_empty() { "text" } else { kind }
                    class=mono.then_some("mono")
                    value=value
                    placeholder=(!placeholder.is_empty()).then(|| placeholder.to_owned())
                    autocomplete=if autocomplete.is_empty() { "off" } else { autocomplete }
                    maxlength=max.to_string()
                    required=!optional
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=described
                />
                {error}
            </div>
        }
        .into_any()
    }
}

/// Text between the tags of a text area. Leptos writes it there as it is, so that `</textarea>` in what somebody typed
/// would end the field and the rest would be markup.
#[must_use]
pub fn area_text(typed: &str) -> String {
    // A browser drops the first line break: one more keeps what was typed.
    let begin = if typed.starts_with('\n') { "\n" } else { "" };
    format!(
        "{begin}{}",
        typed
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    )
}

/// How a field of several lines is drawn.
#[derive(Clone, Copy, Default)]
pub struct AreaField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub placeholder: &'static str,
}

impl AreaField {
    /// Draws the field with what was typed, or `initial`; never needed.
    #[must_use]
    pub fn draw(self, state: &FormState, initial: &str) -> AnyView {
        let Self {
            name,
            label,
            hint,
            placeholder,
        } = self;
        let hint_id = format!("{name}-hint");
        let described = match error_id(state, name) {
            Some(error) => format!("{hint_id} {error}"),
            None => hint_id.clone(),
        };
        view! {
            <div class=field_class(state, name)>
                <label for=name>{label}" "<span class="optional">"optional"</span></label>
                <p class="hint" id=hint_id>{hint}</p>
                <textarea id=name name=name class="mono" rows="3" spellcheck="false" placeholder=placeholder
                    aria-invalid=error_id(state, name).map(|_| "true") aria-describedby=described
                >{area_text(&typed(state, name, initial))}</textarea>
                {field_error(state, name)}
            </div>
        }
        .into_any()
    }
}

/// A field of several lines of prose: name and label, hint, and the most characters it takes.
#[must_use]
pub fn prose_field(
    state: &FormState,
    (name, label): (&'static str, &'static str),
    hint: &'static str,
    initial: &str,
    max: usize,
) -> AnyView {
    let hint_id = format!("{name}-hint");
    let described = match error_id(state, name) {
        Some(error) => format!("{hint_id} {error}"),
        None => hint_id.clone(),
    };
    view! {
        <div class=field_class(state, name)>
            <label for=name>{label}</label>
            <p class="hint" id=hint_id>{hint}</p>
            <textarea id=name name=name rows="3" maxlength=max.to_string()
                aria-invalid=error_id(state, name).map(|_| "true") aria-describedby=described
            >{area_text(&typed(state, name, initial))}</textarea>
            {field_error(state, name)}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_never_ends_its_text_area() {
        assert_eq!(
            area_text("a</textarea><b>&lt;"),
            "a&lt;/textarea&gt;&lt;b&gt;&amp;lt;"
        );
        assert_eq!(area_text("\nb"), "\n\nb");
    }
}
