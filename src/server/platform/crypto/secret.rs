//! A value that must not be seen.

use zeroize::Zeroize;

/// Holds a secret: no `Debug`, `Display`, `Serialize` or `PartialEq`, wiped when dropped. [`Secret::expose`] is the
/// only way in, so that every use can be found by its name.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The text of a credential.
pub type SecretText = Secret<String>;

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}
