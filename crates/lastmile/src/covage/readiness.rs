//! What a draft still lacks before it is submitted, all of it at once.

use std::collections::BTreeSet;
use std::fmt;

use lastmile_covage::types::Order;
use serde_json::Value;

use super::options::OrderOption;
use super::request::{Demand, Work};
use crate::checks::LONG_LINE;
use crate::rules::{CovageEmail, CovagePhone, CovageText, LineNumber, Otp, Rio, Siret, Warning};

/// Why a field keeps a draft from being submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssueKind {
    /// Every order needs it (S in the supplier's tables), and it is not there.
    Missing,
    /// This order needs it because of something else it message (C in the supplier's tables), and it is not there.
    MissingHere,
    /// It is there and cannot be.
    Illegal,
}

/// A field that keeps a draft from being submitted, or that looks doubtful. Repeats nothing of what the order holds but a
/// single character.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// Where the field is in the order: `bounds[0].address.floor`.
    pub path: String,
    /// Why.
    pub kind: IssueKind,
    /// What is wrong, in words.
    pub message: String,
    /// Where the rule stands.
    pub source: &'static str,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.message, self.source)
    }
}

/// What a draft still lacks, every field at once: [`Draft::readiness`](super::Draft::readiness).
///
/// Issues refuse the submission, unless each is [skipped](super::Draft::skip_validation). Warnings are shown only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what is missing has to be filled in before the draft is submitted"]
pub struct Readiness {
    issues: Vec<Issue>,
    warnings: Vec<Issue>,
}

impl Readiness {
    /// Whether nothing keeps the draft from being submitted.
    pub fn is_ready(&self) -> bool {
        self.issues.is_empty()
    }

    /// Every field that keeps the draft from being submitted.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// What looks doubtful and does not keep it from being submitted.
    pub fn warnings(&self) -> &[Issue] {
        &self.warnings
    }

    /// The same without the issues that may pass.
    pub(super) fn without(mut self, skipped: &BTreeSet<String>) -> Self {
        self.issues.retain(|issue| !skipped.contains(&issue.path));
        self
    }

    pub(super) fn of(order: &Order) -> Self {
        // As it arrived: a field that could not be read is not missing.
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

    /// Those that the caller sends; what the supplier fills in (`IMB/…`) breaks its own rule.
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

    /// What the caller sends must be right; what the supplier has filled in is shown only.
    fn illegal(&mut self, path: &str, message: &str, source: &'static str, is_ours: bool) {
        if is_ours {
            self.issue(path, IssueKind::Illegal, message, source);
        } else {
            self.warn(path, message, source);
        }
    }

    /// The form of a SIRET is a rule; what else is known of numbers and addresses is shown only.
    fn forms(&mut self, order: &Look) {
        if let Some(siret) = order.text("/end_customer/siret") {
            match siret.parse::<Siret>() {
                Ok(siret) => self.warn_all("end_customer.siret", siret.warnings()),
                // Another character than the supplier takes is told already.
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
                        // A locked one is the supplier's own, from the offer.
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

/// An order as it arrived.
struct Look(Value);

impl Look {
    /// A text or a number in its place.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
    }

    fn has(&self, path: &str) -> bool {
        self.0.pointer(&pointer(path)).is_some_and(is_given)
    }

    fn is_termination(&self) -> bool {
        self.text("/type") == Some("terminate")
    }

    /// The work that is asked for, where product and request type tell.
    fn work(&self) -> Option<Work> {
        Work::of(self.is_fibre()?, self.text("/request_type")?)
    }

    fn family(&self) -> Option<&str> {
        self.text("/product/line/family/code")
    }

    fn bounds(&self) -> usize {
        self.0["bounds"].as_array().map_or(0, Vec::len)
    }

    /// By the product's family, or else by the kind of the line's end.
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

    /// The places of the end that has an optical socket, and of the socket; the first ones where none is said to be one.
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

/// `bounds[0].address.floor` as `/bounds/0/address/floor`.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}
