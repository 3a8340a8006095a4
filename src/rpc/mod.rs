//! The browser's public API: every server function, one file per noun. Each is a door: it asks who calls, calls one
//! use case, and maps the error. All are POST, at an address of their own that survives releases.

pub mod account;
pub mod approvals;
pub mod audit;
pub mod doors;
pub mod incidents;
pub mod instance;
pub mod keys;
pub mod mail;
pub mod members;
pub mod policy;
pub mod projects;
pub mod reviews;
pub mod security;
pub mod sessions;
pub mod templates;
pub mod tokens;

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::model::error::{AppError, Code};

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What goes wrong below us, on the way: told without the other error's text.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::new(
                Code::Unavailable,
                "The server could not be reached. Check the connection and try again.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::new(
                Code::MalformedBody,
                "The request could not be read. Reload the page and try again.",
            ),
            ServerFnErrorErr::Deserialization(_) => Self::new(
                Code::Conflict,
                "Keywright was updated while this page was open. Reload the page.",
            ),
            _ => Self::internal(),
        }
    }
}
