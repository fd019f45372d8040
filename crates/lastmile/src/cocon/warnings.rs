//! Warnings about requests to Cocon: problems that no document of Cocon states as a rule.

use lastmile_cocon::types::{
    BuildingDelayedConnectionCreate, ContactCreate, ContactPatch, CustomerContractCreate,
    CustomerContractPatch, CustomerCreate, CustomerPatch, DelayedConnectionCreate,
    DelayedConnectionRequestShort, NewRoute, ProjectAssetApprovalCreate,
};
use lastmile_core::wire::Patch;

use super::texts::TEXTS;
use super::{Batch, BuildingConnection, Connection, ContractDates, Geometry, NamedConnection};
use crate::HasWarnings;
use crate::checks::long_id;
use crate::rules::{FieldWarning, GeometryKind, Warning};

/// Returns a warning for each missing field that a person needs to find the object in Cocon.
fn missing<const N: usize>(fields: [(&str, bool); N]) -> impl Iterator<Item = FieldWarning> {
    let missing = fields.into_iter().filter(|(_, is_missing)| *is_missing);
    missing.map(|(field, _)| FieldWarning::new(field, Warning::MissingField)).collect::<Vec<_>>().into_iter()
}

impl HasWarnings for CustomerCreate {
    fn warnings(&self) -> Vec<FieldWarning> {
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(missing([("name", self.name.is_none())]));
        warnings
    }
}

impl HasWarnings for ContactCreate {
    fn warnings(&self) -> Vec<FieldWarning> {
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(missing([("name", self.name.is_none()), ("customerId", self.customer_id.is_none())]));
        warnings
    }
}

impl HasWarnings for CustomerContractCreate {
    fn warnings(&self) -> Vec<FieldWarning> {
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(missing([
            ("name", self.name.is_none()),
            ("customerId", self.customer_id.is_none()),
            ("endDate", self.end_date.is_none()),
        ]));
        warnings.extend(dates(self.start_date, self.end_date));
        warnings
    }
}

impl HasWarnings for ProjectAssetApprovalCreate {
    fn warnings(&self) -> Vec<FieldWarning> {
        let asset = self.asset_approval.as_ref().and_then(|approval| approval.asset.as_ref());
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(missing([
            ("projectName", self.project_name.is_none()),
            ("timestamp", self.timestamp.is_none()),
            ("assetApproval.asset.name", asset.is_none_or(|asset| asset.name.is_none())),
        ]));
        warnings
    }
}

impl HasWarnings for CustomerPatch {
    fn warnings(&self) -> Vec<FieldWarning> {
        TEXTS.warnings(self)
    }
}

impl HasWarnings for ContactPatch {
    fn warnings(&self) -> Vec<FieldWarning> {
        TEXTS.warnings(self)
    }
}

impl HasWarnings for CustomerContractPatch {
    fn warnings(&self) -> Vec<FieldWarning> {
        let start = match self.start_date {
            Patch::Value(start) => Some(start),
            _ => None,
        };
        let mut warnings = TEXTS.warnings(self);
        warnings.extend(dates(start, self.end_date));
        warnings
    }
}

fn dates(start: Option<chrono::NaiveDate>, end: Option<chrono::NaiveDate>) -> Option<FieldWarning> {
    let dates = ContractDates { start, end: end? };
    dates.warnings().first().map(|warning| FieldWarning::new("endDate", *warning))
}

fn route(at: &str, route: Option<&NewRoute>) -> Vec<FieldWarning> {
    let Some(route) = route else { return Vec::new() };
    let numbers = |decimals: &Vec<lastmile_core::wire::Decimal>| -> Vec<f64> {
        decimals.iter().map(lastmile_core::wire::Decimal::to_f64).collect()
    };
    let kind = GeometryKind::from(route.type_.as_ref().map(ToString::to_string).unwrap_or_default());
    let positions = route.coordinates.iter().flatten().map(numbers);
    let mut geometry = Geometry::new(kind, positions);
    if let Some(bounding_box) = &route.bbox {
        geometry = geometry.and_then(|geometry| geometry.with_bounding_box(numbers(bounding_box)));
    }
    let warnings = geometry.map(|geometry| geometry.warnings()).unwrap_or_default();
    warnings.into_iter().map(|warning| FieldWarning::new(format!("{at}newRoute"), warning)).collect()
}

impl HasWarnings for Connection {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body: &DelayedConnectionRequestShort = &self.body;
        let mut warnings = TEXTS.warnings(body);
        warnings.extend(route("", body.new_route.as_ref()));
        warnings
    }
}

impl HasWarnings for NamedConnection {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body: &DelayedConnectionCreate = self.body();
        let mut warnings = TEXTS.warnings(body);
        warnings.extend(route("", body.new_route.as_ref()));
        warnings
    }
}

impl HasWarnings for BuildingConnection {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body: &BuildingDelayedConnectionCreate = self.body();
        let mut warnings = TEXTS.warnings(body);
        warnings.extend(long_id("id", self.building_id().as_str()));
        warnings.extend(route("", body.new_route.as_ref()));
        warnings
    }
}

impl HasWarnings for Batch {
    fn warnings(&self) -> Vec<FieldWarning> {
        let body = self.body();
        let mut warnings = TEXTS.warnings(body);
        for (at, connection) in body.delayed_connections.iter().flatten().enumerate() {
            warnings.extend(route(&format!("delayedConnections[{at}]."), connection.new_route.as_ref()));
        }
        warnings
    }
}
