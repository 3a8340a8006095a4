//! Chance: the operating system's CSPRNG, and unbiased base62 from it.

use crate::model::key_text::ALPHABET;

/// Source of unpredictable bytes; tests put a seeded one in.
pub trait Rng: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's source.
#[derive(Debug, Default)]
pub struct OsRng;

impl Rng for OsRng {
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe could be done after that.
    #[expect(
        clippy::expect_used,
        reason = "going on without randomness would be worse than stopping"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// `length` characters, each of the 62 equally likely: bytes from 248 on are drawn again (248 = 4 · 62).
#[must_use]
pub fn base62(rng: &dyn Rng, length: usize) -> String {
    let mut out = String::with_capacity(length);
    let mut pool = [0_u8; 48];
    while out.len() < length {
        rng.fill(&mut pool);
        let room = length - out.len();
        out.extend(
            pool.iter()
                .filter(|&&b| b < 248)
                .take(room)
                .map(|&b| char::from(ALPHABET[usize::from(b % 62)])),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r56_every_character_is_equally_likely() {
        const DRAWS: usize = 1_000_000;
        let mut counts = [0_u32; 128];
        for byte in base62(&OsRng, DRAWS).bytes() {
            counts[usize::from(byte)] += 1;
        }
        let expected = DRAWS as f64 / 62.0;
        let chi_square: f64 = ALPHABET
            .iter()
            .map(|&c| (f64::from(counts[usize::from(c)]) - expected).powi(2) / expected)
            .sum();
        // 61 degrees of freedom: beyond 130 lies a chance of less than one in a million.
        assert!(chi_square < 130.0, "χ² = {chi_square}");
    }

    #[test]
    fn r56_bytes_that_would_favour_some_characters_are_drawn_again() {
        struct Counting(std::sync::atomic::AtomicU8);
        impl Rng for Counting {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            }
        }
        // 256 consecutive bytes give each character exactly four times; 248–255 must not add a fifth.
        let text = base62(&Counting(0.into()), 248);
        assert!(
            ALPHABET
                .iter()
                .all(|&c| text.bytes().filter(|&b| b == c).count() == 4)
        );
    }
}
