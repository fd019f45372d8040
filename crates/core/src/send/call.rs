use std::pin::pin;

use progenitor_client::QueryParam;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use tracing::Instrument as _;

use super::{CallRecord, send_repeatedly};
use crate::classify::{Failure, without_response};
use crate::client::Transport;
use crate::decode::read_body;
use crate::error::{Error, Outcome};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::wire::{ResponseBody, Segment};

/// A call of an operation that has not been sent. Methods of generated clients build it.
#[must_use = "a call that is not sent does nothing"]
pub struct Call<'a> {
    pub(crate) transport: &'a Transport,
    operation: &'static Operation,
    request: RequestBuilder,
}

/// The methods that generated code calls.
impl Transport {
    /// Returns a call. `parameters` are the parameters of the operation's path, in their order.
    pub fn call(&self, operation: &'static Operation, parameters: &[&Segment]) -> Call<'_> {
        let url = self.shared.url(operation, parameters);
        let request = self.shared.http.request(operation.method.clone(), url);
        Call { transport: self, operation, request }
    }
}

impl Call<'_> {
    /// Adds a query parameter. `None` adds nothing.
    pub fn query<T: Serialize>(self, name: &'static str, value: &T) -> Self {
        let path_style = &self.transport.shared.path_style;
        let request = match path_style.parameter(name, self.operation) {
            Some(lower_case) => self.request.query(&QueryParam::new(&lower_case, value)),
            None => self.request.query(&QueryParam::new(name, value)),
        };
        Self { request, ..self }
    }

    /// Adds a header. `None` adds nothing.
    pub fn header(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => Self { request: self.request.header(name, value), ..self },
            None => self,
        }
    }

    /// Sets the request body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        Self { request: self.request.json(body), ..self }
    }

    /// Sends the request and decodes the response body.
    ///
    /// # Errors
    /// Returns an [`Error`] if there is no usable response; its outcome says whether the request took effect.
    pub fn send<T: ResponseBody>(self) -> impl Future<Output = Result<Reply<T>, Error>> {
        let transport = self.transport;
        let opening = self.open(false);
        async move {
            let (mut record, _) = opening.await?;
            match read_body(&record.body, record.operation) {
                Ok(value) => Ok(record.reply(transport, value)),
                Err(why) => {
                    let failure = Failure { decode_path: why.path, ..Failure::of(Outcome::Decode, why.what) };
                    Err(record.error(&transport.shared, failure))
                }
            }
        }
    }

    /// Sends the request. A successful response has no body to decode.
    ///
    /// # Errors
    /// Returns an [`Error`] if there is no usable response; its outcome says whether the request took effect.
    pub fn send_empty(self) -> impl Future<Output = Result<Reply<()>, Error>> {
        let transport = self.transport;
        let opening = self.open(false);
        async move {
            let (record, _) = opening.await?;
            Ok(record.reply(transport, ()))
        }
    }

    /// Sends the request. Returns the record of the call, and the response if the call `is_streamed`.
    ///
    /// The future is boxed, so that the futures of callers, which they keep, move and spawn, are small.
    pub(crate) fn open(
        self,
        is_streamed: bool,
    ) -> impl Future<Output = Result<(CallRecord, Option<Box<Response>>), Error>> {
        let Self { transport, operation, request } = self;
        // Built here, since the future would contain the builder, too.
        let mut request = request.build();
        Box::pin(async move {
            let mut record = CallRecord::start(transport, operation);
            let request = match request {
                // Borrowed, since the future would contain the request twice.
                Ok(ref mut request) => request,
                // The values that the caller gave cannot be written.
                Err(error) => return Err(record.error(&transport.shared, without_response(error))),
            };
            let span = record.span.clone();
            let result = {
                let sending = pin!(send_repeatedly(transport, request, &mut record, is_streamed));
                sending.instrument(span).await
            };
            match result {
                Ok(response) => Ok((record, response)),
                Err(failure) => Err(record.error(&transport.shared, failure)),
            }
        })
    }
}
