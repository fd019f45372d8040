//! The operations of the control API.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ControlApi, Controlled, Shared, feed, json_response, problem, values};
use crate::body::ResponseBody;
use crate::clock::DAY;
use crate::clock_mode::ClockMode;
use crate::document;
use crate::fault::Fault;
use crate::json::text;
use crate::object::{Completion, FinishError, ObjectKind};
use crate::query_string;
use crate::spec::{Parameters, RouteMatch, allow_header, percent_decoded};

/// The error of an operation: the status code and what is wrong.
type Failure = (StatusCode, String);

pub(super) async fn answer(parts: &Parts, body: &Bytes, shared: &Arc<Shared>) -> Response<ResponseBody> {
    let spec = ControlApi::spec();
    let (operation, parameters) = match spec.route(&parts.method, parts.uri.path()) {
        RouteMatch::Found(operation, parameters) => (operation, parameters),
        RouteMatch::MethodNotAllowed(methods) => {
            let methods = allow_header(&methods);
            let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, format!("This path takes {methods}."));
            if let Ok(methods) = HeaderValue::from_str(&methods) {
                response.headers_mut().insert(ALLOW, methods);
            }
            return response;
        }
        RouteMatch::UnknownPath => {
            return problem(StatusCode::NOT_FOUND, "There is no such path. See /openapi.yaml.");
        }
    };
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
    let mut problems = spec.check_request(&operation.id, content_type, body);
    problems.extend(spec.check_query(&operation.id, parts.uri.query()));
    if !problems.is_empty() {
        return problem(StatusCode::BAD_REQUEST, problems.join("; "));
    }
    let request = ControlRequest {
        operation: &operation.id,
        parameters: &parameters,
        query: parts.uri.query(),
        body: serde_json::from_slice(body).unwrap_or_default(),
        shared,
    };
    match operation.id.as_str() {
        "streamEvents" => feed::stream(shared),
        "settle" => match request.supplier() {
            Ok(supplier) => {
                supplier.supplier().settled().await;
                json_response(StatusCode::OK, &values::effects(&**supplier))
            }
            Err((status, text)) => problem(status, text),
        },
        _ => match request.carry_out() {
            Ok(Some(value)) => json_response(StatusCode::OK, &value),
            Ok(None) => {
                let mut response = Response::new(ResponseBody::Full(Bytes::new()));
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            Err((status, text)) => problem(status, text),
        },
    }
}

struct ControlRequest<'a> {
    operation: &'a str,
    parameters: &'a Parameters,
    query: Option<&'a str>,
    /// The body, which was validated against the document.
    body: Value,
    shared: &'a Shared,
}

