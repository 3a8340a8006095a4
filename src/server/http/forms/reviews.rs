//! Access reviews: start, decide, finish, cancel, export.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{Submitted, id_of, see_other};
use crate::model::error::FieldError;
use crate::model::form::FormValues;
use crate::model::id::{KeyId, ReviewId};
use crate::model::key::KeyFilter;
use crate::model::review::Decision;
use crate::server::domain::DomainError;
use crate::server::domain::reviews::{self, Choice, Format, ReviewDraft};
use crate::server::http::state::AppState;

pub const PAGE: &str = "/settings/reviews";

/// What a key was decided as, as its radio buttons say it.
const UNDECIDED: &str = "undecided";

fn review_page(id: &ReviewId) -> String {
    format!("{PAGE}/{id}")
}

/// Revoked keys are reviewed no more.
fn filter_of(values: &FormValues) -> KeyFilter {
    KeyFilter {
        with_revoked: false,
        ..KeyFilter::of_fields(|name| values.first(name).to_owned())
    }
}

/// `POST /settings/reviews/new`
pub async fn start(State(state): State<AppState>, form: Submitted) -> Response {
    form.act(&state, "reviews.start", async |signed_in, values| {
        let draft = ReviewDraft {
            name: values.first("name"),
            filter: filter_of(values),
            assignment: values.first("assignment"),
            reviewers: values.all("reviewers").iter().map(String::as_str).collect(),
            deadline: values.first("deadline"),
            on_undecided: values.first("on_undecided"),
        };
        let id = reviews::start(&state.ctx, &signed_in.actor, &draft).await?;
        Ok(see_other(&format!("{}?done=review-started", review_page(&id))))
    })
    .await
}

/// The choices of a page: `decision.<key>`, `note.<key>`, and `seen.<key>` as it was when the page was drawn.
fn choices_of(values: &FormValues) -> Result<Vec<Choice<'_>>, DomainError> {
    let mut choices = Vec::new();
    for (name, value) in values.pairs() {
        let Some(key) = name.strip_prefix("decision.") else {
            continue;
        };
        let key: KeyId = id_of(key)?;
        let decision = match value {
            UNDECIDED => None,
            word => {
                let choice = || FieldError::new("decision", "choice", "Choose keep, tighten or revoke.");
                Some(Decision::parse(word).ok_or_else(choice)?)
            }
        };
        choices.push(Choice {
            key,
            decision,
            note: values.first(&format!("note.{key}")),
            seen: values.first(&format!("seen.{key}")).parse().ok(),
        });
    }
    Ok(choices)
}

/// `POST /settings/reviews/{id}`: the decisions of one page.
pub async fn decide(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "reviews.decide", async |signed_in, values| {
        let id = id_of(&id)?;
        let choices = choices_of(values)?;
        reviews::decide(&state.ctx, &signed_in.actor, &id, &choices).await?;
        let show = match values.first("show") {
            show @ ("mine" | "open" | "decided" | "all") => format!("&show={show}"),
            _ => String::new(),
        };
        Ok(see_other(&format!("{}?done=decided{show}", review_page(&id))))
    })
    .await
}

/// `POST /settings/reviews/{id}/finish`
pub async fn finish(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "reviews.finish", async |signed_in, _| {
        let id = id_of(&id)?;
        reviews::finish(&state.ctx, &signed_in.actor, &id).await?;
        Ok(see_other(&format!("{}?done=review-finished", review_page(&id))))
    })
    .await
}

/// `POST /settings/reviews/{id}/cancel`
pub async fn cancel(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "reviews.cancel", async |signed_in, _| {
        let id = id_of(&id)?;
        reviews::cancel(&state.ctx, &signed_in.actor, &id).await?;
        Ok(see_other(&format!("{}?done=review-cancelled", review_page(&id))))
    })
    .await
}

/// `POST /settings/reviews/{id}/export`: the answer is the file.
pub async fn export(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "reviews.export", async |signed_in, values| {
        let id = id_of(&id)?;
        let format = match values.first("format") {
            "csv" => Format::Csv,
            _ => Format::Json,
        };
        let file = reviews::export(&state.ctx, &signed_in.actor, &id, format).await?;
        let disposition = format!("attachment; filename=\"{}\"", file.name);
        let mut response = file.text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
        Ok(response)
    })
    .await
}
