//! The document, the contexts, and the route table of pages.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::ui::frame::Frame;
use crate::ui::pages::account::{delete, email, export, password, profile, sessions, two_factor};
use crate::ui::pages::instance::{accounts, organisations};
use crate::ui::pages::members::acts as member_acts;
use crate::ui::pages::members::invitations;
use crate::ui::pages::{
    approvals, audit, claim, confirm_email, forgot_password, found, incidents, instance, invitation, keys,
    members, policy, problem, projects, reset_password, reviews, second_factor, security, set_up, sign_in,
    styleguide, templates, tokens,
};

/// What the document needs to know of the site: addresses of its files, the saved theme.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub style: String,
    pub script: String,
    pub wasm: String,
    pub boot: String,
    pub reveal: String,
    pub theme: String,
    pub development: bool,
}

/// The document of a page that hydrates.
pub fn shell(shell: Shell) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=shell.theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=shell.style/>
                <link rel="modulepreload" href=shell.script.clone()/>
                <script type="module" id="boot" src=shell.boot data-script=shell.script data-wasm=shell.wasm></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The document of a page that does not: errors, and the page that shows a secret.
pub fn static_shell(shell: Shell, with_script: bool, body: impl IntoView) -> impl IntoView {
    view! {
        <html lang="en" data-theme=shell.theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>"Keywright"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=shell.style/>
                {with_script.then(|| view! { <script type="module" src=shell.reveal></script> })}
            </head>
            <body>{body}</body>
        </html>
    }
}

