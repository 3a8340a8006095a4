//! The parts that run in the browser too. Each adds comfort to markup that works without it: the page is drawn whole
//! on the server, and only these are loaded as WebAssembly.
//!
//! 2026-11: hydrating everything cost 509 kB (brotli) with 16 pages, past the budget of 300 kB for a first view; it
//! also put every resource into the HTML. Islands cost what they do and carry what they are given.

use leptos::prelude::*;

use crate::model::error::AppError;
use crate::model::id::{KeyId, ProjectId};
use crate::model::key::Lifetime;
use crate::model::key_text::redacted;
use crate::model::password::{ContextWords, Weakness, weaknesses};
use crate::model::project::ProjectStatus;
use crate::model::scope_group::{group_of, words};
use crate::model::time::Timestamp;
use crate::rpc::keys::{DisableKey, EnableKey};
use crate::rpc::projects::SetProjectStatus;
use crate::ui::target::{
    before_submit, follow_form, follow_input, reload, rewrite_input, show_only, show_password,
    submit_on_choice,
};

/// The form that keys, and service tokens, are created with.
pub const CREATE_FORM: &str = "create";
/// The form above a list.
pub const FILTER_FORM: &str = "filters";
/// The search box of that form.
pub const SEARCH_BOX: &str = "q";

fn first<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value)
}

/// In words what a choice of lifetime means today.
#[must_use]
pub fn lifetime_in_words(choice: &str, date: &str, now: Timestamp) -> String {
    match Lifetime::parse(choice, date, now) {
        Ok(lifetime) => match lifetime.expires_at(now) {
            // The end is exclusive; people mean the last day.
            Some(end) => format!("Valid until {}.", end.last_day_in_words()),
            None => "Valid until somebody revokes it. What never expires is often forgotten.".to_owned(),
        },
        Err(error) => error.message,
    }
}

/// The resulting date, following the choice in the create form.
#[island]
pub fn LifetimeWords(now: Timestamp, initial: String) -> impl IntoView {
    let words = RwSignal::new(initial);
    Effect::new(move || {
        follow_form(CREATE_FORM, move |fields| {
            words.set(lifetime_in_words(
                first(&fields, "expiry"),
                first(&fields, "expiry_date"),
                now,
            ));
        });
    });
    view! { <p class="hint" aria-live="polite">{words}</p> }
}

/// What a create form would let its key do.
#[must_use]
pub fn powers_in_words(fields: &[(String, String)]) -> String {
    let own = format!("grant:{}:", first(fields, "project"));
    let granted = |group: &str| {
        let mut all = fields.iter();
        let found = all.find(|(key, _)| key.strip_prefix(own.as_str()) == Some(group));
        found.map(|(_, preset)| preset.as_str())
    };
    let mut all: Vec<String> = Vec::new();
    for (key, value) in fields {
        let about = |verb: &str| match key.strip_prefix(own.as_str()) {
            Some("") => verb.to_owned(),
            group => format!("{verb} {}", group.unwrap_or_default()),
        };
        match value.as_str() {
            "read" if key.starts_with(&own) => all.push(about("read")),
            "write" if key.starts_with(&own) => all.push(about("read and write")),
            // Under a preset ticks do not count.
            scope if key == "scopes" && granted(group_of(scope)).is_none_or(|preset| preset == "custom") => {
                all.push(scope.to_owned());
            }
            _ => {}
        }
    }
    all.extend(words(first(fields, "other_scopes")).map(str::to_owned));
    match all.is_empty() {
        true => "may do nothing yet".to_owned(),
        false => format!("may {}", all.join(", ")),
    }
}

/// What the create form would make, as a sentence; also shows only the chosen project's scopes.
#[island]
pub fn CreateSummary(now: Timestamp, projects: Vec<(ProjectId, String)>) -> impl IntoView {
    let fields = RwSignal::new(Vec::<(String, String)>::new());
    Effect::new(move || {
        follow_form(CREATE_FORM, move |now_typed| {
            show_only("data-project", first(&now_typed, "project"));
            fields.set(now_typed);
        });
    });
    let name = move || {
        let name = first(&fields.read(), "name").trim().to_owned();
        if name.is_empty() {
            "This key".to_owned()
        } else {
            name
        }
    };
    let scopes = move || powers_in_words(&fields.read());
    let place = move || {
        let fields = fields.read();
        let project = projects
            .iter()
            .find(|(id, _)| id.as_str() == first(&fields, "project"))
            .map_or("", |(_, name)| name);
        format!("{} of {project}", first(&fields, "environment"))
    };
    let until = move || {
        lifetime_in_words(
            first(&fields.read(), "expiry"),
            first(&fields.read(), "expiry_date"),
            now,
        )
    };
    let deed = move || match first(&fields.read(), "environment") {
        "live" => "Create live key",
        "test" => "Create test key",
        _ => "Create key",
    };
    view! {
        <p class="js-only"><b>{name}</b>" "{scopes}" on "<b>{place}</b>". "{until}</p>
        <p class="muted">"The secret is shown once, on the next page."</p>
        <button class="button primary wide" form=CREATE_FORM>{deed}</button>
    }
}

