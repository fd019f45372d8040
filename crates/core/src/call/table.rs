use std::fmt;

/// Everything about an API that calls depend on and that differs between suppliers. Generated from its document.
#[derive(Debug)]
pub struct Table {
    /// The short name of the API, as in errors and spans.
    pub api: &'static str,
    /// The title of the document.
    pub title: &'static str,
    /// The version of the API.
    pub version: &'static str,
    /// Where an error body keeps its parts.
    pub errors: ErrorShape,
    /// The headers that carry keys, by the name of their security scheme.
    pub key_headers: &'static [(&'static str, &'static str)],
    /// The operations, ordered by [`Operation::id`].
    pub operations: &'static [Operation],
}

impl Table {
    /// The operation of this id.
    pub fn operation(&self, id: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.id.cmp(id)).ok()?;
        Some(&self.operations[at])
    }

    /// The header that carries the key of this security scheme.
    pub fn key_header(&self, scheme: &str) -> Option<&'static str> {
        self.key_headers.iter().find(|(name, _)| *name == scheme).map(|(_, header)| *header)
    }
}

/// One operation of an API.
#[derive(Debug)]
pub struct Operation {
    /// The name of the client's method.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its parameters in braces. Spans and errors show this, never the path that was sent.
    pub path: &'static str,
    /// Whether it may be sent again when its answer is missing.
    pub repeat: Repeat,
    /// The media type of the request, where it is not plain JSON.
    pub media_type: Option<&'static str>,
    /// What a success brings.
    pub answer: Answer,
}

/// Whether a request may be sent again when it is not known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing.
    Read,
    /// Doing it twice is the same as doing it once.
    Idempotent,
    /// Doing it twice does it twice.
    Once,
}

/// What a success brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A JSON body.
    Json,
    /// No body that means anything.
    Nothing,
}

/// Where an error body keeps its parts, as JSON pointers; an empty one means that it has no such part.
#[derive(Clone, Copy, Debug)]
pub struct ErrorShape {
    /// The explanation.
    pub message: &'static str,
    /// The supplier's id of the failure.
    pub id: &'static str,
    /// The list of single errors.
    pub fields: &'static str,
    /// Inside one of these: the code.
    pub field_code: &'static str,
    /// Inside one of these: the explanation.
    pub field_message: &'static str,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
