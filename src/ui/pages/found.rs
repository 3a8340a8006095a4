//! Somebody found a key: for whoever has no account, and no program to report it with.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::sign_in::gate;
use crate::model::form::FormState;
use crate::ui::components::Icon;
use crate::ui::form::{FormErrors, TextField, error_id, field_class, field_error, use_form_state};

#[component]
pub fn FoundPage() -> impl IntoView {
    let state = use_form_state();
    let done = use_query_map().get_untracked().get("done");
    match done.as_deref().and_then(told) {
        Some((is_ours, title, text)) => gate("Thank you", thanks(is_ours, title, text)).into_any(),
        None => gate("Found a key?", form(&state)).into_any(),
    }
}

/// What came of it: only words of ours, the address says which.
fn told(done: &str) -> Option<(bool, &'static str, &'static str)> {
    Some(match done {
        "revoked" => (
            true,
            "It was one of ours, and is revoked.",
            "Nobody can use it any more. Those who look after it see on its page that it was found in public.",
        ),
        "told" => (
            true,
            "It is one of ours.",
            "An incident is open for those who look after it, and they decide what becomes of it.",
        ),
        "replaced" => (
            true,
            "It was one of ours, and had been replaced.",
            "It opens nothing any more, and needs nothing else.",
        ),
        "over" => (
            true,
            "It was one of ours, and had been revoked before.",
            "Nobody can use it any more.",
        ),
        "unknown" => (
            false,
            "No key of ours was in that text.",
            "Look whether a part was cut off; a key is one word. If it belongs to another service, tell that one.",
        ),
        _ => return None,
    })
}

fn thanks(is_ours: bool, title: &'static str, text: &'static str) -> AnyView {
    let (class, icon) = match is_ours {
        true => ("notice ok", "ok"),
        false => ("notice info", "info"),
    };
    view! {
        <div class=class role="status"><Icon name=icon/><div><p><b>{title}</b></p><p>{text}</p></div></div>
        <a class="button quiet wide" href="/found">"Report another"</a>
    }
    .into_any()
}

const URL: TextField = TextField {
    name: "url",
    label: "Where was it?",
    hint: "An address, so that it can be taken down.",
    kind: "",
    autocomplete: "",
    initial: "",
    placeholder: "https://…",
    optional: true,
    mono: false,
    max: 2_000,
};

fn form(state: &FormState) -> AnyView {
    let described = match error_id(state, "text") {
        Some(error) => format!("text-hint {error}"),
        None => "text-hint".to_owned(),
    };
    view! {
        <p class="muted">"An API key in public, in code, a chat or a screenshot, opens what it was made for to everybody. Report it here and it is stopped, or an incident is opened for those who look after it."</p>
        <form class="form" method="post" action="/found" novalidate>
            <FormErrors state=state.clone()/>
            <div class=field_class(state, "text")>
                <label for="text">"The key"</label>
                <p class="hint" id="text-hint">"Whole, or the line it stands in. It is compared and not kept."</p>
                <textarea id="text" name="text" class="mono" rows="3" maxlength="20000" spellcheck="false" autocomplete="off"
                    required aria-invalid=error_id(state, "text").map(|_| "true") aria-describedby=described
                ></textarea>
                {field_error(state, "text")}
            </div>
            {URL.draw(state, "")}
            <button class="button primary wide">"Report it"</button>
        </form>
        <a class="button quiet wide" href="/sign-in">"Sign in"</a>
    }
    .into_any()
}
