//! Choices made out of bytes: the same bytes make the same choices, and where they end, the first choice is made.
//!
//! So the properties and the fuzzer share their generators, and fewer or smaller bytes make a simpler world.

use std::slice::Iter;

pub(crate) struct Dice<'b>(Iter<'b, u8>);

impl<'b> Dice<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `sides`: 1 to 256 of them.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) * sides / 256
    }

    pub(crate) fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) + 1 == sides
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> i64 {
        (0..8).fold(0, |number, _| number << 8 | i64::from(self.0.next().copied().unwrap_or(0)))
    }
}
