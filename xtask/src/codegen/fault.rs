use std::fmt;

/// Something in a document that cannot be taken, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    place: Option<String>,
    what: String,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { place: None, what: what.into() }
    }

    /// The operation, schema or other part that the fault is in.
    pub(crate) fn at(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: Some(place.into()), what: what.into() }
    }

    pub(crate) fn during(self, api: &str, pass: &str) -> Error {
        let place = self.place.map(|place| format!(", {place}")).unwrap_or_default();
        Error(format!("specs/{api}.yaml{place}: {pass}: {}", self.what))
    }
}

/// Why codegen failed, as it is shown.
#[derive(Debug)]
pub(crate) struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
