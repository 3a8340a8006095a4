//! Requests that a second person decides: talk about them, decide, take back, collect.

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, id_of, see_other};
use crate::model::id::ApprovalId;
use crate::server::domain::approvals;
use crate::server::http::reveal;
use crate::server::http::state::AppState;

pub const PAGE: &str = "/settings/approvals";

fn done(id: &ApprovalId, what: &str) -> Response {
    see_other(&format!("{PAGE}/{id}?done={what}"))
}

/// `POST /settings/approvals/{id}`: one form with a comment, whose buttons approve, decline, or say it alone.
pub async fn decide(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "approvals.decide", async |signed_in, values| {
        let (ctx, actor, id) = (&state.ctx, &signed_in.actor, id_of(&id)?);
        let comment = values.first("comment");
        let what = match values.first("step") {
            "approve" => approvals::approve(ctx, actor, &id, (comment, Some(values.first("seen"))))
                .await
                .map(|()| "approved")?,
            "decline" => approvals::decline(ctx, actor, &id, comment)
                .await
                .map(|()| "declined")?,
            _ => approvals::comment(ctx, actor, &id, comment)
                .await
                .map(|()| "commented")?,
        };
        Ok(done(&id, what))
    })
    .await
}

/// `POST /settings/approvals/{id}/withdraw`
pub async fn withdraw(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    form.act(&state, "approvals.withdraw", async |signed_in, _| {
        let id = id_of(&id)?;
        approvals::withdraw(&state.ctx, &signed_in.actor, &id).await?;
        Ok(done(&id, "withdrawn"))
    })
    .await
}

/// `POST /settings/approvals/{id}/collect`: the answer shows the secret, once.
pub async fn collect(State(state): State<AppState>, Path(id): Path<String>, form: Submitted) -> Response {
    let headers = form.parts.headers.clone();
    form.act(&state, "approvals.collect", async |signed_in, _| {
        let revealed = approvals::collect(&state.ctx, &signed_in.actor, &id_of(&id)?).await?;
        Ok(reveal::key(&state, &headers, &revealed))
    })
    .await
}
