//! Passwords: argon2id with a pepper, on at most two threads, behind a short queue.
//!
//! Memory is bounded by threads × memory cost; what does not fit the queue is told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::keyring::{Keyring, Purpose};
use super::secret::SecretText;
use crate::server::platform::rng::Rng;

/// Requests that may wait for a thread.
const QUEUE_MAX: usize = 32;
/// How long one may wait.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Cost of one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// ASVS 5.0 appendix C, the floor: 19 MiB, two passes.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

impl PasswordCost {
    /// Whether the cost is at least one of the two floors: 19 MiB with two passes, or 46 MiB with one.
    #[must_use]
    pub const fn is_enough(self) -> bool {
        self.lanes >= 1
            && ((self.memory_kib >= 19_456 && self.passes >= 2)
                || (self.memory_kib >= 47_104 && self.passes >= 1))
    }
}

/// A password hash as it is stored.
#[derive(Clone)]
pub struct StoredPassword {
    /// PHC string, `$argon2id$v=19$…`.
    pub phc: String,
    pub pepper_id: String,
}

/// A tenth of an equal share of a processor that is wanted by others.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Nothing was hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many sign-ins at once")]
    Busy,
    #[error("the hash could not be computed")]
    Failed,
}

/// Hashes and checks passwords, off the async runtime.
pub struct PasswordHashing {
    keyring: Arc<Keyring>,
    rng: Arc<dyn Rng>,
    cost: PasswordCost,
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// How many argon2 runs there were: tests count them.
    runs: AtomicU64,
    /// Checked against when there is no account, at the current cost, so that its absence takes as long.
    dummy: StoredPassword,
}

impl PasswordHashing {
    pub fn new(
        keyring: Arc<Keyring>,
        rng: Arc<dyn Rng>,
        cost: PasswordCost,
    ) -> Result<Arc<Self>, PasswordError> {
        let threads = std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 2));
        let dummy = hash_blocking(&keyring, rng.as_ref(), cost, "not a password of anybody")?;
        let (threads, waiting, runs) = (
            Arc::new(Semaphore::new(threads)),
            AtomicUsize::new(0),
            AtomicU64::new(0),
        );
        Ok(Arc::new(Self {
            keyring,
            rng,
            cost,
            threads,
            waiting,
            runs,
            dummy,
        }))
    }

    pub async fn hash(self: &Arc<Self>, password: SecretText) -> Result<StoredPassword, PasswordError> {
        self.run(move |this| hash_blocking(&this.keyring, this.rng.as_ref(), this.cost, password.expose()))
            .await?
    }

    /// Whether the password is the one stored; with nothing stored, the same work against a dummy and no.
    pub async fn matches(
        self: &Arc<Self>,
        password: SecretText,
        stored: Option<StoredPassword>,
    ) -> Result<bool, PasswordError> {
        self.run(move |this| {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| this.dummy.clone());
            verify_blocking(&this.keyring, &stored, password.expose()) && known
        })
        .await
    }

    /// Whether a stored hash was made with other parameters or another pepper than new ones are.
    #[must_use]
    pub fn is_outdated(&self, stored: &StoredPassword) -> bool {
        let current = format!(
            "$m={},t={},p={}$",
            self.cost.memory_kib, self.cost.passes, self.cost.lanes
        );
        !stored.phc.contains(&current) || stored.pepper_id != self.keyring.active_id(Purpose::Password)
    }

    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Place::take(&self.waiting).ok_or(PasswordError::Busy)?;
        let permit = tokio::time::timeout(WAIT_MAX, Arc::clone(&self.threads).acquire_owned()).await;
        let permit = permit
            .map_err(|_| PasswordError::Busy)?
            .map_err(|_| PasswordError::Failed)?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let this = Arc::clone(self);
        let (done, result) = tokio::sync::oneshot::channel();
        // A thread of its own, which is nothing beside a hash: lowering a pool's would lower what comes after, too.
        let thread = std::thread::Builder::new().name("password".to_owned());
        let started = thread.spawn(move || {
            yield_to_others();
            let _ = done.send(work(&this));
            // Held to the end even if whoever asked has gone meanwhile: what counts is who hashes.
            drop(permit);
        });
        started.map_err(|_| PasswordError::Failed)?;
        result.await.map_err(|_| PasswordError::Failed)
    }
}

