//! UTF-16 as one byte per unit, so that it is searched like any other text.
//!
//! ASCII stays as it is; the second half of a pair becomes a byte that continues a UTF-8 character, anything else one that
//! begins one. So characters are counted alike. Keys are ASCII; nothing else needs to be readable.

pub struct Units {
    little_endian: bool,
    /// Bytes of the mark still to be skipped.
    skip: usize,
    half: Option<u8>,
}

impl Units {
    /// `None` unless the file begins with a byte order mark of UTF-16.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let little_endian = match beginning.get(..2)? {
            [0xFF, 0xFE] => true,
            [0xFE, 0xFF] => false,
            _ => return None,
        };
        Some(Self {
            little_endian,
            skip: 2,
            half: None,
        })
    }

    /// Writes the units that are whole with `fresh` to `room`, which holds half as many bytes and one; how many.
    pub fn narrow(&mut self, fresh: &[u8], room: &mut [u8]) -> usize {
        let mut units = 0;
        for &byte in &fresh[std::mem::take(&mut self.skip)..] {
            let Some(first) = self.half.take() else {
                self.half = Some(byte);
                continue;
            };
            let unit = match self.little_endian {
                true => u16::from_le_bytes([first, byte]),
                false => u16::from_be_bytes([first, byte]),
            };
            room[units] = match unit {
                0..0x80 => unit.to_le_bytes()[0],
                0xDC00..0xE000 => 0x80,
                _ => 0xFF,
            };
            units += 1;
        }
        units
    }
}
