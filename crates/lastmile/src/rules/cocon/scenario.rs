use std::fmt;

use serde::{Deserialize, Serialize};

use super::Geometry;
use crate::redact::redact_errors;
use crate::rules::schema;

/// The route of a delayed connection's cable: the fields `newRoute` and `isWithoutGeometry`. In this type, the two fields
/// cannot contradict each other.
///
/// Source: Cocon, page on delayed connections, scenarios 1 and 2. Further scenarios exist, which no public source describes;
/// use the generated client for them. The page does not state that the flag is `false` in scenario 2. When a scenario is read,
/// the flag may therefore also be missing.
///
/// A new route requires a geometry:
///
/// ```compile_fail,E0308
/// use lastmile::rules::RouteScenario;
///
/// let scenario: RouteScenario = RouteScenario::NewRoute;
/// ```
///
/// ```
/// use lastmile::rules::{Geometry, RouteScenario};
///
/// let kept: RouteScenario = serde_json::from_str(r#"{"newRoute":null,"isWithoutGeometry":true}"#)?;
/// assert_eq!(kept, RouteScenario::KeepRoute);
///
/// let drawn = RouteScenario::NewRoute(Geometry::line([[1.0, 2.0], [3.0, 4.0]])?);
/// let contradiction = serde_json::to_string(&drawn)?.replace("false", "true");
/// let error = serde_json::from_str::<RouteScenario>(&contradiction).unwrap_err();
/// assert!(error.to_string().contains("a new route is given and said to be left out"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
#[non_exhaustive]
pub enum RouteScenario {
    /// Scenario 1: building, frame and termination unit exist, and the drawn route of the cable stays unchanged.
    KeepRoute,
    /// Scenario 2: as scenario 1, but the route of the cable is drawn anew.
    NewRoute(Geometry),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_route: Option<Geometry>,
    #[serde(default)]
    is_without_geometry: Option<bool>,
}

redact_errors!(Fields);

schema!(RouteScenario, {
    "type": "object",
    "description": "The way of a cable: newRoute, or isWithoutGeometry as true",
    "properties": {
        "newRoute": { "type": ["object", "null"], "description": "A geometry in the manner of GeoJSON" },
        "isWithoutGeometry": { "type": ["boolean", "null"] }
    },
    "oneOf": [
        {
            "properties": { "newRoute": { "type": "null" }, "isWithoutGeometry": { "const": true } },
            "required": ["isWithoutGeometry"]
        },
        {
            "properties": { "newRoute": { "type": "object" }, "isWithoutGeometry": { "enum": [false, null] } },
            "required": ["newRoute"]
        }
    ]
});

impl RouteScenario {
    /// Returns the scenario that the two fields describe.
    ///
    /// # Errors
    /// Returns an error if the fields contradict each other, or describe a scenario that is not documented.
    pub fn of(new_route: Option<Geometry>, is_without_geometry: Option<bool>) -> Result<Self, ScenarioError> {
        match (new_route, is_without_geometry) {
            (Some(_), Some(true)) => Err(ScenarioError::Contradiction),
            (Some(route), _) => Ok(Self::NewRoute(route)),
            (None, Some(true)) => Ok(Self::KeepRoute),
            (None, _) => Err(ScenarioError::NotDescribed),
        }
    }
}

impl TryFrom<Fields> for RouteScenario {
    type Error = ScenarioError;

    fn try_from(fields: Fields) -> Result<Self, ScenarioError> {
        Self::of(fields.new_route, fields.is_without_geometry)
    }
}

impl From<RouteScenario> for Fields {
    fn from(scenario: RouteScenario) -> Self {
        let new_route = match scenario {
            RouteScenario::KeepRoute => None,
            RouteScenario::NewRoute(route) => Some(route),
        };
        Self { is_without_geometry: Some(new_route.is_none()), new_route }
    }
}

/// An error that occurs when two fields do not describe a [`RouteScenario`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScenarioError {
    /// `newRoute` is present, and `isWithoutGeometry` is `true`.
    Contradiction,
    /// `newRoute` is missing, and `isWithoutGeometry` is not `true`. The supplier may support this combination, but no public
    /// source describes it.
    NotDescribed,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contradiction => {
                "a new route is given and said to be left out: leave newRoute out, or set isWithoutGeometry to false"
            }
            Self::NotDescribed => {
                "no route is given, and it is not said to be left out: give newRoute, or set isWithoutGeometry to true"
            }
        })
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_fields_mean_one_scenario_or_none() {
        let route = || Geometry::line([[1.0, 2.0], [3.0, 4.0]]).unwrap();
        for flag in [None, Some(false)] {
            assert_eq!(RouteScenario::of(Some(route()), flag), Ok(RouteScenario::NewRoute(route())));
            assert_eq!(RouteScenario::of(None, flag), Err(ScenarioError::NotDescribed));
        }
        assert_eq!(RouteScenario::of(None, Some(true)), Ok(RouteScenario::KeepRoute));
        assert_eq!(RouteScenario::of(Some(route()), Some(true)), Err(ScenarioError::Contradiction));
    }

    #[test]
    fn json_both_ways() {
        let json = |scenario: &RouteScenario| serde_json::to_string(scenario).unwrap();
        let drawn = RouteScenario::NewRoute(Geometry::line([[1.0, 2.0], [3.0, 4.0]]).unwrap());
        assert_eq!(json(&RouteScenario::KeepRoute), r#"{"isWithoutGeometry":true}"#);
        assert_eq!(
            json(&drawn),
            r#"{"newRoute":{"type":"LineString","coordinates":[[1.0,2.0],[3.0,4.0]]},"isWithoutGeometry":false}"#
        );
        for scenario in [RouteScenario::KeepRoute, drawn] {
            assert_eq!(serde_json::from_str::<RouteScenario>(&json(&scenario)).unwrap(), scenario);
        }
        assert!(serde_json::from_str::<RouteScenario>("{}").is_err());
    }
}
