//! Importing keys from a file: the one form that carries one. It is checked when it comes and waits for its sender's yes,
//! which is a form like others.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;

use super::{Submitted, see_other};
use crate::model::error::{AppError, Code, FieldError};
use crate::model::form::{FormState, FormValues};
use crate::model::import::{FILE_MAX_BYTES, ImportSummary};
use crate::server::domain::keys::import::{self, Sent};
use crate::server::domain::keys::issue;
use crate::server::http::answer;
use crate::server::http::leptos::form_again;
use crate::server::http::state::AppState;

pub const PAGE: &str = "/settings/api-keys/import";
/// What a form writes around its file.
const ENVELOPE_MAX_BYTES: usize = 16 * 1_024;
const BODY_MAX_BYTES: usize = FILE_MAX_BYTES + ENVELOPE_MAX_BYTES;
/// A browser that is cut off while it sends shows no answer: so much more is read and thrown away.
const DISCARDED_MAX_BYTES: usize = 64 * 1_024 * 1_024;
const BODY_TIME_MAX: Duration = Duration::from_secs(45);

#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media_type.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("multipart/form-data")
    })
}

/// `POST /settings/api-keys/import`
pub async fn import(State(state): State<AppState>, request: Request) -> Response {
    if is_multipart(request.headers()) {
        return receive(&state, request).await;
    }
    match Submitted::from_request(request, &state).await {
        Ok(form) => confirm(&state, form).await,
        Err(response) => response,
    }
}

/// What arrived of a form with a file.
#[derive(Default)]
struct Upload {
    project: String,
    file_name: String,
    bytes: Bytes,
}

async fn receive(state: &AppState, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = Submitted {
        parts,
        values: FormValues::default(),
    };
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(state, error).await,
    };
    let actor = &signed_in.actor;
    // Whoever may not is told that before anything of theirs is read.
    if let Err(denied) = issue::require_creator(actor) {
        return form.refused(state, Some(actor), "keys.import", denied).await;
    }
    let body = match tokio::time::timeout(BODY_TIME_MAX, read(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return broken(state, &form.parts, error).await,
        Err(_) => {
            let late = AppError::new(Code::MalformedBody, "The file did not arrive within 45 seconds.");
            return broken(state, &form.parts, late).await;
        }
    };
    let upload = match unpack(state, &form.parts, body).await {
        Ok(upload) => upload,
        Err(error) => return broken(state, &form.parts, error).await,
    };
    let project = upload.project.parse().ok();
    let sent = Sent {
        project: project.as_ref(),
        file_name: &upload.file_name,
        bytes: &upload.bytes,
    };
    match import::receive(&state.ctx, actor, &sent).await {
        Ok((_, Some(id))) => see_other(&format!("{PAGE}?upload={id}")),
        Ok((summary, None)) => wrong_rows(state, &form.parts, &summary, &upload).await,
        Err(error) => {
            let values = FormValues::from_pairs([("project".to_owned(), upload.project)]);
            let form = Submitted { values, ..form };
            form.refused(state, Some(actor), "keys.import", error).await
        }
    }
}

/// Reads the body within its limit; what is beyond is read to its end and not kept.
async fn read(mut body: Body) -> Result<Bytes, AppError> {
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| AppError::new(Code::MalformedBody, "The file broke off."))?;
        let Ok(bytes) = frame.into_data() else { continue };
        seen += bytes.len();
        if seen <= BODY_MAX_BYTES {
            kept.extend_from_slice(&bytes);
        } else if seen > DISCARDED_MAX_BYTES {
            break;
        }
    }
    match seen > BODY_MAX_BYTES {
        true => Err(too_large()),
        false => Ok(kept.into()),
    }
}

fn too_large() -> AppError {
    let field = import::too_large();
    AppError {
        fields: vec![field.clone()],
        ..AppError::new(Code::TooLarge, field.message)
    }
}

async fn unpack(state: &AppState, parts: &Parts, body: Bytes) -> Result<Upload, AppError> {
    let unreadable = || AppError::new(Code::MalformedBody, "The form could not be read. Send it again.");
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = parts.headers.clone();
    *request.extensions_mut() = parts.extensions.clone();
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| unreadable())?;
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.map_err(|_| unreadable())? {
        match field.name() {
            Some("project") => upload.project = field.text().await.map_err(|_| unreadable())?,
            Some("file") => {
                upload.file_name = field.file_name().unwrap_or_default().to_owned();
                upload.bytes = field.bytes().await.map_err(|_| unreadable())?;
            }
            // As long as the body is: nothing is kept of it.
            _ => {}
        }
    }
    match upload.bytes.len() > FILE_MAX_BYTES {
        true => Err(too_large()),
        false => Ok(upload),
    }
}

/// The form again with what was wrong with the sending, or for programs the problem.
async fn broken(state: &AppState, parts: &Parts, error: AppError) -> Response {
    let html = answer::wants_html(&parts.uri, &parts.headers);
    if !html || error.fields.is_empty() {
        return answer::render(state, html, &error);
    }
    let status = error.status();
    form_again(
        state,
        parts,
        FormState::refused(FormValues::default(), error),
        status,
    )
    .await
}

/// The form again with what is wrong in the file, row by row.
async fn wrong_rows(state: &AppState, parts: &Parts, summary: &ImportSummary, upload: &Upload) -> Response {
    let of = match summary.rows {
        0 => String::new(),
        rows => format!(" of {rows}"),
    };
    let message = match summary.bad {
        1 => format!("1 row{of} is wrong, so nothing was imported. Mend it and send the file again."),
        bad => {
            format!("{bad} rows{of} are wrong, so nothing was imported. Mend them and send the file again.")
        }
    };
    let mut pairs = vec![
        ("project".to_owned(), upload.project.clone()),
        ("rows_wrong".to_owned(), summary.mistakes_in_all.to_string()),
    ];
    for mistake in &summary.mistakes {
        pairs.push(("row_line".to_owned(), mistake.line.to_string()));
        pairs.push(("row_column".to_owned(), mistake.column.clone()));
        pairs.push(("row_message".to_owned(), mistake.message.clone()));
    }
    let error = AppError::from(FieldError::new("file", "rows", message));
    if !answer::wants_html(&parts.uri, &parts.headers) {
        let told = summary.mistakes.iter().map(|mistake| {
            let field = format!("line {} {}", mistake.line, mistake.column);
            FieldError::new(field.trim(), "row", mistake.message.clone())
        });
        let fields = error.fields.iter().cloned().chain(told).collect();
        return answer::problem(&AppError { fields, ..error });
    }
    let state_of_form = FormState::refused(FormValues::from_pairs(pairs), error);
    form_again(
        state,
        parts,
        state_of_form,
        StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
    )
    .await
}

/// The yes to a file that was checked before.
async fn confirm(state: &AppState, form: Submitted) -> Response {
    let signed_in = match form.signed_in() {
        Ok(signed_in) => signed_in,
        Err(error) => return form.again(state, error).await,
    };
    let id = form.values.first("upload");
    match import::import_upload(&state.ctx, &signed_in.actor, id).await {
        Ok(summary) if summary.is_fine() => see_other("/settings/api-keys?done=imported"),
        Ok(summary) => wrong_rows(state, &form.parts, &summary, &Upload::default()).await,
        Err(error) => {
            form.refused(state, Some(&signed_in.actor), "keys.import", error)
                .await
        }
    }
}
