use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::redact::{self, redact_errors};
use crate::rules::{Warning, schema};

/// A geometry in the format of Cocon's reference, which resembles GeoJSON: a type, a list of positions, and optionally a
/// bounding box. The route of a cable is a line.
///
/// Source: Cocon, reference of delayed connections, `newRoute`. Its sample is a `Point` with a list of positions. The reference
/// states no other types, and neither the coordinate system, the order and number of the axes, nor the form of the bounding
/// box. This type therefore restricts none of them. It only requires finite numbers, at least two coordinates per position, at
/// least one position, and at least two positions for a line.
///
/// # GeoJSON
///
/// The reference has three members: `type`, `bbox` and `coordinates`. Reading a geometry from JSON fails if any other member is
/// not `null`, since that member would not be sent. This matters most for `crs`: without it, the supplier would read the
/// coordinates in another system than they were measured in. Reading a GeoJSON feature fails as well: use its `geometry`. A
/// third coordinate of a position is kept and sent.
///
/// `Debug` shows only the type and the number of positions.
///
/// ```
/// use lastmile::rules::{Geometry, GeometryError};
///
/// let route = Geometry::line([[257_100.5, 471_200.0], [257_104.25, 471_203.0]])?;
/// assert_eq!(
///     serde_json::to_string(&route).unwrap(),
///     r#"{"type":"LineString","coordinates":[[257100.5,471200.0],[257104.25,471203.0]]}"#
/// );
///
/// let error = Geometry::line([[257_100.5, 471_200.0], [257_104.25, f64::NAN]]).unwrap_err();
/// assert_eq!(error, GeometryError::NotFinite { position: 1 });
/// # Ok::<(), lastmile::rules::GeometryError>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Geometry(Fields);

#[derive(Clone, PartialEq, Serialize)]
#[serde(remote = "Self")]
struct Fields {
    #[serde(rename = "type")]
    kind: GeometryKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<Vec<f64>>,
    coordinates: Vec<Vec<f64>>,
}

redact_errors!(Fields);

schema!(Geometry, {
    "type": "object",
    "description": "A geometry in the manner of GeoJSON: a kind, a list of positions, perhaps a bounding box",
    "properties": {
        "type": { "type": "string", "minLength": 1, "description": "Point, LineString, or another kind" },
        "bbox": { "type": ["array", "null"], "items": { "type": "number" } },
        "coordinates": {
            "type": "array",
            "minItems": 1,
            "items": { "type": "array", "minItems": 2, "items": { "type": "number" } }
        }
    },
    "required": ["type", "coordinates"],
    "additionalProperties": { "type": "null" }
});

impl Fields {
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a geometry with type and coordinates")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields, A::Error> {
        let (mut kind, mut bbox, mut coordinates) = (None, None, None);
        let mut problem = None;
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "type" if kind.is_none() => kind = Some(members.next_value()?),
                "bbox" if bbox.is_none() => bbox = members.next_value()?,
                "coordinates" if coordinates.is_none() => coordinates = Some(members.next_value()?),
                name => {
                    let found = match name {
                        "geometry" | "geometries" | "features" => GeometryError::Feature,
                        "crs" => GeometryError::CoordinateSystem,
                        _ => GeometryError::UnknownMember,
                    };
                    // A member that is `null` contains no information that could be lost.
                    let says_something = members.next_value::<Option<IgnoredAny>>()?.is_some();
                    if says_something && !matches!(problem, Some(GeometryError::Feature)) {
                        problem = Some(found);
                    }
                }
            }
        }
        if let Some(problem) = problem {
            return Err(de::Error::custom(problem));
        }
        let kind = kind.ok_or_else(|| de::Error::missing_field("type"))?;
        let coordinates = coordinates.ok_or_else(|| de::Error::missing_field("coordinates"))?;
        Ok(Fields { kind, bbox, coordinates })
    }
}