impl ControlRequest<'_> {
    /// Carries out an operation that does not wait. Returns `None` if there is nothing to report.
    fn carry_out(&self) -> Result<Option<Value>, Failure> {
        match self.operation {
            "listSuppliers" => {
                Ok(Some(self.shared.suppliers.iter().map(|one| values::supplier(&**one)).collect()))
            }
            "getState" => Ok(Some(values::overview(self.shared))),
            "resetAll" => {
                self.shared.suppliers.iter().for_each(|supplier| self.reset(&**supplier));
                Ok(None)
            }
            "advanceAll" => {
                let days = self.days();
                self.shared.suppliers.iter().for_each(|supplier| advance(&**supplier, days));
                Ok(None)
            }
            _ => self.of_supplier(&**self.supplier()?),
        }
    }

    /// Resets a supplier. A running clock goes on.
    fn reset(&self, supplier: &dyn Controlled) {
        let now = supplier.seconds();
        supplier.reset();
        if let ClockMode::Wall { .. } = self.shared.clock {
            supplier.advance_to(now);
        }
    }

    fn of_supplier(&self, supplier: &dyn Controlled) -> Result<Option<Value>, Failure> {
        let handle = supplier.supplier();
        match self.operation {
            "getSupplier" => Ok(Some(values::supplier(supplier))),
            "getSupplierDocument" => {
                let url = format!("{}{}{}", super::try_it::PREFIX, supplier.name().key(), handle.prefix());
                Ok(Some(document::with_server(handle.spec(), &url)))
            }
            "advance" => {
                advance(supplier, self.days());
                Ok(Some(json!({ "time": supplier.time() })))
            }
            "reset" => {
                self.reset(supplier);
                Ok(None)
            }
            "listObjects" => {
                let objects = supplier.objects();
                let reference = self.query_value("reference");
                let kind = self.parsed("kind", ObjectKind::named)?;
                let open = self.parsed("open", |open| open.parse::<bool>().ok())?;
                let matches = |object: &&crate::ObjectSnapshot| {
                    kind.is_none_or(|kind| object.kind == kind)
                        && reference.as_ref().is_none_or(|text| object.reference.as_ref() == Some(text))
                        && open.is_none_or(|open| object.open == open)
                };
                Ok(Some(objects.iter().filter(matches).map(values::object).collect()))
            }
            "finishObject" => {
                let completion = match text(&self.body, "result") {
                    Some("failure") => Completion::Failure,
                    _ => Completion::Success,
                };
                let id = self.parameter("id");
                supplier.finish(id, completion).map_err(|error| {
                    let status = match error {
                        FinishError::NotFound => StatusCode::NOT_FOUND,
                        FinishError::NotOpen(_) => StatusCode::CONFLICT,
                    };
                    (status, format!("It cannot be finished: {error}."))
                })?;
                let object = supplier.objects().into_iter().find(|object| object.id == id);
                Ok(object.as_ref().map(values::object))
            }
            "getFaults" => Ok(Some(handle.faults().iter().map(values::faults).collect())),
            "setFaults" => {
                let mut rules = Vec::new();
                for value in self.body.as_array().into_iter().flatten() {
                    let faults = values::parse_faults(value).map_err(bad_request)?;
                    faults.operations().try_for_each(|operation| check_operation(supplier, operation))?;
                    rules.push(faults);
                }
                handle.clear_faults();
                rules.into_iter().for_each(|faults| handle.add_faults(faults));
                Ok(Some(handle.faults().iter().map(values::faults).collect()))
            }
            "clearFaults" => {
                handle.clear_faults();
                Ok(None)
            }
            "script" => self.script(supplier),
            "clearScript" => {
                handle.clear_script();
                Ok(None)
            }
            "refuseConnections" => {
                let count = self.body.get("connections").and_then(Value::as_u64).unwrap_or(1);
                handle.refuse_next_connections(usize::try_from(count).unwrap_or(usize::MAX));
                Ok(None)
            }
            "listRequests" => self.requests(supplier).map(Some),
            "getEffects" => Ok(Some(values::effects(supplier))),
            other => Err((StatusCode::NOT_IMPLEMENTED, format!("{other} is not built."))),
        }
    }

    fn script(&self, supplier: &dyn Controlled) -> Result<Option<Value>, Failure> {
        let operation = text(&self.body, "operation").unwrap_or_default();
        check_operation(supplier, operation)?;
        let handle = supplier.supplier();
        match (text(&self.body, "fault"), self.body.get("answer")) {
            (Some(fault), None) => {
                let fault: Fault = fault.parse().map_err(bad_request)?;
                handle.fail_next(operation, fault);
            }
            (None, Some(answer)) => {
                handle.answer_next(operation, values::parse_answer(answer).map_err(bad_request)?);
            }
            _ => return Err(bad_request("exactly one of fault and answer is needed")),
        }
        Ok(None)
    }

    fn requests(&self, supplier: &dyn Controlled) -> Result<Value, Failure> {
        let number = |name| self.parsed(name, |value| value.parse::<usize>().ok());
        let (after, limit) = (number("after")?.unwrap_or(0), number("limit")?.unwrap_or(1000));
        let operation = self.query_value("operation");
        let state = supplier.supplier().dispatcher().state();
        let requests = state.received.since(after);
        let wanted = requests.filter(|(_, received)| operation.is_none() || received.operation == operation);
        Ok(wanted.take(limit).map(|(index, received)| values::request(index, received)).collect())
    }

    fn supplier(&self) -> Result<&Arc<dyn Controlled>, Failure> {
        let supplier = self.shared.supplier(self.parameter("supplier"));
        let keys = "The suppliers are cocon, covage and onapi.";
        supplier.ok_or_else(|| (StatusCode::NOT_FOUND, keys.to_owned()))
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    fn query_value(&self, name: &str) -> Option<String> {
        let value =
            query_string::pairs(self.query).find(|(other, _)| *other == name).map(|(_, value)| value)?;
        percent_decoded(&value.replace('+', " "))
    }

    /// Returns a query parameter as `parse` reads it. Fails if the parameter has another form.
    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let Some(value) = self.query_value(name) else { return Ok(None) };
        match parse(&value) {
            Some(value) => Ok(Some(value)),
            None => Err(bad_request(format!("query: the value of '{name}' is invalid"))),
        }
    }

    fn days(&self) -> u64 {
        self.body.get("days").and_then(Value::as_u64).unwrap_or(1)
    }
}

/// Advances the clock day by day, and every open order that is due by one state each day.
fn advance(supplier: &dyn Controlled, days: u64) {
    for _ in 0..days {
        supplier.advance_to(supplier.seconds().saturating_add(DAY));
        supplier.step();
    }
}

fn check_operation(supplier: &dyn Controlled, operation: &str) -> Result<(), Failure> {
    match supplier.supplier().spec().operation(operation) {
        Some(_) => Ok(()),
        None => Err((StatusCode::NOT_FOUND, format!("{} has no operation of this name.", supplier.name()))),
    }
}

fn bad_request(problem: impl std::fmt::Display) -> Failure {
    (StatusCode::BAD_REQUEST, format!("{problem}."))
}
