//! Finds the end of a JSON object or array without decoding it.

/// The number of bytes that are examined together.
const BLOCK: usize = 64;

/// The number of bytes that a processor examines with one instruction, on common machines.
const LANES: usize = 16;

/// A position inside an object or array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nesting {
    /// The number of open brackets.
    depth: usize,
    /// Whether the position is inside a string.
    in_text: bool,
    /// Whether the previous byte is a backslash that escapes the next one.
    escaped: bool,
}

impl Nesting {
    /// The position after the first bracket.
    pub(super) const OPENED: Self = Self { depth: 1, in_text: false, escaped: false };

    /// Moves the position over the bytes, at most to the end of the object or array. Returns the number of bytes to that end;
    /// `None` if it is not among the bytes.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut passed = 0;
        for block in blocks {
            if let Some(end) = self.find_end_in_block(block) {
                return Some(passed + end);
            }
            passed += BLOCK;
        }
        self.find_end_by_byte(rest).map(|end| passed + end)
    }

    /// Most blocks contain neither brackets nor escapes, so that only the parity of their quotes matters.
    #[inline]
    fn find_end_in_block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        // Each lane collects every 16th byte, so that the compiler examines 16 bytes with one instruction.
        let (mut quotes, mut brackets, mut escapes) = ([0; LANES], [0; LANES], [0; LANES]);
        for bytes in block.as_chunks::<LANES>().0 {
            for (lane, &byte) in bytes.iter().enumerate() {
                quotes[lane] ^= u8::from(byte == b'"');
                brackets[lane] |= u8::from(is_bracket(byte));
                escapes[lane] |= u8::from(byte == b'\\');
            }
        }
        if self.escaped || u128::from_le_bytes(escapes) != 0 {
            return self.find_end_by_byte(block);
        }
        if u128::from_le_bytes(brackets) != 0 {
            return self.find_end_by_bits(block);
        }
        self.in_text ^= u128::from_le_bytes(quotes).count_ones() % 2 == 1;
        None
    }

    /// Examines a block without escapes.
    fn find_end_by_bits(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        // Each bit becomes the parity of the quotes up to its byte.
        let mut texts = bits(block, |byte| byte == b'"');
        for shift in [1, 2, 4, 8, 16, 32] {
            texts ^= texts << shift;
        }
        if self.in_text {
            texts = !texts;
        }
        let mut brackets = bits(block, is_bracket) & !texts;
        while brackets != 0 {
            let at = brackets.trailing_zeros() as usize;
            if self.pass_bracket(block[at]) {
                return Some(at + 1);
            }
            brackets &= brackets - 1;
        }
        self.in_text = texts >> (BLOCK - 1) != 0;
        None
    }

    fn find_end_by_byte(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'"' {
                self.in_text = !self.in_text;
            } else if self.in_text {
                self.escaped = byte == b'\\';
            } else if is_bracket(byte) && self.pass_bracket(byte) {
                return Some(at + 1);
            }
        }
        None
    }

    /// Returns whether the bracket ends the object or array. The kinds of brackets are not compared.
    fn pass_bracket(&mut self, bracket: u8) -> bool {
        match bracket {
            b'{' | b'[' => self.depth += 1,
            _ => self.depth -= 1,
        }
        self.depth == 0
    }
}

#[inline]
fn is_bracket(byte: u8) -> bool {
    // The bit by which `{` and `[`, and `}` and `]`, differ.
    let brace = byte | 0x20;
    (brace == b'{') | (brace == b'}')
}

/// Returns a bit for each byte of a block; the first byte has the lowest bit.
#[inline]
fn bits(block: &[u8; BLOCK], is_set: impl Fn(u8) -> bool) -> u64 {
    /// Moves the lowest bits of eight bytes into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(is_set(byte));
    }
    let (eights, _) = flags.as_chunks::<8>();
    eights
        .iter()
        .rev()
        .fold(0, |bits, eight| bits << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_its_bit() {
        for at in 0..BLOCK {
            let mut block = [b'x'; BLOCK];
            block[at] = b'{';
            assert_eq!(bits(&block, is_bracket), 1 << at);
        }
        assert_eq!(bits(&[b'"'; BLOCK], |byte| byte == b'"'), u64::MAX);
        let brackets: Vec<u8> = (0..=u8::MAX).filter(|byte| is_bracket(*byte)).collect();
        assert_eq!(brackets, b"[]{}");
    }

    /// Blocks and single bytes must agree on each text, wherever it is cut.
    #[test]
    fn blocks_end_where_single_bytes_end() {
        let mut random = fastrand::Rng::with_seed(17);
        for _ in 0..20_000 {
            let alphabet: &[u8] =
                if random.bool() { br#"ab"{}[]\:"# } else { br#"abcdefghijklmno"{}[]\:,12345"# };
            let bytes: Vec<u8> =
                (0..random.usize(0..300)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
            let start = Nesting { depth: random.usize(1..4), in_text: random.bool(), escaped: false };
            let start = Nesting { escaped: start.in_text && random.bool(), ..start };
            let (mut by_byte, mut by_block, mut in_two) = (start, start, start);
            let expected = by_byte.find_end_by_byte(&bytes);
            assert_eq!(by_block.find_end(&bytes), expected, "{bytes:?}");
            let (first, second) = bytes.split_at(random.usize(..=bytes.len()));
            let end = in_two.find_end(first);
            let end = end.or_else(|| in_two.find_end(second).map(|end| first.len() + end));
            assert_eq!(end, expected, "{bytes:?}");
            if expected.is_none() {
                assert_eq!((by_block, in_two), (by_byte, by_byte), "{bytes:?}");
            }
        }
    }
}
