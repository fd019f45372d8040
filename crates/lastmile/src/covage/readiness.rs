//! The readiness check of a draft, which reports all problems at once.

use std::collections::BTreeSet;
use std::fmt;

use lastmile_covage::types::Order;
use serde_json::Value;

use super::options::OrderOption;
use super::request::{Demand, Work};
use crate::checks::LONG_LINE;
use crate::rules::{CovageEmail, CovagePhone, CovageText, LineNumber, Otp, Rio, Siret, Warning};

/// The reason why a field prevents the submission of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssueKind {
    /// The field is missing, and every order requires it (S in the supplier's tables).
    Missing,
    /// The field is missing, and this order requires it because of another field (C in the supplier's tables).
    MissingHere,
    /// The field has an invalid value.
    Illegal,
}

/// A field that prevents the submission of a draft or is probably wrong. Of the order's content, it repeats at most a single
/// character.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// The path of the field in the order, such as `bounds[0].address.floor`.
    pub path: String,
    /// The reason.
    pub kind: IssueKind,
    /// A description of the problem.
    pub message: String,
    /// The source of the rule.
    pub source: &'static str,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.message, self.source)
    }
}

/// The result of the readiness check of a draft. Returned by [`Draft::readiness`](super::Draft::readiness).
///
/// Issues prevent the submission unless their fields are [skipped](super::Draft::skip_validation). Warnings do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what is missing has to be filled in before the draft is submitted"]
pub struct Readiness {
    issues: Vec<Issue>,
    warnings: Vec<Issue>,
}

impl Readiness {
    /// Returns whether the draft can be submitted.
    pub fn is_ready(&self) -> bool {
        self.issues.is_empty()
    }

    /// Returns the fields that prevent the submission of the draft.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Returns the fields that are probably wrong and do not prevent the submission.
    pub fn warnings(&self) -> &[Issue] {
        &self.warnings
    }

    /// Removes the issues of the fields that are skipped.
    pub(super) fn without(mut self, skipped: &BTreeSet<String>) -> Self {
        self.issues.retain(|issue| !skipped.contains(&issue.path));
        self
    }

    pub(super) fn of(order: &Order) -> Self {
        // Uses the JSON form, in which a field that could not be decoded is not missing.
        let order = Look(serde_json::to_value(order).unwrap_or_default());
        let mut found = Self::default();
        found.customer(&order);
        found.operator(&order);
        found.texts(&order);
        found.forms(&order);
        if order.is_termination() {
            found.termination(&order);
        } else {
            found.activation(&order);
            found.second_appointment(&order);
            found.options(&order);
        }
        found
    }

    fn customer(&mut self, order: &Look) {
        let names: &[&str] = match order.text("/end_customer/type") {
            None => {
                self.require(order, "end_customer.type", IssueKind::Missing, COMMON);
                &[]
            }
            Some("registered") => &["name", "siret"],
            Some("unregistered") => &["name"],
            Some("individual") => &["first_name", "last_name"],
            Some(_) => &[],
        };
        for name in names {
            self.require(order, &format!("end_customer.{name}"), IssueKind::MissingHere, CUSTOMER);
        }
        for name in ["first_name", "last_name", "email"] {
            self.require(order, &format!("end_customer.contact.{name}"), IssueKind::Missing, COMMON);
        }
        let contact = "end_customer.contact";
        if !["phone_number", "cell_phone_number"].iter().any(|name| order.has(&format!("{contact}.{name}"))) {
            let message = "a telephone number or a mobile one is needed";
            self.issue(format!("{contact}.phone_number"), IssueKind::MissingHere, message, PHONE);
        }
    }

    fn operator(&mut self, order: &Look) {
        for name in ["order_ref", "order_name", "contact_uuid"] {
            self.require(order, &format!("operator_info.{name}"), IssueKind::Missing, COMMON);
        }
    }

    /// Checks the texts that the caller sends. Texts that the supplier fills in (`IMB/…`) violate its own rule and only cause
    /// warnings.
    fn texts(&mut self, order: &Look) {
        let terminates = order.is_termination();
        let work = order.work();
        let is_ours = |demand| !terminates && work.is_none_or(|work| work.demands().contains(&demand));
        let sent = [
            ("stairs", is_ours(Demand::StairsAndFloor)),
            ("floor", is_ours(Demand::StairsAndFloor)),
            ("street_number", is_ours(Demand::StreetNumber)),
        ];
        let customer =
            ["name", "first_name", "last_name", "siret"].map(|name| format!("end_customer.{name}"));
        let contact = ["first_name", "last_name", "email", "phone_number", "cell_phone_number"];
        let contact = contact.map(|name| format!("end_customer.contact.{name}"));
        let bounds = (0..order.bounds())
            .flat_map(|at| sent.map(|(name, ours)| (format!("bounds[{at}].address.{name}"), ours)));
        let people = customer.into_iter().chain(contact).map(|path| (path, !terminates));
        for (path, ours) in people.chain(bounds) {
            let Some(text) = order.text(&pointer(&path)) else { continue };
            if text.chars().count() > LONG_LINE {
                self.warn(path.as_str(), Warning::LongText.as_str(), RULES);
            }
            if let Err(error) = CovageText::try_from(text) {
                self.illegal(&path, &error.to_string(), CHARACTERS, ours);
            }
        }
    }

