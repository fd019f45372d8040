//! Rules of Cocon Fiber, transactional API v1.

mod contract;
mod geometry;
mod scenario;

pub use contract::ContractDates;
pub use geometry::{Geometry, GeometryError, GeometryKind};
pub use scenario::{RouteScenario, ScenarioError};
