//! Service tokens: list, create, revoke.

pub mod list;
pub mod new;
pub mod revoke;

fn list_crumb() -> Vec<(String, String)> {
    vec![("Service tokens".to_owned(), "/settings/service-tokens".to_owned())]
}
