//! A box for a password: a button that shows what is typed, and for a new one a meter. Both appear once they work.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::password::ContextWords;
use crate::ui::form::field_error;
use crate::ui::islands::{PasswordMeter, PasswordToggle};

/// What a new password is measured by.
#[derive(Clone, Debug)]
pub struct Measure {
    pub min_length: u32,
    pub context: ContextWords,
}

/// How a password's box is drawn.
#[derive(Clone, Debug, Default)]
pub struct PasswordField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    /// `current-password` or `new-password`.
    pub autocomplete: &'static str,
    /// Of a new one.
    pub measure: Option<Measure>,
}

impl PasswordField {
    /// A new password under a name, at least so long.
    #[must_use]
    pub fn new(name: &'static str, label: &'static str, min_length: u32, context: ContextWords) -> Self {
        Self {
            name,
            label,
            hint: if min_length < 15 {
                "At least 12 characters. Four or five unrelated words do well."
            } else {
                "At least 15 characters. Four or five unrelated words do well."
            },
            autocomplete: "new-password",
            measure: Some(Measure { min_length, context }),
        }
    }

    #[must_use]
    pub fn draw(self, state: &FormState) -> AnyView {
        let error = field_error(state, self.name);
        self.draw_with(error)
    }

    pub(in crate::ui) fn draw_with(self, error: Option<AnyView>) -> AnyView {
        let name = self.name;
        let invalid = error.is_some();
        let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
        let described: Vec<String> = [(!self.hint.is_empty(), hint_id.clone()), (invalid, error_id)]
            .into_iter()
            .filter_map(|(there, id)| there.then_some(id))
            .collect();
        let meter = self.measure.map(|measure| {
            view! { <PasswordMeter input=name.to_owned() min_length=measure.min_length context=measure.context/> }
        });
        view! {
            <div class=if invalid { "field invalid" } else { "field" }>
                <label for=name>{self.label}</label>
                {(!self.hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{self.hint}</p> })}
                <div class="input-group">
                    <input
                        id=name
                        name=name
                        type="password"
                        autocomplete=self.autocomplete
                        aria-invalid=invalid.then_some("true")
                        aria-describedby=(!described.is_empty()).then(|| described.join(" "))
                    />
                    <PasswordToggle input=name.to_owned()/>
                </div>
                {meter}
                {error}
            </div>
        }
        .into_any()
    }
}
