//! `GET /settings/api-keys/export.csv` and `.jsonl`: the keys that the list's filter matches, as a file, as they are read.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::answer;
use super::middleware::session::RequestSession;
use super::state::AppState;
use crate::model::actor::Denied;
use crate::model::error::{AppError, Code};
use crate::model::key::KeyFilter;
use crate::model::request_id::RequestId;
use crate::server::domain::keys::export::{self, Export, Exported};
use crate::server::domain::{DomainError, audit};

pub const CSV: &str = "/settings/api-keys/export.csv";
pub const JSON_LINES: &str = "/settings/api-keys/export.jsonl";

pub async fn csv(State(state): State<AppState>, request: Request) -> Response {
    file(
        &state,
        request,
        "csv",
        "text/csv; charset=utf-8",
        export::heading(),
        Exported::csv,
    )
    .await
}

pub async fn json_lines(State(state): State<AppState>, request: Request) -> Response {
    let line = |key: &Exported| format!("{}\n", key.json());
    file(
        &state,
        request,
        "jsonl",
        "application/x-ndjson",
        String::new(),
        line,
    )
    .await
}

async fn file(
    state: &AppState,
    request: Request,
    ending: &str,
    media_type: &'static str,
    heading: String,
    line: fn(&Exported) -> String,
) -> Response {
    let (parts, _) = request.into_parts();
    let begun = match begin(state, &parts).await {
        Ok(begun) => begun,
        Err(error) => {
            let id = parts.extensions.get::<RequestId>().copied().unwrap_or_default();
            let html = answer::wants_html(&parts.uri, &parts.headers);
            return answer::render(state, html, &error.with_request_id(id.as_str()));
        }
    };
    let first = (!heading.is_empty()).then_some(heading);
    let text = stream::try_unfold((begun, first), move |(mut export, first)| async move {
        if let Some(heading) = first {
            return Ok(Some((heading, (export, None))));
        }
        let keys = export.next().await?;
        let lines: String = keys.iter().map(line).collect();
        Ok::<_, DomainError>((!lines.is_empty()).then_some((lines, (export, None))))
    });
    let day = state.ctx.clock.now().iso_date();
    let disposition = format!("attachment; filename=\"keywright-keys-{day}.{ending}\"");
    let mut response = Body::from_stream(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

async fn begin(state: &AppState, parts: &Parts) -> Result<Export, AppError> {
    let session = parts.extensions.get::<RequestSession>();
    let signed_in = session.and_then(|session| session.signed_in.as_ref());
    let actor = &signed_in.ok_or(Denied::Unauthenticated)?.actor;
    let query = parts.uri.query().unwrap_or_default();
    let asked: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let text = |name: &str| {
        let own = asked.iter().find(|(own, _)| own == name);
        own.map_or_else(String::new, |(_, value)| value.clone())
    };
    match export::begin(&state.ctx, actor, KeyFilter::asked(text)).await {
        Ok(export) => Ok(export),
        Err(error) => {
            let error = AppError::from(error);
            if error.code == Code::Forbidden {
                audit::record_denial(&state.ctx, actor, "keys.export").await;
            }
            Err(error)
        }
    }
}
