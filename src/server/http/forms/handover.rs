//! Handing keys over: links are made by whoever manages the key, and opened by whoever got one.

use axum::extract::{Path, State};
use axum::response::Response;

use super::{Submitted, id_of, see_other};
use crate::model::form::FormValues;
use crate::model::handover::ClaimDraft;
use crate::server::domain::keys::handover::{self, ClaimLink};
use crate::server::http::reveal::{self, LinkShown};
use crate::server::http::state::AppState;
use crate::server::platform::crypto::secret::{Secret, SecretText};

/// How a link is to be bound, as it was typed; the passphrase is taken out before.
pub(super) fn claim_of(values: &FormValues) -> ClaimDraft<'_> {
    ClaimDraft {
        days: values.first("claim_days"),
        email: values.first("claim_email"),
    }
}

/// The passphrase leaves the form, so that no page carries it back.
pub(super) fn passphrase_of(form: &mut Submitted, field: &str) -> SecretText {
    Secret::new(form.values.take(field))
}

pub(super) fn shown(made: &ClaimLink) -> LinkShown {
    let whom = match &made.recipient {
        Some(email) => format!("For {email} alone, signed in here"),
        None => "For whoever opens it first".to_owned(),
    };
    let passphrase = match made.has_passphrase {
        true => ", with the passphrase, which you tell them another way",
        false => "",
    };
    LinkShown {
        title: format!("Link to collect {}", made.key_name),
        lede: "The secret does not exist yet. It is made when somebody opens this link and asks for it; you never see it.",
        link: made.link.expose().clone(),
        terms: format!(
            "{whom}{passphrase}. It works once, until {}.",
            made.expires_at.exact_in_words()
        ),
        back: format!("/settings/api-keys/{}", made.key_id),
    }
}

/// `POST /settings/api-keys/{id}/handover`: the answer shows the link, once.
pub async fn make(State(state): State<AppState>, Path(id): Path<String>, mut form: Submitted) -> Response {
    let headers = form.parts.headers.clone();
    let passphrase = passphrase_of(&mut form, "claim_passphrase");
    form.act(&state, "keys.handover", async |signed_in, values| {
        let claim = (claim_of(values), &passphrase);
        let made = handover::make_link(&state.ctx, &signed_in.actor, &id_of(&id)?, claim).await?;
        Ok(reveal::link(&state, &headers, shown(&made)))
    })
    .await
}

/// `POST /claim`: makes the secret and shows it, once.
pub async fn claim(State(state): State<AppState>, mut form: Submitted) -> Response {
    let passphrase = passphrase_of(&mut form, "passphrase");
    let token = Secret::new(form.values.first("token").to_owned());
    let (session, caller) = (form.session(), form.caller());
    let signed_in = session.signed_in.as_ref();
    let claimed = handover::claim(&state.ctx, token.expose(), &passphrase, signed_in, &caller).await;
    match claimed {
        Ok(revealed) => reveal::claimed_key(&state, &form.parts.headers, &revealed, token.expose()),
        Err(error) => form.refused(&state, None, "claim", error).await,
    }
}

/// `POST /claim/stored`: whoever collected it has stored it.
pub async fn stored(State(state): State<AppState>, form: Submitted) -> Response {
    let token = Secret::new(form.values.first("token").to_owned());
    let (note, caller) = (form.values.first("note"), form.caller());
    match handover::confirm_stored(&state.ctx, token.expose(), note, &caller).await {
        Ok(()) => see_other("/claim/stored"),
        Err(error) => form.refused(&state, None, "claim", error).await,
    }
}
