//! Snippets for where a key goes next, folded: one kind is open at a time, without a script.

use leptos::prelude::*;

use crate::model::key::Environment;
use crate::model::snippet::{Snippet, snippets};

/// Every snippet for keys of this project. `copies` where the page has the script that copies.
#[must_use]
pub fn snippet_list(slug: &str, environment: Environment, copies: bool) -> AnyView {
    let all = snippets(slug, environment);
    let drawn = all.into_iter().map(|snippet| draw(snippet, copies));
    view! { <div class="snippets">{drawn.collect_view()}</div> }.into_any()
}

fn draw(snippet: Snippet, copies: bool) -> AnyView {
    let kind = snippet.id;
    let title = snippet.title;
    let parts = snippet.parts.into_iter().enumerate().map(|(at, part)| {
        let id = format!("snippet-{kind}-{at}");
        let button = copies.then(|| {
            let label = format!("Copy {title}, {}", at + 1);
            view! { <button type="button" class="button small js-only" data-copy=id.clone() aria-label=label>"Copy"</button> }
        });
        view! {
            <p class="muted">{part.about}</p>
            <div class="snippet">
                <pre tabindex="0"><code id=id.clone()>{part.text}</code></pre>
                {button}
            </div>
        }
    });
    view! {
        <details class="fold" name="snippets">
            <summary>{title}</summary>
            <div class="fold-body">{parts.collect_view()}</div>
        </details>
    }
    .into_any()
}
