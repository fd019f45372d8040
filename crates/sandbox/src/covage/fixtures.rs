//! The generated addresses, in the formats of the supplier's samples.

use std::sync::Arc;

use fastrand::Rng;

/// The premises at one street number: the buildings with fibre, and the copper line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Premises {
    /// The postal code.
    pub zipcode: String,
    /// The supplier's code of the municipality.
    pub kosc_insee_code: String,
    /// The name of the municipality.
    pub city: String,
    /// The supplier's code of the street.
    pub kosc_street_code: String,
    /// The name of the street.
    pub street_name: String,
    /// The street number, including its letter.
    pub street_number: String,
    /// The buildings with fibre: none, one or two.
    pub buildings: Vec<Building>,
    /// The copper line, if there is one.
    pub line: Option<CopperLine>,
}

/// A building with fibre.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Building {
    /// The reference, which contains slashes, such as `IMB/76540/X/043X`.
    pub reference: String,
    /// The name of the building.
    pub name: String,
    /// Whether the building is a house, which has no staircase.
    pub house: bool,
    /// The sockets in the building, ordered by staircase and floor.
    pub sockets: Vec<Socket>,
}

/// An optical socket in the home (OTP: *optical termination point*, not a one-time password).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Socket {
    /// The reference, in one of the two documented formats: `FI-1234-4234` or `FIE-2523-4523`.
    pub reference: String,
    /// The staircase of the socket.
    pub stairs: String,
    /// The floor of the socket.
    pub floor: String,
}

/// A copper line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopperLine {
    /// The telephone number of the line.
    pub number: String,
    /// Whether the line is in use.
    pub active: bool,
}

const CITIES: [&str; 3] = ["ANKEBOURG", "VALCANARD SUR LUNE", "PORT PLUMET"];
const STREETS: [&str; 3] = ["RUE DES TROIS CANARDS", "AVENUE DU PHARE NEUF", "IMPASSE DE LA PLUME"];
const NUMBERS_PER_STREET: usize = 6;
/// The value for "no building and no staircase" (samples of building lookups).
pub(super) const NEITHER: &str = "_NA_";

/// All premises, ordered by street.
#[derive(Debug)]
pub(super) struct Fixtures(Arc<[Premises]>);

impl Fixtures {
    pub(super) fn new(rng: &mut Rng) -> Fixtures {
        let mut numbering = Numbering::new(rng);
        let (zipcode, insee) = (rng.u32(76_950..76_990), rng.u32(901..960));
        let mut premises = Vec::new();
        for (city_index, city) in CITIES.into_iter().enumerate() {
            // The first two share a postal code. The third is in Corsica, whose codes have a letter.
            let (zipcode, insee) = match city_index {
                0 | 1 => (zipcode.to_string(), format!("76{}", insee as usize + city_index)),
                _ => (format!("20{}", zipcode % 1_000), format!("2A{}", insee as usize + city_index)),
            };
            for (street, name) in STREETS.into_iter().enumerate() {
                let mut premises_at_number = Premises {
                    zipcode: zipcode.clone(),
                    kosc_insee_code: insee.clone(),
                    city: city.to_owned(),
                    kosc_street_code: format!("{insee}{:05}", rng.u32(0..10_000) * 10 + street as u32),
                    street_name: name.to_owned(),
                    street_number: String::new(),
                    buildings: Vec::new(),
                    line: None,
                };
                let mut number = 0;
                for kind in 0..NUMBERS_PER_STREET {
                    number += rng.u32(1..=6);
                    premises_at_number.fill(kind, number, &mut numbering);
                    premises.push(premises_at_number.clone());
                }
            }
        }
        Fixtures(premises.into())
    }

    pub(super) fn premises(&self) -> Arc<[Premises]> {
        Arc::clone(&self.0)
    }

    pub(super) fn at(&self, index: usize) -> Option<&Premises> {
        self.0.get(index)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Premises> {
        self.0.iter()
    }

    pub(super) fn find(&self, street_code: &str, number: &str) -> Option<&Premises> {
        self.all()
            .find(|premises| premises.kosc_street_code == street_code && premises.street_number == number)
    }

    /// Returns the index of the premises with a copper line.
    pub(super) fn line(&self, number: &str) -> Option<usize> {
        self.all().position(|premises| premises.line.as_ref().is_some_and(|line| line.number == number))
    }

    /// Returns the index of the premises with a building, and the index of the building.
    pub(super) fn building(&self, reference: &str) -> Option<(usize, usize)> {
        self.find_building(|building| building.reference == reference)
    }

    /// Returns the indices of the premises, of the building, and of the socket in it.
    pub(super) fn socket(&self, reference: &str) -> Option<(usize, usize, usize)> {
        let matches = |socket: &Socket| socket.reference == reference;
        let (premises, building) = self.find_building(|building| building.sockets.iter().any(matches))?;
        let socket = self.at(premises)?.buildings.get(building)?.sockets.iter().position(matches)?;
        Some((premises, building, socket))
    }

    fn find_building(&self, matches: impl Fn(&Building) -> bool) -> Option<(usize, usize)> {
        self.all()
            .enumerate()
            .find_map(|(index, premises)| Some((index, premises.buildings.iter().position(&matches)?)))
    }
}

impl Premises {
    /// Sets the buildings and the line. Every street has the same six kinds of premises: 0 has a building and an
    /// active line, 1 a building with two staircases and an inactive line, 2 two buildings and an active line, 3 a
    /// house whose number has a letter and an active line, 4 only an active line, 5 nothing.
    fn fill(&mut self, kind: usize, number: u32, numbering: &mut Numbering) {
        let letter = if kind == 3 { "B" } else { "" };
        self.street_number = format!("{number}{letter}");
        let stairs: &[(&str, &[&str])] = match kind {
            0 => &[("A", &["1"])],
            1 => &[("A", &["1", "2"])],
            2 => &[("A", &["1"]), ("B", &["C"])],
            3 => &[("NA", &[NEITHER])],
            _ => &[],
        };
        let insee = &self.kosc_insee_code;
        let buildings = stairs.iter().map(|(name, stairs)| numbering.building(insee, name, stairs));
        self.buildings = buildings.collect();
        self.line = (kind < 5).then(|| CopperLine { number: numbering.telephone(), active: kind != 1 });
    }

