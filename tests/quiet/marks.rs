//! The marks that no output may contain, and the checks of outputs.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::io::Write;
use std::sync::{Arc, Mutex};

use lastmile::observe::{AttemptReport, CallReport, Observer, TokenRequestReport, WaitReport};
use serde_json::{Value, json};

pub const KEY: &str = "SECRET-KEY-4711";
pub const CLIENT: &str = "SECRET-CLIENT-4711";
pub const TOKEN: &str = "SECRET-TOKEN-4711";
pub const REFRESH: &str = "SECRET-REFRESH-4711";
pub const PASSWORD: &str = "SECRET-WORD-4711";
pub const USER: &str = "Personal-sp";
/// User and password in the encoding of Basic authentication.
const BASIC: &str = "UGVyc29uYWwtc3A6U0VDUkVULVdPUkQtNDcxMQ==";
pub const PERSONAL: &str = "Personal";
/// Personal data that is a number: longer than a port or the fraction of a second.
pub const NUMBER: u64 = 471_100_811;
/// The reference of a person's optical socket.
pub const SOCKET: &str = "FI-Z4Q9-Z4Q9";
/// The addresses of a person's device.
pub const MAC: &str = "02:BE:EF:BE:EF:02";
pub const ADDRESS: &str = "192.0.2.147";

/// No output contains any of these.
#[track_caller]
pub fn quiet(text: &str) {
    for mark in ["SECRET", BASIC, PERSONAL, "471100811", "Z4Q9", MAC, ADDRESS] {
        if let Some(at) = text.find(mark) {
            let start = text[..at].rfind('\n').map_or(0, |line| line + 1).max(at.saturating_sub(2000));
            let rest = text.get(start..).unwrap_or(text);
            panic!("{mark} in {}", rest.lines().next().unwrap_or_default());
        }
    }
}

pub fn personal() -> Option<String> {
    Some(PERSONAL.to_owned())
}

/// Returns an error body that repeats the request in the fields where the three suppliers put their messages.
pub fn echo() -> Value {
    json!({
        "id": KEY, "message": "Personal, SECRET-KEY-4711",
        "errors": [{ "code": TOKEN, "message": PERSONAL }, { "code": "Personal data of somebody" }],
        "apirequest_uuid": TOKEN, "error": "Personal, SECRET-TOKEN-4711",
        "details": [{ "field": TOKEN, "errors": [PERSONAL] }, { "field": "Personal field of somebody" }],
        "cause": "Personal, SECRET-WORD-4711",
    })
}

/// The types that were shown and that showed no mark.
#[derive(Default)]
pub struct Walked {
    names: RefCell<BTreeSet<String>>,
    reports: Arc<Reports>,
}

/// What an observer receives.
#[derive(Default)]
struct Reports {
    calls: Mutex<Vec<CallReport>>,
    attempts: Mutex<Vec<AttemptReport>>,
    waits: Mutex<Vec<WaitReport>>,
    tokens: Mutex<Vec<TokenRequestReport>>,
}

impl Observer for Reports {
    fn on_call_end(&self, call: &CallReport) {
        self.calls.lock().unwrap().push(call.clone());
    }

    fn on_attempt_end(&self, attempt: &AttemptReport) {
        self.attempts.lock().unwrap().push(attempt.clone());
    }

    fn on_wait_end(&self, wait: &WaitReport) {
        self.waits.lock().unwrap().push(wait.clone());
    }

    fn on_token_request_end(&self, request: &TokenRequestReport) {
        self.tokens.lock().unwrap().push(request.clone());
    }
}

impl Walked {
    /// Returns an observer for a client, whose reports [`reports`](Self::reports) checks.
    pub fn observer(&self) -> Arc<dyn Observer> {
        self.reports.clone()
    }

    /// Checks what the observers received.
    pub fn reports(&self) {
        let Reports { calls, attempts, waits, tokens } = &*self.reports;
        calls.lock().unwrap().iter().for_each(|call| self.debug(call));
        attempts.lock().unwrap().iter().for_each(|attempt| self.debug(attempt));
        tokens.lock().unwrap().iter().for_each(|token| self.debug(token));
        for wait in &*waits.lock().unwrap() {
            self.debug(wait);
            self.debug(&wait.reason);
        }
    }

    /// Checks a value in both forms of `Debug`.
    #[track_caller]
    pub fn debug<T: Debug>(&self, value: &T) {
        quiet(&format!("{value:?}\n{value:#?}"));
        self.saw::<T>();
    }

    /// Checks `Display`, too.
    #[track_caller]
    pub fn both<T: Debug + Display>(&self, value: &T) {
        self.debug(value);
        quiet(&format!("{value}\n{value:#}"));
    }

    /// Checks an error and its sources.
    #[track_caller]
    pub fn error<E: Error>(&self, error: &E) {
        self.both(error);
        let mut source = error.source();
        while let Some(error) = source {
            quiet(&format!("{error}\n{error:?}\n{error:#?}"));
            source = error.source();
        }
    }

    fn saw<T>(&self) {
        let name = type_name::<T>();
        self.names.borrow_mut().insert(name.split('<').next().unwrap_or(name).to_owned());
    }

    /// Returns whether a value of this type was checked.
    pub fn has(&self, name: &str) -> bool {
        self.names.borrow().contains(name)
    }
}

/// Returns what was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
