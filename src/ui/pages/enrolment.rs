//! An authenticator's secret and the recovery codes, each on a page of its own, once. Drawn on the server only and never
//! hydrated, like the page of a key's secret.

use leptos::prelude::*;

use super::account::two_factor::code_field;
use crate::model::form::FormState;
use crate::ui::form::FormErrors;

/// A QR code as one path of squares.
pub struct Picture {
    /// Squares on one side, margin included.
    pub side: i32,
    pub path: String,
}

pub fn enrolment_page(secret: String, picture: Option<Picture>, state: FormState) -> impl IntoView {
    let spaced: Vec<String> = secret
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    let picture = picture.map(|picture| {
        let view_box = format!("0 0 {0} {0}", picture.side);
        view! {
            <svg class="qr" role="img" aria-label="QR code with the secret" viewBox=view_box shape-rendering="crispEdges">
                <rect width="100%" height="100%" fill="#fff"></rect>
                <path d=picture.path fill="#000"></path>
            </svg>
        }
    });
    view! {
        <main class="page reveal-page" id="main" tabindex="-1">
            <header class="page-head">
                <h1>"Set up your authenticator app"</h1>
                <p class="lede">"Scan the picture with the app, or type the secret into it. Nothing is switched on before a code proves that it works."</p>
            </header>
            <section class="section">
                <h2>"1. Scan or type"</h2>
                {picture}
                <p class="muted">"Account type: time-based, SHA-1, six digits, 30 seconds."</p>
                <div class="reveal" role="group" aria-label="Secret">
                    <code tabindex="0" id="secret">{spaced.join(" ")}</code>
                    <button type="button" class="button js-only" data-copy="secret">"Copy"</button>
                </div>
            </section>
            <section class="section">
                <h2>"2. Enter the code it shows"</h2>
                <form class="form" method="post" action="/account/two-factor/confirm" novalidate data-confirms>
                    <FormErrors state=state.clone()/>
                    {code_field(&state, "Code", "Six digits; a new code each 30 seconds.")}
                    <div class="form-actions">
                        <button class="button primary">"Switch on"</button>
                        <a class="button quiet" href="/account/two-factor" data-leaves>"Cancel"</a>
                    </div>
                </form>
            </section>
        </main>
    }
}

pub fn codes_page(codes: Vec<String>, first: bool) -> impl IntoView {
    let title = if first {
        "Two-factor is on. Save your recovery codes now"
    } else {
        "Save your new recovery codes now"
    };
    let hidden = codes
        .iter()
        .map(|code| view! { <input type="hidden" name="code" value=code.clone()/> })
        .collect_view();
    view! {
        <main class="page reveal-page" id="main" tabindex="-1">
            <header class="page-head">
                <h1>{title}</h1>
                <p class="lede">"Each signs you in once when your app is out of reach. They are shown once: Keywright keeps only keyed hashes. Keep them apart from your phone."</p>
            </header>
            <div class="reveal" role="group" aria-label="Recovery codes">
                <pre tabindex="0"><code id="codes">{codes.join("\n")}</code></pre>
                <button type="button" class="button js-only" data-copy="codes">"Copy"</button>
            </div>
            <div class="reveal-actions">
                // Posted, not linked: a code in an address would stay in the browser's history of downloads.
                <form method="post" action="/account/two-factor/codes/file">{hidden}<button class="button">"Download"</button></form>
                <button type="button" class="button js-only" data-print>"Print"</button>
            </div>
            <form class="form" method="get" action="/account/two-factor" data-confirms>
                <div class="form-actions"><button class="button primary">"I have stored them"</button></div>
            </form>
        </main>
    }
}
