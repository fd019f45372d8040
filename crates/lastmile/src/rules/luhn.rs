/// Returns whether a sequence of ASCII digits passes the Luhn check: every second digit from the right is doubled, and the sum
/// of all digits is a multiple of 10.
pub(super) fn passes(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .map(|digit| u32::from(digit - b'0'))
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_digit_is_seen() {
        assert!(passes("79927398713".bytes()));
        assert!(passes("".bytes()), "the sum is 0");
        for at in 0..11 {
            for digit in b'0'..=b'9' {
                let mut other = *b"79927398713";
                other[at] = digit;
                assert_eq!(passes(other.into_iter()), other == *b"79927398713");
            }
        }
    }
}