    /// Returns the code of the exchange, such as `06088CAR`.
    pub(super) fn exchange(&self) -> String {
        let letters: String = self.city.chars().filter(char::is_ascii_alphabetic).take(3).collect();
        format!("{}{letters}", self.kosc_insee_code)
    }
}

impl Building {
    /// Returns the staircase of a socket as lookups name it: building and staircase separated by `^`, or the value
    /// for neither (samples of building lookups).
    pub(super) fn staircase(&self, socket: &Socket) -> String {
        if self.house { NEITHER.to_owned() } else { format!("{}^{}", self.name, socket.stairs) }
    }
}

/// Generates unique references.
struct Numbering {
    next_telephone: u32,
    next_building: u32,
    next_socket: u32,
}

impl Numbering {
    fn new(rng: &mut Rng) -> Numbering {
        Numbering {
            next_telephone: rng.u32(..9_000),
            next_building: rng.u32(..1_000_000),
            next_socket: rng.u32(10_000_000..40_000_000),
        }
    }

    /// Returns a number that France reserves for fiction: 04 65 71 and four digits.
    fn telephone(&mut self) -> String {
        self.next_telephone += 7;
        format!("046571{:04}", self.next_telephone)
    }

    fn building(&mut self, insee: &str, name: &str, stairs: &[&str]) -> Building {
        self.next_building += 1_297;
        let house = stairs == [NEITHER];
        let floors: &[&str] = if house { &["0"] } else { &["0", "1", "2"] };
        let sockets = stairs.iter().flat_map(|stairs| floors.iter().map(move |floor| (*stairs, *floor)));
        Building {
            reference: format!("IMB/{insee}/X/{}", base_36(self.next_building)),
            name: name.to_owned(),
            house,
            sockets: sockets
                .map(|(stairs, floor)| Socket {
                    reference: self.socket(),
                    stairs: stairs.to_owned(),
                    floor: floor.to_owned(),
                })
                .collect(),
        }
    }

    /// Returns a socket reference, in one of the two documented formats.
    fn socket(&mut self) -> String {
        self.next_socket += 100_271;
        let prefix = if self.next_socket.is_multiple_of(2) { "FI" } else { "FIE" };
        format!("{prefix}-{:04}-{:04}", self.next_socket / 10_000, self.next_socket % 10_000)
    }
}

/// Formats a number as four digits in base 36.
fn base_36(number: u32) -> String {
    let digit = |power: u32| char::from_digit(number / 36_u32.pow(power) % 36, 36).unwrap_or('0');
    (0..4).rev().map(|power| digit(power).to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn references_are_unique() {
        let fixtures = Fixtures::new(&mut Rng::with_seed(1));
        assert_eq!(fixtures.all().count(), 54);
        let buildings: Vec<_> = fixtures.all().flat_map(|premises| &premises.buildings).collect();
        let sockets: Vec<_> = buildings.iter().flat_map(|building| &building.sockets).collect();
        let distinct = |texts: Vec<&str>| texts.len() == texts.iter().collect::<BTreeSet<_>>().len();
        assert!(distinct(buildings.iter().map(|building| building.reference.as_str()).collect()));
        assert!(distinct(sockets.iter().map(|socket| socket.reference.as_str()).collect()));
        assert!(sockets.iter().any(|socket| socket.reference.len() == 12));
        assert!(sockets.iter().any(|socket| socket.reference.len() == 13));
        let lines: Vec<_> = fixtures.all().filter_map(|premises| premises.line.as_ref()).collect();
        assert!(distinct(lines.iter().map(|line| line.number.as_str()).collect()));
        assert!(lines.iter().all(|line| line.number.len() == 10));
        let streets: BTreeSet<_> = fixtures.all().map(|premises| &premises.kosc_street_code).collect();
        assert_eq!(streets.len(), 9);
    }
}
