//! More people than the owner: members who were invited, other organisations, second factors.

use keywright::model::account::SessionStage;
use keywright::model::actor::Actor;
use keywright::model::id::{AccountId, OrgId};
use keywright::model::org::Role;
use keywright::model::permission::Permission;
use keywright::model::time::SECOND_MS;
use keywright::server::domain::accounts::session::{self, Caller, SignedIn};
use keywright::server::domain::keys::secured;
use keywright::server::domain::mail::{self, Letter, Recipient};
use keywright::server::domain::members::{accept, invite};
use keywright::server::domain::orgs;
use keywright::server::platform::clock::Clock;
use keywright::server::platform::rng::base62;

use crate::factors::code;

use super::app::{PASSWORD, TestApp};
use super::browser::{Answer, Browser};

/// A member with a browser in which they are signed in.
pub struct Member {
    pub account: AccountId,
    pub email: String,
    pub browser: Browser,
}

/// The token of a link, as the address carries it.
pub fn token_of(link: &str) -> String {
    link.split_once("token=")
        .map(|(_, token)| token.to_owned())
        .unwrap()
}

impl TestApp {
    /// The owner as an actor who has just signed in, in any of their organisations.
    pub fn owner_of(&self, org: OrgId) -> Actor {
        let membership = Some((org, Role::Owner));
        Actor::account(
            self.account,
            membership,
            SessionStage::Complete,
            keywright::model::actor::Origin::default(),
        )
        .proved(self.clock.now())
        .with_instance_powers(true)
    }

    /// Invites an address and gives the token of its link.
    pub async fn invite(&self, email: &str, role: Role) -> String {
        let actor = self.owner_of(self.org);
        let invited = invite::invite(&self.ctx, &actor, email, role.as_str())
            .await
            .unwrap();
        token_of(invited.link.expose())
    }

    /// Somebody new, who was invited and has joined.
    pub async fn join(&self, email: &str, role: Role) -> Member {
        let token = self.invite(email, role).await;
        self.accept(&token, email).await
    }

    /// Joins with a new account.
    pub async fn accept(&self, token: &str, email: &str) -> Member {
        let caller = Caller::default();
        let session = accept::join_as_newcomer(&self.ctx, token, "", PASSWORD.into(), &caller)
            .await
            .unwrap();
        let mut browser = self.browser();
        browser.cookie = Some(session.expose().clone());
        let account = self.signed_in(&browser).await.unwrap();
        Member {
            account: *account.actor.account_id().unwrap(),
            email: email.to_owned(),
            browser,
        }
    }

    /// An account that shares the owner's password, and with a membership belongs somewhere; made behind the
    /// application's back, because argon2 takes longer than all the rest.
    pub async fn person(&self, email: &str, membership: Option<(OrgId, Role, &str)>) -> AccountId {
        let id = format!("acc_{}", base62(self.ctx.rng.as_ref(), 12));
        self.db
            .tamper(&format!(
                "INSERT INTO accounts (id, email, email_folded, name, password_hash, password_pepper_id, status, is_instance_admin,
                session_epoch, created_at_ms) SELECT '{id}', '{email}', '{email}', '{email}', password_hash, password_pepper_id,
                'active', FALSE, 0, 0 FROM accounts WHERE id = '{}'",
                self.account
            ))
            .await;
        if let Some((org, role, status)) = membership {
            let role = role.as_str();
            self.db
                .tamper(&format!(
                    "INSERT INTO members (org_id, account_id, role, status, created_at_ms) VALUES ('{org}', '{id}', '{role}', '{status}', 0)"
                ))
                .await;
        }
        id.parse().unwrap()
    }

    /// Somebody else who may approve what the owner asks for.
    pub async fn second_admin(&self) -> AccountId {
        self.person("second@acme.example", Some((self.org, Role::Admin, "active")))
            .await
    }

    /// A name that no other thing of this house has.
    pub fn unique(&self, what: &str) -> String {
        format!("{what}-{}", base62(self.ctx.rng.as_ref(), 8).to_lowercase())
    }

    pub async fn epoch_of(&self, account: &AccountId) -> i64 {
        self.db
            .number(&format!(
                "SELECT session_epoch FROM accounts WHERE id = '{account}'"
            ))
            .await
    }

    /// Makes somebody the owner of a key, as an offboarding would.
    pub async fn give_key(&self, id: &str, account: &AccountId) {
        let actor = self.operator();
        let id = id.parse().unwrap();
        let mut tx = self.ctx.db.begin_write().await.unwrap();
        let scope = actor.require(Permission::KeysManageAny).unwrap();
        let mut key = secured::find(&self.ctx, &mut tx, &actor, &id).await.unwrap();
        key.owner_account_id = Some(account.to_string());
        key.owner_team = String::new();
        secured::save(&self.ctx, &mut tx, &scope, key, self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Puts a letter into the outbox.
    pub async fn a_letter(&self) {
        let mut tx = self.ctx.db.begin_write().await.unwrap();
        let to = Recipient::stranger("somebody@example.com");
        mail::enqueue(&self.ctx, &mut tx, to, Letter::Test, self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Begins one more session of an account and gives its public name.
    pub async fn another_session(&self, account: &AccountId) -> String {
        let who = (account, self.epoch_of(account).await);
        let (stage, from) = (SessionStage::Complete, Caller::default());
        let mut tx = self.ctx.db.begin_write().await.unwrap();
        let begun = session::begin(&self.ctx, &mut tx, who, None, stage, &from, self.clock.now()).await;
        tx.commit().await.unwrap();
        begun.unwrap().1
    }

    /// Who a browser's cookie stands for.
    pub async fn signed_in(&self, browser: &Browser) -> Option<SignedIn> {
        let id = browser.cookie.as_ref()?;
        session::resolve(&self.ctx, id, &Caller::default()).await.unwrap()
    }

    /// The cookie of a session that a member begins now, when the one before may be over.
    pub async fn signed_in_again(&self, member: &Member) -> Option<String> {
        let mut browser = self.browser();
        let form = [("email", member.email.as_str()), ("password", PASSWORD)];
        let answer = browser.post("/sign-in", &form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser.cookie
    }

    /// Another organisation, which the owner of the first owns too.
    pub async fn another_org(&self, name: &str) -> OrgId {
        orgs::create(&self.ctx, &self.owner_of(self.org), name)
            .await
            .unwrap()
    }

    /// Sets up an authenticator app and gives its secret; the next code is ready to be used.
    pub async fn enrol(&self, browser: &mut Browser) -> String {
        let page = browser
            .post("/account/two-factor", &[("password", PASSWORD)])
            .await;
        let secret = page.between("id=\"secret\">", "</code>").replace(' ', "");
        let done = browser
            .post(
                "/account/two-factor/confirm",
                &[("code", &code(self, &secret, 0))],
            )
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
        self.clock.advance_ms(30 * SECOND_MS);
        secret
    }
}

impl Answer {
    /// Whether the answer asks who somebody is, holding the form.
    pub fn asks_who(&self) -> bool {
        self.status == 403 && self.body.contains("name=\"step_up\"")
    }
}
