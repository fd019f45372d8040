//! ON-API from end to end: the generated client and the facade against the sandbox.

mod requests;
mod strays;
