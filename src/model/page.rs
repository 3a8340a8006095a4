//! One page of a list.

use serde::{Deserialize, Serialize};

/// Rows a page shows unless asked otherwise.
pub const DEFAULT_SIZE: u32 = 50;
/// The most rows one page may hold (R70).
pub const MAX_SIZE: u32 = 200;

/// Which page of a list: numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    pub number: u32,
    pub size: u32,
}

impl PageRequest {
    /// Brings any numbers into range; a wrong page number is a page of the list, not an error.
    #[must_use]
    pub fn clamped(number: u32, size: u32) -> Self {
        Self {
            number: number.clamp(1, 1_000_000),
            size: size.clamp(1, MAX_SIZE),
        }
    }

    #[must_use]
    pub fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            number: 1,
            size: DEFAULT_SIZE,
        }
    }
}

/// The rows of one page, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub total: i64,
    pub number: u32,
    pub size: u32,
}

impl<T> Page<T> {
    /// The same page of other rows.
    #[must_use]
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(row).collect(),
            total: self.total,
            number: self.number,
            size: self.size,
        }
    }

    #[must_use]
    pub fn last_number(&self) -> u32 {
        let pages = self
            .total
            .max(1)
            .unsigned_abs()
            .div_ceil(u64::from(self.size.max(1)));
        u32::try_from(pages).unwrap_or(u32::MAX)
    }
}
