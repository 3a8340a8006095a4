//! Small things that several pages draw.

mod badge;
mod expiry;
mod page_head;
mod pager;
mod password;
mod resource;
mod snippets;
mod table;
mod time;
mod title;

pub use badge::{EnvironmentTag, key_badge, token_badge};
pub use expiry::{ExpiryField, NewExpiryField, first_offer};
pub use page_head::{Crumb, PageHead, flash};
pub use pager::Pager;
pub use password::PasswordField;
pub use resource::{Loaded, ask, loaded, loaded_or};
pub use snippets::snippet_list;
pub use table::{Column, table};
pub use time::{expiry, moment, never};
pub use title::PageTitle;

use leptos::prelude::*;

/// A picture from the sprite, always beside text.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#i-{name}")></use>
        </svg>
    }
}
