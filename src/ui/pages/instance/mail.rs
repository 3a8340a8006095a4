//! Installation › Mail: where it goes, a test, and what has not gone yet.

use leptos::prelude::*;

use crate::model::calendar::counted;
use crate::model::form::FormState;
use crate::model::mail::{MailEncryption, MailOverview, MailServer, MailState, WaitingMail};
use crate::model::time::Timestamp;
use crate::rpc::mail::see_mail;
use crate::ui::components::{Column, Icon, PageHead, PageTitle, ask, flash, loaded, moment, table};
use crate::ui::form::{FormErrors, TextField, use_form_state};

const COLUMNS: &[Column] = &[
    Column::Text("About"),
    Column::Text("To"),
    Column::Text("State"),
    Column::Text("Written"),
    Column::Text("Tries"),
    Column::Text("Next try"),
    Column::Text("Last answer"),
    Column::Unseen("Actions"),
];

#[component]
pub fn MailPage() -> impl IntoView {
    let state = use_form_state();
    let mail = ask(|| (), |()| see_mail());
    view! {
        <PageTitle text="Mail"/>
        {flash()}
        {loaded(mail, move |mail| draw(&mail, &state))}
    }
}

fn draw(mail: &MailOverview, state: &FormState) -> AnyView {
    let lede = "Invitations, links for new passwords and security notices leave this way.";
    let head = match &mail.server {
        Some(server) => view! { {facts(server)} {test_form(state, &mail.own_address)} }.into_any(),
        None => without_server(),
    };
    view! {
        <PageHead title="Mail" root="Installation" lede=lede.into_any()/>
        {head}
        {outbox(mail)}
    }
    .into_any()
}

fn facts(server: &MailServer) -> AnyView {
    let encryption = match server.encryption {
        MailEncryption::StartTls => "STARTTLS, required",
        MailEncryption::Tls => "TLS from the first byte",
        MailEncryption::None => "None: mail travels readably to the server",
    };
    let signs_in = if server.signs_in {
        "With user and password"
    } else {
        "Not needed"
    };
    view! {
        <section class="section">
            <h2>"Server"</h2>
            <dl class="facts">
                <div><dt>"Address"</dt><dd class="mono">{server.address.clone()}</dd></div>
                <div><dt>"Encryption"</dt><dd>{encryption}</dd></div>
                <div><dt>"Sign-in"</dt><dd>{signs_in}</dd></div>
                <div><dt>"Sender"</dt><dd>{server.from.clone()}</dd></div>
            </dl>
        </section>
    }
    .into_any()
}

fn test_form(state: &FormState, own_address: &str) -> AnyView {
    let to = TextField {
        name: "to",
        label: "Send a test mail to",
        hint: "It goes at once, and you see what the mail server says to it.",
        kind: "email",
        autocomplete: "email",
        max: 254,
        ..TextField::default()
    };
    view! {
        <section class="section">
            <h2>"Test"</h2>
            <form class="form" method="post" action="/instance/mail" novalidate>
                <FormErrors state=state.clone()/>
                {to.draw(state, own_address)}
                <div class="form-actions"><button class="button primary">"Send test mail"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn without_server() -> AnyView {
    view! {
        <div class="notice info">
            <Icon name="info"/>
            <div>
                <h2>"No mail server is configured"</h2>
                <p>"Everything works without one, with you as the messenger: whoever invites somebody, or begins a new password for them, sees the link once and passes it on. Security notices are shown to people when they next sign in. What needs a mail to somebody’s address, such as “Forgot your password?”, is not offered."</p>
                <p>
                    "To send mail, set "<code>"KEYWRIGHT_SMTP_HOST"</code>" and "<code>"KEYWRIGHT_MAIL_FROM"</code>
                    ", and if the server asks for it "<code>"KEYWRIGHT_SMTP_USER"</code>" and "
                    <code>"KEYWRIGHT_SMTP_PASSWORD_FILE"</code>". Then start Keywright again."
                </p>
            </div>
        </div>
    }
    .into_any()
}

fn outbox(mail: &MailOverview) -> AnyView {
    if mail.mails.is_empty() {
        return view! {
            <section class="section">
                <h2>"Outbox"</h2>
                <p class="muted">"Nothing waits."</p>
            </section>
        }
        .into_any();
    }
    let has_server = mail.server.is_some();
    let summary = format!("{} stuck · {} waiting", mail.stuck, mail.waiting);
    let hidden = mail.stuck + mail.waiting - i64::try_from(mail.mails.len()).unwrap_or_default();
    let more = (hidden > 0)
        .then(|| view! { <p class="muted">{format!("{} not shown.", counted(hidden, "mail"))}</p> });
    let all = has_server.then(|| {
        view! { <form method="post" action="/instance/mail/retry"><button class="button small">"Try all again"</button></form> }
    });
    let rows = mail
        .mails
        .iter()
        .map(|waiting| row(waiting, mail.now, has_server))
        .collect_view();
    view! {
        <section class="section">
            <div class="section-head"><div><h2>"Outbox"</h2><p class="muted">{summary}</p></div>{all}</div>
            {table("Mail that has not gone yet", COLUMNS, rows)}
            {more}
        </section>
    }
    .into_any()
}

fn row(mail: &WaitingMail, now: Timestamp, has_server: bool) -> AnyView {
    let state = match mail.state {
        MailState::Stuck => view! { <span class="badge danger">{mail.state.label()}</span> }.into_any(),
        MailState::Waiting => view! { <span class="badge neutral">{mail.state.label()}</span> }.into_any(),
    };
    let next = match mail.state {
        _ if mail.is_over => "Never: its link has run out".into_any(),
        MailState::Stuck => "Not by itself".into_any(),
        MailState::Waiting if !has_server => "With a mail server".into_any(),
        MailState::Waiting if mail.next_try_at <= now => "Now".into_any(),
        MailState::Waiting => moment(mail.next_try_at, now),
    };
    let (to, said) = (
        mail.to.clone().unwrap_or_else(|| "Unreadable".to_owned()),
        if mail.last_error.is_empty() {
            "–".to_owned()
        } else {
            mail.last_error.clone()
        },
    );
    view! {
        <tr>
            <th scope="row">{mail.about.clone()}</th>
            <td data-label="To">{to.clone()}</td>
            <td data-label="State">{state}</td>
            <td data-label="Written">{moment(mail.created_at, now)}</td>
            <td data-label="Tries" class="num">{mail.tries}</td>
            <td data-label="Next try">{next}</td>
            <td data-label="Last answer" class="wrap"><span>{said}</span></td>
            <td>{actions(mail, &to, has_server && !mail.is_over)}</td>
        </tr>
    }
    .into_any()
}

fn actions(mail: &WaitingMail, to: &str, may_retry: bool) -> AnyView {
    let address = format!("/instance/mail/{}", mail.id);
    let named = |deed: &str| format!("{deed}: {} to {to}", mail.about);
    let retry = may_retry.then(|| {
        view! {
            <form method="post" action=format!("{address}/retry")>
                <button class="button small" aria-label=named("Try again")>"Try again"</button>
            </form>
        }
    });
    view! {
        <div class="button-row">
            {retry}
            <form method="post" action=format!("{address}/discard")>
                <button class="button small danger" aria-label=named("Discard")>"Discard"</button>
            </form>
        </div>
    }
    .into_any()
}