    /// Adds an issue for a value that the caller sends, and a warning for a value that the supplier has filled in.
    fn illegal(&mut self, path: &str, message: &str, source: &'static str, is_ours: bool) {
        if is_ours {
            self.issue(path, IssueKind::Illegal, message, source);
        } else {
            self.warn(path, message, source);
        }
    }

    /// Checks the form of a SIRET, which is a rule. Other knowledge about numbers and addresses only causes warnings.
    fn forms(&mut self, order: &Look) {
        if let Some(siret) = order.text("/end_customer/siret") {
            match siret.parse::<Siret>() {
                Ok(siret) => self.warn_all("end_customer.siret", siret.warnings()),
                // A character that the supplier does not accept has already been reported.
                Err(error) if CovageText::try_from(siret).is_ok() => {
                    let is_ours = !order.is_termination();
                    self.illegal("end_customer.siret", &error.to_string(), CUSTOMER, is_ours);
                }
                Err(_) => {}
            }
        }
        if let Some(Ok(email)) = order.text("/end_customer/contact/email").map(str::parse::<CovageEmail>) {
            self.warn_all("end_customer.contact.email", email.warnings());
        }
        for name in ["phone_number", "cell_phone_number"] {
            let number = order.text(&format!("/end_customer/contact/{name}"));
            if let Some(Ok(number)) = number.map(str::parse::<CovagePhone>) {
                self.warn_all(&format!("end_customer.contact.{name}"), number.warnings());
            }
        }
        let rio = order.text("/options/portability/rio_code").map(str::parse::<Rio>);
        match (rio, order.text("/bounds/0/endpoints/0/reference").map(str::parse::<LineNumber>)) {
            (Some(Ok(rio)), Some(Ok(line))) => self.warn_all(RIO, rio.warnings_for(&line)),
            (Some(Ok(rio)), _) => self.warn_all(RIO, rio.warnings()),
            (Some(Err(_)), _) => self.warn(RIO, "a RIO has 12 letters, digits and +", RULES),
            (None, _) => {}
        }
    }

    fn warn_all(&mut self, path: &str, warnings: Vec<Warning>) {
        warnings.into_iter().for_each(|warning| self.warn(path, warning.as_str(), RULES));
    }

    fn activation(&mut self, order: &Look) {
        self.require(order, "product.code", IssueKind::MissingHere, PRODUCT);
        self.require(order, "request_type", IssueKind::MissingHere, REQUEST_TYPE);
        let (Some(_), Some(is_fibre)) = (order.text("/request_type"), order.is_fibre()) else {
            return;
        };
        let Some(work) = order.work() else {
            let message = if is_fibre { "fibre has no such work" } else { "copper has no such work" };
            return self.issue("request_type", IssueKind::Illegal, message, REQUEST_TYPE);
        };
        for demand in work.demands() {
            match demand {
                Demand::StairsAndFloor => {
                    for name in ["stairs", "floor"] {
                        let path = format!("bounds[{}].address.{name}", order.socket().0);
                        self.require(order, &path, IssueKind::MissingHere, ADDRESS);
                    }
                }
                Demand::Socket => {
                    let (bound, endpoint) = order.socket();
                    let path = format!("bounds[{bound}].endpoints[{endpoint}].reference");
                    self.require(order, &path, IssueKind::MissingHere, SOCKET);
                    if let Some(Err(error)) = order.text(&pointer(&path)).map(str::parse::<Otp>) {
                        // A locked reference comes from the supplier's offer.
                        let is_ours = order.0["bounds"][bound]["endpoints"][endpoint]["locked"] != true;
                        self.illegal(&path, &error.to_string(), SOCKET, is_ours);
                    }
                }
                Demand::StreetNumber => {
                    self.require(order, "bounds[0].address.street_number", IssueKind::MissingHere, ADDRESS);
                }
                Demand::Appointment => {
                    let message = "this work needs an appointment, which no call of the API makes";
                    self.warn("request_type", message, APPOINTMENT);
                }
            }
        }
    }

    fn termination(&mut self, order: &Look) {
        if !order.has("service_ref") && !order.has("service_uuid") {
            self.issue("service_ref", IssueKind::MissingHere, "it or service_uuid is needed", TERMINATE);
        }
        if order.family().is_some_and(|family| !matches!(family, "A" | "S" | "M" | "F")) {
            let message = "services of this family cannot be terminated";
            self.issue("product.line.family.code", IssueKind::Illegal, message, TERMINATE);
        }
    }

    fn second_appointment(&mut self, order: &Look) {
        let allowed = order.0["allow_second_rdv"] == true;
        if order.text("/product/code") != Some("FP05") {
            let message = "only the product FP05 has it";
            if allowed {
                self.issue("allow_second_rdv", IssueKind::Illegal, message, SECOND);
            }
            if order.has("address_second_rdv") {
                self.issue("address_second_rdv", IssueKind::Illegal, message, SECOND);
            }
        } else if allowed && order.text("/request_type") == Some("create") {
            self.issue("allow_second_rdv", IssueKind::Illegal, "only for a socket that exists", SECOND);
        }
    }

