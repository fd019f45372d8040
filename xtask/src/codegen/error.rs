use std::fmt;

/// Why a document cannot be read or a pass fails, and where in the document.
#[derive(Debug)]
pub(crate) struct PassError {
    location: Option<String>,
    message: String,
}

impl PassError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { location: None, message: message.into() }
    }

    /// An error in the operation, schema or other part of the document that `location` names.
    pub(crate) fn at(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { location: Some(location.into()), message: message.into() }
    }

    /// Adds the file that was read.
    pub(crate) fn in_file(self, path: &str) -> Error {
        Error(format!("{path}: {}", self.message))
    }

    /// Adds the document and the pass.
    pub(crate) fn during(self, api: &str, pass: &str) -> Error {
        let location = self.location.map(|location| format!(", {location}")).unwrap_or_default();
        Error(format!("specs/{api}.yaml{location}: {pass}: {}", self.message))
    }
}

/// Why a task failed, as it is shown.
#[derive(Debug)]
pub(crate) struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
