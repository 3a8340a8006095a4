//! Projects: list, create, edit, archive.

pub mod catalogue;
pub mod detail;
mod formats;
pub mod list;
pub mod new;

fn list_crumb() -> Vec<(String, String)> {
    vec![("Projects".to_owned(), "/settings/projects".to_owned())]
}