    fn options(&mut self, order: &Look) {
        let request_type = order.text("/request_type");
        for (code, option) in order.0["options"].as_object().into_iter().flatten() {
            if option["enabled"] != true {
                continue;
            }
            let Some(known) = OrderOption::from_code(code) else { continue };
            let path = format!("options.{code}");
            let is_missing = |name: &str| !is_given(&option[name]);
            if known.has_value() && is_missing("value") && is_missing("default_value") {
                self.issue(format!("{path}.value"), IssueKind::MissingHere, NEEDED, OPTIONS);
            }
            if known == OrderOption::Portability && is_missing("rio_code") {
                self.issue(format!("{path}.rio_code"), IssueKind::MissingHere, NEEDED, OPTIONS);
            }
            if order.family().is_some_and(|family| !known.is_for(family)) {
                self.warn(path, "products of this family are not listed with it", OPTIONS);
            } else if known == OrderOption::DoubleOtp && request_type.is_some_and(|kind| kind != "create") {
                self.warn(path, "listed for the request type create only", OPTIONS);
            } else if known == OrderOption::OtpDisplacement && request_type == Some("create") {
                self.warn(path, "listed for sockets that exist only", OPTIONS);
            }
        }
    }

    fn require(&mut self, order: &Look, path: &str, kind: IssueKind, source: &'static str) {
        if !order.has(path) {
            self.issue(path, kind, NEEDED, source);
        }
    }

    fn issue(
        &mut self,
        path: impl Into<String>,
        kind: IssueKind,
        message: impl Into<String>,
        source: &'static str,
    ) {
        self.issues.push(Issue { path: path.into(), kind, message: message.into(), source });
    }

    fn warn(&mut self, path: impl Into<String>, message: &str, source: &'static str) {
        let kind = IssueKind::Illegal;
        self.warnings.push(Issue { path: path.into(), kind, message: message.to_owned(), source });
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.issues.is_empty() {
            return f.write_str("it is ready to be submitted");
        }
        for (at, issue) in self.issues.iter().enumerate() {
            write!(f, "{}{issue}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

const RIO: &str = "options.portability.rio_code";
const RULES: &str = "general knowledge, stated by no document of the supplier";
const NEEDED: &str = "it is needed before the submission";
const COMMON: &str = "orders API, common fields, marked S";
const CUSTOMER: &str =
    "orders API, common fields, marked C; the condition is lost and taken from the samples";
const PHONE: &str =
    "orders API, common fields, marked C; the condition is lost, one of the two is taken to be needed";
const CHARACTERS: &str = "orders API, note of \"Order Creation\"";
const PRODUCT: &str = "orders API, common fields, marked C";
const REQUEST_TYPE: &str = "principles of orders; the samples of activations have it";
const ADDRESS: &str = "orders API, \"Update the address of an order\"";
const SOCKET: &str = "orders API, \"Update the OTP reference of an order\"";
const APPOINTMENT: &str = "how orders work, appointments";
const TERMINATE: &str = "orders API, \"Order terminate\"";
const SECOND: &str = "orders API, \"ONT installation intervention\"";
const OPTIONS: &str = "orders API, \"Options\"";

/// The JSON form of an order.
struct Look(Value);

impl Look {
    /// Returns the text at a JSON pointer. Returns `None` if it is empty.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
    }

    fn has(&self, path: &str) -> bool {
        self.0.pointer(&pointer(path)).is_some_and(is_given)
    }

    fn is_termination(&self) -> bool {
        self.text("/type") == Some("terminate")
    }

    /// Returns the work of the order, if its product and request type determine it.
    fn work(&self) -> Option<Work> {
        Work::of(self.is_fibre()?, self.text("/request_type")?)
    }

    fn family(&self) -> Option<&str> {
        self.text("/product/line/family/code")
    }

    fn bounds(&self) -> usize {
        self.0["bounds"].as_array().map_or(0, Vec::len)
    }

    /// Returns whether the order is for fibre, according to the product's family or else to the type of the line's end.
    fn is_fibre(&self) -> Option<bool> {
        match self.family() {
            Some("F") => Some(true),
            Some("A" | "S" | "M") => Some(false),
            _ => match self.text("/bounds/0/endpoints/0/type") {
                Some("otp") => Some(true),
                Some("line_number") => Some(false),
                _ => None,
            },
        }
    }

    /// Returns the indices of the end that has an optical socket, and of the socket. Returns 0 for both if there is no socket.
    fn socket(&self) -> (usize, usize) {
        let bounds = self.0["bounds"].as_array().into_iter().flatten().enumerate();
        let mut sockets = bounds.filter_map(|(at, bound)| {
            let mut endpoints = bound["endpoints"].as_array()?.iter();
            Some((at, endpoints.position(|endpoint| endpoint["type"] == "otp")?))
        });
        sockets.next().unwrap_or_default()
    }
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// Converts a path such as `bounds[0].address.floor` into the JSON pointer `/bounds/0/address/floor`.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}