/// Chooses at once, and takes a pasted key out of the search before it travels.
#[island]
pub fn FilterComfort() -> impl IntoView {
    Effect::new(|| {
        submit_on_choice(FILTER_FORM);
        before_submit(FILTER_FORM, || {
            rewrite_input(SEARCH_BOX, |typed| redacted(typed.trim()).into_owned())
        });
    });
}

/// Shows and hides what is typed in the password box of this id.
#[island]
pub fn PasswordToggle(input: String) -> impl IntoView {
    let shown = RwSignal::new(false);
    let box_id = input.clone();
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
        show_password(&box_id, shown.get_untracked());
    };
    view! {
        <button type="button" class="button js-only" aria-controls=input aria-pressed=move || shown.get().to_string() on:click=toggle>
            {move || if shown.get() { "Hide" } else { "Show" }}
        </button>
    }
}

/// In words how far a new password has come: its length, then what is weak about it.
#[must_use]
pub fn password_in_words(typed: &str, min_length: u32, context: &ContextWords) -> String {
    let length = typed.chars().count();
    let why = weaknesses(typed, context).first().map(Weakness::sentence);
    match (length, why) {
        (0, _) => String::new(),
        (1.., why) if length < min_length as usize => {
            let so_far = format!("{length} of at least {min_length} characters.");
            why.map_or(so_far.clone(), |why| format!("{so_far} {why}"))
        }
        (_, Some(why)) => format!("Long enough. {why}"),
        (_, None) => "Long enough.".to_owned(),
    }
}

/// How long the new password in this box is so far, and why it is weak.
#[island]
pub fn PasswordMeter(input: String, min_length: u32, context: ContextWords) -> impl IntoView {
    let words = RwSignal::new(String::new());
    Effect::new(move || {
        let context = context.clone();
        follow_input(&input, move |typed| {
            words.set(password_in_words(typed, min_length, &context))
        });
    });
    view! { <p class="hint meter" aria-live="polite">{words}</p> }
}

/// What a server function refused, beside its button.
fn refusal(error: Option<AppError>) -> Option<impl IntoView> {
    error.map(|error| view! { <p class="error" role="alert">{error.detail}</p> })
}

/// Disables or enables a key.
#[island]
pub fn KeySwitch(key_id: KeyId, enabled: bool) -> impl IntoView {
    let (disable, enable) = (
        ServerAction::<DisableKey>::new(),
        ServerAction::<EnableKey>::new(),
    );
    Effect::new(move || {
        if matches!(
            disable.value().get().or_else(|| enable.value().get()),
            Some(Ok(()))
        ) {
            reload();
        }
    });
    let error = move || {
        refusal(
            disable
                .value()
                .get()
                .or_else(|| enable.value().get())
                .and_then(Result::err),
        )
    };
    let id = key_id.to_string();
    let form = if enabled {
        view! {
            <ActionForm action=disable>
                <input type="hidden" name="key_id" value=id/>
                <button class="button" aria-busy=move || disable.pending().get().then_some("true")>"Disable"</button>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <ActionForm action=enable>
                <input type="hidden" name="key_id" value=id/>
                <button class="button primary" aria-busy=move || enable.pending().get().then_some("true")>"Enable"</button>
            </ActionForm>
        }
        .into_any()
    };
    view! { {form}{error} }
}

/// Archives or restores a project.
#[island]
pub fn ProjectSwitch(project_id: ProjectId, status: ProjectStatus) -> impl IntoView {
    let set_status = ServerAction::<SetProjectStatus>::new();
    Effect::new(move || {
        if matches!(set_status.value().get(), Some(Ok(()))) {
            reload();
        }
    });
    let (to, label) = match status {
        ProjectStatus::Active => (ProjectStatus::Archived, "Archive project"),
        ProjectStatus::Archived => (ProjectStatus::Active, "Restore project"),
    };
    view! {
        <ActionForm action=set_status>
            <input type="hidden" name="project_id" value=project_id.to_string()/>
            <input type="hidden" name="status" value=to.as_str()/>
            <button class="button danger" aria-busy=move || set_status.pending().get().then_some("true")>{label}</button>
        </ActionForm>
        {move || refusal(set_status.value().get().and_then(Result::err))}
    }
}
