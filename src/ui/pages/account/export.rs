//! Taking one's data away.

use leptos::prelude::*;

use super::account_crumb;
use crate::ui::components::PageHead;
use crate::ui::form::{FormErrors, use_form_state};

#[component]
pub fn ExportPage() -> impl IntoView {
    let state = use_form_state();
    view! {
        <PageHead title="Export your data" root="Account" crumbs=account_crumb()/>
        <section class="section">
            <p>"One JSON file with everything that Keywright keeps about you: your profile, memberships, second factors, sessions, notices, the keys you own or created, and what you did. It holds no password, secret or code."</p>
            <form class="form" method="post" action="/account/export">
                <FormErrors state=state/>
                <div class="form-actions">
                    <button class="button primary">"Download"</button>
                    <a class="button quiet" href="/account">"Back"</a>
                </div>
            </form>
        </section>
    }
}
