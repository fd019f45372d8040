//! Lines in operation.

use serde_json::{Value, json};

use super::bounds;
use super::catalogue::{self, Technology};
use super::draft::Order;
use super::eligibility::{Check, FORECAST, Target};
use super::refusal::Refusal;
use super::{Office, field};

/// A service and where it is.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// As it is answered.
    pub(super) view: Value,
    /// Which place of the town; the supplier's own links to the operator have none.
    place: Option<usize>,
}

/// A service that is there from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeededService {
    /// Its identifier.
    pub uuid: String,
    /// Its commercial reference, such as `S191128_21428`.
    pub reference: String,
    /// Code of its product.
    pub product: String,
    /// Whether it was active at the start.
    pub active: bool,
}

/// The services that are there from the start: their product, the place of the town, whether they are active.
/// Of the copper ones the first can choose between two buildings, the second has one, the third has none.
const SEEDED: [(&str, Option<usize>, bool); 6] = [
    ("AM01", Some(2), true),
    ("SD01", Some(0), true),
    ("SM01", Some(4), true),
    ("FP01", Some(6), true),
    ("EN01", None, true),
    ("AM01", Some(3), false),
];

/// Invented companies. No company has a number that begins with 000; the check digits are right.
const CUSTOMERS: [(&str, &str); 2] =
    [("Conserverie du Phare", "00012345500016"), ("Imprimerie Becfin", "00045678000014")];

impl Service {
    pub(super) fn is_active(&self) -> bool {
        self.view["status"] == "active"
    }

    pub(super) fn seeded(&self) -> SeededService {
        let text = |pointer| field(&self.view, pointer).unwrap_or_default().to_owned();
        SeededService {
            uuid: text("/uuid"),
            reference: text("/reference"),
            product: text("/product/code"),
            active: self.is_active(),
        }
    }
}

impl Office {
    pub(super) fn seed_services(&mut self) {
        for (index, (product, place, active)) in SEEDED.into_iter().enumerate() {
            let (name, siret) = CUSTOMERS[index % CUSTOMERS.len()];
            let bound = place.and_then(|place| self.seeded_bound(product, place));
            let view = json!({
                "uuid": self.journal.uuid(),
                "reference": self.journal.reference('S'),
                "status": if active { "active" } else { ENDED },
                "product": self.catalogue.product(product),
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
                    "order_ref": format!("HISTORIQUE-{index}"),
                    "order_name": name,
                    "contact_uuid": self.contacts.first(),
                },
                "bounds": bound.into_iter().collect::<Vec<_>>(),
                "options": {},
            });
            self.add_service(Service { view, place });
        }
    }

    fn seeded_bound(&mut self, product: &str, place: usize) -> Option<Value> {
        let premises = self.town.at(place)?;
        if catalogue::technology(product) == Some(Technology::Copper) {
            return Some(bounds::of_copper_service(premises, &mut self.journal));
        }
        let check = Check { place, target: Target::Socket(0, 0), products: Vec::new() };
        Some(bounds::of_activation(premises, &check, &mut self.journal))
    }

    pub(super) fn service(&self, uuid: &str) -> Result<Value, Refusal> {
        self.find_service(uuid).map(|index| self.services[index].view.clone())
    }

    /// What a completed activation gives.
    pub(super) fn begin_service(&mut self, order: &Order) {
        let of_order = |name: &str| order.view[name].clone();
        let view = json!({
            "uuid": self.journal.uuid(),
            "reference": self.journal.reference('S'),
            "status": "active",
            "activate_order_ref": of_order("reference"),
            "activate_order_uuid": of_order("uuid"),
            "product": of_order("product"),
            "end_customer": of_order("end_customer"),
            "operator_info": of_order("operator_info"),
            "bounds": bounds::copied(&order.view["bounds"], &mut self.journal),
            "options": of_order("options"),
        });
        self.events.add("service-activated", "service", &view, &mut self.journal);
        self.add_service(Service { view, place: order.check.as_ref().map(|check| check.place) });
    }

    fn add_service(&mut self, service: Service) {
        let uuid = field(&service.view, "/uuid").unwrap_or_default().to_owned();
        self.services.add(&uuid, service);
    }

    pub(super) fn end_service(&mut self, uuid: &str) -> Result<(), Refusal> {
        let index = self.find_service(uuid)?;
        if !self.services[index].is_active() {
            return Err(Refusal::field("service_uuid", "The service is not active."));
        }
        self.services[index].view["status"] = json!(ENDED);
        self.events.add("service-terminated", "service", &self.services[index].view, &mut self.journal);
        Ok(())
    }

    /// What became of the request, and whether an order was created (page on services).
    pub(super) fn migrate(&mut self, uuid: &str, body: &Value) -> Result<(Value, bool), Refusal> {
        let service = self.services[self.find_service(uuid)?].clone();
        let not_eligible = |reason: String| Ok((json!({ "eligible": false, "data": reason }), false));
        let product = field(&service.view, "/product/code").unwrap_or_default();
        if !service.is_active() || catalogue::technology(product) != Some(Technology::Copper) {
            return not_eligible("Only an active copper service can be migrated".to_owned());
        }
        if let Some(reference) = self.migration_of(uuid) {
            return not_eligible(format!("Already have an order to migrate {reference}"));
        }
        let place = service.place.unwrap_or_default();
        let imbs = self.town.at(place).map(|premises| &premises.buildings);
        let imbs: Vec<_> = imbs.into_iter().flatten().map(|imb| imb.reference.clone()).collect();
        let chosen = match field(body, "/imb").filter(|imb| !imb.is_empty()) {
            Some(imb) => imbs.iter().position(|other| other == imb).ok_or_else(building_not_found)?,
            None => match imbs.len() {
                0 => return not_eligible(format!("FIBER_NOT_YET_DEPLOYED, Available around {FORECAST}")),
                1 => 0,
                _ => return Ok((json!({ "eligible": true, "data": imbs }), false)),
            },
        };
        let reference = self.order_migration(&service, place, chosen)?;
        Ok((json!({ "eligible": true, "data": reference }), true))
    }

    /// A draft for the first fibre product, for the caller to complete.
    fn order_migration(&mut self, service: &Service, place: usize, imb: usize) -> Result<Value, Refusal> {
        let products = catalogue::offered(Technology::Fiber, None);
        let product = products.first().copied().unwrap_or_default();
        let check = Check { place, target: Target::Building(imb), products };
        let reference = self.remember(check);
        let body = json!({
            "type": "activate",
            "request_type": "create",
            "eligibility_ref": reference,
            "product": { "code": product },
            "end_customer": service.view["end_customer"],
        });
        let view = self.create_order(&body)?;
        if let Some(order) = self.orders.last_mut() {
            order.migrates = field(&service.view, "/uuid").map(str::to_owned);
        }
        Ok(view["reference"].clone())
    }

    fn migration_of(&self, service: &str) -> Option<&str> {
        let is_it =
            |order: &&Order| order.migrates.as_deref() == Some(service) && order.status() != "rejected";
        self.orders.iter().find(is_it)?.text("/reference")
    }

    fn find_service(&self, uuid: &str) -> Result<usize, Refusal> {
        self.services.place(uuid).ok_or_else(|| Refusal::not_found("service"))
    }
}

/// How a service that is no more is called; the list of values is not known.
const ENDED: &str = "terminated";

/// In the words of the supplier's page, which answers it with 500.
fn building_not_found() -> Refusal {
    Refusal::new(500, "Building not found.")
}
