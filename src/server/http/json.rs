//! Bodies of `/v1`: one JSON object or list, strictly.

use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::model::error::{AppError, Code};

/// Reads the object. What is wrong with it is told by its place alone: serde's message may quote a value, and the value may
/// be a key.
pub fn object<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, AppError> {
    read(headers, body, (b'{', "an object"))
}

/// The same for a list.
pub fn list<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<Vec<T>, AppError> {
    read(headers, body, (b'[', "a list"))
}

fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    (opening, what): (u8, &str),
) -> Result<T, AppError> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    {
        return Err(AppError::new(
            Code::UnsupportedMediaType,
            "Send JSON, with Content-Type: application/json.",
        ));
    }
    // A list would be read as the fields in their order, which nobody means.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&opening) {
        return Err(AppError::new(
            Code::MalformedBody,
            format!("The body is not valid JSON, or not {what}."),
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => {
                "The body has an unknown field, lacks one, or one has the wrong type"
            }
            _ => "The body is not valid JSON",
        };
        AppError::new(
            Code::MalformedBody,
            format!("{what} (line {}, column {}).", error.line(), error.column()),
        )
    })
}
