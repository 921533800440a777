//! A reader for the part of Thrift's compact protocol that footers and page headers use. Unknown fields are
//! skipped.

/// Deepest nesting of structs and lists.
const DEPTH: usize = 64;

/// Type codes of fields.
pub(super) const TRUE: u8 = 1;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LISTS: [u8; 2] = [9, 10];
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// A position in some bytes. Every method returns none if the bytes are incomplete or not valid Thrift.
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Number of bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Skips bytes.
    pub(super) fn pass(&mut self, bytes: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        self.at = end;
        (end <= self.bytes.len()).then_some(())
    }

    /// A varint of at most 64 bits: seven bits per byte, lowest first.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    /// A signed integer in zigzag encoding.
    pub(super) fn integer(&mut self) -> Option<i64> {
        self.unsigned().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The header of a list: the number of elements and their type.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
        // An element takes at least one byte.
        (count <= (self.bytes.len() - self.at) as u64).then_some((count, head & 15))
    }

    /// Calls `with` on each field of a struct, with its number and type. `with` either reads the value and
    /// returns true, or returns false, and the value is skipped.
    pub(super) fn fields(&mut self, mut with: impl FnMut(&mut Self, i16, u8) -> Option<bool>) -> Option<()> {
        self.fields_at(0, &mut with)
    }

    fn fields_at(
        &mut self,
        depth: usize,
        with: &mut dyn FnMut(&mut Self, i16, u8) -> Option<bool>,
    ) -> Option<()> {
        let mut field = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => i16::try_from(self.integer()?).ok()?,
                step => field.checked_add(i16::from(step))?,
            };
            if !with(self, field, head & 15)? {
                self.skip(head & 15, depth + 1)?;
            }
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match kind {
            TRUE | 2 => Some(()),
            BYTE => self.pass(1),
            4..=6 => self.unsigned().map(drop),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.unsigned()?;
                self.pass(length)
            }
            _ if LISTS.contains(&kind) => {
                let (count, element) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(element, depth + 1))
            }
            MAP => {
                let count = self.unsigned()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth + 1)?;
                    self.skip_element(kinds & 15, depth + 1)
                })
            }
            STRUCT => self.fields_at(depth, &mut |_, _, _| Some(false)),
            _ => None,
        }
    }

    /// Skips an element of a list or map, where a boolean takes a byte.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        if matches!(kind, TRUE | 2) { self.pass(1) } else { self.skip(kind, depth) }
    }
}

/// Whether a field of this type is an integer of 16 to 64 bits.
pub(super) fn is_integer(kind: u8) -> bool {
    (4..=6).contains(&kind)
}
