//! The table of a list, named for screen readers; narrow, each row becomes a card.

use leptos::prelude::*;

/// A column's head.
#[derive(Clone, Copy)]
pub enum Column {
    Text(&'static str),
    /// Numbers, aligned at the end.
    Number(&'static str),
    /// Named for screen readers alone: buttons say themselves what they are.
    Unseen(&'static str),
    /// Ticks by which rows are chosen.
    Pick,
}

impl Column {
    fn draw(self) -> AnyView {
        match self {
            Self::Text(label) => view! { <th scope="col">{label}</th> }.into_any(),
            Self::Number(label) => view! { <th scope="col" class="num">{label}</th> }.into_any(),
            Self::Pick => {
                view! { <th scope="col" class="pick"><span class="vh">"Choose"</span></th> }.into_any()
            }
            Self::Unseen(label) => view! { <th scope="col"><span class="vh">{label}</span></th> }.into_any(),
        }
    }
}

/// `rows` are `<tr>`s; their cells name their column in `data-label`.
pub fn table(caption: &'static str, columns: &'static [Column], rows: impl IntoView + 'static) -> AnyView {
    let heads = columns.iter().map(|column| column.draw()).collect_view();
    view! {
        <div class="table-wrap">
            <table class="table">
                <caption class="vh">{caption}</caption>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