/// Lets whatever else wants the processor go first, verification above all: a crowd that signs in waits for itself. That
/// it cannot be done on some system is no reason not to hash.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

/// One place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::AcqRel);
        let place = Self(waiting);
        (before < QUEUE_MAX).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn normalised(password: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(password.nfc().collect())
}

fn hash_blocking(
    keyring: &Keyring,
    rng: &dyn Rng,
    cost: PasswordCost,
    password: &str,
) -> Result<StoredPassword, PasswordError> {
    let pepper_id = keyring.active_id(Purpose::Password).to_owned();
    let pepper = keyring
        .raw(Purpose::Password, &pepper_id)
        .ok_or(PasswordError::Failed)?;
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(|_| PasswordError::Failed)?;
    let argon = Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|_| PasswordError::Failed)?;
    let mut salt = [0_u8; 16];
    rng.fill(&mut salt);
    let hash: PasswordHash = argon
        .hash_password_with_salt(normalised(password).as_bytes(), &salt)
        .map_err(|_| PasswordError::Failed)?;
    Ok(StoredPassword {
        phc: hash.to_string(),
        pepper_id,
    })
}

fn verify_blocking(keyring: &Keyring, stored: &StoredPassword, password: &str) -> bool {
    let Some(pepper) = keyring.raw(Purpose::Password, &stored.pepper_id) else {
        return false;
    };
    let argon = Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, Params::default());
    let (Ok(argon), Ok(hash)) = (argon, PasswordHash::new(&stored.phc)) else {
        return false;
    };
    argon
        .verify_password(normalised(password).as_bytes(), &hash)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::platform::rng::OsRng;

    fn hashing() -> Arc<PasswordHashing> {
        let mut ring = Keyring::default();
        ring.add(Purpose::Password, "p1", [9; 32], true);
        PasswordHashing::new(Arc::new(ring), Arc::new(OsRng), PasswordCost::default())
            .unwrap_or_else(|_| panic!())
    }

    #[tokio::test]
    async fn r05_composed_and_decomposed_spelling_sign_in_alike() {
        let hashing = hashing();
        let stored = hashing
            .hash("café au lait, please".into())
            .await
            .unwrap_or_else(|_| panic!());
        assert!(
            hashing
                .matches("cafe\u{301} au lait, please".into(), Some(stored))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn r06_the_stored_hash_is_argon2id_at_the_floor_with_a_fresh_salt() {
        let hashing = hashing();
        let one = hashing
            .hash("correct horse battery".into())
            .await
            .unwrap_or_else(|_| panic!());
        let two = hashing
            .hash("correct horse battery".into())
            .await
            .unwrap_or_else(|_| panic!());
        assert!(
            one.phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            one.phc
        );
        assert_ne!(one.phc, two.phc);
        assert!(!hashing.is_outdated(&one));
    }

    #[test]
    fn r06_costs_below_the_floor_are_known_as_such() {
        let cost = |memory_kib, passes| PasswordCost {
            memory_kib,
            passes,
            lanes: 1,
        };
        assert!(cost(19_456, 2).is_enough() && cost(47_104, 1).is_enough());
        assert!(!cost(8_192, 2).is_enough() && !cost(19_456, 1).is_enough());
    }

    #[tokio::test]
    async fn r02_passwords_that_differ_in_the_last_character_differ() {
        let hashing = hashing();
        let long = "x".repeat(199);
        let stored = hashing
            .hash(format!("{long}a").as_str().into())
            .await
            .unwrap_or_else(|_| panic!());
        assert!(
            !hashing
                .matches(format!("{long}b").as_str().into(), Some(stored))
                .await
                .unwrap()
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn r72_the_queue_holds_thirty_two_and_the_rest_is_told_to_come_back() {
        let hashing = hashing();
        let before = hashing.runs();
        let attempts: Vec<_> = (0..200)
            .map(|_| {
                let hashing = Arc::clone(&hashing);
                tokio::spawn(async move { hashing.matches("x".into(), None).await })
            })
            .collect();
        let mut busy = 0;
        for attempt in attempts {
            busy += u64::from(attempt.await.unwrap().is_err());
        }
        assert!(busy >= 200 - 32 - 100, "{busy} were refused");
        assert_eq!(hashing.runs() - before, 200 - busy);
    }
}
