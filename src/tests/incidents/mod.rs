//! A key that may have leaked: frozen, looked at, replaced, written up, closed.

mod opening;
mod pages;
mod replacing;
mod timeline;
mod work;

use keywright::model::account::SessionStage;
use keywright::model::actor::{Actor, Origin};
use keywright::model::id::{AccountId, IncidentId, KeyId};
use keywright::model::incident::IncidentPage;
use keywright::model::org::Role;
use keywright::server::domain::DomainError;
use keywright::server::domain::incidents::{self, OpenIncident, Opened, view};
use keywright::server::platform::clock::Clock;

use crate::kit::TestApp;

/// Opens an incident that began now, as the operator.
async fn open(app: &TestApp, key: &KeyId, freeze: bool) -> IncidentId {
    open_as(app, &app.operator(), key, freeze).await.unwrap().id
}

async fn open_as(app: &TestApp, actor: &Actor, key: &KeyId, freeze: bool) -> Result<Opened, DomainError> {
    let opening = OpenIncident {
        suspected_since: app.clock.now(),
        noticed: String::new(),
        freeze,
    };
    incidents::open(&app.ctx, actor, key, &opening).await
}

async fn page(app: &TestApp, id: &IncidentId) -> IncidentPage {
    view::page(&app.ctx, &app.operator(), id, None).await.unwrap()
}

/// A member who is there, with a fresh proof.
fn actor(app: &TestApp, account: AccountId, role: Role) -> Actor {
    let membership = Some((app.org, role));
    Actor::account(account, membership, SessionStage::Complete, Origin::default()).proved(app.clock.now())
}

/// A member of this role.
async fn member(app: &TestApp, email: &str, role: Role) -> Actor {
    let account = app.person(email, Some((app.org, role, "active"))).await;
    actor(app, account, role)
}

/// How often an act is in the log.
async fn acts(app: &TestApp, action: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM audit_events WHERE action = '{action}'");
    app.db.number(&sql).await
}

fn said<T: std::fmt::Debug>(outcome: Result<T, DomainError>) -> String {
    match outcome.unwrap_err() {
        DomainError::Invalid(errors) => errors.into_iter().map(|error| error.message).collect(),
        other => other.to_string(),
    }
}
