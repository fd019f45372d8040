//! Compares the rules with other descriptions of themselves: the regular expressions of their sources, their own JSON
//! Schema, and their own output. Random texts come from a fixed seed, which a failure names.

mod deserialize;
mod option82;
mod oracle;
mod sanitize;
mod schemas;
mod texts;

use std::ops::Range;

/// Runs rounds with one generator each. The seed of a failed round runs that round alone.
fn rounds(seeds: Range<u64>, mut round: impl FnMut(&mut fastrand::Rng)) {
    struct Seed(u64);
    impl Drop for Seed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("this was the round of seed {}", self.0);
            }
        }
    }
    for seed in seeds {
        let _named = Seed(seed);
        round(&mut fastrand::Rng::with_seed(seed));
    }
}

/// Characters that often cause errors: all of ASCII and Latin-1, combining accents, spaces of all widths, digits and
/// letters of other scripts that resemble Latin ones, and the first and last character of every UTF-8 length.
fn characters() -> impl Iterator<Item = char> {
    let latin = '\0'..='\u{ff}';
    let marks = '\u{300}'..='\u{308}';
    let others = "\u{7ff}\u{800}\u{1680}\u{2000}\u{2009}\u{200b}\u{200d}\u{200e}\u{2010}\u{2011}\u{2013}\u{2014}‘’“”…\u{2028}\
        \u{202f}\u{2060}\u{3000}\u{feff}\u{fffd}\u{ffff}\u{10000}\u{10ffff}٠٩०９０ＡＺａｚＯΟАаеоЗŒœﬁ№😀";
    latin.chain(marks).chain(others.chars())
}

/// Returns a text of any characters, most of them from [`characters`].
fn arbitrary(random: &mut fastrand::Rng) -> String {
    let few: Vec<char> = (0..8).map(|_| character(random)).collect();
    let length = random.usize(0..48);
    (0..length)
        .map(|_| match random.u8(0..4) {
            0 => few[random.usize(0..few.len())],
            1 => random.char('0'..='9'),
            2 => random.alphanumeric(),
            _ => character(random),
        })
        .collect()
}

fn character(random: &mut fastrand::Rng) -> char {
    match random.u8(0..8) {
        0 => random.char(..),
        1 => random.char('\0'..'\u{180}'),
        _ => random.char(' '..='~'),
    }
}
