//! Refusals, in the supplier's error body.

use fastrand::Rng;
use http::Method;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::script::Answer;

/// Why a request or a job is not carried out. Holds nothing from a header, so nothing secret can be repeated.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
    /// Code and message of each thing that is wrong.
    errors: Vec<(&'static str, String)>,
    allow: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal { status, errors: vec![(code, message.clone())], message, allow: None }
    }

    pub(super) fn not_found(kind: &str, id: &str) -> Refusal {
        Refusal::new(404, "NotFound", format!("There is no {kind} {id}"))
    }

    /// A request unlike the document, with one entry per problem.
    pub(super) fn invalid(problems: &[String]) -> Refusal {
        let errors = problems.iter().map(|problem| ("InvalidRequest", problem.clone())).collect();
        Refusal { status: 400, message: "The request is not acceptable".to_owned(), errors, allow: None }
    }

    pub(super) fn wrong_method(allowed: &[&Method]) -> Refusal {
        let allow = allowed.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
        let refusal = Refusal::new(405, "MethodNotAllowed", format!("This path takes {allow}"));
        Refusal { allow: Some(allow), ..refusal }
    }

    pub(super) fn body(&self, journal: &mut Journal) -> Value {
        let errors: Vec<_> =
            self.errors.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
        json!({
            "timestamp": journal.clock.to_string(),
            "id": journal.uuid(),
            "status": self.status,
            "errors": errors,
            "message": self.message,
        })
    }

    pub(super) fn answer(&self, journal: &mut Journal) -> Answer {
        let answer = Answer::json(self.status, &self.body(journal));
        match &self.allow {
            Some(allow) => answer.header("allow", allow),
            None => answer,
        }
    }
}

/// Where the supplier would note what went wrong, and when: a second passes with every request.
#[derive(Debug)]
pub(super) struct Journal {
    clock: Clock,
    rng: Rng,
}

impl Journal {
    pub(super) fn new(rng: Rng) -> Journal {
        Journal { clock: Clock::START, rng }
    }

    pub(super) fn tick(&mut self) {
        self.clock.tick();
    }

    /// A random UUID, version 4.
    pub(super) fn uuid(&mut self) -> String {
        let bits = self.rng.u128(..);
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let digits = format!("{bits:032x}");
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4() {
        let mut journal = Journal::new(Rng::with_seed(1));
        let uuid = journal.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&uuid[19..20]));
        assert_ne!(uuid, journal.uuid());
    }
}
