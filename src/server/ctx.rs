//! All that a use case may touch.

use std::sync::Arc;

use super::config::Site;
use super::domain::usage::UsageSink;
use super::domain::verification::VerificationCache;
use super::platform::clock::Clock;
use super::platform::countries::CountryDatabase;
use super::platform::crypto::keyring::Keyring;
use super::platform::crypto::password::PasswordHashing;
use super::platform::crypto::seal::Sealer;
use super::platform::mail::Mailer;
use super::platform::rng::Rng;
use super::store::db::Db;
use super::store::turns::Turns;

/// The house's things, put together once by boot and by the test kit.
pub struct Context {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub keyring: Arc<Keyring>,
    pub seals: Arc<Sealer>,
    pub passwords: Arc<PasswordHashing>,
    pub key_cache: VerificationCache,
    /// Of organisations in PostgreSQL; SQLite's one writer is a turn for all.
    pub turns: Arc<Turns>,
    pub usage: UsageSink,
    /// Empty while none is configured.
    pub countries: Arc<CountryDatabase>,
    /// None while no mail server is configured.
    pub mailer: Option<Arc<dyn Mailer>>,
    pub site: Site,
}

/// A shared handle; cloning is cheap.
pub type Ctx = Arc<Context>;
