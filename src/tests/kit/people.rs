//! More people than the owner: members who were invited, other organisations, second factors.

use keywright::model::actor::Actor;
use keywright::model::id::{AccountId, OrgId};
use keywright::model::org::Role;
use keywright::model::time::SECOND_MS;
use keywright::server::domain::accounts::session::{self, Caller, SignedIn};
use keywright::server::domain::members::{accept, invite};
use keywright::server::domain::orgs;
use keywright::server::platform::clock::Clock;
use totp_rs::{Algorithm, Builder, Secret};

use super::app::{PASSWORD, TestApp};
use super::browser::{Answer, Browser};

/// A member with a browser in which they are signed in.
pub struct Member {
    pub account: AccountId,
    pub email: String,
    pub browser: Browser,
}

/// The code that an app shows `offset_s` seconds from now.
pub fn code(app: &TestApp, secret: &str, offset_s: i64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let seconds = app.ctx.clock.now().ms() / SECOND_MS + offset_s;
    totp.generate(u64::try_from(seconds).unwrap()).to_string()
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
            keywright::model::account::SessionStage::Complete,
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

    /// Who a browser's cookie stands for.
    pub async fn signed_in(&self, browser: &Browser) -> Option<SignedIn> {
        let id = browser.cookie.as_ref()?;
        session::resolve(&self.ctx, id, &Caller::default()).await.unwrap()
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