/// The type of a [`Geometry`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum GeometryKind {
    /// `Point`, the only type in the reference's sample.
    Point,
    /// `LineString`, a line through all positions in order.
    LineString,
    /// Another type, as it is written.
    Other(String),
}

impl GeometryKind {
    /// Returns the name of the type, as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Point => "Point",
            Self::LineString => "LineString",
            Self::Other(kind) => kind,
        }
    }
}

impl<'de> Deserialize<'de> for GeometryKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        redact::text(deserializer).map(Self::from)
    }
}

impl From<String> for GeometryKind {
    fn from(kind: String) -> Self {
        match kind.as_str() {
            "Point" => Self::Point,
            "LineString" => Self::LineString,
            _ => Self::Other(kind),
        }
    }
}

impl From<GeometryKind> for String {
    fn from(kind: GeometryKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for GeometryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Geometry {
    /// Creates a line through all positions in order.
    ///
    /// # Errors
    /// Returns an error if there are fewer than two positions, or if a position is invalid.
    pub fn line<P: Into<Vec<f64>>>(positions: impl IntoIterator<Item = P>) -> Result<Self, GeometryError> {
        Self::new(GeometryKind::LineString, positions)
    }

    /// Creates a point.
    ///
    /// # Errors
    /// Returns an error if the position is invalid.
    pub fn point(position: impl Into<Vec<f64>>) -> Result<Self, GeometryError> {
        Self::new(GeometryKind::Point, [position])
    }

    /// Creates a geometry of any type.
    ///
    /// # Errors
    /// Returns an error if the type is empty, if there is no position, or if a position is invalid. For a line, also returns an
    /// error if there is only one position.
    pub fn new<P: Into<Vec<f64>>>(
        kind: GeometryKind,
        positions: impl IntoIterator<Item = P>,
    ) -> Result<Self, GeometryError> {
        // A known type that is given as `Other` is converted to the known variant.
        let kind = String::from(kind).into();
        Fields { kind, bbox: None, coordinates: positions.into_iter().map(Into::into).collect() }.try_into()
    }

    /// Sets the bounding box.
    ///
    /// # Errors
    /// Returns an error if a number is not finite.
    pub fn with_bounding_box(mut self, bounding_box: impl Into<Vec<f64>>) -> Result<Self, GeometryError> {
        self.0.bbox = Some(bounding_box.into());
        self.0.try_into()
    }

    /// Returns the type of the geometry.
    pub fn kind(&self) -> &GeometryKind {
        &self.0.kind
    }

    /// Returns the positions. Each position is a slice of its coordinates, in the given order.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.0.coordinates.iter().map(Vec::as_slice)
    }

    /// Returns the bounding box, if there is one.
    pub fn bounding_box(&self) -> Option<&[f64]> {
        self.0.bbox.as_deref()
    }

    /// Returns warnings that are based on general knowledge. No document of the supplier states any of these conditions.
    ///
    /// - [`Warning::MixedPositions`] when some positions have more coordinates than others
    /// - [`Warning::BoundingBox`] when the length of the bounding box is not that of two positions, as in GeoJSON
    /// - [`Warning::MixedCoordinates`] when some positions are in degrees and others in metres, as those of the Dutch grid (RD,
    ///   EPSG:28992)
    /// - [`Warning::SwappedCoordinates`] when the positions are in the Netherlands only after longitude and latitude, or the
    ///   two axes of the Dutch grid, are swapped
    /// - [`Warning::OutsideNetherlands`] when a position in degrees is outside of the Netherlands in both axis orders
    pub fn warnings(&self) -> Vec<Warning> {
        let axes = self.positions().next().map_or(0, <[f64]>::len);
        let mixed = self.positions().any(|position| position.len() != axes);
        let odd_box = self.bounding_box().is_some_and(|bounds| bounds.len() != 2 * axes);
        let mixed = mixed.then_some(Warning::MixedPositions);
        let odd_box_warning = odd_box.then_some(Warning::BoundingBox);
        mixed.into_iter().chain(odd_box_warning).chain(self.doubtful_area(odd_box)).collect()
    }

    /// Returns a warning about the coordinate system, based on the first two coordinates of the positions and of the bounding
    /// box's corners.
    fn doubtful_area(&self, odd_box: bool) -> Option<Warning> {
        let axes = self.positions().next().map_or(2, <[f64]>::len);
        let corners = self.bounding_box().filter(|_| !odd_box).unwrap_or_default().chunks(axes);
        let points = || {
            self.positions().chain(corners.clone()).filter_map(|position| match position {
                [x, y, ..] => Some((*x, *y)),
                _ => None,
            })
        };
        let degrees = points().filter(|point| is_degrees(*point)).count();
        if degrees > 0 && degrees < points().count() {
            return Some(Warning::MixedCoordinates);
        }
        let outside = || points().filter(|point| !is_in_the_netherlands(*point));
        if outside().next().is_none() {
            None
        } else if points().all(|(x, y)| is_in_the_netherlands((y, x))) {
            Some(Warning::SwappedCoordinates)
        } else {
            // Coordinates in metres may belong to another grid, such as UTM.
            (degrees > 0).then_some(Warning::OutsideNetherlands)
        }
    }
}

/// Returns whether both numbers can be degrees. In a metric grid, no position in the Netherlands is that close to the origin.
fn is_degrees((x, y): (f64, f64)) -> bool {
    x.abs() <= 180.0 && y.abs() <= 180.0
}

/// Returns whether a position is in the European part of the Netherlands or near its border, as longitude and latitude, or as x
/// and y of the Dutch grid (EPSG:28992).
fn is_in_the_netherlands((x, y): (f64, f64)) -> bool {
    if is_degrees((x, y)) {
        (3.0..=7.5).contains(&x) && (50.5..=53.8).contains(&y)
    } else {
        (-10_000.0..=300_000.0).contains(&x) && (290_000.0..=650_000.0).contains(&y)
    }
}

impl TryFrom<Fields> for Geometry {
    type Error = GeometryError;

