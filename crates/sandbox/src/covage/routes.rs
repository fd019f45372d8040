//! Routes each operation to the part of the simulation that carries it out.

use serde_json::Value;

use super::eligibility;
use super::error_response::{ErrorResponse, fail_if_any};
use super::page::Page;
use super::query::Query;
use super::simulation::Simulation;
use crate::behaviour::{Effects, Request};
use crate::script::Answer;
use crate::spec::{Operation, Parameters, RouteMatch, Spec};

/// The result of an operation.
enum Completion {
    /// An object that was read.
    Read(Value),
    /// A page of a list, and whether the response has the length of the whole list.
    List(Page, bool),
    /// An object that was created or changed.
    Changed(Value),
    /// Nothing: the object was deleted.
    Deleted,
}

type OperationResult = Result<Completion, ErrorResponse>;

impl Simulation {
    pub(super) fn answer(&mut self, request: &Request<'_>, effects: &mut Effects) -> Answer {
        self.generator.tick();
        let query = Query::parse(request.received.query.as_deref());
        match self.handle(request, &query, effects) {
            Ok(Completion::Read(body) | Completion::Changed(body)) => Answer::json(200, &body),
            Ok(Completion::List(page, counted)) => page.answer(counted),
            Ok(Completion::Deleted) => Answer::status(204),
            Err(error_response) => error_response.answer(&mut self.generator),
        }
    }

    fn handle(&mut self, request: &Request<'_>, query: &Query, effects: &mut Effects) -> OperationResult {
        let (operation, parameters) = match request.route {
            RouteMatch::Found(operation, parameters) => (*operation, parameters),
            RouteMatch::MethodNotAllowed(allowed) => return Err(ErrorResponse::method_not_allowed(allowed)),
            RouteMatch::UnknownPath => return Err(ErrorResponse::new(404, "There is no such path.")),
        };
        if !needs_no_token(operation) {
            self.account.authenticate(request.received)?;
        }
        let problems = &request.received.problems;
        if !problems.is_empty() {
            return Err(ErrorResponse::invalid_request(problems));
        }
        fail_if_any(self.rules.errors(&operation.id, query))?;
        let body = self
            .text_normalization
            .apply(request.received.json().unwrap_or_default(), normalised(&operation.id));
        let done = self.read(operation, parameters, query).unwrap_or_else(|| {
            let changed = self.change(operation, parameters, &body, effects);
            changed.unwrap_or_else(|| {
                Err(ErrorResponse::new(500, format!("{} is not simulated.", operation.id)))
            })
        })?;
        if matches!(done, Completion::Changed(_) | Completion::Deleted) {
            effects.add(&operation.id);
        }
        Ok(done)
    }

    /// Carries out an operation that only reads. Returns `None` for any other.
    fn read(&self, operation: &Operation, parameters: &Parameters, query: &Query) -> Option<OperationResult> {
        let named = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let fixtures = &self.fixtures;
        let found = match operation.id.as_str() {
            "listOrders" => return Some(Ok(Completion::List(self.list_orders(query), true))),
            "listServices" => {
                let services = self.services.iter().map(|service| &service.view);
                return Some(Ok(Completion::List(Page::of(services, query), false)));
            }
            "listEvents" => {
                return Some(self.events.list(query).map(|events| Completion::List(events, false)));
            }
            "getOrder" => self.order(named("uuid")),
            "getService" => self.service(named("uuid")),
            "getUser" => self.account.user_view(named("user_uuid")),
            "listContacts" => Ok(self.contacts.list()),
            "getContact" => self.contacts.get(named("contact_uuid")),
            "listProductFamilies" => Ok(self.products.families()),
            "getProductFamily" => self.products.family(named("product_family_uuid")),
            "getProductLine" => self.products.line(named("product_line_uuid")),
            "listCities" => Ok(eligibility::cities(fixtures, query)),
            "listStreets" => Ok(eligibility::streets(fixtures, query)),
            "listStreetNumbers" => Ok(eligibility::street_numbers(fixtures, query)),
            "listEligibilityEndpoints" => Ok(eligibility::endpoints(fixtures, query)),
            "listBuildings" => Ok(eligibility::buildings(fixtures, query)),
            "getBuilding" => eligibility::building(fixtures, named("building_ref"), query),
            "getForecast" => eligibility::forecast(fixtures, query),
            "getPortability" => eligibility::portability(fixtures, named("endpoint_ref")),
            "listAppointmentSlots" => self.slots(query),
            _ => return None,
        };
        Some(found.map(Completion::Read))
    }

    /// Carries out an operation that may change something. Returns `None` for any other.
    fn change(
        &mut self,
        operation: &Operation,
        parameters: &Parameters,
        body: &Value,
        effects: &mut Effects,
    ) -> Option<OperationResult> {
        let named = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let generator = &mut self.generator;
        let changed = match operation.id.as_str() {
            "obtainToken" => self.account.obtain(body, generator),
            "refreshToken" => self.account.refresh(body, generator),
            "obtainLegacyToken" => self.account.obtain_legacy(body, generator),
            "refreshLegacyToken" => self.account.refresh_legacy(body, generator),
            "createContact" => Ok(self.contacts.create(body, generator)),
            "replaceContact" => self.contacts.replace(named("contact_uuid"), body),
            "deleteContact" => {
                return Some(self.contacts.delete(named("contact_uuid")).map(|()| Completion::Deleted));
            }
            "createOffers" => self.create_offers(body),
            "createOrder" => self.create_order(body),
            "updateOrder" => self.update_order(named("uuid"), body, effects),
            "updateOrderBound" => self.update_bound(named("uuid"), named("bound_uuid"), body),
            "updateOrderEndpoint" => self.update_endpoint(named("uuid"), named("endpoint_uuid"), body),
            "createOrderInfoEvent" => self.inform(named("uuid"), body),
            "migrateServiceToFtth" => {
                let migrated = self.migrate(named("uuid"), body);
                let completion = |(body, ordered)| {
                    if ordered { Completion::Changed(body) } else { Completion::Read(body) }
                };
                return Some(migrated.map(completion));
            }
            _ => return None,
        };
        Some(changed.map(Completion::Changed))
    }

    fn create_offers(&mut self, body: &Value) -> Result<Value, ErrorResponse> {
        let check = eligibility::check(&self.fixtures, body)?;
        let reference = self.store_check(check.clone());
        Ok(eligibility::offers(&self.fixtures, &self.products, &reference, &check))
    }
}

/// Returns the JSON pointers of the texts that the supplier normalizes.
fn normalised(operation_id: &str) -> &'static [&'static str] {
    match operation_id {
        "createOrder" | "updateOrder" => &["/operator_info/order_ref"],
        "createContact" | "replaceContact" => {
            &["/first_name", "/last_name", "/email", "/phone_number", "/cell_phone_number"]
        }
        _ => &[],
    }
}

/// Returns whether an operation requires no token, which the document says of those that issue tokens.
fn needs_no_token(operation: &Operation) -> bool {
    let method = operation.method.as_str().to_ascii_lowercase();
    let security = &Spec::covage().document()["paths"][&operation.path][method]["security"];
    security.as_array().is_some_and(Vec::is_empty)
}
