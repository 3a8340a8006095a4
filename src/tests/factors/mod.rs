//! The second factor: enrolled by proof, asked for at every sign-in, taken once.

mod enrolment;
mod recovery;
mod replace;
mod sign_in;

use keywright::model::time::SECOND_MS;
use totp_rs::{Algorithm, Builder, Secret};

use crate::kit::TestApp;
use crate::kit::app::{EMAIL, PASSWORD};
use crate::kit::browser::{Answer, Browser};

pub const HALF: &str = "/sign-in/second-factor";

/// The code that an app shows `offset_s` seconds from now.
pub fn code(app: &TestApp, secret: &str, offset_s: i64) -> String {
    code_at(secret, app.ctx.clock.now().ms() / SECOND_MS + offset_s)
}

/// The code of a moment, in seconds.
pub fn code_at(secret: &str, seconds: i64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    totp.generate(u64::try_from(seconds).unwrap()).to_string()
}

pub fn secret_of(page: &Answer) -> String {
    page.between("id=\"secret\">", "</code>").replace(' ', "")
}

pub fn codes_of(page: &Answer) -> Vec<String> {
    page.between("id=\"codes\">", "</code>")
        .lines()
        .map(str::to_owned)
        .collect()
}

pub struct Enrolled {
    pub browser: Browser,
    pub secret: String,
    pub recovery: Vec<String>,
}

pub async fn enrol(app: &TestApp) -> Enrolled {
    let mut browser = app.owner().await;
    let page = browser
        .post("/account/two-factor", &[("password", PASSWORD)])
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let secret = secret_of(&page);
    let done = browser
        .post("/account/two-factor/confirm", &[("code", &code(app, &secret, 0))])
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    let recovery = codes_of(&done);
    // The next code: the one that confirmed is taken.
    app.clock.advance_ms(30 * SECOND_MS);
    Enrolled {
        browser,
        secret,
        recovery,
    }
}

/// A browser that has given the password and not yet the code.
pub async fn half_signed_in(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let answer = browser
        .post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, HALF),
        "{}",
        answer.body
    );
    browser
}

/// Whether one more try from the same half session, by a browser of its own, opens the door.
pub async fn twin(app: &TestApp, half: &Browser, proof: &str) -> bool {
    let mut twin = app.browser();
    twin.cookie.clone_from(&half.cookie);
    let answer = twin.post(HALF, &[("code", proof)]).await;
    answer.header("set-cookie").contains("kw_s=")
}
