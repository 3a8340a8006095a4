//! The master key: the file that opens everything sealed. Losing it voids all keys; back it up apart
//! from the database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::secret::Secret;
use crate::server::platform::rng::Rng;

/// Thirty-two random bytes; in the file as 64 hexadecimal digits.
pub struct MasterKey {
    bytes: Secret<[u8; 32]>,
    id: String,
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(
        "the master key file {0} does not exist. Restore it from its backup; a new one cannot open this database"
    )]
    Missing(String),
    #[error("the master key file {0} can be read by other accounts; run: chmod 600 {0}")]
    TooOpen(String),
    #[error("the master key file {0} does not hold 64 hexadecimal digits")]
    Malformed(String),
    #[error("the master key file {path} could not be used: {source}")]
    Io { path: String, source: io::Error },
}

impl MasterKey {
    fn new(bytes: [u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"keywright-kek-id-v1");
        hasher.update(bytes);
        let id = hex(&hasher.finalize()[..4]);
        Self {
            bytes: Secret::new(bytes),
            id,
        }
    }

    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        let mut bytes = [0_u8; 32];
        rng.fill(&mut bytes);
        Self::new(bytes)
    }

    /// Reads the file; refuses one that others may read.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let shown = path.display().to_string();
        let io_error = |source| MasterKeyError::Io {
            path: path.display().to_string(),
            source,
        };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(MasterKeyError::Missing(shown));
            }
            Err(error) => return Err(io_error(error)),
        };
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(MasterKeyError::TooOpen(shown));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(io_error)?);
        let bytes = unhex(text.trim()).ok_or(MasterKeyError::Malformed(shown))?;
        Ok(Self::new(bytes))
    }

    /// Makes a new key and its file (0600, in a folder 0700). Never overwrites: an existing file is an error.
    pub fn create(path: &Path, rng: &dyn Rng) -> Result<Self, MasterKeyError> {
        let io_error = |source| MasterKeyError::Io {
            path: path.display().to_string(),
            source,
        };
        let key = Self::random(rng);
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(io_error)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io_error)?;
        let text = Zeroizing::new(format!("{}\n", hex(key.bytes.expose())));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io_error)?;
        if let Some(folder) = path.parent() {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(io_error)?;
        }
        Ok(key)
    }

    /// Names the key without telling it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }
}

/// Whether two paths lie on one volume; `None` when either cannot be asked.
#[must_use]
pub fn share_a_volume(one: &Path, other: &Path) -> Option<bool> {
    Some(fs::metadata(one).ok()?.dev() == fs::metadata(other).ok()?.dev())
}

#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Reads 64 hexadecimal digits.
#[must_use]
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [0_u8; 32];
    for (place, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::platform::rng::OsRng;

    #[test]
    fn r82_a_master_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let made = MasterKey::create(&path, &OsRng).unwrap();
        assert_eq!(
            MasterKey::load(&path).map(|key| key.id().to_owned()).ok(),
            Some(made.id().to_owned())
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(MasterKey::load(&path), Err(MasterKeyError::TooOpen(_))));
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::create(&path, &OsRng).unwrap();
        assert!(matches!(
            MasterKey::create(&path, &OsRng),
            Err(MasterKeyError::Io { .. })
        ));
        assert!(matches!(
            MasterKey::load(&folder.path().join("none")),
            Err(MasterKeyError::Missing(_))
        ));
    }
}
