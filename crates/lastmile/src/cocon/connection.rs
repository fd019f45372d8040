//! Delayed connections: requests for a building id, for a building name, and for a connection within a batch.

use lastmile_cocon::types::{
    BuildingDelayedConnectionCreate, DelayedConnectionCreate, DelayedConnectionRequestShort, NewRoute,
};
use lastmile_core::Error;
use lastmile_core::wire::Decimal;
use serde::{Deserialize, Serialize};

use super::texts::check;
use super::{BuildingId, refused};
use crate::rules::{Geometry, RouteScenario};

/// Returns the values of the fields `newRoute` and `isWithoutGeometry`.
fn fields(scenario: RouteScenario) -> (Option<NewRoute>, Option<bool>) {
    match scenario {
        RouteScenario::KeepRoute => (None, Some(true)),
        RouteScenario::NewRoute(route) => (Some(new_route(&route)), Some(false)),
    }
}

fn new_route(route: &Geometry) -> NewRoute {
    // A geometry contains only finite numbers, and every finite number is a valid decimal.
    let decimals =
        |numbers: &[f64]| numbers.iter().filter_map(|number| Decimal::try_from(*number).ok()).collect();
    NewRoute {
        type_: Some(route.kind().as_str().into()),
        coordinates: Some(route.positions().map(decimals).collect()),
        bbox: route.bounding_box().map(decimals),
    }
}

macro_rules! setters {
    ($connection:ident) => {
        /// Sets the name of the frame. For a [`BuildingConnection`], set its short name.
        pub fn frame(mut self, name: impl Into<String>) -> Self {
            self.body.frame_name = Some(name.into());
            self
        }

        /// Sets the type of the fibre termination unit that is placed in the frame.
        pub fn termination_unit(mut self, kind: impl Into<String>) -> Self {
            self.body.termination_unit_type = Some(kind.into());
            self
        }

        /// Sets the two attenuations. The supplier states no unit; decibel is usual.
        pub fn attenuations(mut self, first: Decimal, second: Decimal) -> Self {
            self.body.attenuation1 = Some(first);
            self.body.attenuation2 = Some(second);
            self
        }
    };
}

/// A connection of a [`Batch`](super::Batch).
///
/// ```
/// use lastmile::cocon::{Connection, RouteScenario};
///
/// let connection = Connection::new("1234AB-56", RouteScenario::KeepRoute)
///     .frame("ODF-1")
///     .attenuations("0.21".parse()?, "0.35".parse()?);
/// # Ok::<(), lastmile::wire::NotANumber>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct Connection {
    pub(super) body: DelayedConnectionRequestShort,
}

impl Connection {
    /// Creates a connection for the building with this name, which consists of postal code and house number, such as
    /// `1234AB-56`.
    pub fn new(building_name: impl Into<String>, scenario: RouteScenario) -> Self {
        let (new_route, is_without_geometry) = fields(scenario);
        let building_name = Some(building_name.into());
        let body = DelayedConnectionRequestShort {
            building_name,
            new_route,
            is_without_geometry,
            ..Default::default()
        };
        Self { body }
    }

    setters!(Connection);

    /// Checks the connection. `at` is the path prefix of the connection in the batch, for errors.
    pub(super) fn check(&self, at: &str) -> Result<(), Error> {
        named(at, self.body.building_name.as_deref())?;
        measured(at, [&self.body.attenuation1, &self.body.attenuation2], self.body.new_route.as_ref())?;
        consistent(at, self.body.new_route.as_ref(), self.body.is_without_geometry)
    }
}

/// A connection for a building that is identified by its name. It is placed through [`Prepared`](crate::Prepared).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct NamedConnection {
    body: DelayedConnectionCreate,
}

impl NamedConnection {
    /// Creates a connection for the building with this name, which consists of postal code and house number, such as
    /// `1234AB-56`.
    pub fn new(building_name: impl Into<String>, scenario: RouteScenario) -> Self {
        let (new_route, is_without_geometry) = fields(scenario);
        let building_name = Some(building_name.into());
        Self {
            body: DelayedConnectionCreate {
                building_name,
                new_route,
                is_without_geometry,
                ..Default::default()
            },
        }
    }

    setters!(NamedConnection);

    /// Sets the company that installed the connection.
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    pub(super) fn body(&self) -> &DelayedConnectionCreate {
        &self.body
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        named("", self.body.building_name.as_deref())?;
        measured("", [&self.body.attenuation1, &self.body.attenuation2], self.body.new_route.as_ref())?;
        consistent("", self.body.new_route.as_ref(), self.body.is_without_geometry)?;
        check(&self.body)
    }
}

/// A connection for a building that is identified by its id. It is placed through [`Prepared`](crate::Prepared).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct BuildingConnection {
    building_id: BuildingId,
    body: BuildingDelayedConnectionCreate,
}

impl BuildingConnection {
    /// Creates a connection for the building with this id, such as `1937214`.
    pub fn new(building_id: BuildingId, scenario: RouteScenario) -> Self {
        let (new_route, is_without_geometry) = fields(scenario);
        let body = BuildingDelayedConnectionCreate { new_route, is_without_geometry, ..Default::default() };
        Self { building_id, body }
    }

    setters!(BuildingConnection);

    /// Sets the company that installed the connection.
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    pub(super) fn building_id(&self) -> &BuildingId {
        &self.building_id
    }

    pub(super) fn body(&self) -> &BuildingDelayedConnectionCreate {
        &self.body
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        measured("", [&self.body.attenuation1, &self.body.attenuation2], self.body.new_route.as_ref())?;
        consistent("", self.body.new_route.as_ref(), self.body.is_without_geometry)?;
        check(&self.body)
    }
}

fn named(at: &str, building: Option<&str>) -> Result<(), Error> {
    match building {
        Some(name) if !name.trim().is_empty() => Ok(()),
        _ => {
            let how = "the building has no name: give its postal code and house number, such as 1234AB-56";
            Err(refused(format_args!("{at}buildingName: {how}")))
        }
    }
}

/// Rejects numbers beyond the range of a double. A decimal has any number of digits, but the supplier reads doubles.
fn measured(at: &str, attenuations: [&Option<Decimal>; 2], route: Option<&NewRoute>) -> Result<(), Error> {
    let beyond = |number: &Decimal| !number.to_f64().is_finite();
    for (field, number) in ["attenuation1", "attenuation2"].into_iter().zip(attenuations) {
        if number.as_ref().is_some_and(beyond) {
            return Err(refused(format_args!(
                "{at}{field}: the number is beyond the range of a double: correct it"
            )));
        }
    }
    let coordinates = route.and_then(|route| route.coordinates.as_ref()).into_iter().flatten().flatten();
    let bounding_box = route.and_then(|route| route.bbox.as_ref()).into_iter().flatten();
    if coordinates.chain(bounding_box).any(beyond) {
        return Err(refused(format_args!(
            "{at}newRoute: a number is beyond the range of a double: correct it"
        )));
    }
    Ok(())
}

/// Rejects a new route together with `isWithoutGeometry`. The types of this module cannot express this contradiction, but a
/// stored request may contain it.
fn consistent(
    at: &str,
    new_route: Option<&NewRoute>,
    is_without_geometry: Option<bool>,
) -> Result<(), Error> {
    if new_route.is_some() && is_without_geometry == Some(true) {
        let why = "a new route is given and said to be left out: choose one of the two scenarios";
        return Err(refused(format_args!("{at}newRoute: {why}")));
    }
    Ok(())
}