    fn try_from(fields: Fields) -> Result<Self, GeometryError> {
        if fields.kind.as_str().is_empty() {
            return Err(GeometryError::NoKind);
        }
        for (position, coordinates) in fields.coordinates.iter().enumerate() {
            if coordinates.len() < 2 {
                return Err(GeometryError::NoPosition { position });
            }
            if !coordinates.iter().all(|number| number.is_finite()) {
                return Err(GeometryError::NotFinite { position });
            }
        }
        if !fields.bbox.iter().flatten().all(|number| number.is_finite()) {
            return Err(GeometryError::BoundingBox);
        }
        let least = if fields.kind == GeometryKind::LineString { 2 } else { 1 };
        if fields.coordinates.len() < least {
            Err(GeometryError::TooShort { least })
        } else {
            Ok(Self(fields))
        }
    }
}

impl From<Geometry> for Fields {
    fn from(geometry: Geometry) -> Self {
        geometry.0
    }
}

impl fmt::Debug for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Geometry({}, {} positions)", self.kind(), self.positions().len())
    }
}

/// An error that occurs when a value is not a valid [`Geometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeometryError {
    /// The type is empty.
    NoKind,
    /// There are too few positions.
    TooShort {
        /// The minimum number of positions for the type.
        least: usize,
    },
    /// A position has fewer than two coordinates.
    NoPosition {
        /// The index of the position, from 0.
        position: usize,
    },
    /// A coordinate is infinite or not a number.
    NotFinite {
        /// The index of the position, from 0.
        position: usize,
    },
    /// A number of the bounding box is infinite or not a number.
    BoundingBox,
    /// The geometry names a coordinate system (`crs`), for which the supplier's reference has no member.
    CoordinateSystem,
    /// The value is a feature or a collection, not a geometry.
    Feature,
    /// The geometry has a member that the supplier's reference does not contain.
    UnknownMember,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind => {
                f.write_str("the kind of the geometry is empty: say what it is, such as LineString")
            }
            Self::TooShort { least: 2 } => f.write_str("a line needs at least two positions"),
            Self::TooShort { least } => write!(f, "the geometry needs at least {least} position"),
            Self::NoPosition { position } => {
                write!(f, "position {position} has fewer than two coordinates: check where it is measured")
            }
            Self::NotFinite { position } => write!(
                f,
                "position {position} has a coordinate that is infinite or no number: check where it is measured"
            ),
            Self::BoundingBox => {
                f.write_str("the bounding box has a number that is infinite or none: leave it out or mend it")
            }
            Self::CoordinateSystem => f.write_str(
                "the geometry names its coordinate system in crs, which the supplier has no member for: convert the positions \
                 into the system that the supplier agreed on with you, and leave crs out",
            ),
            Self::Feature => f.write_str(
                "it is a feature or a collection and not one geometry: give the geometry itself, with type and coordinates",
            ),
            Self::UnknownMember => f.write_str(
                "the geometry has a member that would not be sent: leave out all but type, bbox and coordinates",
            ),
        }
    }
}

