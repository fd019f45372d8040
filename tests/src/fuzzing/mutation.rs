//! Inputs made from seeds, for the runs without libFuzzer.

use fastrand::Rng;
use serde_json::Value;

use crate::mutate::{pointers, unexpected_values};

/// Returns a seed with a few random changes.
pub fn mutated(random: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = |random: &mut Rng| random.choice(seeds).cloned().unwrap_or_default();
    let mut data = seed(random);
    for _ in 0..random.usize(1..5) {
        if random.u8(..3) == 0 && replace_value(random, &mut data) {
            continue;
        }
        let at = random.usize(..=data.len());
        let to = random.usize(at..=data.len().min(at + 16));
        match random.u8(..7) {
            0 if at < data.len() => data[at] ^= 1 << random.u8(..8),
            1 => data.insert(at, random.u8(..)),
            2 => drop(data.drain(at..to)),
            3 => data = [&data[..to], &data[at..]].concat(),
            4 => {
                let other = seed(random);
                data.truncate(at);
                data.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
            5 => {
                const SIGNS: &[u8] = b"{}[]\",:\\/.-+0eEtn \n\0\xc3\xff";
                data.insert(at, *random.choice(SIGNS).unwrap_or(&b' '));
            }
            _ => data.truncate(at),
        }
    }
    data
}

/// Replaces a JSON value, if a JSON text follows the bytes that choose.
fn replace_value(random: &mut Rng, data: &mut Vec<u8>) -> bool {
    let json = (0..4).find_map(|at| Some((at, serde_json::from_slice::<Value>(data.get(at..)?).ok()?)));
    let Some((at, mut json)) = json else { return false };
    let Some(pointer) = random.choice(pointers(&json)) else { return false };
    let Some(here) = json.pointer_mut(&pointer) else { return false };
    let mut unexpected_values = unexpected_values(here);
    *here = unexpected_values.swap_remove(random.usize(..unexpected_values.len()));
    data.truncate(at);
    data.extend_from_slice(json.to_string().as_bytes());
    true
}
