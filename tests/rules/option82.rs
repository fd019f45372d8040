use lastmile::rules::{DhcpIdentifier, Option82, Problem};

use crate::oracle::is_option82;
use crate::rounds;

type SubOptions = Vec<(u8, Vec<u8>)>;

fn sub_options(random: &mut fastrand::Rng) -> SubOptions {
    (0..random.usize(0..6))
        .map(|_| {
            let length = if random.u8(0..4) == 0 { random.usize(0..270) } else { random.usize(0..40) };
            let code = if random.bool() { random.u8(1..3) } else { random.u8(..) };
            (code, (0..length).map(|_| random.u8(..)).collect())
        })
        .collect()
}

fn build(sub_options: &SubOptions) -> Result<Option82, Problem> {
    let borrowed = sub_options.iter().map(|(code, value)| (*code, value.as_slice()));
    Option82::from_sub_options(borrowed).map_err(|error| error.problem())
}

#[test]
fn a_built_option_is_parsed_again() {
    let mut built = 0;
    rounds(0..4_000, |random| {
        let given = sub_options(random);
        let bytes: usize = given.iter().map(|(_, value)| 2 + value.len()).sum();
        match build(&given) {
            Ok(option) => {
                built += 1;
                assert!((1..=255).contains(&bytes));
                assert!(is_option82(option.as_str()), "{option}");
                assert_eq!(option.to_string().parse(), Ok(option.clone()));
                assert_eq!(option.to_string().to_lowercase().parse(), Ok(option.clone()));
                let read: SubOptions =
                    option.sub_options().map(|sub| (sub.code(), sub.bytes().collect())).collect();
                assert_eq!(read, given);
                let first =
                    |code| given.iter().find(|(other, _)| *other == code).map(|(_, value)| value.clone());
                assert_eq!(option.circuit_id().map(|sub| sub.bytes().collect()), first(1));
                assert_eq!(option.remote_id().map(|sub| sub.bytes().collect()), first(2));
            }
            Err(Problem::Empty) => assert_eq!(bytes, 0),
            Err(Problem::TooLong { allowed: 514 }) => assert!(bytes > 255),
            Err(other) => panic!("{other:?}"),
        }
    });
    assert!(built > 1_000, "{built}");
}

#[test]
fn a_readable_line_round_trips() {
    rounds(0..4_000, |random| {
        let mut text = || {
            let length = random.usize(0..30);
            (length > 0 && random.bool()).then(|| {
                (0..length)
                    .map(|_| if random.bool() { random.alphanumeric() } else { 'ö' })
                    .collect::<String>()
            })
        };
        let line = DhcpIdentifier { ipv4_circuit_id: text(), ipv4_remote_id: text(), ..Default::default() };
        match Option82::try_from(&line) {
            Ok(option) => assert_eq!(option.dhcp_identifier(), Some(line)),
            Err(error) => {
                assert_eq!(error.problem(), Problem::Empty);
                assert!(line.is_empty());
            }
        }
    });
}