impl std::error::Error for GeometryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_s_sample_is_read_and_written() {
        let sample = r#"{"type":"Point","bbox":[0.0],"coordinates":[[0.0,0.0],[0.0,0.0]]}"#;
        let geometry: Geometry = serde_json::from_str(sample).unwrap();
        assert_eq!(geometry.kind(), &GeometryKind::Point);
        assert_eq!(geometry.bounding_box(), Some(&[0.0][..]));
        assert_eq!(serde_json::to_string(&geometry).unwrap(), sample);
        assert_eq!(geometry.warnings(), [Warning::BoundingBox, Warning::OutsideNetherlands]);
        assert_eq!(format!("{geometry:?}"), "Geometry(Point, 2 positions)");
    }

    #[test]
    fn other_kinds_are_left_open() {
        let other = Geometry::new(GeometryKind::Other("MultiPoint".into()), [[1.0, 2.0, 3.0]]).unwrap();
        let json = serde_json::to_string(&other).unwrap();
        assert_eq!(json, r#"{"type":"MultiPoint","coordinates":[[1.0,2.0,3.0]]}"#);
        assert_eq!(serde_json::from_str::<Geometry>(&json).unwrap(), other);
        let known = Geometry::new(GeometryKind::Other("LineString".into()), [[1.0, 2.0]]);
        assert_eq!(known, Err(GeometryError::TooShort { least: 2 }));
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        let none: [[f64; 2]; 0] = [];
        assert_eq!(Geometry::line(none), Err(GeometryError::TooShort { least: 2 }));
        assert_eq!(Geometry::line([[1.0, 2.0]]), Err(GeometryError::TooShort { least: 2 }));
        assert_eq!(Geometry::point([1.0]), Err(GeometryError::NoPosition { position: 0 }));
        assert_eq!(Geometry::point([f64::INFINITY, 1.0]), Err(GeometryError::NotFinite { position: 0 }));
        let point = Geometry::point([1.0, 2.0]).unwrap();
        assert_eq!(point.with_bounding_box([f64::NAN]), Err(GeometryError::BoundingBox));
        for bad in [
            r#"{"type":"","coordinates":[[0,0]]}"#,
            r#"{"type":"Point","coordinates":[]}"#,
            r#"{"type":"LineString","coordinates":[[0,0]]}"#,
            r#"{"type":"Point","coordinates":[[0]]}"#,
        ] {
            assert!(serde_json::from_str::<Geometry>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn odd_ones_are_said_and_not_refused() {
        let mixed = Geometry::line([vec![5.0, 52.0], vec![5.0, 52.0, 3.0]]).unwrap();
        assert_eq!(mixed.warnings(), [Warning::MixedPositions]);
        let line = Geometry::line([[5.0, 52.0], [5.1, 52.1]]).unwrap();
        assert_eq!(line.warnings(), []);
        assert_eq!(line.with_bounding_box([5.0, 52.0, 5.1, 52.1]).unwrap().warnings(), []);
    }

    #[test]
    fn a_member_that_would_not_be_sent_is_refused() {
        let line = r#""type":"LineString","coordinates":[[5.0,52.0,1.5],[5.1,52.1,1.5]]"#;
        for (members, says) in [
            (r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::28992"}}"#, "in crs"),
            (r#""crs":"EPSG:28992""#, "in crs"),
            (r#""crs":{},"x":1"#, "a member"),
            (r#""properties":{"owner":"Kajsa Anka"}"#, "a member"),
            (r#""id":17"#, "a member"),
            (r#""x":1,"geometry":{}"#, "a feature"),
            (r#""geometry":{},"x":1"#, "a feature"),
            (r#""bbox":[5.0,52.0],"bbox":[1.0]"#, "a member"),
        ] {
            for json in [format!("{{{members},{line}}}"), format!("{{{line},{members}}}")] {
                let error = serde_json::from_str::<Geometry>(&json).unwrap_err().to_string();
                assert!(error.contains(says) && !error.contains("Kajsa"), "{json}: {error}");
            }
        }
        let feature =
            r#"{"type":"Feature","properties":null,"geometry":{"type":"Point","coordinates":[5.0,52.0]}}"#;
        let error = serde_json::from_str::<Geometry>(feature).unwrap_err().to_string();
        assert!(error.contains("give the geometry itself"), "{error}");
        let nothing = format!(r#"{{"crs":null,"bbox":null,{line}}}"#);
        let geometry: Geometry = serde_json::from_str(&nothing).unwrap();
        assert_eq!(
            serde_json::to_string(&geometry).unwrap(),
            format!("{{{line}}}"),
            "what says nothing is not sent"
        );
    }

    #[test]
    fn coordinates_that_are_not_in_the_netherlands_are_warned_about() {
        for (positions, warning) in [
            ([[257_100.5, 471_200.0], [257_104.25, 471_203.0]], None),
            ([[4.9, 52.37], [4.91, 52.38]], None),
            // UTM, which a sample on another page of the supplier uses.
            ([[650_000.0, 5_800_000.0], [650_010.0, 5_800_000.0]], None),
            ([[257_100.5, 471_200.0], [4.9, 52.37]], Some(Warning::MixedCoordinates)),
            ([[4.9, 52.37], [650_000.0, 5_800_000.0]], Some(Warning::MixedCoordinates)),
            ([[52.37, 4.9], [52.38, 4.91]], Some(Warning::SwappedCoordinates)),
            ([[471_200.0, 257_100.5], [471_203.0, 257_104.25]], Some(Warning::SwappedCoordinates)),
            ([[4.9, 52.37], [52.38, 4.91]], Some(Warning::OutsideNetherlands)),
            ([[18.07, 59.33], [18.08, 59.34]], Some(Warning::OutsideNetherlands)),
            ([[0.0, 0.0], [0.0, 0.0]], Some(Warning::OutsideNetherlands)),
        ] {
            let line = Geometry::line(positions).unwrap();
            assert_eq!(line.warnings(), Vec::from_iter(warning), "{positions:?}");
        }
        let grid = Geometry::line([[257_100.5, 471_200.0, 1.0], [257_104.25, 471_203.0, 1.0]]).unwrap();
        let in_degrees = grid.with_bounding_box([6.9, 52.2, 0.0, 7.0, 52.3, 2.0]).unwrap();
        assert_eq!(in_degrees.warnings(), [Warning::MixedCoordinates], "the bounding box counts, too");
    }
}