/// Every page. Routes are the same on both sides; what a person may not see is refused where it is asked for.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=problem::NotFound>
                <Route path=path!("/sign-in") view=sign_in::SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/second-factor") view=second_factor::SecondFactorPage ssr=SsrMode::Async/>
                <Route path=path!("/invitation") view=invitation::InvitationPage ssr=SsrMode::Async/>
                <Route path=path!("/forgot-password") view=forgot_password::ForgotPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/reset-password") view=reset_password::ResetPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/confirm-email") view=confirm_email::ConfirmEmailPage ssr=SsrMode::Async/>
                <Route path=path!("/claim") view=claim::ClaimPage ssr=SsrMode::Async/>
                <Route path=path!("/claim/stored") view=claim::ClaimStoredPage ssr=SsrMode::Async/>
                <Route path=path!("/found") view=found::FoundPage ssr=SsrMode::Async/>
                <Route path=path!("/setup") view=set_up::SetUpPage ssr=SsrMode::Async/>
                <Route path=path!("/styleguide") view=styleguide::StyleguidePage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/account") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=profile::ProfilePage ssr=SsrMode::Async/>
                    <Route path=path!("/password") view=password::PasswordPage ssr=SsrMode::Async/>
                    <Route path=path!("/email") view=email::EmailPage ssr=SsrMode::Async/>
                    <Route path=path!("/export") view=export::ExportPage ssr=SsrMode::Async/>
                    <Route path=path!("/delete") view=delete::DeletePage ssr=SsrMode::Async/>
                    <Route path=path!("/sessions") view=sessions::SessionsPage ssr=SsrMode::Async/>
                    <Route path=path!("/two-factor") view=two_factor::TwoFactorPage ssr=SsrMode::Async/>
                    <Route path=path!("/two-factor/codes") view=two_factor::NewCodesPage ssr=SsrMode::Async/>
                    <Route path=path!("/two-factor/replace") view=two_factor::ReplacePage ssr=SsrMode::Async/>
                    <Route path=path!("/two-factor/off") view=two_factor::TurnOffPage ssr=SsrMode::Async/>
                </ParentRoute>
                <ParentRoute path=path!("/instance") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/organisations") view=organisations::OrganisationListPage ssr=SsrMode::Async/>
                    <Route path=path!("/organisations/new") view=organisations::NewOrganisationPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts") view=accounts::AccountListPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts/:id") view=accounts::AccountDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts/:id/unlock") view=accounts::UnlockAccountPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts/:id/reset-factors") view=accounts::ResetAccountFactorsPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts/:id/password-link") view=accounts::AccountPasswordLinkPage ssr=SsrMode::Async/>
                    <Route path=path!("/accounts/:id/sign-out") view=accounts::SignAccountOutPage ssr=SsrMode::Async/>
                    <Route path=path!("/mail") view=instance::mail::MailPage ssr=SsrMode::Async/>
                </ParentRoute>
                <ParentRoute path=path!("/settings") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/api-keys") view=keys::list::KeyListPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/new") view=keys::new::NewKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/import") view=keys::import::ImportKeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/bulk") view=keys::bulk::BulkPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/unused") view=keys::unused::UnusedKeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id") view=keys::detail::KeyDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/edit") view=keys::edit::EditKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/revoke") view=keys::revoke::RevokeKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate") view=keys::rotate::RotateKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate/finish") view=keys::rotate::FinishRotationPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate/extend") view=keys::rotate::ExtendRotationPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate/cancel") view=keys::rotate::CancelRotationPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate/collect") view=keys::openings::CollectRotationPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/rotate/call-off") view=keys::openings::CallOffRotationPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/handover") view=keys::handover::HandoverPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/leaked") view=incidents::leaked::LeakedPage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents") view=incidents::list::IncidentListPage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id") view=incidents::detail::IncidentDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/checklist") view=incidents::detail::IncidentDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/since") view=incidents::acts::SincePage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/freeze") view=incidents::acts::FreezePage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/replace") view=incidents::acts::ReplacePage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/revoke") view=incidents::acts::RevokePage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/close") view=incidents::close::ClosePage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/reopen") view=incidents::acts::ReopenPage ssr=SsrMode::Async/>
                    <Route path=path!("/incidents/:id/report") view=incidents::report::ReportPage ssr=SsrMode::Async/>
                    <Route path=path!("/rotation") view=keys::rotations::RotationListPage ssr=SsrMode::Async/>
                    <Route path=path!("/rotation/start") view=keys::openings::StartRotationsPage ssr=SsrMode::Async/>
                    <Route path=path!("/policy") view=policy::overview::PolicyOverviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/policy/live") view=policy::edit::LivePolicyPage ssr=SsrMode::Async/>
                    <Route path=path!("/policy/test") view=policy::edit::TestPolicyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/tighten") view=keys::advice::TightenKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys/:id/tighten/undo") view=keys::advice::UndoTighteningPage ssr=SsrMode::Async/>
                    <Route path=path!("/approvals") view=approvals::list::ApprovalListPage ssr=SsrMode::Async/>
                    <Route path=path!("/approvals/:id") view=approvals::detail::ApprovalDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews") view=reviews::list::ReviewListPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews/new") view=reviews::new::NewReviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews/:id") view=reviews::detail::ReviewDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews/:id/finish") view=reviews::acts::FinishReviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews/:id/cancel") view=reviews::acts::CancelReviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/reviews/:id/export") view=reviews::acts::ExportReviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/projects") view=projects::list::ProjectListPage ssr=SsrMode::Async/>
                    <Route path=path!("/projects/new") view=projects::new::NewProjectPage ssr=SsrMode::Async/>
                    <Route path=path!("/projects/:id") view=projects::detail::ProjectPage ssr=SsrMode::Async/>
                    <Route path=path!("/templates") view=templates::list::TemplateListPage ssr=SsrMode::Async/>
                    <Route path=path!("/templates/new") view=templates::form::NewTemplatePage ssr=SsrMode::Async/>
                    <Route path=path!("/templates/:id") view=templates::form::EditTemplatePage ssr=SsrMode::Async/>
                    <Route path=path!("/templates/:id/delete") view=templates::delete::DeleteTemplatePage ssr=SsrMode::Async/>
                    <Route path=path!("/service-tokens") view=tokens::list::TokenListPage ssr=SsrMode::Async/>
                    <Route path=path!("/service-tokens/new") view=tokens::new::NewTokenPage ssr=SsrMode::Async/>
                    <Route path=path!("/service-tokens/:id/revoke") view=tokens::revoke::RevokeTokenPage ssr=SsrMode::Async/>
                    <Route path=path!("/members") view=members::list::MemberListPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/invite") view=invitations::InvitePage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id") view=members::detail::MemberDetailPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/role") view=member_acts::RolePage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/resume") view=member_acts::ResumePage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/reset-factors") view=member_acts::ResetFactorsPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/password-link") view=member_acts::PasswordLinkPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/sign-out") view=member_acts::SignOutPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/unlock") view=member_acts::UnlockPage ssr=SsrMode::Async/>
                    <Route path=path!("/members/:id/offboard") view=members::offboard::OffboardMemberPage ssr=SsrMode::Async/>
                    <Route path=path!("/invitations/:id/resend") view=invitations::ResendInvitationPage ssr=SsrMode::Async/>
                    <Route path=path!("/invitations/:id/revoke") view=invitations::RevokeInvitationPage ssr=SsrMode::Async/>
                    <Route path=path!("/security") view=security::SecurityPage ssr=SsrMode::Async/>
                    <Route path=path!("/organisation") view=members::organisation::OrganisationPage ssr=SsrMode::Async/>
                    <Route path=path!("/audit-log") view=audit::AuditLogPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
