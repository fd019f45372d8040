use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::quiet::{self, quietly};
use crate::rules::{Warning, schema};

/// A geometry as Cocon's reference has it, in the manner of GeoJSON: a kind, a list of positions, perhaps a bounding box. The way
/// of a cable is a line.
///
/// Source: Cocon, reference of delayed connections, `newRoute`. Its sample is a `Point` with a list of positions; neither further
/// kinds, nor the reference system, nor the order or number of the axes, nor the form of the bounding box are stated, so
/// all of them are left open here. Held to is what a geometry needs to be one: finite numbers, two at least for a
/// position, a position at least, and two for a line.
///
/// `Debug` shows the kind and the number of positions only.
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

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Fields {
    #[serde(rename = "type")]
    kind: GeometryKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bbox: Option<Vec<f64>>,
    coordinates: Vec<Vec<f64>>,
}

quietly!(Fields);

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
    "required": ["type", "coordinates"]
});

/// What a [`Geometry`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum GeometryKind {
    /// `Point`, the only kind that the reference shows.
    Point,
    /// `LineString`: a line from position to position.
    LineString,
    /// Another kind, as it is written.
    Other(String),
}

impl GeometryKind {
    /// As it is written.
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
        quiet::text(deserializer).map(Self::from)
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
    /// A line from the first position to the last.
    ///
    /// # Errors
    /// When it has fewer than two positions, or one is none.
    pub fn line<P: Into<Vec<f64>>>(positions: impl IntoIterator<Item = P>) -> Result<Self, GeometryError> {
        Self::new(GeometryKind::LineString, positions)
    }

    /// A point.
    ///
    /// # Errors
    /// When the position is none.
    pub fn point(position: impl Into<Vec<f64>>) -> Result<Self, GeometryError> {
        Self::new(GeometryKind::Point, [position])
    }

    /// A geometry of any kind.
    ///
    /// # Errors
    /// When the kind is empty, there is no position, or one is none; for a line also when it has only one.
    pub fn new<P: Into<Vec<f64>>>(
        kind: GeometryKind,
        positions: impl IntoIterator<Item = P>,
    ) -> Result<Self, GeometryError> {
        // Whoever writes a known kind as another means the known one.
        let kind = String::from(kind).into();
        Fields { kind, bbox: None, coordinates: positions.into_iter().map(Into::into).collect() }.try_into()
    }

    /// The same with a bounding box.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn with_bounding_box(mut self, bounding_box: impl Into<Vec<f64>>) -> Result<Self, GeometryError> {
        self.0.bbox = Some(bounding_box.into());
        self.0.try_into()
    }

    /// What it is.
    pub fn kind(&self) -> &GeometryKind {
        &self.0.kind
    }

    /// Its positions, each with its coordinates in the order that they were given in.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.0.coordinates.iter().map(Vec::as_slice)
    }

    /// Its bounding box.
    pub fn bounding_box(&self) -> Option<&[f64]> {
        self.0.bbox.as_deref()
    }

    /// [`Warning::MixedPositions`] when some positions have more coordinates than others, [`Warning::BoundingBox`] when the
    /// bounding box is not two positions long, as that of GeoJSON.
    pub fn warnings(&self) -> Vec<Warning> {
        let axes = self.positions().next().map_or(0, <[f64]>::len);
        let mixed = self.positions().any(|position| position.len() != axes);
        let odd_box = self.bounding_box().is_some_and(|bounds| bounds.len() != 2 * axes);
        let mixed = mixed.then_some(Warning::MixedPositions);
        mixed.into_iter().chain(odd_box.then_some(Warning::BoundingBox)).collect()
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
                return Err(GeometryError::NoPlace { position });
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

/// Why numbers make no [`Geometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeometryError {
    /// Its kind is empty.
    NoKind,
    /// It has too few positions.
    TooShort {
        /// How many its kind needs.
        least: usize,
    },
    /// A position has fewer than two coordinates.
    NoPlace {
        /// The position, from 0.
        position: usize,
    },
    /// A coordinate is infinite or no number.
    NotFinite {
        /// The position, from 0.
        position: usize,
    },
    /// A number of the bounding box is infinite or no number.
    BoundingBox,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind => {
                f.write_str("the kind of the geometry is empty: say what it is, such as LineString")
            }
            Self::TooShort { least: 2 } => f.write_str("a line needs at least two positions"),
            Self::TooShort { least } => write!(f, "the geometry needs at least {least} position"),
            Self::NoPlace { position } => {
                write!(f, "position {position} has fewer than two coordinates: check where it is measured")
            }
            Self::NotFinite { position } => write!(
                f,
                "position {position} has a coordinate that is infinite or no number: check where it is measured"
            ),
            Self::BoundingBox => {
                f.write_str("the bounding box has a number that is infinite or none: leave it out or mend it")
            }
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
        assert_eq!(geometry.warnings(), [Warning::BoundingBox]);
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
        assert_eq!(Geometry::point([1.0]), Err(GeometryError::NoPlace { position: 0 }));
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
        let mixed = Geometry::line([vec![1.0, 2.0], vec![1.0, 2.0, 3.0]]).unwrap();
        assert_eq!(mixed.warnings(), [Warning::MixedPositions]);
        let line = Geometry::line([[1.0, 2.0], [3.0, 4.0]]).unwrap();
        assert_eq!(line.warnings(), []);
        assert_eq!(line.with_bounding_box([1.0, 2.0, 3.0, 4.0]).unwrap().warnings(), []);
    }
}
