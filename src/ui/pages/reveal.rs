//! The secret, alone on its page, once. Drawn on the server only and never hydrated; a small script of its own copies
//! and warns.

use leptos::prelude::*;

use crate::model::key::Environment;
use crate::ui::components::snippet_list;

/// What is shown, and where "I have stored it" goes.
pub struct Revealed {
    pub what: &'static str,
    pub name: String,
    pub secret: String,
    /// Name of the environment variable in the download.
    pub variable: String,
    /// Last day in words, if there is one.
    pub expires: Option<String>,
    pub confirm_at: String,
    /// Which of a key's secrets is confirmed: the one that exists since then.
    pub secret_since: Option<i64>,
    pub takes_note: bool,
    /// The used-up link of whoever collected it: it says who confirms.
    pub claim: Option<String>,
    pub command: String,
    pub command_hint: &'static str,
    /// Where a key's secret goes next: the project's short name, and the environment.
    pub goes_to: Option<(String, Environment)>,
}

/// Why a secret cannot be shown again, and what it belongs to.
pub struct AlreadyShown {
    pub detail: String,
    /// The id that the form made; empty when unknown.
    pub target: String,
}

pub fn reveal_page(revealed: Revealed) -> impl IntoView {
    let Revealed {
        what,
        name,
        secret,
        variable,
        expires,
        confirm_at,
        secret_since,
        takes_note,
        claim,
        command,
        command_hint,
        goes_to,
    } = revealed;
    let goes_to = goes_to.map(|(slug, environment)| {
        view! {
            <section class="section">
                <h2>"Where it goes next"</h2>
                <p class="muted">"These hold a placeholder; the commands ask for the secret, so that it stays out of your history."</p>
                {snippet_list(&slug, environment, true)}
            </section>
        }
    });
    let until = match expires {
        Some(day) => format!("It is valid until {day}."),
        None => "It does not expire.".to_owned(),
    };
    let note = takes_note.then(|| {
        view! {
            <div class="field">
                <label for="note">"Where did you store it? "<span class="optional">"optional"</span></label>
                <input id="note" name="note" maxlength="1000" autocomplete="off" placeholder="Vault, team/production"/>
            </div>
        }
    });
    view! {
        <main class="page reveal-page" id="main" tabindex="-1">
            <header class="page-head">
                <h1>"Save this secret now"</h1>
                <p class="lede">
                    {format!("This is the {what} ")}<b>{name}</b>
                    {format!(". It is shown once: Keywright keeps only a keyed hash and cannot show it again. {until}")}
                </p>
            </header>
            <div class="reveal" role="group" aria-label="Secret">
                <code tabindex="0" id="secret">{secret.clone()}</code>
                <button type="button" class="button js-only" data-copy="secret">"Copy"</button>
            </div>
            <div class="reveal-actions">
                // Posted, not linked: a secret in an address would stay in the browser's history of downloads.
                <form method="post" action="/settings/env-file">
                    <input type="hidden" name="variable" value=variable/>
                    <input type="hidden" name="secret" value=secret/>
                    <button class="button">"Download .env"</button>
                </form>
            </div>
            <section class="section">
                <h2>"Try it"</h2>
                <p class="muted">{command_hint}</p>
                <div class="snippet">
                    <pre tabindex="0"><code id="command">{command}</code></pre>
                    <button type="button" class="button small js-only" data-copy="command">"Copy"</button>
                </div>
            </section>
            <form class="form" method="post" action=confirm_at data-confirms>
                {secret_since.map(|since| view! { <input type="hidden" name="secret_since" value=since.to_string()/> })}
                {claim.map(|token| view! { <input type="hidden" name="token" value=token/> })}
                {note}
                <div class="form-actions"><button class="button primary">"I have stored it"</button></div>
            </form>
            {goes_to}
        </main>
    }
}

pub fn already_shown_page(page: AlreadyShown) -> impl IntoView {
    let is_token = page.target.starts_with("tok_");
    let (list, again) = match is_token {
        true => ("/settings/service-tokens", "/settings/service-tokens/new"),
        false => ("/settings/api-keys", "/settings/api-keys/new"),
    };
    let object = match (page.target.as_str(), is_token) {
        ("", _) | (_, true) => list.to_owned(),
        (key, false) => format!("/settings/api-keys/{key}"),
    };
    view! {
        <main class="problem" id="main" tabindex="-1">
            <p class="code-no">"409"</p>
            <h1>"Already shown"</h1>
            <p>{page.detail}</p>
            <p>"If it was not stored, revoke it and create another."</p>
            <div class="button-row">
                <a class="button primary" href=object>"See what was created"</a>
                <a class="button" href=again>"Create another"</a>
            </div>
        </main>
    }
}

/// A link that works once and that somebody hands over.
pub struct LinkShown {
    pub title: String,
    pub lede: &'static str,
    pub link: String,
    /// For whom, how often and until when it works.
    pub terms: String,
    /// Where to go on.
    pub back: String,
}

pub fn link_page(shown: LinkShown) -> impl IntoView {
    view! {
        <main class="page reveal-page" id="main" tabindex="-1">
            <header class="page-head">
                <h1>{shown.title}</h1>
                <p class="lede">{shown.lede}</p>
            </header>
            <div class="reveal" role="group" aria-label="Link">
                <code tabindex="0" id="secret">{shown.link}</code>
                <button type="button" class="button js-only" data-copy="secret">"Copy"</button>
            </div>
            <p class="muted">{shown.terms}</p>
            <form class="form" method="get" action=shown.back data-confirms>
                <div class="form-actions"><button class="button primary">"Done"</button></div>
            </form>
        </main>
    }
}
