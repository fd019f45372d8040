//! Delayed connections: one request for a building's id, one for its name, one inside a batch.

use std::fmt;

use lastmile_cocon::types::{
    BuildingDelayedConnectionCreate, DelayedConnectionCreate, DelayedConnectionRequestShort, NewRoute,
    NewRouteType,
};
use lastmile_core::call::Error;
use lastmile_core::wire::Decimal;
use serde::{Deserialize, Serialize};

use super::{refused, segment};

/// What the supplier has to do to a prepared building, which it works out from the fields that are sent.
///
/// Source: the supplier's page on delayed connections, scenarios 1 and 2. It has further scenarios, which no public
/// source describes; send those through [`Cocon::raw`](super::Cocon::raw).
///
/// A new route cannot be without its geometry:
///
/// ```compile_fail,E0308
/// use lastmile::cocon::{Connection, Scenario};
///
/// let connection = Connection::new("1234AB-56", Scenario::NewRoute);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scenario {
    /// Building, frame and termination unit exist, the cable lies in slack near the building, and its drawn way is kept.
    KeepRoute,
    /// As before, but the cable is drawn anew.
    NewRoute(Route),
}

impl Scenario {
    /// The fields `newRoute` and `isWithoutGeometry`.
    fn fields(self) -> (Option<NewRoute>, Option<bool>) {
        match self {
            Self::KeepRoute => (None, Some(true)),
            Self::NewRoute(route) => (Some(route.into()), Some(false)),
        }
    }
}

/// The way a cable takes, from position to position.
///
/// The supplier's documents state neither the reference system nor the order of the axes; agree on both with the network
/// owner. `Debug` shows the number of positions only.
///
/// ```
/// use lastmile::cocon::Route;
///
/// let route = Route::line([(257_100.5, 471_200.0), (257_104.25, 471_203.0)])?;
/// assert_eq!(route.positions(), 2);
/// assert!(Route::line([(257_100.5, 471_200.0)]).is_err());
/// # Ok::<(), lastmile::cocon::RouteError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Route(Vec<[Decimal; 2]>);

impl Route {
    /// A line from the first position to the last.
    ///
    /// # Errors
    /// When there are fewer than two positions, or a coordinate is not a finite number.
    pub fn line(positions: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, RouteError> {
        let positions = positions.into_iter().enumerate().map(|(at, (first, second))| {
            let number =
                |number: f64| Decimal::try_from(number).map_err(|_| RouteError::NotFinite { position: at });
            Ok([number(first)?, number(second)?])
        });
        let positions = positions.collect::<Result<Vec<_>, _>>()?;
        if positions.len() < 2 { Err(RouteError::TooShort) } else { Ok(Self(positions)) }
    }

    /// How many positions it has.
    pub fn positions(&self) -> usize {
        self.0.len()
    }
}

impl From<Route> for NewRoute {
    fn from(route: Route) -> Self {
        Self {
            type_: Some(NewRouteType::LineString),
            coordinates: Some(route.0.into_iter().map(Vec::from).collect()),
            ..Self::default()
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} positions)", self.0.len())
    }
}

/// Why positions make no [`Route`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// There are fewer than two positions.
    TooShort,
    /// A coordinate is infinite or no number.
    NotFinite {
        /// The position, from 0.
        position: usize,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("a line needs at least two positions"),
            Self::NotFinite { position } => {
                write!(
                    f,
                    "position {position} has a coordinate that is infinite or no number: check where it is measured"
                )
            }
        }
    }
}

impl std::error::Error for RouteError {}

macro_rules! setters {
    ($connection:ident) => {
        /// The frame. Its short name, where it is given by the building's id.
        #[must_use]
        pub fn frame(mut self, name: impl Into<String>) -> Self {
            self.body.frame_name = Some(name.into());
            self
        }

        /// The kind of the fibre termination unit that is placed in the frame.
        #[must_use]
        pub fn termination_unit(mut self, kind: impl Into<String>) -> Self {
            self.body.termination_unit_type = Some(kind.into());
            self
        }

        /// The two attenuations. The supplier states no unit; decibel is usual.
        #[must_use]
        pub fn attenuations(mut self, first: Decimal, second: Decimal) -> Self {
            self.body.attenuation1 = Some(first);
            self.body.attenuation2 = Some(second);
            self
        }
    };
}

/// One connection of a [`Batch`](super::Batch).
///
/// ```
/// use lastmile::cocon::{Connection, Scenario};
///
/// let connection = Connection::new("1234AB-56", Scenario::KeepRoute)
///     .frame("ODF-1")
///     .attenuations("0.21".parse()?, "0.35".parse()?);
/// # Ok::<(), lastmile::wire::NotANumber>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Connection {
    pub(super) body: DelayedConnectionRequestShort,
}

impl Connection {
    /// A connection of the building of this name: postal code and house number, such as `1234AB-56`.
    pub fn new(building_name: impl Into<String>, scenario: Scenario) -> Self {
        let (new_route, is_without_geometry) = scenario.fields();
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

    /// `at` is the place in the batch.
    pub(super) fn check(&self, at: &str) -> Result<(), Error> {
        named(at, self.body.building_name.as_deref())?;
        consistent(at, self.body.new_route.as_ref(), self.body.is_without_geometry)
    }
}

/// A connection of a building given by its name, to be [`Prepared`](crate::Prepared).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NamedConnection {
    body: DelayedConnectionCreate,
}

impl NamedConnection {
    /// A connection of the building of this name: postal code and house number, such as `1234AB-56`.
    pub fn new(building_name: impl Into<String>, scenario: Scenario) -> Self {
        let (new_route, is_without_geometry) = scenario.fields();
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

    /// The company that installed it.
    #[must_use]
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    pub(super) fn body(&self) -> &DelayedConnectionCreate {
        &self.body
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        named("", self.body.building_name.as_deref())?;
        consistent("", self.body.new_route.as_ref(), self.body.is_without_geometry)
    }
}

/// A connection of a building given by its id, to be [`Prepared`](crate::Prepared).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuildingConnection {
    building_id: String,
    body: BuildingDelayedConnectionCreate,
}

impl BuildingConnection {
    /// A connection of the building of this id, such as `1937214`.
    pub fn new(building_id: impl Into<String>, scenario: Scenario) -> Self {
        let (new_route, is_without_geometry) = scenario.fields();
        let body = BuildingDelayedConnectionCreate { new_route, is_without_geometry, ..Default::default() };
        Self { building_id: building_id.into(), body }
    }

    setters!(BuildingConnection);

    /// The company that installed it.
    #[must_use]
    pub fn installed_by(mut self, company: impl Into<String>) -> Self {
        self.body.installation_company_name = Some(company.into());
        self
    }

    pub(super) fn building_id(&self) -> &str {
        &self.building_id
    }

    pub(super) fn body(&self) -> &BuildingDelayedConnectionCreate {
        &self.body
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        segment("the building's id", &self.building_id)?;
        consistent("", self.body.new_route.as_ref(), self.body.is_without_geometry)
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

/// The types here cannot build the contradiction, but a stored request may hold it.
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
