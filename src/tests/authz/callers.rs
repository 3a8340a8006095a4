//! Everybody who may come to the door.

use keywright::model::account::SessionStage;
use keywright::model::id::{AccountId, OrgId};
use keywright::model::org::Role;
use keywright::model::time::MINUTE_MS;
use keywright::server::domain::accounts::session;
use keywright::server::domain::members::two_factor;

use crate::kit::{Browser, TestApp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Anonymous,
    /// The second factor is due.
    Half,
    /// Signed in, of no organisation.
    Outsider,
    Suspended,
    Removed,
    /// The account was switched off.
    Disabled,
    Member(Role),
    /// Of another organisation.
    ForeignMember(Role),
    /// An owner whose organisation asks for a second factor that they have not.
    Owing,
    /// An owner who last proved who they are eleven minutes ago.
    Stale,
    /// Looks after the installation and belongs to no organisation.
    InstanceAdmin,
    /// Sends a service token where people sign in.
    ServiceToken,
}

impl Kind {
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Anonymous,
            Self::Half,
            Self::Outsider,
            Self::Suspended,
            Self::Removed,
            Self::Disabled,
            Self::Owing,
            Self::Stale,
            Self::InstanceAdmin,
            Self::ServiceToken,
            Self::ForeignMember(Role::Owner),
            Self::ForeignMember(Role::Admin),
        ];
        all.extend(Role::ALL.map(Self::Member));
        all
    }
}

/// Somebody with a browser.
pub struct Caller {
    pub account: Option<AccountId>,
    pub browser: Browser,
}

/// One account of each kind, and the other organisation.
pub struct Callers {
    pub globex: OrgId,
    accounts: Vec<(Kind, AccountId)>,
}

impl Callers {
    pub async fn of(app: &TestApp) -> Self {
        let globex = app.another_org("Globex").await;
        let hooli = app.another_org("Hooli").await;
        two_factor::require(&app.ctx, &app.owner_of(hooli), "0")
            .await
            .unwrap();
        let mut accounts = Vec::new();
        for (n, kind) in Kind::all().into_iter().enumerate() {
            let membership = match kind {
                Kind::Anonymous | Kind::ServiceToken => continue,
                Kind::Outsider | Kind::InstanceAdmin => None,
                Kind::Half | Kind::Disabled | Kind::Stale => Some((app.org, Role::Owner, "active")),
                Kind::Owing => Some((hooli, Role::Owner, "active")),
                Kind::Suspended => Some((app.org, Role::Owner, "suspended")),
                Kind::Removed => Some((app.org, Role::Owner, "removed")),
                Kind::Member(role) => Some((app.org, role, "active")),
                Kind::ForeignMember(role) => Some((globex, role, "active")),
            };
            let id = app.person(&format!("caller{n}@example.com"), membership).await;
            if kind == Kind::InstanceAdmin {
                app.db
                    .tamper(&format!(
                        "UPDATE accounts SET is_instance_admin = TRUE WHERE id = '{id}'"
                    ))
                    .await;
            }
            accounts.push((kind, id));
        }
        Self { globex, accounts }
    }

    /// The caller with a session that has just begun.
    pub async fn fresh(&self, app: &TestApp, kind: Kind) -> Caller {
        let mut browser = app.browser();
        let account = self
            .accounts
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, id)| *id);
        if kind == Kind::ServiceToken {
            browser.bearer = Some(app.token.clone());
        }
        // The newest session must be this one: of those that begin at once the oldest end.
        app.clock.advance_ms(1);
        if let Some(account) = account {
            let stage = match kind {
                Kind::Half => SessionStage::SecondFactorDue,
                _ => SessionStage::Complete,
            };
            let who = (&account, app.epoch_of(&account).await);
            let from = session::Caller::default();
            let mut tx = app.ctx.db.begin_write().await.unwrap();
            let begun = session::begin(&app.ctx, &mut tx, who, None, stage, &from, app.ctx.clock.now());
            let (id, _) = begun.await.unwrap();
            tx.commit().await.unwrap();
            browser.cookie = Some(id.expose().clone());
            if kind == Kind::Stale {
                let ago = 11 * MINUTE_MS;
                let sql = format!(
                    "UPDATE sessions SET auth_at_ms = auth_at_ms - {ago} WHERE account_id = '{account}'"
                );
                app.db.tamper(&sql).await;
            }
            let status = if kind == Kind::Disabled {
                "disabled"
            } else {
                "active"
            };
            app.db
                .tamper(&format!(
                    "UPDATE accounts SET status = '{status}' WHERE id = '{account}'"
                ))
                .await;
        }
        Caller { account, browser }
    }
}
