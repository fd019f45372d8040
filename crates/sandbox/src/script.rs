//! Responses and faults that a test scripts in advance.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::fault::Fault;
use crate::rows::Rows;
use crate::spec::Spec;

/// A response that a test scripts with [`answer_next`](crate::Supplier::answer_next).
///
/// ```
/// use lastmile_sandbox::Answer;
///
/// let gateway = Answer::status(502).header("content-type", "text/html").body("<html>Bad gateway</html>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The rows of a list that is generated while it is sent, in place of a body.
    rows: Option<Rows>,
}

impl Answer {
    /// Returns a response with this status code, no headers and no body.
    pub fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Vec::new(), rows: None }
    }

    /// Returns a response with this status code and a JSON body.
    pub fn json(status: u16, value: &Value) -> Answer {
        Answer::json_text(status, value.to_string())
    }

    /// Returns a response with a JSON body that is already serialized.
    pub(crate) fn json_text(status: u16, json: String) -> Answer {
        Answer::status(status).header("content-type", "application/json").body(json)
    }

    /// Returns a response with a JSON list that is generated while it is sent.
    pub(crate) fn rows(status: u16, rows: Rows) -> Answer {
        let answer = Answer::status(status).header("content-type", "application/json");
        Answer { rows: Some(rows), ..answer }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the response body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Answer {
        self.body = body.into();
        self
    }

    /// Changes the response body, if it is JSON and not a list that is generated while it is sent.
    pub(crate) fn change_json(mut self, change: impl FnOnce(u16, &mut Value)) -> Answer {
        if let Ok(mut value) = serde_json::from_slice(&self.body) {
            change(self.status, &mut value);
            self.body = value.to_string().into();
        }
        self
    }

    /// Returns how the response violates the document of this operation. Of a list that is generated while it is sent,
    /// the first rows are validated.
    pub(crate) fn problems(&self, spec: &Spec, operation_id: &str) -> Vec<String> {
        let content_type = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.as_str());
        let sample = self.rows.as_ref().map(Rows::sample);
        let body = sample.as_deref().unwrap_or(&self.body);
        spec.check_response(operation_id, self.status, content_type, body)
    }

    /// Converts to an HTTP response. Fails for a status code or a header that is not valid HTTP.
    pub(crate) fn into_response(self) -> Result<Response<Bytes>, http::Error> {
        let mut response = Response::builder().status(StatusCode::from_u16(self.status)?);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let mut response = response.body(self.body.into())?;
        // An extension, because everything else that handles responses needs no more than their heads.
        if let Some(rows) = self.rows {
            response.extensions_mut().insert(rows);
        }
        Ok(response)
    }
}

/// What happens to a request instead of being carried out and answered by the simulation.
#[derive(Debug)]
pub(crate) enum ScriptedStep {
    Answer(Answer),
    Fault(Fault),
}

/// The scripted steps, in one queue per operation.
#[derive(Debug, Default)]
pub(crate) struct Script(BTreeMap<String, VecDeque<ScriptedStep>>);

impl Script {
    pub(crate) fn push(&mut self, operation_id: &str, step: ScriptedStep) {
        self.0.entry(operation_id.to_owned()).or_default().push_back(step);
    }

    /// Returns the steps that no request has used yet, each with its operation and described in a few words.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (&str, String)> {
        let describe = |step: &ScriptedStep| match step {
            ScriptedStep::Answer(answer) => format!("answer {}", answer.status),
            ScriptedStep::Fault(fault) => fault.to_string(),
        };
        let steps = self.0.iter().flat_map(|(id, steps)| steps.iter().map(move |step| (id.as_str(), step)));
        steps.map(move |(id, step)| (id, describe(step)))
    }

    pub(crate) fn next(&mut self, operation_id: &str) -> Option<ScriptedStep> {
        self.0.get_mut(operation_id)?.pop_front()
    }
}
