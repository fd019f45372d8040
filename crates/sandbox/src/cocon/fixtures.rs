//! The buildings of the simulated network.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::error_response::ErrorResponse;

const STREETS: u32 = 4;

/// A building of the simulated network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Building {
    /// The id, which is numeric.
    pub id: String,
    /// The name: zip code and house number, such as `1234AB-56`.
    pub name: String,
    /// Whether the building can be connected.
    pub kind: BuildingKind,
    /// The short name of the frame. Only prepared buildings have one.
    pub frame: Option<String>,
}

/// Whether, and why not, a building can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildingKind {
    /// The frame and the termination unit are installed and the cable lies nearby. The building can be connected,
    /// once.
    Prepared,
    /// The building has no frame. A connection is rejected.
    Unprepared,
    /// The record stands for several buildings. A connection is rejected.
    Complex,
}

impl BuildingKind {
    /// Describes, in English, the outcome of a request to connect a building of this kind.
    pub fn connection_outcome(self) -> &'static str {
        match self {
            BuildingKind::Prepared => "can be connected, once",
            BuildingKind::Unprepared => "refused, because it has no frame",
            BuildingKind::Complex => "refused, because it stands for several buildings",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Fixtures {
    buildings: Vec<SimulatedBuilding>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
}

/// A building, the parts of its connection, and whether it is connected.
#[derive(Debug)]
pub(super) struct SimulatedBuilding {
    building: Building,
    connection: Value,
    connected: bool,
}

impl Fixtures {
    pub(super) fn new(rng: &mut Rng, buildings_per_street: u32) -> Fixtures {
        let district = rng.u32(1_000..9_000);
        let mut next_id = rng.u32(1_000_000..9_000_000);
        let mut fixtures = Fixtures::default();
        for street in 0..STREETS {
            let zip_code = format!("{}{}", district + street, zip_letters(rng));
            let mut number = 0;
            for index in 0..buildings_per_street {
                number += rng.u32(1..=9);
                next_id += 10;
                let kind = kind_of(index, buildings_per_street);
                fixtures.add(SimulatedBuilding::new(next_id, format!("{zip_code}-{number}"), kind));
            }
        }
        fixtures
    }

    fn add(&mut self, building: SimulatedBuilding) {
        let index = self.buildings.len();
        self.by_id.insert(building.building.id.clone(), index);
        self.by_name.insert(building.building.name.clone(), index);
        self.buildings.push(building);
    }

    pub(super) fn buildings(&self) -> Arc<[Building]> {
        self.buildings.iter().map(|building| building.building.clone()).collect()
    }

    /// Returns the buildings that are connected.
    pub(super) fn connected(&self) -> impl Iterator<Item = &Building> {
        self.buildings.iter().filter(|building| building.connected).map(|building| &building.building)
    }

    /// Installs a frame in a building that has none.
    pub(super) fn prepare(&mut self, name: &str) {
        if let Ok(building) = self.by_name(name)
            && building.building.kind == BuildingKind::Unprepared
        {
            building.building.kind = BuildingKind::Prepared;
        }
    }

    pub(super) fn by_id(&mut self, id: &str) -> Result<&mut SimulatedBuilding, ErrorResponse> {
        let index = self.by_id.get(id).copied();
        self.at(index).ok_or_else(|| ErrorResponse::not_found("building", id))
    }

    pub(super) fn by_name(&mut self, name: &str) -> Result<&mut SimulatedBuilding, ErrorResponse> {
        let index = self.by_name.get(name).copied();
        self.at(index).ok_or_else(|| ErrorResponse::not_found("building", name))
    }

    fn at(&mut self, index: Option<usize>) -> Option<&mut SimulatedBuilding> {
        self.buildings.get_mut(index?)
    }
}

impl SimulatedBuilding {
    fn new(id: u32, name: String, kind: BuildingKind) -> SimulatedBuilding {
        let frame = (kind == BuildingKind::Prepared).then(|| format!("F{}", id % 10_000));
        let part = |offset: u32| (id + offset).to_string();
        let connection = json!({
            "buildingId": part(0),
            "cableId": part(1),
            "frameId": part(2),
            "patchPosition1Id": part(3),
            "patchPosition2Id": part(4),
        });
        SimulatedBuilding {
            building: Building { id: part(0), name, kind, frame },
            connection,
            connected: false,
        }
    }

    /// Connects the building to its frame, which the request may name, and returns the parts of the connection.
    pub(super) fn connect(&mut self, frame_name: Option<&str>) -> Result<Value, ErrorResponse> {
        let name = &self.building.name;
        let refuse = |code, what: &str| Err(ErrorResponse::new(400, code, format!("Building {name} {what}")));
        match self.building.kind {
            BuildingKind::Complex => return refuse("ComplexBuilding", "stands for several buildings"),
            BuildingKind::Unprepared => return refuse("NotPrepared", "has no frame"),
            BuildingKind::Prepared => {}
        }
        if frame_name.is_some() && frame_name != self.building.frame.as_deref() {
            return refuse("UnknownFrame", "has another frame");
        }
        if self.connected {
            return refuse("AlreadyConnected", "is connected already");
        }
        self.connected = true;
        Ok(self.connection.clone())
    }
}

/// Returns the kind of a building by its index: the first of a street is complex, the last two are unprepared.
fn kind_of(index: u32, buildings_per_street: u32) -> BuildingKind {
    match index {
        0 => BuildingKind::Complex,
        index if index + 2 < buildings_per_street => BuildingKind::Prepared,
        _ => BuildingKind::Unprepared,
    }
}

/// Returns the two letters of a Dutch zip code. Some pairs are never used; pairs of these letters can be.
fn zip_letters(rng: &mut Rng) -> String {
    const LETTERS: [char; 8] = ['A', 'B', 'D', 'G', 'H', 'K', 'L', 'N'];
    (0..2).filter_map(|_| rng.choice(LETTERS)).collect()
}
