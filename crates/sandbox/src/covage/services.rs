//! The operations on services: activate, terminate, migrate.

use serde_json::{Value, json};

use super::bounds;
use super::draft::Order;
use super::eligibility::{EligibilityCheck, FORECAST, Target};
use super::error_response::ErrorResponse;
use super::products::{self, Technology};
use super::service::Service;
use super::simulation::Simulation;
use crate::json::text_at;

/// The initial services: product, index of the premises, and whether the service is active. For a migration, the
/// premises of the first copper service have two buildings, those of the second one, those of the third none.
const SEEDED: [(&str, Option<usize>, bool); 6] = [
    ("AM01", Some(2), true),
    ("SD01", Some(0), true),
    ("SM01", Some(4), true),
    ("FP01", Some(6), true),
    ("EN01", None, true),
    ("AM01", Some(3), false),
];

/// The status of a service that has ended. The supplier's list of statuses is not available.
const ENDED: &str = "terminated";

/// Invented companies. No real company has a number that begins with 000; the check digits are valid.
const CUSTOMERS: [(&str, &str); 2] =
    [("Conserverie du Phare", "00012345500016"), ("Imprimerie Becfin", "00045678000014")];

impl Simulation {
    pub(super) fn seed_services(&mut self) {
        for (number, (product, premises_index, active)) in SEEDED.into_iter().enumerate() {
            let (name, siret) = CUSTOMERS[number % CUSTOMERS.len()];
            let bound = premises_index.and_then(|index| self.seeded_bound(product, index));
            let view = json!({
                "uuid": self.generator.uuid(),
                "reference": self.generator.reference('S'),
                "status": if active { "active" } else { ENDED },
                "product": self.products.product(product),
                "end_customer": {
                    "type": "registered",
                    "name": name,
                    "siret": siret,
                    "contact": {
                        "first_name": "Zelda",
                        "last_name": "Colvert",
                        "phone_number": "0199000100",
                        "email": "contact@client.example",
                    },
                },
                "operator_info": {
                    "order_ref": format!("HISTORIQUE-{number}"),
                    "order_name": name,
                    "contact_uuid": self.contacts.first(),
                },
                "bounds": bound.into_iter().collect::<Vec<_>>(),
                "options": {},
            });
            self.add_service(Service { view, premises_index });
        }
    }

    fn seeded_bound(&mut self, product: &str, index: usize) -> Option<Value> {
        let premises = self.fixtures.at(index)?;
        if products::technology(product) == Some(Technology::Copper) {
            return Some(bounds::of_copper_service(premises, &mut self.generator));
        }
        let check =
            EligibilityCheck { premises_index: index, target: Target::Socket(0, 0), products: Vec::new() };
        Some(bounds::of_activation(premises, &check, &mut self.generator))
    }

    pub(super) fn service(&self, uuid: &str) -> Result<Value, ErrorResponse> {
        self.find_service(uuid).map(|index| self.services[index].view.clone())
    }

    /// Creates the service of a completed activation.
    pub(super) fn activate_service(&mut self, order: &Order) {
        let of_order = |name: &str| order.view[name].clone();
        let view = json!({
            "uuid": self.generator.uuid(),
            "reference": self.generator.reference('S'),
            "status": "active",
            "activate_order_ref": of_order("reference"),
            "activate_order_uuid": of_order("uuid"),
            "product": of_order("product"),
            "end_customer": of_order("end_customer"),
            "operator_info": of_order("operator_info"),
            "bounds": bounds::copied(&order.view["bounds"], &mut self.generator),
            "options": of_order("options"),
        });
        self.events.add("service-activated", "service", &view, &mut self.generator);
        self.add_service(Service {
            view,
            premises_index: order.check.as_ref().map(|check| check.premises_index),
        });
    }

    fn add_service(&mut self, service: Service) {
        let uuid = text_at(&service.view, "/uuid").unwrap_or_default().to_owned();
        self.services.add(&uuid, service);
    }

    pub(super) fn terminate_service(&mut self, uuid: &str) -> Result<(), ErrorResponse> {
        let index = self.find_service(uuid)?;
        if !self.services[index].is_active() {
            return Err(ErrorResponse::field("service_uuid", "The service is not active."));
        }
        self.services[index].view["status"] = json!(ENDED);
        self.events.add("service-terminated", "service", &self.services[index].view, &mut self.generator);
        Ok(())
    }

    /// Migrates a copper service to fibre. Returns the response body, and whether an order was created (page on
    /// services).
    pub(super) fn migrate(&mut self, uuid: &str, body: &Value) -> Result<(Value, bool), ErrorResponse> {
        let service = self.services[self.find_service(uuid)?].clone();
        let not_eligible = |reason: String| Ok((json!({ "eligible": false, "data": reason }), false));
        let product = text_at(&service.view, "/product/code").unwrap_or_default();
        if !service.is_active() || products::technology(product) != Some(Technology::Copper) {
            return not_eligible("Only an active copper service can be migrated".to_owned());
        }
        if let Some(reference) = self.migration_of(uuid) {
            return not_eligible(format!("Already have an order to migrate {reference}"));
        }
        let index = service.premises_index.unwrap_or_default();
        let imbs = self.fixtures.at(index).map(|premises| &premises.buildings);
        let imbs: Vec<_> = imbs.into_iter().flatten().map(|imb| imb.reference.clone()).collect();
        let chosen = match text_at(body, "/imb").filter(|imb| !imb.is_empty()) {
            Some(imb) => imbs.iter().position(|other| other == imb).ok_or_else(building_not_found)?,
            None => match imbs.len() {
                0 => return not_eligible(format!("FIBER_NOT_YET_DEPLOYED, Available around {FORECAST}")),
                1 => 0,
                _ => return Ok((json!({ "eligible": true, "data": imbs }), false)),
            },
        };
        let reference = self.order_migration(&service, index, chosen)?;
        Ok((json!({ "eligible": true, "data": reference }), true))
    }

    /// Creates a draft for the first fibre product, which the client has to complete. Returns its reference.
    fn order_migration(
        &mut self,
        service: &Service,
        index: usize,
        imb: usize,
    ) -> Result<Value, ErrorResponse> {
        let products = products::product_codes(Technology::Fiber, None);
        let product = products.first().copied().unwrap_or_default();
        let check = EligibilityCheck { premises_index: index, target: Target::Building(imb), products };
        let reference = self.store_check(check);
        let body = json!({
            "type": "activate",
            "request_type": "create",
            "eligibility_ref": reference,
            "product": { "code": product },
            "end_customer": service.view["end_customer"],
        });
        let view = self.create_order(&body)?;
        if let Some(order) = self.orders.last_mut() {
            order.migrates = text_at(&service.view, "/uuid").map(str::to_owned);
        }
        Ok(view["reference"].clone())
    }

    fn migration_of(&self, service: &str) -> Option<&str> {
        let is_it =
            |order: &&Order| order.migrates.as_deref() == Some(service) && order.status() != "rejected";
        self.orders.iter().find(is_it)?.text("/reference")
    }

    fn find_service(&self, uuid: &str) -> Result<usize, ErrorResponse> {
        self.services.position(uuid).ok_or_else(|| ErrorResponse::not_found("service"))
    }
}

/// Returns the error of the supplier's page, which has the status code 500.
fn building_not_found() -> ErrorResponse {
    ErrorResponse::new(500, "Building not found.")
}
