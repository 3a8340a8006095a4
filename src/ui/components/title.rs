//! The document's title.

use leptos::prelude::*;
use leptos_meta::Title;

/// leptos_meta 0.8 writes a title into the document as it is, so a name with markup in it would become markup: it is
/// escaped here, and nothing else uses `leptos_meta::Title`.
#[component]
pub fn PageTitle(#[prop(into)] text: String) -> impl IntoView {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    view! { <Title text=format!("{text} · Keywright")/> }
}
