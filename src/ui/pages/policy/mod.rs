//! Settings › Policy.

mod approvals;
pub mod edit;
pub mod overview;

use leptos::prelude::*;

use crate::model::key::Environment;
use crate::ui::components::Crumb;

const HERE: &str = "/settings/policy";

fn crumb() -> Vec<Crumb> {
    vec![("Policy".to_owned(), HERE.to_owned())]
}

const fn title_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "Live keys",
        Environment::Test => "Test keys",
    }
}

/// Rules as a list.
pub fn words(lines: Vec<String>) -> AnyView {
    let items = lines.into_iter().map(|line| view! { <li>{line}</li> });
    view! { <ul class="words">{items.collect_view()}</ul> }.into_any()
}
