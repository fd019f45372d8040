//! Refusals, in the supplier's error body.

use http::Method;
use serde_json::{Value, json};

use super::journal::Journal;
use crate::script::Answer;

/// The text of a refusal whose details say what is wrong, as the supplier's page on errors shows it.
const INVALID: &str = "Invalid input";
/// What is said of a field that is not there, as the same page shows it.
pub(super) const REQUIRED: &str = "This field is required.";

/// What is wrong with one field. Repeats no value, since those are personal data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    field: String,
    problem: String,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault { field: field.into(), problem: problem.into() }
    }

    pub(super) fn required(field: impl Into<String>) -> Fault {
        Fault::new(field, REQUIRED)
    }

    /// From what the document has against a request: `body/a/b: ...` is about the field `a.b`.
    fn of_problem(problem: &str) -> Fault {
        let (place, text) = problem.split_once(": ").unwrap_or(("body", problem));
        let place = place.strip_prefix("body/").unwrap_or(place).replace('/', ".");
        match text.strip_suffix(" is a required property") {
            Some(name) if place == "body" => Fault::required(name.trim_matches('"')),
            Some(name) => Fault::required(format!("{place}.{}", name.trim_matches('"'))),
            None => Fault::new(place, text),
        }
    }
}

/// Why a request is not carried out. Holds nothing from a header, so nothing secret can be repeated.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    error: String,
    faults: Vec<Fault>,
    allow: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, error: impl Into<String>) -> Refusal {
        Refusal { status, error: error.into(), faults: Vec::new(), allow: None }
    }

    pub(super) fn not_found(kind: &str) -> Refusal {
        Refusal::new(404, format!("There is no such {kind}."))
    }

    pub(super) fn field(field: impl Into<String>, problem: impl Into<String>) -> Refusal {
        Refusal::invalid(vec![Fault::new(field, problem)])
    }

    pub(super) fn invalid(faults: Vec<Fault>) -> Refusal {
        Refusal { faults, ..Refusal::new(400, INVALID) }
    }

    /// A request unlike the document.
    pub(super) fn unlike(problems: &[String]) -> Refusal {
        Refusal::invalid(problems.iter().map(|problem| Fault::of_problem(problem)).collect())
    }

    pub(super) fn wrong_method(allowed: &[&Method]) -> Refusal {
        let allow = allowed.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
        Refusal { allow: Some(allow), ..Refusal::new(405, "This path does not take this method.") }
    }

    pub(super) fn answer(&self, journal: &mut Journal) -> Answer {
        let body = json!({
            "apirequest_uuid": format!("KOSC_{}", journal.uuid()),
            "details": self.details(),
            "error": self.error,
        });
        let answer = Answer::json(self.status, &body);
        match &self.allow {
            Some(allow) => answer.header("allow", allow),
            None => answer,
        }
    }

    /// Each field once, with all that is wrong with it; `null` where no field is to blame.
    fn details(&self) -> Option<Vec<Value>> {
        let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
        for fault in &self.faults {
            match fields.iter_mut().find(|(field, _)| *field == fault.field) {
                Some((_, problems)) => problems.push(&fault.problem),
                None => fields.push((&fault.field, vec![&fault.problem])),
            }
        }
        let details = fields.iter().map(|(field, problems)| json!({ "field": field, "errors": problems }));
        (!fields.is_empty()).then(|| details.collect())
    }
}

/// Nothing, or a refusal that names every fault.
pub(super) fn none_of(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_document_objects_to_names_the_field() {
        let fault = |problem| Fault::of_problem(problem);
        assert_eq!(fault("body: \"email\" is a required property"), Fault::required("email"));
        assert_eq!(fault("body/a/b: \"c\" is a required property"), Fault::required("a.b.c"));
        assert_eq!(fault("body/a/0: value is wrong"), Fault::new("a.0", "value is wrong"));
        assert_eq!(fault("content-type: it is not x"), Fault::new("content-type", "it is not x"));
    }

    #[test]
    fn a_field_stands_once_with_all_that_is_wrong() {
        let faults = vec![Fault::new("a", "1"), Fault::new("b", "2"), Fault::new("a", "3")];
        let details =
            [json!({ "field": "a", "errors": ["1", "3"] }), json!({ "field": "b", "errors": ["2"] })];
        assert_eq!(Refusal::invalid(faults).details(), Some(details.to_vec()));
        assert_eq!(Refusal::new(404, "x").details(), None);
    }
}
