//! Templates of keys: list, create, edit, delete.

pub mod delete;
pub mod form;
pub mod list;

/// The breadcrumb back to the list.
fn list_crumb() -> Vec<(String, String)> {
    vec![("Templates".to_owned(), "/settings/templates".to_owned())]
}
